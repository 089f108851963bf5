import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { enterKey, isKeyPutOff, keyQuestion } from '../service/connection.ts';

/** Asks for the service's key, where it wants one; what waits for it goes on then. Closed, it is to be had at the head of the page. */
export function KeyBox(): JSX.Element | null {
  const box = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const isClosing = useRef(false);
  const question = keyQuestion.value;
  const isOpen = question !== undefined && !isKeyPutOff.value;
  useEffect(() => {
    if (!isOpen) return;
    box.current?.showModal();
    field.current?.select(); // a key that was refused is typed over
    return () => {
      isClosing.current = box.current?.open === true;
      box.current?.close();
    };
  }, [isOpen]);
  const closed = (): void => {
    if (!isClosing.current) isKeyPutOff.value = true; // by whoever reads the page
    isClosing.current = false;
  };
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const key = new FormData(event.currentTarget).get('key');
    if (typeof key === 'string' && key !== '') enterKey(key);
  };
  return (
    <dialog ref={box} class="key-box" aria-labelledby="key-title" onClose={closed}>
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
          <input ref={field} name="key" type="password" autoComplete="current-password" required />
        </label>
        <p>It is kept until this tab is closed, and sent to this service alone.</p>
        <button type="submit" class="primary">
          Go on
        </button>
      </form>
    </dialog>
  );
}
