import type { JSX, TargetedEvent } from 'preact';
import { refusal, takeFiles } from '../state/intake.ts';
import { sentenceOf, settings } from '../state/settings.ts';

const ACCEPTED = 'image/png,image/jpeg,image/webp,image/avif,image/tiff,image/gif,.tif,.tiff';

/** Where pictures are picked; they can be dropped anywhere, or pasted. */
export function DropZone(): JSX.Element {
  const pick = (event: TargetedEvent<HTMLInputElement>): void => {
    takeFiles([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = '';
  };
  return (
    <section class="drop" aria-label="Pictures">
      <p class="sentence">
        What is dropped now: <strong>{sentenceOf(settings.value)}</strong>
      </p>
      <p>Drop pictures or folders anywhere, paste one, or</p>
      <div class="row">
        <label class="button primary">
          Choose pictures
          <input class="unseen" type="file" accept={ACCEPTED} multiple onChange={pick} data-testid="pick" />
        </label>
        <label class="button">
          a folder
          <input class="unseen" type="file" multiple {...{ webkitdirectory: true }} onChange={pick} />
        </label>
      </div>
      {refusal.value !== '' && (
        <p class="problem" role="alert">
          {refusal.value}
        </p>
      )}
    </section>
  );
}
