import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeImage } from '../imaging/codec/codec.ts';
import { colorsAlone } from '../imaging/codec/metadata/metadata.ts';
import { ScratchImage } from '../imaging/scratch-image.ts';
import type { FilePair } from './evaluate-files.ts';
import { decodePair } from './evaluate-files.ts';
import type { EvaluationView } from './evaluation-view.ts';
import { DIFFERENCE_GAIN, sideBySide } from './side-by-side.ts';

/** Pairs that are shown; all are listed. */
const MAX_PICTURES = 24;

/**
 * Writes `report.html`, `report.json` and `pictures/*.png` into a folder, which is created: the figures, worst first, and the
 * worst pairs side by side with their difference. What an earlier report left is replaced.
 */
export async function writeReport(folder: string, view: EvaluationView, maxPixels: number): Promise<void> {
  await mkdir(join(folder, 'pictures'), { recursive: true });
  const worstFirst = [...view.files].sort((a, b) => (a.psnr ?? Infinity) - (b.psnr ?? Infinity) || a.ssim - b.ssim);
  const pictures: string[] = [];
  for (const [index, pair] of worstFirst.slice(0, MAX_PICTURES).entries()) {
    const picture = `pictures/${String(index + 1).padStart(2, '0')}.png`;
    await writePicture(folder, picture, { pair, maxPixels });
    pictures.push(picture);
  }
  const report = { ...view, files: worstFirst.map((file, index) => ({ ...file, picture: pictures[index] ?? null })) };
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, 'report.html'), htmlOf(report));
}

async function writePicture(
  folder: string,
  picture: string,
  { pair, maxPixels }: { readonly pair: FilePair; readonly maxPixels: number },
): Promise<void> {
  const { reference, candidate } = await decodePair(pair, maxPixels);
  const image = sideBySide(reference.image, candidate.image);
  const scratch = ScratchImage.create(folder, image);
  try {
    scratch.writeRows(image.data);
    // One picture has one kind of colours: those of the reference, which its candidate is meant to have too.
    await encodeImage(scratch, join(folder, picture), { format: 'png', metadata: colorsAlone(reference.metadata) });
  } finally {
    scratch.dispose();
  }
}

type Report = Omit<EvaluationView, 'files'> & {
  readonly files: readonly (EvaluationView['files'][number] & { readonly picture: string | null })[];
};

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}figure{margin:2rem 0}img{max-width:100%}`;

function htmlOf(report: Report): string {
  const { mean, files, failed, crop_border, is_y_channel } = report;
  const what = `${is_y_channel ? 'Y channel' : 'colours'}, ${crop_border} pixels left out at the edges`;
  const rows = files.map((file) => rowOf(file.name, file, `${file.width}x${file.height}`));
  const shown = files.filter(({ picture }) => picture !== null);
  const figures = shown.map(
    ({ name, picture, psnr, ssim }) =>
      `<figure><img src="${picture ?? ''}" alt="reference, candidate, difference" loading="lazy"><figcaption>${escaped(name)}: ${decibels(psnr)}, SSIM ${ssim.toFixed(4)}</figcaption></figure>`,
  );
  const failures = failed.map(({ name, message }) => `<li>${escaped(name)}: ${escaped(message)}</li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation: ${files.length} images</title><style>${STYLE}</style></head><body>
<h1>Evaluation</h1>
<p>${files.length} images, ${what}. Mean: ${decibels(mean.psnr)}, SSIM ${mean.ssim.toFixed(4)}.</p>
${failures.length > 0 ? `<h2>Not compared</h2>\n<ul>${failures.join('\n')}</ul>` : ''}
<h2>Figures, worst first</h2>
<table><thead><tr><th>image</th><th>size</th><th>PSNR</th><th>SSIM</th></tr></thead><tbody>
${rows.join('\n')}
${rowOf('mean', mean, '')}
</tbody></table>
<h2>Worst cases</h2>
<p>Reference, candidate, and their difference, ${DIFFERENCE_GAIN} times as strong.</p>
${figures.join('\n')}
</body></html>
`;
}

function rowOf(name: string, { psnr, ssim }: EvaluationView['mean'], size: string): string {
  return `<tr><td>${escaped(name)}</td><td>${size}</td><td>${decibels(psnr)}</td><td>${ssim.toFixed(6)}</td></tr>`;
}

function decibels(psnr: number | null): string {
  return psnr === null ? 'equal' : `${psnr.toFixed(4)} dB`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
