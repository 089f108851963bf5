import type { Submission } from '../../client/hires-fix-client.ts';
import type { Settings } from './settings.ts';
import { fieldsOf, hasColorFix } from './settings.ts';

/** What is sent for a picture and its settings. */
export function submissionOf(chosen: Settings, file: Blob, name: string): Submission {
  return { method: chosen.method, files: [{ file, name }], fields: fieldsOf(chosen) };
}

/** The same request for a terminal. */
export function asCurl(chosen: Settings, name: string, service: URL, hasKey: boolean): string {
  const fields = Object.entries(fieldsOf(chosen)).map(([field, value]) => `  -F ${quoted(`${field}=${value}`)}`);
  const key = hasKey ? ['  -H "X-API-KEY: $HIRESFIX_API_KEY"'] : [];
  const url = new URL(chosen.method, service).href;
  return [`curl ${quoted(url)}`, ...key, `  -F ${quoted(`file=@${name}`)}`, ...fields, '  -OJ'].join(' \\\n');
}

/** The same for the command line of hiresfix. */
export function asCommand(chosen: Settings, name: string): string {
  const { steps, scale, upscaler } = chosen;
  const flags: string[] = [];
  if (chosen.method === 'restore') {
    flags.push('--steps', steps.join(','));
  } else {
    flags.push('--upscaler', upscaler);
    flags.push(...(chosen.sizing === 'scale' ? ['--scale', String(scale)] : ['--width', String(chosen.width)]));
    if (chosen.isFaceEnhance) flags.push('--face-restoration');
    if (upscaler === 'REALESR_GENERAL_X4_V3') flags.push('--denoise-strength', String(chosen.denoise));
    if (hasColorFix(chosen)) flags.push('--colour-fix', chosen.colorFix);
  }
  if (chosen.format !== 'auto') flags.push('--format', chosen.format);
  return `npx hiresfix ${chosen.method} ${quoted(name)} -o . ${flags.map(quoted).join(' ')}`;
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
