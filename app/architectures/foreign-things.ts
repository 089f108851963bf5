import type { Weights } from '../onnx/weights.ts';

/** What people take for a model of theirs and is no network that maps pictures to pictures. */
interface ForeignThing {
  /** After "this is". */
  readonly is: string;
  /** What to do. */
  readonly instead: string;
  /** Each row is one spelling: names that are all there. */
  readonly keys?: readonly (readonly string[])[];
  /** A name that tells it, where the names have no fixed beginning. */
  readonly pattern?: RegExp;
  /** Whether it is so, where names alone do not tell. */
  readonly fits?: (weights: Weights) => boolean;
}

const TAKE_GENERATOR = 'take the generator that belongs to it (netG, or the file without netD in its name)';
const NOT_HERE = 'it belongs to Stable Diffusion; take an upscaler such as ESRGAN';

const THINGS: readonly ForeignThing[] = [
  {
    is: 'a discriminator: it judges pictures in a training, and makes none',
    instead: TAKE_GENERATOR,
    keys: [
      ['conv0.weight', 'conv1.weight_orig', 'conv9.weight'],
      ['conv0_0.weight', 'conv0_1.weight', 'linear1.weight'],
      ['features.0.weight', 'classifier.0.weight', 'features.3.running_mean'],
    ],
  },
  {
    is: 'a classifier of pictures: it names what they show, and makes none',
    instead: 'take an upscaler such as ESRGAN',
    keys: [
      ['layer1.0.conv1.weight', 'layer4.0.conv1.weight', 'fc.weight'],
      ['features.0.weight', 'classifier.0.weight'],
    ],
  },
  {
    is: 'a Stable Diffusion checkpoint, or another network that makes pictures out of texts',
    instead: 'such are not run here; take an upscaler such as ESRGAN',
    keys: [
      ['model.diffusion_model'],
      ['diffusion_model.input_blocks'],
      ['input_blocks.0.0.weight', 'time_embed.0.weight'],
      ['down_blocks.0', 'time_embedding.linear_1.weight'],
      ['double_blocks.0.img_attn'],
      ['joint_blocks.0.x_block'],
      ['transformer_blocks.0', 'time_text_embed'],
    ],
  },
  {
    is: 'a ControlNet',
    instead: NOT_HERE,
    keys: [['control_model'], ['input_hint_block.0.weight'], ['controlnet_cond_embedding.conv_in.weight']],
  },
  {
    is: 'a LoRA: small changes to the weights of another network',
    instead: NOT_HERE,
    pattern: /(^|[._])lora_(up|down|[ab]|unet|te\d?)([._]|$)|\.hada_w1_a$|\.lokr_w\d/i,
  },
  {
    is: 'a VAE: it turns pictures into latents and back',
    instead: NOT_HERE,
    keys: [
      ['encoder.down_blocks.0', 'decoder.up_blocks.0'],
      ['first_stage_model.encoder', 'first_stage_model.decoder'],
    ],
  },
  {
    is: 'a VAE: it turns pictures into latents and back',
    instead: NOT_HERE,
    keys: [['encoder.down.0.block.0', 'decoder.up.0.block.0', 'quant_conv.weight']],
    // RestoreFormer's has as many channels as its codebook's vectors, 256; latents have 4 to 16, for a mean and a variance.
    fits: (weights) => weights.shape('quant_conv.weight').every((size) => size < 64),
  },
  {
    is: 'a textual inversion: words for Stable Diffusion',
    instead: NOT_HERE,
    keys: [['emb_params'], ['clip_g', 'clip_l'], ['string_to_param']],
  },
  {
    is: 'a network for texts',
    instead: 'take an upscaler such as ESRGAN',
    keys: [
      ['text_model.encoder.layers.0'],
      ['embeddings.word_embeddings.weight'],
      ['shared.weight', 'encoder.block.0'],
    ],
    pattern: /self_attn\.q_proj\.weight$|\.attn\.c_attn\.weight$/,
  },
  {
    is: 'the state of an optimizer, with which a training goes on',
    instead: 'take the weights that lie beside it (net_g_….pth, not ….state)',
    pattern: /(^|\.)exp_avg(_sq)?$|(^|\.)momentum_buffer$/,
  },
];

/** What a file is whose tensors are no network for pictures, by their names. */
export function foreignThingIn(weights: Weights): Pick<ForeignThing, 'is' | 'instead'> | undefined {
  return THINGS.find(({ keys = [], pattern, fits = () => true }) => {
    const isSpelt = keys.some((spelling) => spelling.every((key) => weights.has(key)));
    return (isSpelt || (pattern !== undefined && weights.hasAny(pattern))) && fits(weights);
  });
}
