import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UnknownNetworkError } from '../../../app/architectures/errors.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { HiresFixError } from '../../../app/errors.ts';
import type { TensorValues } from '../../../app/onnx/weights.ts';
import { readManifest } from '../../support/checkpoints/hashed-weights.ts';
import { refusalOf } from '../../support/refusal-of.ts';
import type { Shapes } from '../../support/checkpoints/shape-dict.ts';
import { manifestShapes, shapeDict } from '../../support/checkpoints/shape-dict.ts';

type Entry = readonly [name: string, shape: readonly number[]];

const MANIFESTS = readdirSync(fileURLToPath(new URL('../../fixtures/manifests', import.meta.url)))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

/** Families of which every number can be found out. */
const FAMILIES = [
  'ESRGAN',
  'Compact',
  'SPAN',
  'SwinIR',
  'DAT',
  'PLKSR',
  'RealCUGAN',
  'MoSR',
  'RCAN',
  'SwiftSRGAN',
  'SAFMN',
  'SeemoRe',
  'DITN',
  'MoESR',
  'DnCNN',
  'DRUNet',
  'FBCNN',
  'Restormer',
  'SCUNet',
  'DCTLSA',
  'OmniSR',
  'SRFormer',
  'HAT',
  'Swin2SR',
  'DRCT',
  'ATD',
  'RGT',
  'CRAFT',
  'FDAT',
  'GRL',
];
const KNOWN = MANIFESTS.filter((name) => FAMILIES.includes(readManifest(name).architecture));

/** As the readers give them: without the prefix that all names share. */
const FILES: ReadonlyMap<string, readonly Entry[]> = new Map(
  MANIFESTS.map((name) => [
    name,
    [...manifestShapes(name)].map(([tensor, shape]): Entry => [tensor.replace(/^module\./, ''), shape]),
  ]),
);

const entriesOf = (name: string): readonly Entry[] => FILES.get(name) ?? [];

/** Tensors without which a file is of another kind, or no other than with them. */
const NEEDLESS =
  /^pro$|\.eval_conv\.|num_batches_tracked$|(block2|convblock)\.act\.weight$|\.attn_mask(_[01])?$|relative_(position_index(_SA|_OCA|_h|_v)?|coords_table)$|\.\d*[02468]\.inter\.sg\.|\.\d*[13579]\.inter\.cg\.|^(table_sv|index_(w|sh_w2a|sv_a2w|sv_w2a)|mask_(w|s[hv]_(a2w|w2a)))$/;

/** Of the tensors whose numbers say what a network is, those of MoESR and of FDAT. */
const numbersOf: TensorValues = (name) => {
  if (name === 'upsampler.MetaUpsample') return Float32Array.of(3, 5, 4, 120, 3, 64, 4);
  return name.endsWith('MetaUpsample') ? Float32Array.of(1, 1, 4, 64, 3, 64, 4) : undefined;
};

/** Whether such a file makes a network; errors that are not ours are thrown on. */
function outcomeOf(shapes: Shapes): 'built' | HiresFixError {
  try {
    const network = recognise(shapeDict(shapes), numbersOf);
    const side = network.side ?? Math.max(64, 2 * network.multipleOf);
    expect(network.scale).toBeGreaterThanOrEqual(1);
    expect(network.inputChannels).toBeGreaterThan(0);
    buildTensorGraph(network, [1, network.inputChannels, side, side]);
    return 'built';
  } catch (error) {
    if (error instanceof HiresFixError) return error;
    throw error;
  }
}

describe('Recognition', () => {
  it.each(KNOWN)('knows %s', (name) => {
    const { expected } = readManifest(name);
    expect(recognise(shapeDict(new Map(entriesOf(name))), numbersOf)).toMatchObject({
      architecture: expected['architecture'],
      scale: expected['scale'],
      inputChannels: expected['in_nc'],
      outputChannels: expected['out_nc'],
      parameters: expected['hyperparameters'],
    });
  });

  it('of an unknown network says what is known, and what the file has instead', () => {
    const shapes = new Map(['alpha.weight', 'beta.weight', 'gamma', 'delta', 'epsilon'].map((name) => [name, [3]]));
    const error = refusalOf(() => recognise(shapeDict(shapes)));
    expect(error).toBeInstanceOf(UnknownNetworkError);
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_NETWORK' });
    expect(error.message).toMatch(/^shapes\.pth: no network that is known here .*ESRGAN, Compact/);
    expect(error.message).toContain('(it has 5 tensors: alpha.weight, beta.weight, gamma, …)');
  });

  it('of a pixel shuffle by 512 says that nobody trained such a network', () => {
    const shapes = new Map([
      ['body.0.weight', [8, 3, 3, 3]],
      ['body.0.bias', [8]],
      ['body.1.weight', [8]],
      ['body.2.weight', [3 * 512 ** 2, 8, 3, 3]],
      ['body.2.bias', [3 * 512 ** 2]],
    ]);
    expect(refusalOf(() => recognise(shapeDict(shapes))).message).toBe(
      'shapes.pth: a network that enlarges 512 times; at most 16 are run',
    );
  });

  it('of a batch norm in place of a PReLU says what the network has no use for', () => {
    const norm = ['weight', 'bias', 'running_mean', 'running_var'].map((part): Entry => [`body.1.${part}`, [8]]);
    const convs = [0, 2].flatMap((i): Entry[] => [
      [`body.${i}.weight`, [i === 0 ? 8 : 12, i === 0 ? 3 : 8, 3, 3]],
      [`body.${i}.bias`, [i === 0 ? 8 : 12]],
    ]);
    const outcome = outcomeOf(new Map([...convs, ...norm]));
    expect(outcome).toMatchObject({ code: 'ERR_BAD_WEIGHTS' });
    expect((outcome as HiresFixError).message).toContain('body.1.bias, body.1.running_mean, body.1.running_var');
  });
});

// ------------------------------------------------------------------------------------------------ damaged and foreign files

/** A change to a file's tensors: what transfers cut off, trainers rename, and people merge. */
type Damage = (entries: readonly Entry[]) => readonly Entry[];

const sizes = fc.constantFrom(0, 1, 2, 3, 7, 64, 1e9);
const place = fc.nat(9999);
const at = <T>(items: readonly T[], index: number): T | undefined => items[index % Math.max(items.length, 1)];

const damages: fc.Arbitrary<Damage> = fc.oneof(
  // A part of the tensors, each with the same chance.
  fc.tuple(fc.integer({ min: 1, max: 99 }), place).map(([percent, seed]): Damage => {
    return (entries) => entries.filter((_, i) => ((i + seed) * 2_654_435_761) % 100 < percent);
  }),
  // A folder of tensors is missing, or is all that there is.
  fc.tuple(place, fc.integer({ min: 1, max: 4 }), fc.boolean()).map(([index, depth, isOnly]): Damage => {
    return (entries) => {
      const folder = at(entries, index)?.[0].split('.').slice(0, depth).join('.') ?? '';
      return entries.filter(([name]) => name.startsWith(folder) === isOnly);
    };
  }),
  // A size is another one.
  fc.tuple(place, place, sizes).map(([index, axis, size]): Damage => {
    return (entries) => {
      const picked = at(entries, index);
      return entries.map((entry) => {
        const [name, shape] = entry;
        return entry === picked && shape.length > 0 ? [name, shape.with(axis % shape.length, size)] : entry;
      });
    };
  }),
  // Dimensions are missing.
  fc.tuple(place, fc.nat(3)).map(([index, rank]): Damage => {
    return (entries) => {
      const picked = at(entries, index);
      return entries.map((entry) => (entry === picked ? [entry[0], entry[1].slice(0, rank)] : entry));
    };
  }),
  // A number in a name is another one.
  fc
    .tuple(place, fc.constantFrom('0', '5', '99', '4000000000', '99999999999999999999'))
    .map(([index, number]): Damage => {
      return (entries) => {
        const picked = at(entries, index);
        return entries.map((entry) => (entry === picked ? [entry[0].replace(/\d+/, number), entry[1]] : entry));
      };
    }),
  // Tensors of another network lie among these.
  fc
    .tuple(fc.constantFrom(...MANIFESTS), fc.integer({ min: 1, max: 40 }), place)
    .map(([other, percent, seed]): Damage => {
      return (entries) => [...entries, ...entriesOf(other).filter((_, i) => ((i + seed) * 40_503) % 100 < percent)];
    }),
);

describe('A file that is like a network, and is not', () => {
  it('is refused by an error of ours, soon', () => {
    let built = 0;
    fc.assert(
      fc.property(fc.constantFrom(...MANIFESTS), fc.array(damages, { minLength: 1, maxLength: 3 }), (name, changes) => {
        const entries = changes.reduce((rest, damage) => damage(rest), entriesOf(name));
        const start = process.cpuUsage();
        if (outcomeOf(new Map(entries)) === 'built') built++;
        expect(process.cpuUsage(start).user).toBeLessThan(5e6);
      }),
      { numRuns: 250 },
    );
    expect(built).toBeLessThan(125); // a damage may hit nothing that matters, but not as a rule
  }, 120_000);

  it('is refused where DDColor lacks the last stage of its encoder', () => {
    const entries = entriesOf('ddcolor_paper_tiny').filter(([name]) => !name.startsWith('encoder.arch.stages.3.'));
    expect(outcomeOf(new Map(entries))).toBeInstanceOf(HiresFixError);
  });

  it.each(KNOWN)('is refused where it is %s without one of its tensors, which is named', (name) => {
    const entries = entriesOf(name);
    const step = Math.ceil(entries.length / 10);
    for (let index = 0; index < entries.length; index += step) {
      const missing = entries[index]?.[0] ?? '';
      if (NEEDLESS.test(missing)) continue;
      const outcome = outcomeOf(new Map(entries.filter(([tensor]) => tensor !== missing)));
      expect(outcome === 'built' ? `${name} without ${missing}` : outcome.message).toContain(missing);
      expect(outcome).toBeInstanceOf(HiresFixError);
    }
  });

  it.each(KNOWN)(
    'is refused where it is %s with one tensor more, or with one of another size, which is named',
    (name) => {
      const entries = entriesOf(name);
      const more = outcomeOf(new Map([...entries, ['body.0.surplus.weight', [3]]]));
      expect(more).toMatchObject({
        code: 'ERR_BAD_WEIGHTS',
        message: expect.stringContaining('body.0.surplus.weight') as unknown,
      });
      const middle = entries[Math.floor(entries.length / 2)];
      const wrong = outcomeOf(new Map(entries).set(middle?.[0] ?? '', [5, 7, 3]));
      expect(wrong).toMatchObject({ message: expect.stringContaining(middle?.[0] ?? '') as unknown });
    },
  );

  it('is refused wherever it is one of ours without a single tensor', () => {
    for (const name of ['RealESRGAN_x4plus_anime_6B', 'realesr-animevideov3', 'compact_x2_ultra']) {
      const entries = entriesOf(name);
      for (const [missing] of entries) {
        const outcome = outcomeOf(new Map(entries.filter(([tensor]) => tensor !== missing)));
        expect(outcome === 'built' ? `${name} without ${missing}` : outcome.message).toContain(missing);
        expect(outcome).toBeInstanceOf(HiresFixError);
      }
    }
  });
});
