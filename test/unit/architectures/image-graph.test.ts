import { describe, expect, it } from '@jest/globals';
import { buildImageGraph } from '../../../app/architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../../app/architectures/registry.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { GraphError } from '../../../app/onnx/errors.ts';
import { manifestShapes, shapeDict } from '../../support/checkpoints/shape-dict.ts';
import { refusalOf } from '../../support/refusal-of.ts';

const PIXELS = { channels: 3, depth: 8 } as const;
const OPEN = { ...PIXELS, width: null, height: null };

/** A network that asks for the height of its picture, as windowed attention does. */
function measuring(changes: Partial<RecognisedNetwork>): RecognisedNetwork {
  const network = recognise(shapeDict(manifestShapes('spanx4_ch48')));
  const build: RecognisedNetwork['build'] = (image, scalars) => {
    image.size(2);
    return network.build(image, scalars);
  };
  return { ...network, architecture: 'SwinNet', ...changes, build };
}

describe('A graph of open sides', () => {
  it('is built for a network that does not ask for them', () => {
    const network = recognise(shapeDict(manifestShapes('spanx4_ch48')));
    expect(buildImageGraph(network, OPEN).serialize().length).toBeGreaterThan(1000);
  });

  it.each([
    ['both sides', OPEN],
    ['the height', { ...PIXELS, width: 9, height: null }],
    ['the width', { ...PIXELS, width: null, height: 9 }],
  ])('names the network that has to know %s, and what it needs', (_name, shape) => {
    const error = refusalOf(() => buildImageGraph(measuring({ sides: 'fixed' }), shape));
    expect(error).toBeInstanceOf(GraphError);
    expect(error.message).toBe(
      'SwinNet needs the width and height of its picture while its graph is built, and they are left open here',
    );
  });

  it('says what to declare where a network asks for them and does not say so', () => {
    const error = refusalOf(() => buildImageGraph(measuring({}), OPEN));
    expect(error).toBeInstanceOf(GraphError);
    expect(error.message).toMatch(/^SwinNet needs the width and height .* should declare sides: 'fixed' \(.+ axis 2/);
  });

  it('is built for such a network where the sides are known', () => {
    const network = measuring({ sides: 'fixed' });
    expect(buildImageGraph(network, { ...PIXELS, width: 9, height: 7 }).serialize().length).toBeGreaterThan(1000);
  });
});
