import type { Job } from '../../jobs/job.ts';
import type { ExtrasSize } from '../../options/extras-options.ts';
import { makerOf } from '../../processing/result.ts';
import { jobWarnings } from '../result-headers.ts';
import type { ExtrasBody } from './extras-body.ts';

/** What was asked, in the words that the WebUI puts into a PNG's text `postprocessing` and shows beside the picture. */
export function extrasText(
  body: ExtrasBody,
  asked: { readonly size: ExtrasSize; readonly first: string; readonly second: string | undefined },
): string {
  const { size, first, second } = asked;
  const bySize = 'scale' in size ? [['upscale by', size.scale]] : [['upscale to', `${size.width}x${size.height}`]];
  const facts = [
    ...bySize,
    ...('isCropped' in size && size.isCropped ? [['crop to', `${size.width}x${size.height}`]] : []),
    ['upscaler', first],
    ...(second === undefined
      ? []
      : [
          ['upscaler 2', second],
          ['upscaler 2 visibility', body.extras_upscaler_2_visibility],
        ]),
    ...(body.clean === undefined ? [] : [['clean', body.clean]]),
    ...((body.colour_fix ?? 'none') === 'none' ? [] : [['colour fix', body.colour_fix]]),
    ...(body.gfpgan_visibility > 0 ? [['GFPGAN visibility', body.gfpgan_visibility]] : []),
    ...(body.codeformer_visibility > 0
      ? [
          ['CodeFormer visibility', body.codeformer_visibility],
          ['CodeFormer weight', body.codeformer_weight],
        ]
      : []),
  ];
  return facts.map(([name, value]) => `Postprocess ${name}: ${quoted(String(value))}`).join(', ');
}

/** `html_info` of an answer: what was asked, then what was done for each picture. */
export function htmlInfo(job: Job): string {
  const text = job.work.kind === 'extras' ? job.work.options.text : '';
  const done = job.results.map((result) => {
    const { info } = result;
    const { width, height } = info.output;
    const device = info.device === undefined ? '' : ` on ${info.device}`;
    const faces = info.faces_restored === undefined ? [] : [`faces restored: ${info.faces_restored}`];
    return [`${makerOf(info)}${device}: ${width}x${height}`, ...faces, ...jobWarnings(job, result)].join('; ');
  });
  return [text, ...done].map((line) => `<p>${escaped(line)}</p>`).join('\n');
}

/** A value with a comma, a colon or a line break in it is quoted, so that readers of such texts find its end. */
function quoted(value: string): string {
  return /[,:\n]/.test(value) ? JSON.stringify(value) : value;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
