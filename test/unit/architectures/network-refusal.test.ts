import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { KNOWN_FAMILIES } from '../../../app/architectures/known-families.ts';
import { refusalOfForeign, refusalOfUnknown } from '../../../app/architectures/network-refusal.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';

/** The names of the tensors of spandrel's networks, by their classes (test/fixtures/families/generate.py). */
const NAMES = JSON.parse(
  readFileSync(new URL('../../fixtures/families/families.json', import.meta.url), 'utf8'),
) as Record<string, readonly string[]>;

/** Classes that their authors call by another name than their family, and those that nothing but their sizes tells. */
const FAMILY_OF: Readonly<Record<string, string | undefined>> = {
  Generator: 'Swift-SRGAN',
  GFPGANv1Clean: 'GFPGAN',
  KBNet_l: 'KBNet',
  KBNet_s: 'KBNet',
  DITN_Real: 'DITN',
  MMRRDBNet_test: 'MM-RealSR',
  UpCunet2x: 'Real-CUGAN',
  UpCunet2x_fast: 'Real-CUGAN',
  UpCunet3x: 'Real-CUGAN',
  UpCunet4x: 'Real-CUGAN',
  SAFMN_BCIE: 'SAFMN BCIE',
  RRDBNet: 'ESRGAN',
  RealPLKSR: 'PLKSR',
  CIDNet: 'HVI-CIDNet',
  UnetUpsampler: 'AuraSR',
  AdaCodeSRNet_Contrast: 'AdaCode',
  FeMaSRNet: 'FeMaSR',
  MIRNet_v2: 'MIRNetV2',
};
/** Of these the first blocks do not tell; they run, and are told by the registry. */
const RUN = new Set(['SRVGGNetCompact', 'DnCNN', 'RCAN']);

function dictOf(names: readonly string[], shape: readonly number[] = [2]) {
  return shapeDict(new Map(names.map((name) => [name, shape])));
}

function wordsFor(names: readonly string[], { running = ['Compact'], shape = [2] } = {}): string | undefined {
  const dict = dictOf(names, shape);
  return refusalOfForeign(dict, Weights.of(dict), running)?.message;
}

describe('The refusal of a network that is not run', () => {
  it.each(Object.keys(NAMES).filter((name) => !RUN.has(name) && name !== 'RRDBNet'))(
    'names the family of %s, and what runs',
    (name) => {
      const words = wordsFor(NAMES[name] ?? []) ?? '';
      const family = FAMILY_OF[name] ?? name;
      expect(words).toContain(`shapes.pth: this is a network of the family ${family} (it `);
      expect(words).toMatch(/, which is not run here; \S/);
      expect(words.length).toBeLessThanOrEqual(400);
    },
  );

  it.each([
    ['SPSR', ['model.0.weight', 'model.1.sub.0.RDB1.conv1.0.weight', 'f_HR_conv1.0.weight'], 'ESRGAN'],
    ['GFPGANv1', ['conv_body_first.0.weight', 'stylegan_decoder.style_mlp.1.weight'], 'GFPGANv1.4.pth'],
    ['RetinaFace (MobileNet)', ['body.stage1.0.0.weight', 'fpn.output1.0.weight', 'ClassHead.0.conv1x1.weight'], '50'],
    ['Baseline (of NAFNet)', ['intro.weight', 'encoders.0.0.se.1.weight', 'middle_blks.0.se.1.weight'], 'NAFNet'],
  ])('knows %s, which shares names with what runs', (family, names, instead) => {
    const words = wordsFor(names, { running: ['ESRGAN', 'GFPGAN', 'RetinaFace', 'NAFNet'] });
    expect(words).toMatch(
      new RegExp(`family ${family.replaceAll(/[()]/g, '\\$&')} .*${instead.replaceAll('.', '\\.')}`),
    );
  });

  it('is none for a family that runs, however it is spelt', () => {
    const [span, mm] = [NAMES['SPAN'] ?? [], NAMES['MMRRDBNet_test'] ?? []];
    expect(wordsFor(span, { running: ['SPAN'] })).toBeUndefined();
    expect(wordsFor(mm, { running: ['MMRealSR', 'ESRGAN'] })).toBeUndefined();
  });

  it('recommends only what runs', () => {
    const names = NAMES['HAT'] ?? [];
    expect(wordsFor(names, { running: ['DAT', 'SwinIR'] })).toMatch(/the nearest that are: DAT and SwinIR/);
    expect(wordsFor(names, { running: ['SwinIR'] })).toMatch(/the nearest that is: SwinIR\./);
  });

  it.each([
    ['a discriminator', ['conv0.weight', 'conv1.weight_orig', 'conv1.weight_u', 'conv9.weight'], /netG/],
    ['a classifier of pictures', ['layer1.0.conv1.weight', 'layer4.0.conv1.weight', 'fc.weight'], /ESRGAN/],
    ['a Stable Diffusion checkpoint', ['model.diffusion_model.input_blocks.0.0.weight', 'x'], /ESRGAN/],
    ['a Stable Diffusion checkpoint', ['input_blocks.0.0.weight', 'time_embed.0.weight'], /not run/],
    ['a ControlNet', ['input_hint_block.0.weight', 'zero_convs.0.0.weight'], /Stable Diffusion/],
    ['a LoRA', ['lora_unet_down_blocks_0_proj_in.lora_down.weight'], /Stable Diffusion/],
    ['a VAE', ['encoder.down_blocks.0.resnets.0.conv1.weight', 'decoder.up_blocks.0.x.weight'], /latents/],
    ['a VAE', ['encoder.down.0.block.0.norm1.weight', 'decoder.up.0.block.0.w', 'quant_conv.weight'], /latents/],
    ['a network for texts', ['layers.0.self_attn.q_proj.weight'], /ESRGAN/],
    ['the state of an optimizer', ['step', 'exp_avg', 'exp_avg_sq'], /net_g/],
  ])('says of %s what it is, and what to do', (is, names, advice) => {
    const words = wordsFor(names);
    expect(words).toContain(`shapes.pth: this is ${is}`);
    expect(words).toMatch(advice);
  });

  it("does not take a face restorer's codebook for a VAE", () => {
    const names = ['encoder.down.0.block.0.norm1.weight', 'decoder.up.0.block.0.w', 'quant_conv.weight'];
    expect(wordsFor(names, { shape: [256, 256, 1, 1] })).toBeUndefined();
  });

  it('of what nobody knows shows what it has and what is run, in a line', () => {
    const dict = dictOf(['alpha.weight', 'beta\u001b[2J\n', 'gamma', 'delta']);
    const running = Array.from({ length: 60 }, (_, i) => `Network${i}`);
    const { message } = refusalOfUnknown(dict, running);
    expect(message).toContain("it has 4 tensors: alpha.weight, 'beta\\u001b[2J\\n', gamma, …)");
    expect(message).toContain('Take a model of a kind that runs: Network0, Network1');
    expect(message).toMatch(/, Network11 and 48 more$/);
    expect(message.length).toBeLessThan(350);
  });

  it('has advice for every family', () => {
    for (const { keys, instead } of KNOWN_FAMILIES) {
      expect(keys.length).toBeGreaterThan(0);
      expect(instead.length).toBeGreaterThan(0);
    }
  });
});
