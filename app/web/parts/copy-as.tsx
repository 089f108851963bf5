import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import { apiKey, SERVICE, wordsOf } from '../service/connection.ts';
import type { Settings } from '../state/settings.ts';
import { asCommand, asCurl } from '../state/submission.ts';
import { canCopyPictures, copyPng, copyText } from './clipboard.ts';

interface CopyProps {
  readonly name: string;
  readonly chosen: Settings;
  /** The result, where there is one. */
  readonly picture?: (() => Promise<Blob>) | undefined;
}

/** The request that a picture was sent by, for a terminal, and the result itself. */
export function CopyAs({ name, chosen, picture }: CopyProps): JSX.Element {
  const said = useSignal('');
  const copy = (text: string, what: string): void => {
    const done = (): string => (said.value = `${what} copied`);
    copyText(text).then(done, () => (said.value = text));
  };
  const copyPicture = (png: Promise<Blob>): void => {
    const done = (): string => (said.value = 'Picture copied');
    const refused = (): string => (said.value = 'The browser does not let pictures be copied');
    const lost = (error: unknown): string => (said.value = wordsOf(error));
    copyPng(png).then(done, () => png.then(refused, lost));
  };
  return (
    <details class="copy">
      <summary>
        Copy as <span class="unseen">of {name}</span>
      </summary>
      <button type="button" onClick={() => copy(asCurl(chosen, name, SERVICE, apiKey.value !== ''), 'curl')}>
        curl
      </button>
      <button type="button" onClick={() => copy(asCommand(chosen, name), 'Command line')}>
        Command line
      </button>
      {picture && canCopyPictures() && (
        <button type="button" onClick={() => copyPicture(picture())}>
          Picture
        </button>
      )}
      {said.value !== '' && <code role="status">{said.value}</code>}
    </details>
  );
}
