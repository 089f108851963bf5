import { scaledSide } from '../../options/scaled-side.ts';
import type { Settings } from './settings.ts';
import { upscalerFacts } from './upscalers.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What is likely to come of a picture, before anything is done. */
export interface Estimate {
  readonly size: Size;
  readonly seconds: number;
  readonly bytes: number;
}

/** Seconds for each megapixel of the input, by upscaler, as they were measured here. */
export type Speeds = Readonly<Record<string, number>>;

/** Of photographs, upscaled; drawings take less. */
const BYTES_PER_PIXEL: Readonly<Record<string, number>> = {
  png: 1.5,
  tiff: 1.7,
  jpeg: 0.35,
  webp: 0.2,
  avif: 0.15,
};
const RESTORE_SECONDS: Readonly<Record<string, number>> = { denoise: 60, deblur: 60, face: 12, colorize: 8 };
/** For a process to start and a model to be read. */
const START_SECONDS = 1.5;

/** The size that the service will answer with: whole pixels, counted as it does. */
export function resultSize(input: Size, { method, sizing, scale, width }: Settings): Size {
  if (method === 'restore') return input;
  if (sizing === 'width') return { width, height: Math.max(1, Math.round((input.height * width) / input.width)) };
  return { width: scaledSide(input.width, scale), height: scaledSide(input.height, scale) };
}

/** @param speeds as far as anything was measured */
export function estimate(input: Size, settings: Settings, speeds: Speeds, inputFormat: string): Estimate {
  const size = resultSize(input, settings);
  const format = settings.format === 'auto' ? inputFormat : settings.format;
  const megapixels = (input.width * input.height) / 1e6;
  const perPixel = BYTES_PER_PIXEL[format] ?? 1.5;
  return {
    size,
    seconds: START_SECONDS + megapixels * secondsPerMegapixel(settings, speeds),
    bytes: size.width * size.height * perPixel,
  };
}

function secondsPerMegapixel(settings: Settings, speeds: Speeds): number {
  if (settings.method === 'restore') {
    return settings.steps.reduce((sum, step) => sum + (RESTORE_SECONDS[step] ?? 0), 0);
  }
  const faces = settings.isFaceEnhance ? (RESTORE_SECONDS['face'] ?? 0) : 0;
  return (speeds[settings.upscaler] ?? upscalerFacts(settings.upscaler).secondsPerMegapixel) + faces;
}

/** `12 KB`, `3.4 MB`. */
export function inBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `800 × 600`. */
export function inPixels({ width, height }: Size): string {
  return `${width} × ${height}`;
}
