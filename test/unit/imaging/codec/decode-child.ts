import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { peakMemory } from '../../../support/peak-memory.ts';

/*
 * Decodes the files named on the command line, one after another, and prints as JSON how each ended and the most memory
 * that the process ever had: a process of its own, so that the number is nobody else's.
 */

interface Outcome {
  readonly file: string;
  readonly result: string;
  readonly milliseconds: number;
}

const outcomes: Outcome[] = [];
const startMb = peakMemory('self') / 2 ** 20;
for (const file of process.argv.slice(2)) {
  const start = performance.now();
  const result = await decodeImage(file, { maxPixels: 2 ** 26 }).then(
    ({ image, metadata, warnings }) =>
      `${image.width}x${image.height} ${[...warnings, ...(metadata.leftOut ?? [])].join('; ')}`.trim(),
    (error: unknown) =>
      error instanceof Error ? `${(error as { code?: string }).code ?? 'NO CODE'} ${error.message}` : 'no error',
  );
  outcomes.push({ file, result, milliseconds: Math.round(performance.now() - start) });
}
process.stdout.write(JSON.stringify({ outcomes, startMb, peakMb: peakMemory('self') / 2 ** 20 }));
