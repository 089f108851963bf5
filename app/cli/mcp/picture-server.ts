import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Config } from '../../config.ts';
import { findFacesOptions } from '../../options/find-faces-options.ts';
import type { ImageMethodName } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { colorizeOptions, restoreOptions } from '../../options/restore-options.ts';
import { upscaleOptions } from '../../options/upscale-options.ts';
import { PIL_UPSCALERS, REALESRGAN_UPSCALERS } from '../../processing/upscale/upscalers.ts';
import { version } from '../../version.ts';
import { remoteClient } from '../remote/remote-client.ts';
import { fieldsAsGiven } from './fields-as-given.ts';
import type { PictureWork, WorkHooks } from './picture-work.ts';

const input = z.string().min(1).describe('Path of the picture, in a folder that is allowed');
const output = z
  .string()
  .min(1)
  .optional()
  .describe('Path of the result, or a folder for it; by default beside the picture. Nothing is overwritten');
const written = { quality: outputOptions.shape.quality, output_format: outputOptions.shape.output_format };

const upscaleFields = upscaleOptions.pick({
  ...{
    upscaler: true,
    scale: true,
    width: true,
    height: true,
    fit: true,
    denoise_strength: true,
    colour_fix: true,
    clean: true,
  },
  ...{ is_face_enhance: true, face_model: true, face_restoration_strength: true, fidelity: true },
});
const restoreFields = restoreOptions.pick({ steps: true, face_model: true, fidelity: true, colorize_model: true });
const colorizeFields = colorizeOptions.pick({ colorize_model: true, render_factor: true });

/** The tools that make a picture of a picture. */
const TOOLS = [
  {
    method: 'upscale',
    description:
      'Enlarge a picture with a neural network. COMPACT_X2 is always there; other upscalers may be downloaded first.',
    fields: upscaleFields,
  },
  {
    method: 'restore',
    description: 'Repair a photograph at its own size: noise, blur, faces, lost colours.',
    fields: restoreFields,
  },
  { method: 'colorize', description: 'Colour a black-and-white photograph.', fields: colorizeFields },
] as const satisfies readonly { method: ImageMethodName; description: string; fields: z.ZodObject }[];

/** A Model Context Protocol server whose tools work on picture files. */
export function pictureServer(work: PictureWork, models: () => Promise<unknown>): McpServer {
  const server = new McpServer({ name: 'hiresfix', version: version() });
  for (const { method, description, fields } of TOOLS) {
    const inputSchema = fieldsAsGiven(z.object({ input, output, ...fields.shape, ...written }));
    server.registerTool(
      method,
      { title: `hiresfix ${method}`, description, inputSchema },
      ({ input, output, ...given }, context) =>
        told(async () => {
          const { file, info, preview } = await work.make(method, { input, output, fields: given }, hooksOf(context));
          return [textOf({ output: file, info }), ...(preview === undefined ? [] : [imageOf(preview)])];
        }),
    );
  }
  server.registerTool(
    'find_faces',
    {
      title: 'hiresfix find_faces',
      description: 'Find the faces of a picture: boxes, landmarks and sizes in its pixels.',
      inputSchema: fieldsAsGiven(findFacesOptions.extend({ input })),
      annotations: { readOnlyHint: true },
    },
    ({ input, ...fields }, context) =>
      told(async () => [textOf(await work.findFaces({ input, fields }, hooksOf(context)))]),
  );
  server.registerTool(
    'list_models',
    {
      title: 'hiresfix list_models',
      description: 'List the upscalers that can be asked for, and which models are installed.',
      annotations: { readOnlyHint: true },
    },
    () =>
      told(async () => [
        textOf({ upscalers: ['AUTO', ...PIL_UPSCALERS, ...REALESRGAN_UPSCALERS], models: await models() }),
      ]),
  );
  return server;
}

/** What `list_models` tells of models: those here, or those of a service. */
export function modelsLister(config: Config, server: string | undefined): () => Promise<unknown> {
  if (server !== undefined) return () => remoteClient(server).models();
  return async () =>
    (await createCatalog(config).list()).map(
      ({ name, kind, isInstalled, scale, architecture, licence, purpose, problem }) => ({
        ...{ name, kind, installed: isInstalled, scale, architecture, licence, purpose, problem },
      }),
    );
}

/** What fails is the tool's own answer: who asked can ask for something else. */
async function told(work: () => Promise<CallToolResult['content']>): Promise<CallToolResult> {
  try {
    return { content: await work() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
    return { isError: true, content: [{ type: 'text', text: `${code}${text}` }] };
  }
}

function hooksOf({ mcpReq }: ServerContext): WorkHooks {
  const token = mcpReq._meta?.progressToken;
  let last = -1;
  return {
    signal: mcpReq.signal,
    onProgress: ({ progress, stage, tile, tiles }) => {
      if (token === undefined || progress <= last) return;
      last = progress;
      const message = tiles === undefined ? stage : `${stage} tile ${tile ?? 0}/${tiles}`;
      const params = { progressToken: token, progress, total: 1, message };
      void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined); // the client has gone
    },
  };
}

function textOf(value: unknown): CallToolResult['content'][number] {
  return { type: 'text', text: JSON.stringify(value) };
}

function imageOf(data: string): CallToolResult['content'][number] {
  return { type: 'image', data, mimeType: 'image/jpeg' };
}
