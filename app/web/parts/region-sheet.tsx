import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { RegionSheetState, SheetTile } from '../state/region-sheet.ts';
import { compareRegion, forgetSheet } from '../state/region-sheet.ts';
import { upscalers } from '../state/models.ts';
import type { Item } from '../state/items.ts';
import { choose, settings } from '../state/settings.ts';
import { upscalerFacts } from '../state/upscalers.ts';
import { RegionBox } from './region-box.tsx';

/** Of the part that is offered first: this share of a side, and no more pixels than this. */
const SHARE = 0.6;
const SIDE = 128;

/** A rectangle of the chosen picture by several upscalers, each with its seconds; a click takes that upscaler for the rest. */
export function RegionSheet({ item }: { readonly item: Item }): JSX.Element | null {
  const size = item.size.value;
  const region = useSignal({ x: 0, y: 0, width: SIDE, height: SIDE });
  const names = useSignal<readonly string[]>(['COMPACT_X2', 'LANCZOS']);
  const sheet = useSignal<RegionSheetState>({ status: 'idle', tiles: [], problem: '' });
  useEffect(() => {
    if (!size) return;
    const [width, height] = [size.width, size.height].map((side) => Math.min(SIDE, Math.ceil(side * SHARE)));
    if (width === undefined || height === undefined) return;
    const [x, y] = [Math.floor((size.width - width) / 2), Math.floor((size.height - height) / 2)];
    region.value = { x, y, width, height };
    return () => forgetSheet(sheet);
  }, [item.id, size?.width, size?.height]);
  if (!size) return null;
  const offered = upscalers.value.filter(({ name, isInstalled }) => isInstalled && name !== 'AUTO');
  const toggle = (name: string, isOn: boolean): void => {
    names.value = isOn ? [...names.value, name] : names.value.filter((one) => one !== name);
  };
  return (
    <details class="panel sheet">
      <summary>Try upscalers on a part of it</summary>
      <div class="row top-aligned">
        <RegionBox item={item} size={size} region={region} />
        <fieldset>
          <legend>Upscalers to compare</legend>
          {offered.map(({ name, label }) => (
            <label key={name} class="switch">
              <input
                type="checkbox"
                checked={names.value.includes(name)}
                onChange={(event) => toggle(name, event.currentTarget.checked)}
              />
              {label}
            </label>
          ))}
          <button
            type="button"
            class="primary"
            disabled={names.value.length === 0 || sheet.value.status === 'running'}
            onClick={() => void compareRegion(sheet, item, region.value, names.value)}
          >
            {sheet.value.status === 'running' ? 'Working…' : 'Compare this part'}
          </button>
        </fieldset>
      </div>
      {sheet.value.problem !== '' && <p class="problem">{sheet.value.problem}</p>}
      <Tiles tiles={sheet.value.tiles} />
    </details>
  );
}

function Tiles({ tiles }: { readonly tiles: readonly SheetTile[] }): JSX.Element {
  return (
    <ul class="tiles" data-testid="sheet">
      {tiles.map(({ upscaler, seconds, url, problem }) => (
        <li key={upscaler}>
          {url === undefined ? (
            <span class="problem">{problem}</span>
          ) : (
            <button
              type="button"
              aria-pressed={settings.value.upscaler === upscaler}
              onClick={() => choose({ upscaler })}
            >
              <img src={url} alt={`The part by ${upscalerFacts(upscaler).label}`} />
            </button>
          )}
          <span>
            {upscalerFacts(upscaler).label}
            {seconds !== undefined && `, ${seconds.toFixed(1)} s`}
          </span>
        </li>
      ))}
    </ul>
  );
}
