"""Networks of every family at sizes, depths, widths and with heads that no published file has, for `npm run agreement:networks`.

    python networks.py FOLDER [SEED] [PATTERN]

For every variant whose name PATTERN (a regular expression) finds: NAME.pth, a state dict of random weights; NAME.case.safetensors with
`input` and `output` (PyTorch's answer, float32 on the CPU, not clipped); and on stdout a line of JSON: what spandrel finds out from the
tensors, and how far float32 is from float64. Needs torch, spandrel, spandrel_extra_arches, safetensors, numpy (test/fixtures/variants has their versions).
"""

import json
import math
import re
import sys
import warnings
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
import spandrel_extra_arches
from spandrel import ModelLoader
from spandrel.architectures.ATD import ATD
from spandrel.architectures.Compact import Compact
from spandrel.architectures.CRAFT import CRAFT
from spandrel.architectures.DAT import DAT
from spandrel.architectures.DCTLSA import DCTLSA
from spandrel.architectures.DITN import DITN
from spandrel.architectures.DnCNN import DnCNN
from spandrel.architectures.DRCT import DRCT
from spandrel.architectures.DRUNet import DRUNet
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.FBCNN import FBCNN
from spandrel.architectures.FDAT import FDAT
from spandrel.architectures.GRL import GRL
from spandrel.architectures.HAT import HAT
from spandrel.architectures.MoESR import MoESR
from spandrel.architectures.MoSR import MoSR
from spandrel.architectures.NAFNet import NAFNet
from spandrel.architectures.OmniSR import OmniSR
from spandrel.architectures.PLKSR import PLKSR, RealPLKSR
from spandrel.architectures.RCAN import RCAN
from spandrel.architectures.RealCUGAN.__arch.upcunet_v3 import UpCunet2x, UpCunet2x_fast, UpCunet3x, UpCunet4x
from spandrel.architectures.RGT import RGT
from spandrel.architectures.SAFMN import SAFMN
from spandrel.architectures.SCUNet import SCUNet
from spandrel.architectures.SeemoRe import SeemoRe
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwiftSRGAN import SwiftSRGAN
from spandrel.architectures.Swin2SR import Swin2SR
from spandrel.architectures.SwinIR import SwinIR
from spandrel_extra_arches.architectures.Restormer import Restormer
from spandrel_extra_arches.architectures.SRFormer import SRFormer

spandrel_extra_arches.install()
VARIANTS = {}


def add(name, make, size, channels=3, multiple=1, least=1, noise=False):
    """`multiple`, `least`: of the sides that the network takes, which are filled by reflection; `noise`: with a channel of 15/255 behind."""
    VARIANTS[name] = dict(make=make, size=size, channels=channels, multiple=multiple, least=least, noise=noise)


def family(kind, usual, variants, **how):
    """`variants`: name to (changes of the usual parameters, (height, width), and changes of `how`)."""
    for name, (changes, size, *more) in variants.items():
        parameters = {**usual, **changes}
        add(name, lambda p=parameters: kind(**p), size, **{**how, **(more[0] if more else {})})


GRAY = dict(channels=1)
SWIN = dict(img_size=16, in_chans=3, embed_dim=24, depths=[2, 3], num_heads=[2, 4], window_size=8, mlp_ratio=2, upscale=2, img_range=1.0,
            upsampler="pixelshuffle", resi_connection="1conv")
DIRECT = dict(upsampler="pixelshuffledirect")
NEAREST = dict(upsampler="nearest+conv", upscale=4)
PLAIN = dict(upsampler="", upscale=1)

family(ESRGAN, dict(num_filters=16, num_blocks=2, scale=4), {
    "esrgan-x1": (dict(scale=1), (13, 21)),
    "esrgan-x2": (dict(scale=2, num_filters=24), (13, 21)),
    "esrgan-x8": (dict(scale=8, num_blocks=3), (7, 9)),
    "esrgan-plus": (dict(plus=True), (13, 17)),
    "esrgan-x2-unshuffle2": (dict(in_nc=12, scale=4, shuffle_factor=2), (13, 21)),
    "esrgan-x1-unshuffle4": (dict(in_nc=48, scale=4, shuffle_factor=4), (14, 21)),
    "esrgan-gray": (dict(in_nc=1, out_nc=1), (13, 21), GRAY),
    "esrgan-x16-tiny": (dict(scale=16, num_blocks=1), (3, 2)),
    "esrgan-alpha": (dict(in_nc=4, out_nc=4), (9, 12), dict(channels=4)),
})
family(Compact, dict(num_feat=24, num_conv=5, upscale=4), {
    "compact-x1": (dict(upscale=1), (13, 21)),
    "compact-x2": (dict(upscale=2, num_feat=16), (13, 21)),
    "compact-x3": (dict(upscale=3, num_conv=2), (13, 21)),
    "compact-x4": (dict(), (13, 21)),
    "compact-x8": (dict(upscale=8), (9, 7)),
    "compact-gray-x2": (dict(num_in_ch=1, num_out_ch=1, upscale=2), (13, 21), GRAY),
    "compact-x16-tiny": (dict(upscale=16, num_conv=1), (1, 3)),
    "compact-alpha": (dict(num_in_ch=4, num_out_ch=4, upscale=2), (9, 12), dict(channels=4)),
})
family(SPAN, dict(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=4), {
    "span-x1": (dict(upscale=1), (13, 21)),
    "span-x2-52": (dict(upscale=2, feature_channels=52), (13, 21)),
    "span-x3": (dict(upscale=3), (13, 21)),
    "span-x4-no-norm": (dict(norm=False), (13, 21)),
    "span-gray-x2-no-norm": (dict(num_in_ch=1, num_out_ch=1, upscale=2, norm=False), (13, 21), GRAY),
})
family(PLKSR, dict(dim=16, n_blocks=3, upscaling_factor=2, kernel_size=13), {
    "plksr-x1": (dict(upscaling_factor=1), (13, 21)),
    "plksr-dccm-x3": (dict(upscaling_factor=3, ccm_type="DCCM"), (13, 21)),
    "plksr-iccm-no-ea": (dict(ccm_type="ICCM", use_ea=False), (13, 21)),
    "plksr-half": (dict(split_ratio=0.5, upscaling_factor=4), (13, 21)),
    "plksr-rectangles": (dict(lk_type="RectSparsePLK", kernel_size=17), (13, 21)),
    "plksr-sparse": (dict(lk_type="SparsePLK", kernel_size=17), (23, 21)),
    "plksr-sparse-largest": (dict(lk_type="SparsePLK", kernel_size=17, use_max_kernel=True), (23, 21)),
    "plksr-smaller-than-kernel": (dict(kernel_size=17), (5, 6)),
})
family(RealPLKSR, dict(dim=16, n_blocks=3, upscaling_factor=2, kernel_size=13), {
    "realplksr-x1": (dict(upscaling_factor=1), (13, 21)),
    "realplksr-x3-no-ea": (dict(upscaling_factor=3, use_ea=False), (13, 21)),
    "realplksr-x4-layer-norm": (dict(upscaling_factor=4, layer_norm=True), (13, 21)),
    "realplksr-x2-dysample": (dict(dysample=True), (13, 21)),
    "realplksr-x4-dysample-layer-norm": (dict(upscaling_factor=4, dysample=True, layer_norm=True, dim=32), (13, 21)),
    "realplksr-x3-dysample": (dict(upscaling_factor=3, dysample=True, split_ratio=0.5), (11, 14)),
    "realplksr-x1-dysample": (dict(upscaling_factor=1, dysample=True), (11, 14)),
    "realplksr-smaller-than-kernel": (dict(kernel_size=17), (5, 6)),
})
family(NAFNet, dict(width=16, enc_blk_nums=[1, 2], middle_blk_num=2, dec_blk_nums=[2, 1]), {
    "nafnet-two-levels": (dict(), (21, 18)),
    "nafnet-one-level": (dict(enc_blk_nums=[2], dec_blk_nums=[1], width=24), (21, 18)),
    "nafnet-four-levels": (dict(enc_blk_nums=[1, 1, 1, 2], dec_blk_nums=[1, 1, 1, 1], width=8), (21, 35)),
    "nafnet-gray": (dict(img_channel=1), (21, 18), GRAY),
})
family(SwinIR, SWIN, {
    "swinir-x3": (dict(upscale=3), (13, 21)),
    "swinir-x8": (dict(upscale=8), (9, 10)),
    "swinir-direct-x3": (dict(**DIRECT, upscale=3), (13, 21)),
    "swinir-direct-x4-w4": (dict(**DIRECT, upscale=4, window_size=4), (13, 21)),
    "swinir-nearest": (dict(**NEAREST), (13, 21)),
    "swinir-nearest-x2": (dict(upsampler="nearest+conv"), (13, 21)),
    "swinir-nearest-3conv": (dict(**NEAREST, resi_connection="3conv"), (13, 21)),
    "swinir-plain-w7": (dict(**PLAIN, window_size=7, img_size=14, img_range=255.0), (16, 22)),
    "swinir-plain-gray-3conv": (dict(**PLAIN, in_chans=1, resi_connection="3conv"), (13, 21), GRAY),
    "swinir-gray-x2": (dict(in_chans=1), (13, 21), GRAY),
    "swinir-no-qkv-bias": (dict(qkv_bias=False), (13, 21)),
    "swinir-no-patch-norm": (dict(patch_norm=False), (13, 21)),
    "swinir-mlp4-w16": (dict(mlp_ratio=4, window_size=16, img_size=32), (21, 37)),
    "swinir-unshuffle2": (dict(start_unshuffle=2, **NEAREST), (18, 22), dict(multiple=16)),
    "swinir-unshuffle8": (dict(start_unshuffle=8, upsampler="nearest+conv", upscale=8), (70, 66), dict(multiple=64)),
    "swinir-one-group": (dict(depths=[4], num_heads=[3]), (24, 8)),
    "swinir-x1": (dict(upscale=1), (13, 21)),
    "swinir-direct-x1": (dict(**DIRECT, upscale=1), (13, 21)),
    "swinir-alpha": (dict(in_chans=4), (13, 21), dict(channels=4)),
    "swinir-odd-window": (dict(window_size=5, img_size=15), (13, 21)),
    "swinir-smaller-than-window": (dict(), (5, 6)),
    "swinir-one-head-one-block": (dict(depths=[1, 1], num_heads=[1, 1]), (13, 21)),
    "swinir-trained-on-one-window": (dict(img_size=8), (13, 21)),
})
family(Swin2SR, SWIN, {
    "swin2sr-x2": (dict(), (13, 21)),
    "swin2sr-x3-3conv": (dict(upscale=3, resi_connection="3conv"), (13, 21)),
    "swin2sr-direct-x4": (dict(**DIRECT, upscale=4, window_size=4), (13, 21)),
    "swin2sr-nearest": (dict(**NEAREST), (13, 21)),
    "swin2sr-aux-x2": (dict(upsampler="pixelshuffle_aux"), (13, 21)),
    "swin2sr-aux-x3": (dict(upsampler="pixelshuffle_aux", upscale=3), (13, 21)),
    "swin2sr-hf-x2": (dict(upsampler="pixelshuffle_hf"), (13, 21)),
    "swin2sr-hf-x3-3conv": (dict(upsampler="pixelshuffle_hf", upscale=3, resi_connection="3conv", qkv_bias=False), (13, 21)),
    "swin2sr-hf-gray": (dict(upsampler="pixelshuffle_hf", in_chans=1), (13, 21), GRAY),
    "swin2sr-plain-w7": (dict(**PLAIN, window_size=7, img_size=14), (16, 22)),
    "swin2sr-plain-gray": (dict(**PLAIN, in_chans=1), (13, 21), GRAY),
    "swin2sr-no-qkv-bias": (dict(qkv_bias=False), (13, 21)),
    "swin2sr-no-patch-norm": (dict(patch_norm=False), (13, 21)),
    "swin2sr-mlp4": (dict(mlp_ratio=4, num_heads=[3, 3]), (13, 21)),
    "swin2sr-x1": (dict(upscale=1), (13, 21)),
    "swin2sr-smaller-than-window": (dict(window_size=16, img_size=32), (9, 10)),
    "swin2sr-trained-on-one-window": (dict(img_size=8), (13, 21)),
    "swin2sr-one-block": (dict(depths=[1, 1]), (13, 21)),
})
family(SRFormer, {**SWIN, "img_size": 24, "window_size": 12}, {
    "srformer-x3": (dict(upscale=3), (13, 29)),
    "srformer-direct-x2-w8": (dict(**DIRECT, window_size=8), (13, 21)),
    "srformer-direct-x4-w22": (dict(**DIRECT, upscale=4, window_size=22, img_size=64), (23, 30)),
    "srformer-nearest": (dict(**NEAREST), (13, 29)),
    "srformer-plain-3conv": (dict(**PLAIN, resi_connection="3conv", window_size=8, img_size=16), (13, 21)),
    "srformer-w16-mlp4": (dict(window_size=16, img_size=64, mlp_ratio=4), (20, 37)),
    "srformer-no-qkv-bias": (dict(qkv_bias=False), (13, 29)),
    "srformer-x1": (dict(upscale=1), (13, 29)),
    "srformer-smaller-than-window": (dict(window_size=16, img_size=64), (9, 10)),
    "srformer-trained-on-one-window": (dict(img_size=12), (13, 29)),
    "srformer-one-block": (dict(depths=[1, 1]), (13, 29)),
})
HAT_USUAL = {**SWIN, **dict(compress_ratio=3, squeeze_factor=6, overlap_ratio=0.5, num_feat=16, depths=[2, 2], num_heads=[2, 2])}
family(HAT, HAT_USUAL, {
    "hat-x2": (dict(), (13, 21)),
    "hat-x3-w4": (dict(upscale=3, window_size=4), (13, 21)),
    "hat-x4-w16": (dict(upscale=4, window_size=16, img_size=64, num_feat=64), (20, 37)),
    "hat-compress24": (dict(compress_ratio=24, squeeze_factor=24, embed_dim=48), (13, 21)),
    "hat-identity": (dict(resi_connection="identity"), (13, 21)),
    "hat-no-qkv-bias": (dict(qkv_bias=False), (13, 21)),
    "hat-no-patch-norm": (dict(patch_norm=False), (13, 21)),
    "hat-overlap-quarter": (dict(overlap_ratio=0.25), (13, 21)),
    "hat-mlp4": (dict(mlp_ratio=4, depths=[3], num_heads=[3]), (24, 8)),
    "hat-gray": (dict(in_chans=1), (13, 21), GRAY),
    "hat-x1": (dict(upscale=1), (13, 21)),
    "hat-x8": (dict(upscale=8), (9, 10)),
    "hat-smaller-than-window": (dict(window_size=16, img_size=64), (9, 10)),
})
DAT_USUAL = dict(img_size=16, embed_dim=32, split_size=[2, 8], depth=[2, 3], num_heads=[2, 4], expansion_factor=2.0, upscale=2)
family(DAT, DAT_USUAL, {
    "dat-x2": (dict(), (13, 21)),
    "dat-x3-4x16": (dict(upscale=3, split_size=[4, 16], img_size=32), (21, 35)),
    "dat-x4-8x32": (dict(upscale=4, split_size=[8, 32], img_size=64), (33, 20)),
    "dat-8x16": (dict(split_size=[8, 16], depth=[6, 6], num_heads=[4, 4], img_size=32), (18, 26)),
    "dat-square": (dict(split_size=[8, 8]), (13, 21)),
    "dat-light-x2": (dict(**DIRECT, depth=[18], num_heads=[6], embed_dim=60, split_size=[8, 32], img_size=64, resi_connection="3conv"), (33, 37)),
    "dat-light-x4": (dict(**DIRECT, upscale=4, resi_connection="1conv"), (13, 21)),
    "dat-3conv": (dict(resi_connection="3conv"), (13, 21)),
    "dat-no-qkv-bias": (dict(qkv_bias=False), (13, 21)),
    "dat-expansion4": (dict(expansion_factor=4.0, depth=[1, 2]), (13, 21)),
    "dat-gray": (dict(in_chans=1), (13, 21), GRAY),
    "dat-x1": (dict(upscale=1), (13, 21)),
    "dat-x8": (dict(upscale=8), (7, 9)),
    "dat-smaller-than-window": (dict(split_size=[8, 32], img_size=64), (5, 6)),
    "dat-one-block": (dict(depth=[1, 1]), (13, 21)),
})
RGT_USUAL = dict(img_size=64, embed_dim=32, depth=[2, 3], num_heads=[2, 4], mlp_ratio=2.0, upscale=2, split_size=[2, 8], c_ratio=0.5)
family(RGT, RGT_USUAL, {
    "rgt-x2": (dict(), (18, 21)),
    "rgt-x3-8x32": (dict(upscale=3, split_size=[8, 32]), (33, 20)),
    "rgt-x4": (dict(upscale=4, split_size=[4, 8]), (18, 21)),
    "rgt-3conv": (dict(resi_connection="3conv"), (18, 21)),
    "rgt-large": (dict(depth=[6], num_heads=[6], split_size=[8, 16], embed_dim=48), (80, 70)),
    "rgt-c-quarter": (dict(c_ratio=0.25, num_heads=[4, 4]), (18, 21)),
    "rgt-no-qkv-bias": (dict(qkv_bias=False), (18, 21)),
    "rgt-gray": (dict(in_chans=1), (18, 21), GRAY),
    "rgt-x1": (dict(upscale=1), (18, 21)),
    "rgt-long": (dict(depth=[2], num_heads=[2]), (17, 270)),
})
family(OmniSR, dict(num_feat=32, block_num=1, pe=True, window_size=8, res_num=2, up_scale=2, bias=True), {
    "omnisr-x2": (dict(), (18, 21)),
    "omnisr-x3": (dict(up_scale=3, res_num=1), (18, 21)),
    "omnisr-x4-two-blocks": (dict(up_scale=4, block_num=2), (18, 21)),
    "omnisr-x1": (dict(up_scale=1), (18, 21)),
    "omnisr-w4": (dict(window_size=4), (18, 21)),
    "omnisr-w16": (dict(window_size=16, num_feat=64), (33, 20)),
    "omnisr-no-bias": (dict(bias=False), (18, 21)),
    "omnisr-no-positions": (dict(pe=False), (18, 21)),
    "omnisr-gray": (dict(num_in_ch=1, num_out_ch=1), (18, 21), GRAY),
    "omnisr-smaller-than-window": (dict(window_size=16), (9, 10)),
})
family(DRCT, {**SWIN, **dict(depths=[6, 6], num_heads=[2, 4], gc=8)}, {
    "drct-x2": (dict(), (13, 21)),
    "drct-x3": (dict(upscale=3), (13, 21)),
    "drct-x4-w16": (dict(upscale=4, window_size=16, img_size=32), (18, 30), dict(multiple=16)),
    "drct-w4": (dict(window_size=4), (13, 21), dict(multiple=4)),
    "drct-identity": (dict(resi_connection="identity"), (13, 21)),
    "drct-gc32-mlp4": (dict(gc=32, mlp_ratio=4, embed_dim=48, num_heads=[6, 6]), (13, 21)),
    "drct-no-qkv-bias": (dict(qkv_bias=False), (13, 21)),
    "drct-gray": (dict(in_chans=1), (13, 21), GRAY),
    "drct-x1": (dict(upscale=1), (13, 21)),
    "drct-smaller-than-window": (dict(window_size=16, img_size=32), (9, 10), dict(multiple=16)),
    "drct-trained-on-one-window": (dict(img_size=8), (13, 21)),
    "drct-heads-of-sorts": (dict(depths=[6, 6, 6], num_heads=[1, 3, 6], gc=12), (13, 21)),
}, multiple=8)
ATD_USUAL = {**SWIN, **dict(embed_dim=32, category_size=256, num_tokens=16, reducted_dim=8, convffn_kernel_size=5, depths=[2, 3], num_heads=[2, 4])}
family(ATD, ATD_USUAL, {
    "atd-x2": (dict(), (21, 26)),
    "atd-x3-w16": (dict(upscale=3, window_size=16, img_size=32), (21, 26)),
    "atd-x4-k7": (dict(upscale=4, convffn_kernel_size=7, num_tokens=64), (21, 26)),
    "atd-light": (dict(**DIRECT, embed_dim=48, category_size=128, num_tokens=64, mlp_ratio=1, num_heads=[4, 4]), (21, 26)),
    "atd-direct": (dict(**DIRECT, upscale=3), (21, 26)),
    "atd-nearest": (dict(**NEAREST), (21, 26)),
    "atd-plain": (dict(**PLAIN), (21, 26)),
    "atd-3conv": (dict(resi_connection="3conv"), (21, 26)),
    "atd-no-norm": (dict(norm=False), (21, 26)),
    "atd-no-qkv-bias": (dict(qkv_bias=False), (21, 26)),
    "atd-gray": (dict(in_chans=1), (21, 26), GRAY),
    "atd-x1": (dict(upscale=1), (21, 26)),
    "atd-smaller-than-a-category": (dict(), (9, 10)),
})
family(MoSR, dict(dim=16, n_block=3, upscale=2, upsampler="ps"), {
    "mosr-x1": (dict(upscale=1), (13, 21)),
    "mosr-x3": (dict(upscale=3), (13, 21)),
    "mosr-x4-k5": (dict(upscale=4, kernel_size=5), (13, 21)),
    "mosr-expansion2-conv-half": (dict(expansion_ratio=2.0, conv_ratio=0.5), (13, 21)),
    "mosr-gps-x3": (dict(upscale=3, upsampler="gps"), (13, 21)),
    "mosr-dys-x2": (dict(upsampler="dys"), (13, 21)),
    "mosr-dys-x4": (dict(upsampler="dys", upscale=4, dim=32), (13, 21)),
    "mosr-gray": (dict(in_ch=1, out_ch=1), (13, 21), GRAY),
    "mosr-dys-x3": (dict(upsampler="dys", upscale=3), (13, 21)),
    "mosr-gps-x1": (dict(upsampler="gps", upscale=1), (13, 21)),
    "mosr-tiny": (dict(), (2, 3)),
})
family(MoESR, dict(dim=16, n_blocks=2, n_block=2, scale=2, upsampler="pixelshuffledirect"), {
    "moesr-direct-x3": (dict(scale=3), (14, 21)),
    "moesr-shuffle-x2": (dict(upsampler="pixelshuffle", upsample_dim=24), (14, 21)),
    "moesr-shuffle-x3": (dict(upsampler="pixelshuffle", scale=3), (14, 21)),
    "moesr-shuffle-x4": (dict(upsampler="pixelshuffle", scale=4), (14, 21)),
    "moesr-nearest-x2": (dict(upsampler="nearest+conv"), (14, 21)),
    "moesr-nearest-x4": (dict(upsampler="nearest+conv", scale=4), (14, 21)),
    "moesr-dysample-x2": (dict(upsampler="dysample", upsample_dim=16), (14, 21)),
    "moesr-dysample-x4": (dict(upsampler="dysample", scale=4, upsample_dim=32), (14, 21)),
    "moesr-conv": (dict(upsampler="conv", scale=1), (14, 21)),
    "moesr-x1": (dict(scale=1), (14, 21)),
    "moesr-wide": (dict(dim=40, expansion_factor=2.0, expansion_msg=2.0), (14, 21)),
    "moesr-gray": (dict(in_ch=1, out_ch=1), (14, 21), GRAY),
})
family(FDAT, dict(embed_dim=16, num_groups=2, depth_per_group=1, num_heads=2, window_size=4, mid_dim=16, scale=2), {
    "fdat-conv": (dict(upsampler_type="conv", scale=1), (13, 21)),
    "fdat-direct-x3": (dict(upsampler_type="pixelshuffledirect", scale=3), (13, 21)),
    "fdat-shuffle-x4": (dict(upsampler_type="pixelshuffle", scale=4, mid_dim=24), (13, 21)),
    "fdat-nearest-x2": (dict(upsampler_type="nearest+conv"), (13, 21)),
    "fdat-nearest-x4": (dict(upsampler_type="nearest+conv", scale=4), (13, 21)),
    "fdat-dysample-x2": (dict(upsampler_type="dysample"), (13, 21)),
    "fdat-dysample-x3": (dict(upsampler_type="dysample", scale=3, mid_dim=32), (13, 21)),
    "fdat-dysample-x4-same": (dict(upsampler_type="dysample", scale=4, embed_dim=32, mid_dim=32), (13, 21)),
    "fdat-transpose-x2": (dict(upsampler_type="transpose+conv"), (13, 21)),
    "fdat-transpose-x3": (dict(upsampler_type="transpose+conv", scale=3), (13, 21)),
    "fdat-transpose-x4": (dict(upsampler_type="transpose+conv", scale=4), (13, 21)),
    "fdat-lda-x2": (dict(upsampler_type="lda"), (13, 21)),
    "fdat-lda-x3": (dict(upsampler_type="lda", scale=3), (13, 21)),
    "fdat-lda-x4": (dict(upsampler_type="lda", scale=4), (13, 21)),
    "fdat-pa-x2": (dict(upsampler_type="pa_up"), (13, 21)),
    "fdat-pa-x3": (dict(upsampler_type="pa_up", scale=3), (13, 21)),
    "fdat-unshuffle-x1": (dict(scale=1, unshuffle_mod=True, upsampler_type="pixelshuffledirect"), (14, 21)),
    "fdat-unshuffle-x2": (dict(scale=2, unshuffle_mod=True, upsampler_type="pixelshuffle"), (13, 21)),
    "fdat-w8-deep": (dict(window_size=8, depth_per_group=3, num_heads=4, embed_dim=32, ffn_expansion_ratio=1.5, aim_reduction_ratio=4), (13, 21)),
    "fdat-gray": (dict(num_in_ch=1, num_out_ch=1), (13, 21), GRAY),
    "fdat-smaller-than-window": (dict(window_size=8, upsampler_type="pixelshuffle"), (5, 6)),
})
family(RCAN, dict(scale=2, n_resgroups=2, n_resblocks=2, n_feats=16, reduction=4), {
    "rcan-x2": (dict(), (13, 21)),
    "rcan-x3": (dict(scale=3), (13, 21)),
    "rcan-x4": (dict(scale=4), (13, 21)),
    "rcan-x8": (dict(scale=8), (7, 9)),
    "rcan-no-norm": (dict(norm=False), (13, 21)),
    "rcan-unshuffle-x2": (dict(unshuffle_mod=True), (13, 21)),
    "rcan-unshuffle-x1": (dict(scale=1, unshuffle_mod=True, norm=False), (13, 21)),
    "rcan-k5": (dict(kernel_size=5, n_feats=24, reduction=8), (13, 21)),
    "rcan-gray": (dict(n_colors=1, norm=False), (13, 21), GRAY),
    "rcan-x1": (dict(scale=1), (13, 21)),
    "rcan-tiny": (dict(), (2, 3)),
})
family(UpCunet2x, dict(), {
    "realcugan-x2": (dict(), (27, 32)),
    "realcugan-x2-pro": (dict(pro=True), (26, 31)),
    "realcugan-x2-gray": (dict(in_channels=1, out_channels=1), (27, 32), GRAY),
})
family(UpCunet3x, dict(), {"realcugan-x3": (dict(), (22, 26)), "realcugan-x3-pro": (dict(pro=True), (21, 27))})
family(UpCunet4x, dict(), {"realcugan-x4": (dict(), (22, 26)), "realcugan-x4-pro": (dict(pro=True), (21, 27))})
family(UpCunet2x_fast, dict(), {"realcugan-x2-fast": (dict(), (41, 46), dict(multiple=4, least=40))})
GRL_USUAL = dict(img_size=16, in_channels=3, out_channels=3, embed_dim=32, upscale=2, img_range=1.0, upsampler="pixelshuffle", depths=[4],
                 num_heads_window=[2], num_heads_stripe=[2], window_size=8, stripe_size=[8, 16], stripe_groups=[None, None], stripe_shift=True,
                 mlp_ratio=2, qkv_bias=True, qkv_proj_type="linear", anchor_proj_type="avgpool", anchor_one_stage=True,
                 anchor_window_down_factor=4, local_connection=False, conv_type="1conv")


def grl_with_tables(**parameters):
    """As the original saves it: with the tables, indices and masks from which sizes are read."""
    network = GRL(**parameters)
    network._non_persistent_buffers_set.clear()
    return network


family(grl_with_tables, GRL_USUAL, {
    "grl-tables-x2": (dict(), (21, 26)),
    "grl-tables-x3-direct": (dict(upscale=3, upsampler="pixelshuffledirect"), (21, 26)),
    "grl-tables-nearest": (dict(**NEAREST), (21, 26)),
    "grl-tables-down2": (dict(anchor_window_down_factor=2, window_size=16), (21, 26)),
    "grl-tables-square-w4": (dict(window_size=4, stripe_size=[16, 16]), (21, 26)),
    "grl-tables-heads": (dict(num_heads_window=[4], num_heads_stripe=[1], mlp_ratio=4, depths=[6], local_connection=True), (21, 26)),
    "grl-tables-no-qkv-bias": (dict(qkv_bias=False), (21, 26)),
    "grl-tables-1x1": (dict(conv_type="1conv1x1"), (21, 26)),
    "grl-tables-merging": (dict(anchor_window_down_factor=2, anchor_proj_type="patchmerging"), (21, 26)),
    "grl-tables-short-side": (dict(), (7, 26)),
})
family(GRL, {**GRL_USUAL, **PLAIN, "stripe_size": [8, 8]}, {
    "grl-plain-3conv": (dict(conv_type="3conv"), (21, 26)),
    "grl-plain-linear-gray": (dict(conv_type="linear", in_channels=1, out_channels=1), (21, 26), GRAY),
    "grl-separable": (dict(qkv_proj_type="separable_conv"), (21, 26)),
    "grl-anchor-conv2d": (dict(anchor_proj_type="conv2d"), (21, 26)),
    "grl-anchor-maxpool": (dict(anchor_proj_type="maxpool"), (21, 26)),
    "grl-anchor-separable": (dict(anchor_proj_type="separable_conv"), (21, 26)),
    "grl-anchor-conv2d-stages": (dict(anchor_one_stage=False, anchor_proj_type="conv2d"), (21, 26)),
    "grl-anchor-separable-stages": (dict(anchor_one_stage=False, anchor_proj_type="separable_conv"), (21, 26)),
    "grl-anchor-merging-stages": (dict(anchor_one_stage=False, anchor_proj_type="patchmerging"), (21, 26)),
    "grl-sr-defaults": (dict(upscale=2, upsampler="pixelshuffle", window_size=32, stripe_size=[64, 64], depths=[2], img_size=64), (70, 66)),
    "grl-bsr-defaults": (dict(**NEAREST, window_size=16, stripe_size=[32, 64], depths=[2], img_size=64), (50, 66)),
})
family(SwiftSRGAN, dict(num_channels=16, num_blocks=3, upscale_factor=4), {
    "swift-srgan-x4": (dict(), (13, 21)),
    "swift-srgan-x2": (dict(upscale_factor=2, num_channels=24), (13, 21)),
    "swift-srgan-x8": (dict(upscale_factor=8, num_blocks=2), (9, 7)),
    "swift-srgan-gray": (dict(in_channels=1), (13, 21), GRAY),
    "swift-srgan-tiny": (dict(), (2, 3)),
})
family(DITN, dict(dim=16, ITL_blocks=2, SAL_blocks=1, UFONE_blocks=2, upscale=2), {
    "ditn-x2": (dict(), (13, 21)),
    "ditn-x3-bias": (dict(upscale=3, bias=True), (13, 21)),
    "ditn-x4-ffn3": (dict(upscale=4, ffn_expansion_factor=3, dim=24), (13, 21)),
    "ditn-gray-in": (dict(inp_channels=1), (13, 21), GRAY),
    "ditn-x1": (dict(upscale=1), (13, 21)),
    "ditn-smaller-than-a-patch": (dict(), (5, 6)),
})
CRAFT_USUAL = dict(in_chans=3, window_size=16, embed_dim=32, depths=[2, 1], num_heads=[2, 4], split_size_0=4, split_size_1=16, mlp_ratio=2,
                   upscale=2)
family(CRAFT, CRAFT_USUAL, {
    "craft-x2": (dict(), (21, 26)),
    "craft-x3-whole": (dict(upscale=3), (16, 32)),
    "craft-x4-8x16": (dict(upscale=4, split_size_0=8), (21, 26)),
    "craft-2x8": (dict(split_size_0=2, split_size_1=8), (21, 26)),
    "craft-square": (dict(split_size_0=8, split_size_1=8), (21, 26)),
    "craft-no-qkv-bias": (dict(qkv_bias=False), (21, 26)),
    "craft-identity-mlp4": (dict(resi_connection="identity", mlp_ratio=4), (21, 26)),
    "craft-gray": (dict(in_chans=1), (21, 26), GRAY),
    "craft-x1": (dict(upscale=1), (21, 26)),
    "craft-smaller-than-window": (dict(), (9, 10)),
})
family(DCTLSA, dict(nf=20, num_modules=6, upscale=4), {
    "dctlsa-x4": (dict(), (21, 18)),
    "dctlsa-x2": (dict(upscale=2, nf=30), (21, 18)),
    "dctlsa-x3": (dict(upscale=3), (33, 18)),
    "dctlsa-gray": (dict(in_nc=1, out_nc=1), (21, 18), GRAY),
    "dctlsa-x1": (dict(upscale=1), (21, 18)),
    "dctlsa-smaller-than-window": (dict(), (9, 10)),
})
family(SAFMN, dict(dim=16, n_blocks=3, upscaling_factor=2), {
    "safmn-x2": (dict(), (22, 27)),
    "safmn-x3": (dict(upscaling_factor=3, dim=32), (22, 27)),
    "safmn-x4-ffn1.5": (dict(upscaling_factor=4, ffn_scale=1.5), (22, 27)),
    "safmn-x1": (dict(upscaling_factor=1), (22, 27)),
}, multiple=8)
family(SeemoRe, dict(scale=2, num_experts=3, num_layers=2, embedding_dim=16, lr_space="exp"), {
    "seemore-x2": (dict(), (18, 21)),
    "seemore-x3-linear": (dict(scale=3, lr_space="linear"), (18, 21)),
    "seemore-x4-double": (dict(scale=4, lr_space="double"), (18, 21)),
    "seemore-experts4": (dict(num_experts=4), (18, 37)),
    "seemore-k7": (dict(global_kernel_size=7, embedding_dim=24), (18, 21)),
    "seemore-large": (dict(num_layers=16, embedding_dim=48, num_experts=4, use_shuffle=False, recursive=1), (18, 21)),
    "seemore-big": (dict(num_layers=8, embedding_dim=48), (18, 21)),
})
family(SCUNet, dict(dim=64, config=[1, 2, 1, 1, 1, 1, 2]), {
    "scunet-short": (dict(), (61, 70)),
    "scunet-gray": (dict(in_nc=1), (61, 70), GRAY),
    "scunet-dim128": (dict(dim=128, config=[1, 1, 1, 1, 1, 1, 1]), (64, 64)),
})
family(FBCNN, dict(nc=[8, 16, 24, 512], nb=2), {
    "fbcnn-color": (dict(), (21, 26)),
    "fbcnn-gray": (dict(in_nc=1, out_nc=1), (21, 26), GRAY),
    "fbcnn-nb3": (dict(nb=3), (21, 26)),
    "fbcnn-pixelshuffle": (dict(upsample_mode="pixelshuffle"), (21, 26)),
    "fbcnn-upconv": (dict(upsample_mode="upconv"), (21, 26)),
    "fbcnn-avgpool": (dict(downsample_mode="avgpool"), (21, 26)),
})
family(DRUNet, dict(in_nc=4, out_nc=3, nc=[8, 16, 24, 32], nb=2), {
    "drunet-color": (dict(), (21, 26)),
    "drunet-gray": (dict(in_nc=2, out_nc=1), (21, 26), GRAY),
    "drunet-nb4": (dict(nb=4), (21, 26)),
    "drunet-pixelshuffle": (dict(upsample_mode="pixelshuffle"), (21, 26)),
    "drunet-upconv": (dict(upsample_mode="upconv"), (21, 26)),
    "drunet-avgpool": (dict(downsample_mode="avgpool"), (21, 26)),
}, multiple=8, noise=True)
family(DnCNN, dict(in_nc=3, out_nc=3, nc=16, nb=6, act_mode="R"), {
    "dncnn-color": (dict(nb=17), (13, 21)),
    "dncnn-gray-norm": (dict(in_nc=1, out_nc=1, act_mode="BR"), (13, 21), GRAY),
    "dncnn-nb20": (dict(nb=20), (13, 21)),
    "fdncnn-color": (dict(nb=20, in_nc=4, mode="FDnCNN"), (13, 21), dict(noise=True)),
    "fdncnn-gray": (dict(nb=20, in_nc=2, out_nc=1, mode="FDnCNN"), (13, 21), dict(channels=1, noise=True)),
    "fdncnn-norm": (dict(in_nc=4, mode="FDnCNN", act_mode="BR"), (13, 21), dict(noise=True)),
})
family(Restormer, dict(dim=16, num_blocks=[1, 2, 1, 1], num_refinement_blocks=1, heads=[1, 2, 2, 4]), {
    "restormer-plain": (dict(), (21, 26)),
    "restormer-bias": (dict(bias=True), (21, 26)),
    "restormer-bias-free-norm": (dict(LayerNorm_type="BiasFree", num_refinement_blocks=2), (21, 26)),
    "restormer-dual-pixel": (dict(inp_channels=6, dual_pixel_task=True), (21, 26), dict(channels=6)),
    "restormer-gray": (dict(inp_channels=1, out_channels=1, LayerNorm_type="BiasFree"), (21, 26), GRAY),
    "restormer-ffn2": (dict(ffn_expansion_factor=2.0, heads=[2, 2, 4, 8]), (21, 26)),
}, multiple=8)


def randomize(network, generator):
    """Values that keep the variance, around what a trainer would start from."""
    parameters = {key for key, _ in network.named_parameters()}
    state = network.state_dict()
    for name, tensor in state.items():
        uniform = lambda: torch.rand(tensor.shape, generator=generator) * 2 - 1
        if name.endswith("running_mean"):
            state[name] = uniform() * 0.1
        elif name.endswith("running_var"):
            state[name] = 1 + uniform() * 0.5
        elif name not in parameters or not tensor.is_floating_point() or tensor.numel() == 0 or name.startswith(("sub_mean", "add_mean")):
            continue
        elif tensor.dim() > 1 and not bool((tensor == 1).all()):
            state[name] = uniform() * math.sqrt(1.5 / tensor[0].numel())
        else:
            state[name] = (1.0 if bool((tensor == 1).all()) else 0.0) + uniform() * 0.1
    network.load_state_dict(state)
    return network.state_dict()


# Parameters that no key tells, or that say nothing of the network that answers.
NOT_SHOWN = {"act", "mode", "drop_rate", "attn_drop_rate", "drop_path_rate", "use_checkpoint", "patch_size", "dropout", "bias", "qk_scale",
             "rgb_mean", "use_chk", "input_resolution", "drop_path", "init_method", "out_proj_type", "fairscale_checkpoint", "offload_to_cpu",
             "euclidean_dist", "pretrained_window_size", "pretrained_stripe_size", "LayerNorm_type", "act_mode", "res_scale", "norm_layer",
             "act_layer", "act_type", "conv"}


def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def answer(network, picture, variant):
    """The network's own answer, of a picture that is filled up where it takes some sizes only."""
    height, width = picture.shape[2:]
    full = [max(math.ceil(side / variant["multiple"]) * variant["multiple"], variant["least"]) for side in (height, width)]
    x = F.pad(picture, (0, full[1] - width, 0, full[0] - height), "reflect") if full != [height, width] else picture
    if variant["noise"]:
        x = torch.cat([x, torch.full_like(x[:, :1], 15 / 255)], 1)
    y = network(x)
    if isinstance(y, tuple):  # Swin2SR's pixelshuffle_hf: the picture without details, with them, and the details
        y = y[1] if isinstance(network, Swin2SR) else y[0]
    scale = y.shape[3] // x.shape[3]
    return y[:, :, : height * scale, : width * scale]


def in_doubles(network):
    wide = network.double()
    if isinstance(wide, GRL):  # makes its tables anew, in float32
        make = wide.set_table_index_mask
        wide.set_table_index_mask = lambda size: {k: v.double() if v.is_floating_point() else v for k, v in make(size).items()}
    return wide


def write(name, folder, seed):
    variant = VARIANTS[name]
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) + seed)
    built = variant["make"]()
    state = {key: value.clone() for key, value in randomize(built, generator).items()}
    if name.startswith("swinir-unshuffle"):  # as DiffBIR has it
        state = {re.sub(r"^conv_first\.", "conv_first.1.", key): value for key, value in state.items()}
    height, width = variant["size"]
    picture = torch.randint(0, 256, (1, variant["channels"], height, width), generator=generator).float() / 255
    entry = dict(name=name)
    run = built.eval()
    try:
        found = ModelLoader().load_from_state_dict({key: value.clone() for key, value in state.items()})
        entry["expected"] = dict(architecture=found.architecture.id, scale=found.scale, in_nc=found.input_channels, out_nc=found.output_channels,
                                 hyperparameters={key: plain(value) for key, value in found.model.hyperparameters.items() if key not in NOT_SHOWN})
        if found.architecture.id == "ESRGAN":  # shown as its authors name them
            shown = entry["expected"]["hyperparameters"]
            changes = dict(num_feat=shown["num_filters"], num_block=shown["num_blocks"], network_scale=shown["scale"])
            entry["expected"]["hyperparameters"] = {**{key: value for key, value in shown.items() if key not in ("scale", "norm", "upsampler")}, **changes}
        run = found.model.eval()
    except Exception as error:  # what spandrel can build and not detect: the network as it was built answers
        entry["undetected"] = f"{type(error).__name__}: {str(error)[:100]!r}"
    with torch.inference_mode():
        output = answer(run, picture.clone(), variant)
        if run is not built:
            entry["as_built"] = float((answer(built, picture.clone(), variant) - output).abs().max())
        try:
            entry["noise"] = float((answer(in_doubles(run), picture.double(), variant) - output).abs().max())
        except RuntimeError:
            entry["noise"] = None
    torch.save(state, folder / f"{name}.pth")
    save_file({"input": picture, "output": output.contiguous()}, folder / f"{name}.case.safetensors")
    return entry


def main(folder, seed="1", pattern=""):
    sort = torch.sort
    torch.sort = lambda x, dim=-1, descending=False, stable=False: sort(x, dim=dim, descending=descending, stable=True)
    tensor = torch.tensor  # FDAT's DySample asks for pinned memory, which there is beside a GPU only
    torch.tensor = lambda *values, pin_memory=False, **how: tensor(*values, **how)
    torch.set_num_threads(1)  # side by side with the process that is compared
    for name in VARIANTS:
        if not re.search(pattern, name):
            continue
        try:
            entry = write(name, Path(folder), int(seed))
        except Exception as error:
            entry = dict(name=name, unbuilt=f"{type(error).__name__}: {error}")
        print(json.dumps(entry), flush=True)

main(*sys.argv[1:])
