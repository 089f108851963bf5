import type { Signal } from '@preact/signals';
import type { Extent, Point, Transform } from './transform.ts';
import { panned, zoomedAt } from './transform.ts';

/** What the hand moves. */
export interface Moved {
  readonly at: Signal<Transform>;
  readonly result: () => Extent;
  /** Device pixels in each CSS pixel. */
  readonly density: () => number;
  /** The middle of what the transform is about, which side by side is that of the half under the pointer, in CSS pixels of the page. */
  readonly middle: (clientX: number) => { readonly x: number; readonly y: number };
  /** At a place from that middle, in device pixels. */
  readonly onDoubleTap: (place: Point) => void;
}

/** Wheel, drag, pinch and double tap on an element. @returns what takes the listeners off again */
export function listenToHands(element: HTMLElement, moved: Moved): () => void {
  const hands = new Hands(element, moved);
  const listeners = {
    wheel: (event: WheelEvent) => hands.wheel(event),
    pointerdown: (event: PointerEvent) => hands.down(event),
    pointermove: (event: PointerEvent) => hands.move(event),
    pointerup: (event: PointerEvent) => hands.up(event),
    pointercancel: (event: PointerEvent) => hands.up(event),
    dblclick: (event: MouseEvent) => moved.onDoubleTap(hands.offset({ x: event.clientX, y: event.clientY })),
  };
  const all = Object.entries(listeners) as [string, EventListener][];
  for (const [name, listener] of all) element.addEventListener(name, listener, { passive: false });
  return () => {
    for (const [name, listener] of all) element.removeEventListener(name, listener);
  };
}

class Hands {
  readonly #element: HTMLElement;
  readonly #moved: Moved;
  readonly #points = new Map<number, Point>();

  constructor(element: HTMLElement, moved: Moved) {
    this.#element = element;
    this.#moved = moved;
  }

  /** From the middle, in device pixels. */
  offset({ x, y }: Point): Point {
    const middle = this.#moved.middle(x);
    const density = this.#moved.density();
    return { x: (x - middle.x) * density, y: (y - middle.y) * density };
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const { at, result } = this.#moved;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) / 300);
    const place = this.offset({ x: event.clientX, y: event.clientY });
    at.value = zoomedAt(at.value, at.value.zoom * factor, place, result());
  }

  down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#element.setPointerCapture(event.pointerId);
    this.#points.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  move(event: PointerEvent): void {
    const before = this.#points.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.#points].find(([id]) => id !== event.pointerId)?.[1];
    this.#points.set(event.pointerId, now);
    const { at, density, result } = this.#moved;
    const scale = density();
    if (!other) {
      at.value = panned(at.value, (now.x - before.x) * scale, (now.y - before.y) * scale, result());
      return;
    }
    const factor = distance(now, other) / Math.max(1, distance(before, other));
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const zoomed = zoomedAt(at.value, at.value.zoom * factor, this.offset(middle), result());
    at.value = panned(zoomed, ((now.x - before.x) / 2) * scale, ((now.y - before.y) / 2) * scale, result());
  }

  up(event: PointerEvent): void {
    this.#points.delete(event.pointerId);
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
