import { basename } from 'node:path';
import { buildDetectorGraph, buildParserGraph, buildRestorerGraph } from '../../architectures/faces/face-graphs.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { Image } from '../../imaging/image.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { Tensor } from '../../inference/session.ts';
import type { Graph } from '../../onnx/graph.ts';
import { FACE_SIDE } from './align-face.ts';
import { decodeFaces } from './decode-faces.ts';
import type { Face } from './face.ts';
import { scaleFace } from './face.ts';
import type { FaceProfile } from './face-profiles.ts';
import { detectorPicture } from './face-profiles.ts';
import type { NetworkSource } from '../networks/network-session.ts';
import { NetworkSession } from '../networks/network-session.ts';
import type { FaceSettings } from '../../options/face-options.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import type { ImageContext } from '../each-image.ts';
import type { FaceModelUse, Fallback, RunningOn } from '../result.ts';

/** Catalogue names of what every pipeline uses. */
export const DETECTOR = 'retinaface-resnet50';
export const PARSER = 'parsenet';

/** What face networks are run with. */
export interface FaceContext extends ImageContext {
  /** Folder of scratch files. */
  readonly scratch: string;
  /** Devices to try, best first. */
  readonly devices: readonly SessionDevice[];
  /** Called before networks are loaded. */
  readonly onRunning: (on: RunningOn) => void;
}

/** Progress of the stage `restoring` when all faces are restored, and when all are parsed; the rest is pasting. */
const RESTORER_SHARE = 0.8;
const PARSER_SHARE = 0.95;

/** The networks of the face pipelines, for one picture: each is loaded when it is needed, and closed before the next is loaded. */
export class FacePipeline {
  /** The networks that have run. */
  readonly used: FaceModelUse[] = [];
  readonly fallbacks: Fallback[] = [];
  readonly #warnings = new Set<string>();
  readonly #models: ModelFetcher;
  readonly #context: FaceContext;

  constructor(models: ModelFetcher, context: FaceContext) {
    this.#models = models;
    this.#context = context;
  }

  /** What is to be known of how they ran. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** The faces of an 8-bit RGB picture, the surest first. */
  async detect(picture: Image, profile: FaceProfile): Promise<Face[]> {
    const { clock } = this.#context;
    clock.at('detecting', 0);
    const seen = detectorPicture(picture, profile);
    const build = (network: RecognisedNetwork) => buildDetectorGraph(network, seen.width, seen.height);
    const faces = await this.#with(DETECTOR, { build, timed: 'detect' }, async (network) => {
      const { loc, conf, landms } = await network.run({ pixels: pixelsOf(seen) });
      const answer = { loc: floats(loc), conf: floats(conf), landms: floats(landms) };
      return decodeFaces(answer, seen, profile.threshold);
    });
    clock.at('detecting', 1);
    return faces.map((face) => scaleFace(face, picture.width / seen.width, picture.height / seen.height));
  }

  /** Aligned faces, restored. */
  async restore(crops: readonly Image[], { model, fidelity }: FaceSettings): Promise<Image[]> {
    const { clock } = this.#context;
    clock.at('restoring', 0);
    let takesFidelity = false;
    const build = (network: RecognisedNetwork): Graph => {
      takesFidelity = Object.hasOwn(network.scalars ?? {}, 'w');
      return buildRestorerGraph(network);
    };
    return this.#with(model, { build, timed: 'restore' }, async (network) => {
      const w = { type: 'float32', data: Float32Array.of(fidelity), dims: [1] } as const;
      const restored: Image[] = [];
      for (const crop of crops) {
        const { pixels_out: pixels } = await network.run({ pixels: pixelsOf(crop), ...(takesFidelity && { w }) });
        restored.push({ ...crop, data: bytes(pixels) });
        clock.at('restoring', (RESTORER_SHARE * restored.length) / crops.length);
      }
      return restored;
    });
  }

  /** What each pixel of restored faces is: one label a pixel. */
  async parse(faces: readonly Image[]): Promise<Uint8Array[]> {
    const { clock } = this.#context;
    return this.#with(PARSER, { build: buildParserGraph, timed: 'restore' }, async (network) => {
      const labels: Uint8Array[] = [];
      for (const face of faces) {
        const { label } = await network.run({ pixels: pixelsOf(face) });
        labels.push(bytes(label));
        clock.at('restoring', RESTORER_SHARE + ((PARSER_SHARE - RESTORER_SHARE) * labels.length) / faces.length);
      }
      return labels;
    });
  }

  async #with<T>(
    name: string,
    { build, timed }: { readonly build: NetworkSource['build']; readonly timed: string },
    work: (network: NetworkSession) => Promise<T>,
  ): Promise<T> {
    const { clock, devices } = this.#context;
    const file = await this.#models.file(name, clock);
    const network = await clock.time('load', () => NetworkSession.open({ file, build, devices }));
    try {
      const result = await clock.time(timed, () => work(network));
      const { device } = network;
      this.used.push({ model: basename(file), sha256: await this.#models.sha256(file), device });
      return result;
    } finally {
      this.fallbacks.push(...network.fallbacks);
      for (const warning of network.warnings) this.#warnings.add(warning);
      await network.close();
    }
  }
}

function pixelsOf({ width, height, data }: Image): Tensor {
  return { type: 'uint8', data, dims: [height, width, 3] };
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new RangeError('a face network answers numbers');
}

function bytes(tensor: Tensor | undefined): Uint8Array {
  if (tensor?.data instanceof Uint8Array && tensor.data.length % FACE_SIDE ** 2 === 0) return tensor.data;
  throw new RangeError('a face network answers pixels');
}
