import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { listenToHands } from './gestures.ts';
import { Painter } from './painter.ts';
import { enlarged } from './enlarged.ts';
import { arrivals } from './picture.ts';
import { choiceFor, sides } from './sides.ts';
import { fitted, panned, visible } from './transform.ts';
import {
  at,
  chooseMode,
  divider,
  enlarging,
  fit,
  gain,
  isFlipped,
  mode,
  result,
  sideStage,
  stage,
  toggleFit,
  zoomTo,
} from './view-state.ts';
import { items } from '../state/items.ts';
import { chosenId, chosenItem, looks } from '../state/queue.ts';
import { saveView } from '../parts/save.ts';
import { linkedView } from './view-link.ts';
import { ViewerControls } from './viewer-controls.tsx';

const STEP = 64;

/** Two pictures under one transform: slid over one another, side by side, flipped, or their difference. */
export function Viewer(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const element = useRef<HTMLDivElement>(null);
  useSides();
  usePainting(canvas);
  useStage(element, canvas);
  useSignalEffect(() => {
    // Where the page is one column, what is to be seen may be far from where that was asked.
    if (looks.value > 0) element.current?.scrollIntoView({ block: 'nearest' });
  });
  const isEmpty = useComputed(() => !sides.left.picture.value && !sides.right.picture.value);
  const hint = useComputed(() =>
    items.value.length === 0 ? 'What you drop is shown here' : 'Choose a picture of the queue to look at it here',
  );
  const problem = useComputed(() => sides.left.problem.value || sides.right.problem.value);
  return (
    <section class="viewer" aria-label="Comparison">
      <div
        ref={element}
        class="stage"
        tabIndex={0}
        role="group"
        aria-label="Pictures. Arrow keys move, plus and minus zoom, 0 shows all, 1 is 100 %, hold space for the left side"
        onKeyDown={pressed}
        onKeyUp={released}
        onBlur={() => (isFlipped.value = false)}
      >
        <canvas ref={canvas} data-testid="stage" />
        {isEmpty.value && problem.value === '' && <p class="hint">{hint.value}</p>}
        {!isEmpty.value && <Corners />}
        {mode.value === 'slider' && !isEmpty.value && <Slider />}
      </div>
      {problem.value !== '' && <p class="problem">{problem.value}</p>}
      <ViewerControls onSave={() => canvas.current && void saveView(canvas.current)} />
    </section>
  );
}

/** Which side is which. */
function Corners(): JSX.Element {
  const [left, right] = [choiceFor('left'), choiceFor('right')];
  const isAlone = isFlipped.value || mode.value === 'difference';
  return (
    <>
      <span class="corner left">{mode.value === 'difference' ? 'Difference' : left?.short}</span>
      {!isAlone && <span class="corner right">{right?.short}</span>}
    </>
  );
}

/** A real range input over the pictures; its thumb alone takes the hand. */
function Slider(): JSX.Element {
  const { value } = divider;
  return (
    <>
      <div class="divider" style={{ left: `${value}%` }} />
      <input
        class="slider"
        type="range"
        min={0}
        max={100}
        step={1}
        value={value}
        aria-label="Where the left side ends"
        aria-valuetext={`${value} % left side`}
        onInput={(event) => (divider.value = Number(event.currentTarget.value))}
      />
    </>
  );
}

/** Opens what the sides are to show, and shows all of it when its size is another. */
function useSides(): void {
  useSignalEffect(() => void sides.left.show(choiceFor('left')));
  useSignalEffect(() => void sides.right.show(choiceFor('right')));
  const shown = useSignal('');
  useSignalEffect(() => {
    const { width, height } = result.value;
    const key = `${width}x${height}`;
    if (stage.value.width <= 1 || shown.peek() === key) return;
    shown.value = key;
    const asked = linkedView.peek();
    if (asked && asked.jobId === chosenItem.peek()?.jobId.peek()) at.value = asked.at;
    else fit();
  });
  useWholeView();
  useLinkedView();
}

/** What was seen as a whole stays so when there is more or less room for it. */
function useWholeView(): void {
  const before = useRef(sideStage.peek());
  useSignalEffect(() => {
    const room = sideStage.value;
    if (at.peek().zoom === fitted(result.peek(), before.current).zoom) fit();
    before.current = room;
  });
}

/** Chooses the picture that the address asks for; what is looked at by hand later is nobody's link. */
function useLinkedView(): void {
  useSignalEffect(() => {
    const asked = linkedView.value;
    const item = asked && items.value.find(({ jobId }) => jobId.value === asked.jobId);
    if (item) chosenId.value = item.id;
  });
  useSignalEffect(() => {
    const isOther = chosenItem.value?.jobId.value !== linkedView.peek()?.jobId;
    if (isOther && items.peek().some(({ jobId }) => jobId.peek() === linkedView.peek()?.jobId))
      linkedView.value = undefined;
  });
}

/** Once a frame, however much has changed. */
function usePainting(canvas: { readonly current: HTMLCanvasElement | null }): void {
  const painter = useRef<Painter>(undefined);
  const frame = useRef(0);
  useSignalEffect(() => {
    const { width, height } = stage.value;
    const isLanczos = enlarging.value === 'lanczos';
    const left = enlarged('left', sides.left.picture.value, { result: result.value, isLanczos });
    const right = enlarged('right', sides.right.picture.value, { result: result.value, isLanczos });
    const scene = {
      left,
      right,
      result: result.value,
      at: at.value,
      mode: mode.value,
      divider: divider.value / 100,
      isFlipped: isFlipped.value,
      enlarging: enlarging.value === 'nearest' ? ('nearest' as const) : ('smooth' as const),
      gain: gain.value,
      arrivals: arrivals.value,
    };
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const element = canvas.current;
      if (!element) return;
      if (element.width !== width || element.height !== height) [element.width, element.height] = [width, height];
      painter.current ??= new Painter(element);
      painter.current.paint(scene);
      element.dataset['zoom'] = String(scene.at.zoom);
    });
    const seen = visible(at.value, result.value, sideStage.value);
    if (seen) for (const picture of [left, right]) picture?.want(seen, at.value.zoom);
  });
}

/** The canvas has as many pixels as the screen has under it: nothing is scaled again on its way there. */
function useStage(
  element: { readonly current: HTMLDivElement | null },
  canvas: { readonly current: HTMLCanvasElement | null },
): void {
  useEffect(() => {
    const box = element.current;
    if (!box || !canvas.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const [exact] = 'devicePixelContentBoxSize' in entry ? entry.devicePixelContentBoxSize : [];
      const width = exact?.inlineSize ?? Math.round(entry.contentRect.width * devicePixelRatio);
      const height = exact?.blockSize ?? Math.round(entry.contentRect.height * devicePixelRatio);
      stage.value = { width: Math.max(1, width), height: Math.max(1, height) };
    });
    try {
      observer.observe(box, { box: 'device-pixel-content-box' });
    } catch {
      observer.observe(box);
    }
    const stop = listenToHands(box, {
      at,
      result: () => result.peek(),
      density: () => devicePixelRatio,
      middle: (clientX) => middleOf(box.getBoundingClientRect(), clientX),
      onDoubleTap: toggleFit,
    });
    return () => {
      observer.disconnect();
      stop();
    };
  }, []);
}

function middleOf({ left, top, width, height }: DOMRect, clientX: number): { x: number; y: number } {
  const y = top + height / 2;
  if (mode.peek() !== 'side') return { x: left + width / 2, y };
  return { x: left + (clientX < left + width / 2 ? width / 4 : (3 * width) / 4), y };
}

const KEYS: Readonly<Record<string, () => void>> = {
  '+': () => zoomTo(at.value.zoom * 1.25),
  '=': () => zoomTo(at.value.zoom * 1.25),
  '-': () => zoomTo(at.value.zoom / 1.25),
  '0': fit,
  '1': () => zoomTo(1),
  '2': () => zoomTo(2),
  '4': () => zoomTo(4),
  s: () => chooseMode('slider'),
  b: () => chooseMode('side'),
  d: () => chooseMode('difference'),
  ' ': () => (isFlipped.value = true),
  ArrowLeft: () => move(STEP, 0),
  ArrowRight: () => move(-STEP, 0),
  ArrowUp: () => move(0, STEP),
  ArrowDown: () => move(0, -STEP),
};

function pressed(event: KeyboardEvent): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function released(event: KeyboardEvent): void {
  if (event.key === ' ') isFlipped.value = false;
}

function move(x: number, y: number): void {
  at.value = panned(at.value, x * devicePixelRatio, y * devicePixelRatio, result.value);
}
