import { freemem, totalmem } from 'node:os';
import { Router } from 'express';
import type { RouteContext } from '../routes/route-context.ts';
import { sendJson } from './process-time.ts';
import { offeredUpscalers } from './upscaler-names.ts';

/** What clients ask a WebUI for that generates. This one does not: the lists are empty, and every answer is JSON. */
export const EMPTY_PROBES = {
  'latent-upscale-modes': [],
  samplers: [],
  schedulers: [],
  'sd-models': [],
  'sd-modules': [],
  'sd-vae': [],
  loras: [],
  hypernetworks: [],
  'prompt-styles': [],
  'artist-categories': [],
  artists: [],
  embeddings: { loaded: {}, skipped: {} },
  scripts: { txt2img: [], img2img: [] },
  'cmd-flags': { api: true, nowebui: true },
} as const satisfies Readonly<Record<string, object>>;

/** What clients tell a WebUI to read again; here it is read whenever it is asked for. */
export const REFRESHES = ['refresh-checkpoints', 'refresh-loras', 'refresh-vae'] as const;

/** Restorers that `gfpgan_visibility` and `codeformer_visibility` are about. */
const FACE_RESTORERS = ['CodeFormer', 'GFPGAN'];

/** `GET /sdapi/v1/...` of what there is, and of what clients ask before they do anything. */
export function probesRoute({ catalog, config }: Pick<RouteContext, 'catalog' | 'config'>): Router {
  const router = Router();
  for (const [name, value] of Object.entries(EMPTY_PROBES))
    router.get(`/sdapi/v1/${name}`, (_request, response) => sendJson(response, value));
  for (const name of REFRESHES) router.post(`/sdapi/v1/${name}`, (_request, response) => sendJson(response, null));
  return router
    .get('/sdapi/v1/upscalers', async (_request, response) => {
      const all = await offeredUpscalers(catalog, config);
      sendJson(
        response,
        all.map(({ name, model, filename, url, scale }) => ({
          name,
          model_name: model,
          model_path: filename,
          model_url: url,
          scale,
        })),
      );
    })
    .get('/sdapi/v1/realesrgan-models', async (_request, response) => {
      // Those that there are, whether they can be had now or not: that is what `upscalers` tells.
      const all = await offeredUpscalers(catalog, { modelDownloads: true });
      const models = all.filter(({ name }) => name.startsWith('R-ESRGAN '));
      sendJson(
        response,
        models.map(({ name, url, scale }) => ({ name, path: url, scale })),
      );
    })
    .get('/sdapi/v1/face-restorers', (_request, response) =>
      sendJson(
        response,
        FACE_RESTORERS.map((name) => ({ name, cmd_dir: null })),
      ),
    )
    .get('/sdapi/v1/memory', (_request, response) => sendJson(response, memory()));
}

/** In bytes, of the machine. What a GPU has is known to the workers alone. */
function memory(): unknown {
  const [free, total] = [freemem(), totalmem()];
  return { ram: { free, used: total - free, total }, cuda: { error: 'not known here' } };
}
