import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NEEDS = 'import torch, safetensors, matplotlib, numpy, PIL';
/** Tens of seconds on an idle core; the limit is for a machine that does other things besides. */
const RUN_LIMIT_MS = 120_000;

const python = [process.env['HIRESFIX_PYTHON'], 'python3'].find(
  (candidate) => candidate !== undefined && spawnSync(candidate, ['-c', NEEDS], { timeout: 30_000 }).status === 0,
);

interface LogEntry {
  readonly step: number;
  readonly loss: number;
  readonly gain: number;
}

async function smokeRun(interpreter: string, folder: string): Promise<readonly LogEntry[]> {
  await promisify(execFile)(interpreter, ['training/train.py', '--smoke', '--run', folder], {
    cwd: ROOT,
    timeout: RUN_LIMIT_MS,
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', HIRESFIX_PLAIN_LAYERS: '1' },
  });
  const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as LogEntry);
}

/** Whether the shipped weights give the same picture after layers were put between theirs. */
const DEEPENED = `
import torch
from safetensors.torch import load_file
from model import Compact, deepened, shape_of
state, picture = load_file("../models/compact-x2.safetensors"), torch.rand(1, 3, 24, 24)
own = shape_of(state)["convolutions"]
def answer(weights, convolutions):
    network = Compact(64, convolutions).eval()
    network.load_state_dict(weights)
    return network(picture)
print(all(torch.equal(answer(state, own), answer(deepened(state, own + more), own + more)) for more in (0, 3, own)))
`;

/** The greatest relative error of the compiled layers' results and gradients, against torch's in float64. */
const COMPILED = `
import torch
from torch import nn
from fast_layers import FastConv, FastPReLU, _kernels
from muon import orthogonalized
torch.manual_seed(1)
def error(ours, theirs):
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()
def errors(ours, theirs, height, width):
    theirs = theirs.double()
    theirs.load_state_dict(ours.state_dict())
    picture = torch.randn(3, 64, height, width)
    inputs = picture.clone().requires_grad_(), picture.double().requires_grad_()
    results = ours(inputs[0]), theirs(inputs[1])
    sought = torch.randn_like(picture)
    for result in results:
        (result * sought).sum().backward()
    pairs = [results, (inputs[0].grad, inputs[1].grad), *((a.grad, b.grad) for a, b in zip(ours.parameters(), theirs.parameters()))]
    return max(error(a, b) for a, b in pairs)
assert _kernels(), "kernels.cpp was not compiled"
sizes = (40, 40), (9, 7), (3, 14)
worst = max(errors(FastConv(64, 64), nn.Conv2d(64, 64, 3, padding=1), *size) for size in sizes)
bent = max(errors(FastPReLU(64), nn.PReLU(64), *size) for size in sizes)
singular = torch.linalg.svdvals(orthogonalized(torch.randn(2, 64, 576)))
print(worst, bent, singular.min().item(), singular.max().item())
`;
const COMPILE_LIMIT_MS = 300_000;

/** Pip puts ninja beside the interpreter. */
function withNinja(interpreter: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [dirname(interpreter), process.env['PATH']].join(delimiter) };
}

function compiles(interpreter: string): boolean {
  const works = (program: string) => spawnSync(program, ['--version'], { env: withNinja(interpreter) }).status === 0;
  return works('ninja') && works('c++');
}

function describeTraining(body: (interpreter: string) => void): void {
  if (python !== undefined) {
    describe('the training recipe of COMPACT_X2', () => body(python));
    return;
  }
  describe('the training recipe of COMPACT_X2', () => {
    it.skip('needs a Python with training/requirements.txt, named by $HIRESFIX_PYTHON or as python3', () => undefined);
  });
}

describeTraining((interpreter) => {
  let folder: TemporaryFolder;
  let log: readonly LogEntry[] = [];
  const exported = (run: string) => join(folder.path, run, 'compact-x2.safetensors');

  beforeAll(async () => {
    folder = await temporaryFolder();
    const runs = ['first', 'again'].map((run) => smokeRun(interpreter, join(folder.path, run)));
    log = (await Promise.all(runs))[0] ?? [];
  }, RUN_LIMIT_MS);

  afterAll(() => folder.remove());

  it('learns within a few steps: the loss falls and the held-out tiles come out better', () => {
    const [start, end] = [log[0], log.at(-1)];
    expect(log.length).toBeGreaterThan(1);
    expect(end?.loss).toBeLessThan(start?.loss ?? 0);
    expect(end?.gain).toBeGreaterThan((start?.gain ?? 0) + 0.2);
  });

  it('exports a file that is recognised as a Compact network of scale 2, every tensor of it used', () => {
    const network = recognise(openCheckpoint(exported('first')));
    expect([
      network.architecture,
      network.scale,
      network.parameters['num_feat'],
      network.parameters['num_conv'],
    ]).toEqual(['Compact', 2, 8, 2]);
  });

  it('makes the same weights from the same seed', () => {
    expect(readFileSync(exported('first')).equals(readFileSync(exported('again')))).toBe(true);
  });

  it('goes on from shallower weights without a change of the picture', async () => {
    const { stdout } = await promisify(execFile)(interpreter, ['-c', DEEPENED], {
      cwd: join(ROOT, 'training'),
      timeout: RUN_LIMIT_MS,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(stdout.trim()).toBe('True');
  });

  const itCompiles = compiles(interpreter) ? it : it.skip;
  itCompiles(
    'trains with compiled layers that answer as torch, and with orthogonal steps (needs a C++ compiler and ninja)',
    async () => {
      const { stdout } = await promisify(execFile)(interpreter, ['-c', COMPILED], {
        cwd: join(ROOT, 'training'),
        timeout: COMPILE_LIMIT_MS,
        env: { ...withNinja(interpreter), PYTHONDONTWRITEBYTECODE: '1' },
      });
      const [convolution, prelu, least, most] = stdout.trim().split(' ').map(Number);
      expect(convolution).toBeLessThan(5e-5); // Winograd's transforms amplify float32's rounding some ten times
      expect(prelu).toBeLessThan(5e-6);
      expect(least).toBeGreaterThan(0.6);
      expect(most).toBeLessThan(1.3);
    },
    COMPILE_LIMIT_MS,
  );
});

describe('models/compact-x2.safetensors', () => {
  it('is a Compact network of scale 2 for colour pictures, small enough to ship', () => {
    const file = join(ROOT, 'models', 'compact-x2.safetensors');
    const network = recognise(openCheckpoint(file));
    expect([network.architecture, network.scale, network.inputChannels, network.outputChannels]).toEqual([
      'Compact',
      2,
      3,
      3,
    ]);
    expect(readFileSync(file).length).toBeLessThan(2.5e6);
  });
});
