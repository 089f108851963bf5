import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { enterKey, keyQuestion } from '../service/connection.ts';

/** Asks for the service's key, where it wants one; what waits for it goes on then. */
export function KeyBox(): JSX.Element | null {
  const box = useRef<HTMLDialogElement>(null);
  const question = keyQuestion.value;
  useEffect(() => {
    if (question !== undefined) box.current?.showModal();
    else box.current?.close();
  }, [question]);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const key = new FormData(event.currentTarget).get('key');
    if (typeof key === 'string' && key !== '') enterKey(key);
  };
  return (
    <dialog ref={box} class="key-box" aria-labelledby="key-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="key-title">{question ?? 'API key'}</h2>
        <input
          class="unseen"
          type="text"
          autoComplete="username"
          value="hiresfix"
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <label>
          API key
          <input name="key" type="password" autoComplete="current-password" required />
        </label>
        <p>It is kept until this tab is closed, and sent to this service alone.</p>
        <button type="submit" class="primary">
          Go on
        </button>
      </form>
    </dialog>
  );
}
