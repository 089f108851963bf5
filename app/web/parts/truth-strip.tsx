import type { JSX } from 'preact';
import type { ResultInfo as FullInfo } from '../../processing/result.ts';
import { inPixels } from '../state/estimate.ts';
import type { Item } from '../state/items.ts';

/** What was really done: model, device, every fallback and its reason, faces, seconds, and the digest of the weights. */
export function TruthStrip({ item }: { readonly item: Item }): JSX.Element | null {
  const results = item.job.value?.results ?? [];
  if (results.length === 0) return null;
  return (
    <section class="truth" aria-label="What was done">
      {results.map(({ index, info }) => (
        <Facts key={index} info={info as FullInfo} />
      ))}
    </section>
  );
}

function Facts({ info }: { readonly info: FullInfo }): JSX.Element {
  const facts = factsOf(info).filter(([, value]) => value !== undefined && value !== '');
  return (
    <>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {info.fallbacks.map(({ from, to, reason }) => (
        <p key={`${from}>${to}`} class="note">
          Fell back from {from} to {to}: {reason}
        </p>
      ))}
      {info.warnings.map((warning) => (
        <p key={warning} class="note">
          {warning}
        </p>
      ))}
    </>
  );
}

function factsOf(info: FullInfo): readonly (readonly [name: string, value: string | undefined])[] {
  const { steps, faces_found: found, faces_restored: restored, weights_sha256: digest } = info;
  const stepWords = steps?.map(({ step, model, seconds }) => `${step} by ${model} (${seconds.toFixed(1)} s)`);
  return [
    ['Made by', info.upscaler ?? stepWords?.join(', ')],
    ['Weights', digest && `${info.model ?? ''} ${digest.slice(0, 12)}…`],
    ['Ran on', info.device && `${info.device}${info.precision ? `, ${info.precision}` : ''}`],
    ['Size', `${inPixels(info.input)} → ${inPixels(info.output)}`],
    ['Tiles', info.tiles === undefined ? undefined : `${info.tiles} of ${info.tile ?? 0} px, halo ${info.halo ?? 0}`],
    ['Faces', found === undefined ? undefined : `${found} found, ${restored ?? 0} restored`],
    ['Reduced back', psnrOf(info)],
    ['Took', tookOf(info.seconds)],
  ];
}

function psnrOf({ psnr_reduced: psnr }: FullInfo): string | undefined {
  if (psnr === undefined) return undefined;
  return psnr === null ? 'equal to the original' : `${psnr.toFixed(1)} dB from the original`;
}

function tookOf(seconds: FullInfo['seconds']): string {
  if (seconds['cache'] !== undefined) return 'made before, out of the cache';
  return `${(seconds['total'] ?? 0).toFixed(1)} s`;
}
