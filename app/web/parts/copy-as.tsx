import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import { apiKey, SERVICE } from '../service/connection.ts';
import type { Settings } from '../state/settings.ts';
import { asCommand, asCurl } from '../state/submission.ts';

/** The request that a picture was sent by, for a terminal. */
export function CopyAs({ name, chosen }: { readonly name: string; readonly chosen: Settings }): JSX.Element {
  const said = useSignal('');
  const copy = (text: string, what: string): void => {
    const done = (): string => (said.value = `${what} copied`);
    navigator.clipboard.writeText(text).then(done, () => (said.value = text));
  };
  return (
    <details class="copy">
      <summary>Copy as</summary>
      <button type="button" onClick={() => copy(asCurl(chosen, name, SERVICE, apiKey.value !== ''), 'curl')}>
        curl
      </button>
      <button type="button" onClick={() => copy(asCommand(chosen, name), 'Command line')}>
        Command line
      </button>
      {said.value !== '' && <code role="status">{said.value}</code>}
    </details>
  );
}
