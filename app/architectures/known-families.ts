import type { Weights } from '../onnx/weights.ts';

/** A family of networks by the names of a few of its tensors, or of what stands above them. */
export interface KnownFamily {
  /** As its authors call it. */
  readonly name: string;
  /** What it does, after "a network that". */
  readonly does: string;
  /** Each row is one spelling, all of whose names are there in every file of the family and not in files of others. */
  readonly keys: readonly (readonly string[])[];
  /** What to take instead: kinds that run here and do the same, or advice in words of its own. */
  readonly instead: readonly string[] | string;
}

const UPSCALES = 'enlarges pictures';
const RESTORES = 'restores pictures';
const PAINTS = 'paints what is missing';
const SWIN = 'layers.0.residual_group.blocks.0.attn';

/**
 * Families that people have files of; after the keys by which spandrel 0.4.2 and its extra architectures know theirs, and the
 * code of the others' authors. Where the keys of two fit one file, the narrower stands first.
 */
export const KNOWN_FAMILIES: readonly KnownFamily[] = [
  // ------------------------------------------------------------------------------------------------- upscalers
  family('MM-RealSR', UPSCALES, [['body.0.rdb1.conv1.weight', 'am_list.0.fc.0.weight', 'de_net']], ['ESRGAN']),
  family(
    'SPSR',
    UPSCALES,
    [
      ['model.1.sub.0.RDB1', 'f_HR_conv1'],
      ['model.1.sub.0.RDB1', 'b_fea_conv'],
    ],
    ['ESRGAN'],
  ),
  family('HAT', UPSCALES, [['relative_position_index_SA', 'layers.0.residual_group.overlap_attn']], ['DAT', 'SwinIR']),
  family('ATD', UPSCALES, [['layers.0.residual_group.layers.0.attn_atd', 'layers.0.residual_group.td']], ['DAT']),
  family('DRCT', UPSCALES, [['layers.0.swin1.attn.relative_position_bias_table', 'layers.0.adjust1.weight']], ['DAT']),
  family('RGT', UPSCALES, [['before_RG.1.weight', 'layers.0.blocks.0.gamma', 'layers.0.blocks.0.mlp']], ['DAT']),
  family('DAT', UPSCALES, [['before_RG.1.weight', 'layers.0.blocks.0.attn.channel_interaction']], ['SwinIR']),
  family('CRAFT', UPSCALES, [['layers.0.residual_group.hf_blocks.0.attn.temperature']], ['SwinIR', 'DAT']),
  family('SRFormer', UPSCALES, [[`${SWIN}.aligned_relative_position_index`]], ['SwinIR']),
  family('Swin2SR', UPSCALES, [[`${SWIN}.logit_scale`, `${SWIN}.cpb_mlp`, 'patch_embed.proj.weight']], ['SwinIR']),
  family('SwinIR', UPSCALES, [[`${SWIN}.relative_position_bias_table`, 'patch_embed']], ['DAT']),
  family(
    'GRL',
    UPSCALES,
    [['layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale'], ['layers.0.blocks.0.attn.stripe_attn']],
    ['SwinIR', 'DAT'],
  ),
  family(
    'OmniSR',
    UPSCALES,
    [['residual_layer.0.residual_layer.0.layer.0.fn.0.weight', 'up.0.weight']],
    ['SPAN', 'SwinIR'],
  ),
  family('FDAT', UPSCALES, [['groups.0.blocks.0.inter.cg', 'groups.0.blocks.0.attn', 'upsampler']], ['DAT']),
  family('AuraSR', UPSCALES, [['mid_block2.block1.proj.weights', 'final_res_block']], ['ESRGAN']),
  family('IPT', UPSCALES, [['sub_mean.weight', 'body.encoder.layers.0.self_attn.in_proj_weight']], ['SwinIR']),
  family(
    'EDSR',
    UPSCALES,
    [
      ['sub_mean.weight', 'head.0.weight', 'body.0.body.0.weight', 'body.0.body.2.weight', 'tail.0.0.weight'],
      ['mean', 'conv_first.weight', 'body.0.conv1.weight', 'conv_after_body.weight', 'upsample.0.weight'],
    ],
    ['ESRGAN', 'RCAN'],
  ),
  family(
    'SRResNet',
    UPSCALES,
    [['conv_first.weight', 'body.0.conv1.weight', 'upconv1.weight', 'conv_hr.weight']],
    ['ESRGAN'],
  ),
  family('SPANPlus', UPSCALES, [['feats.0.eval_conv.weight', 'feats.1.block_1']], ['SPAN']),
  family('SPAN', UPSCALES, [['conv_1.sk.weight', 'block_1.c1_r', 'conv_cat.weight']], ['Compact']),
  family('PLKSR', UPSCALES, [['feats.0.weight', 'feats.1.lk']], ['SPAN']),
  family('MoSR', UPSCALES, [['gblocks.0.weight', 'gblocks.1.fc1.weight']], ['SPAN']),
  family('MoESR', UPSCALES, [['in_to_dim.weight', 'blocks.0.blocks.0.fc1.weight']], ['SPAN']),
  family('SeemoRe', UPSCALES, [['body.0.local_block', 'body.0.global_block']], ['SPAN']),
  family('SAFMN BCIE', RESTORES, [['to_feat.1.weight', 'feats.0.layers.0.safm']], ['FBCNN', 'SAFMN']),
  family('SAFMN', UPSCALES, [['to_feat.weight', 'feats.0.safm']], ['SPAN']),
  family('DITN', UPSCALES, [['sft.weight', 'UFONE.0.ITLs.0.attn.temperature']], ['SPAN']),
  family('DCTLSA', UPSCALES, [['fea_conv.weight', 'B1.body.0.transformer_body']], ['SwinIR']),
  family('RCAN', UPSCALES, [['body.0.body.0.body.0.weight', 'body.0.body.0.body.3.conv_du.0.weight']], ['ESRGAN']),
  family('Real-CUGAN', UPSCALES, [['unet1.conv1.conv.0.weight', 'unet2.conv_bottom.weight']], ['Compact']),
  family('Swift-SRGAN', UPSCALES, [['initial.cnn.depthwise.weight', 'final_conv.pointwise.weight']], ['Compact']),
  family('ESRGAN', UPSCALES, [['RRDB_trunk.0'], ['body.0.rdb1'], ['model.1.sub.0.RDB1']], ['Compact']),
  // ------------------------------------------------------------------------------------------------- restorers
  family('M3SNet', RESTORES, [['intro.weight', 'ending.weight', 'middle.0.0.sca.1.weight']], ['NAFNet']),
  family(
    'KBNet',
    RESTORES,
    [
      ['intro.weight', 'encoders.0.0.attgamma'],
      ['patch_embed.proj.weight', 'latent.0.ffn.qkv.weight'],
    ],
    ['NAFNet'],
  ),
  family(
    'Baseline (of NAFNet)',
    RESTORES,
    [['intro.weight', 'encoders.0.0.se.1.weight', 'middle_blks.0.se']],
    ['NAFNet'],
  ),
  family('FFTformer', RESTORES, [['encoder_level1.0.ffn.fft', 'fuse1.att_channel']], ['Restormer', 'NAFNet']),
  family('Uformer', RESTORES, [['input_proj.proj.0.weight', 'encoderlayer_0.blocks.0']], ['Restormer', 'NAFNet']),
  family('RetinexFormer', 'brightens pictures', [['body.0.estimator.conv1.weight', 'body.0.denoiser']], ['NAFNet']),
  family('HVI-CIDNet', 'brightens pictures', [['HVE_block0.1.weight', 'IE_block1']], ['NAFNet']),
  family(
    'MixDehazeNet',
    'takes haze off pictures',
    [['layer1.blocks.0.Wv', 'patch_merge1', 'patch_split2']],
    ['NAFNet'],
  ),
  family('MPRNet', RESTORES, [['shallow_feat1.1.CA.conv_du.0.weight', 'stage1_encoder']], ['Restormer', 'NAFNet']),
  family('MIRNetV2', RESTORES, [['body.0.body.0.dau_top']], ['Restormer', 'NAFNet']),
  family('Restormer', RESTORES, [['encoder_level1.0.attn.qkv_dwconv.weight', 'down1_2.body.0.weight']], ['NAFNet']),
  family('NAFNet', RESTORES, [['intro.weight', 'middle_blks.0.sca.1.weight', 'ending.weight']], ['Restormer']),
  family('SCUNet', RESTORES, [['m_head.0.weight', 'm_tail.0.weight', 'm_down1.0.trans_block']], ['DRUNet']),
  family('FBCNN', RESTORES, [['m_head.weight', 'qf_pred.0.res.0.weight']], ['DRUNet']),
  family('DRUNet', RESTORES, [['m_head.weight', 'm_down1.0.res.0.weight', 'm_tail.weight']], ['SCUNet']),
  family(
    'FeMaSR',
    RESTORES,
    [['multiscale_encoder.in_conv.weight', 'quantize_group.0', 'after_quant_group.0.conv.weight']],
    ['ESRGAN'],
  ),
  family('AdaCode', RESTORES, [['multiscale_encoder.in_conv.weight', 'weight_predictor']], ['ESRGAN']),
  // --------------------------------------------------------------------------------- faces, colours, inpainting
  family('CodeFormer', 'restores faces', [['position_emb', 'idx_pred_layer.1.weight']], ['GFPGAN']),
  family(
    'RestoreFormer',
    'restores faces',
    [['quantize.embedding.weight', 'encoder.conv_in.weight', 'decoder.conv_out.weight']],
    ['CodeFormer'],
  ),
  family(
    'GFPGANv1',
    'restores faces',
    [['conv_body_first.0.weight', 'stylegan_decoder']],
    'take GFPGANv1.3.pth or GFPGANv1.4.pth, its later releases',
  ),
  family('GFPGAN', 'restores faces', [['toRGB.0.weight', 'stylegan_decoder.style_mlp.1.weight']], ['CodeFormer']),
  family('GPEN', 'restores faces', [['ecd0.0.0.weight', 'generator.style']], ['GFPGAN', 'CodeFormer']),
  family(
    'RetinaFace (MobileNet)',
    'finds faces',
    [['body.stage1.0.0.weight', 'fpn.output1.0.weight', 'ClassHead.0']],
    'take detection_Resnet50_Final.pth',
  ),
  family(
    'DDColor',
    'colours pictures',
    [['encoder.arch.downsample_layers.0.0.weight', 'refine_net.0.0']],
    ['DeOldify'],
  ),
  family(
    'LaMa',
    PAINTS,
    [['model.model.1.bn_l.running_mean'], ['generator.model.1.bn_l'], ['model.1.bn_l'], ['1.bn_l']],
    'nothing here does that',
  ),
  family(
    'MAT',
    PAINTS,
    [['synthesis.first_stage.conv_first'], ['model.synthesis.first_stage'], ['first_stage.conv_first']],
    'nothing here does that',
  ),
  family(
    'RIFE',
    'makes frames between two',
    [['block0.conv0.0.0.weight', 'block1.conv0'], ['flownet.block0']],
    'nothing here does that',
  ),
];

/** The first family whose names a file has, of those that `isAsked`. */
export function familyOf(weights: Weights, isAsked: (family: KnownFamily) => boolean): KnownFamily | undefined {
  return KNOWN_FAMILIES.find(
    (one) => isAsked(one) && one.keys.some((spelling) => spelling.every((key) => weights.has(key))),
  );
}

function family(name: string, does: string, keys: KnownFamily['keys'], instead: KnownFamily['instead']): KnownFamily {
  return { name, does, keys, instead };
}
