import type { JSX } from 'preact';
import { isKeyPutOff, keyQuestion } from '../service/connection.ts';
import { connection } from '../service/live.ts';
import { isDragging } from '../state/intake.ts';
import { announcement, chosenItem } from '../state/queue.ts';
import { settings } from '../state/settings.ts';
import { Viewer } from '../viewer/viewer.tsx';
import { DropZone } from './drop-zone.tsx';
import { KeyBox } from './key-box.tsx';
import { ModelsPanel } from './models-panel.tsx';
import { Queue } from './queue.tsx';
import { RegionSheet } from './region-sheet.tsx';
import { RestorePanel } from './restore-panel.tsx';
import { TruthStrip } from './truth-strip.tsx';
import { UpscalePanel } from './upscale-panel.tsx';

/** The page: what to do on the left, what came of it on the right, and the two side by side in the middle. */
export function App(): JSX.Element {
  const isRestore = settings.value.method === 'restore';
  return (
    <>
      <Header />
      <main class="page">
        <div class="column">
          <h1>{isRestore ? 'Restore & colorize' : 'Upscale'}</h1>
          <DropZone />
          {isRestore ? <RestorePanel /> : <UpscalePanel />}
          <ModelsPanel />
        </div>
        <div class="column wide">
          <Viewer />
          {chosenItem.value && <TruthStrip item={chosenItem.value} />}
          {chosenItem.value?.file && !isRestore && <RegionSheet item={chosenItem.value} />}
        </div>
        <Queue />
      </main>
      <p class="unseen" role="status" aria-live="polite">
        {announcement.value}
      </p>
      <KeyBox />
      {isDragging.value && <div class="dragging">Drop pictures or folders anywhere</div>}
    </>
  );
}

const TOOLS = [
  { method: 'upscale', path: './', title: 'Upscale', icon: '⤢' },
  { method: 'restore', path: './restore', title: 'Restore & colorize', icon: '✦' },
] as const;

function Header(): JSX.Element {
  return (
    <header class="top">
      <span class="brand">
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width="24" height="24" /> hiresfix
      </span>
      <nav aria-label="Tools">
        {TOOLS.map(({ method, path, title, icon }) => (
          <a key={method} href={path} aria-current={settings.value.method === method ? 'page' : undefined}>
            <span aria-hidden="true">{icon}</span> {title}
          </a>
        ))}
        <a href="./docs">
          <span aria-hidden="true">{'{ }'}</span> API
        </a>
      </nav>
      <Connection />
    </header>
  );
}

const WORDS = {
  live: 'Live',
  asking: 'Asking every 2 s',
  lost: 'Connection lost; trying again',
} as const;

function Connection(): JSX.Element {
  if (keyQuestion.value === undefined) {
    return (
      <span class={`connection ${connection.value}`} role="status">
        {WORDS[connection.value]}
      </span>
    );
  }
  return (
    <span class="connection lost">
      <button type="button" onClick={() => (isKeyPutOff.value = false)}>
        Enter the API key
      </button>
    </span>
  );
}
