"""PReLU for bf16 channels-last activations on the CPU, where torch's own kernel takes longer than the convolutions.

Compiled on first use; without a C++ compiler (or with HIRESFIX_PLAIN_PRELU=1) torch's kernel is used: same results to rounding, about half the speed.
"""

import os
from functools import lru_cache

import torch
from torch import Tensor, nn

SOURCE = r"""
#include <torch/extension.h>
#include <cstring>

static inline float widen(uint16_t bits) { uint32_t u = uint32_t(bits) << 16; float f; std::memcpy(&f, &u, 4); return f; }
static inline uint16_t narrow(float f) { uint32_t u; std::memcpy(&u, &f, 4); return uint16_t((u + 0x7fff + ((u >> 16) & 1)) >> 16); }

torch::Tensor prelu(const torch::Tensor& x, const torch::Tensor& slope) {
  auto y = torch::empty_like(x);
  const int64_t channels = x.size(1), pixels = x.numel() / channels;
  auto in = (const uint16_t*)x.data_ptr(); auto out = (uint16_t*)y.data_ptr(); auto a = slope.data_ptr<float>();
  for (int64_t i = 0; i < pixels; i++, in += channels, out += channels) {
    #pragma omp simd
    for (int64_t c = 0; c < channels; c++) { float v = widen(in[c]); out[c] = narrow(v > 0 ? v : v * a[c]); }
  }
  return y;
}

std::vector<torch::Tensor> prelu_backward(const torch::Tensor& grad, const torch::Tensor& x, const torch::Tensor& slope) {
  auto gx = torch::empty_like(x); auto gslope = torch::zeros_like(slope);
  const int64_t channels = x.size(1), pixels = x.numel() / channels;
  auto in = (const uint16_t*)x.data_ptr(); auto g = (const uint16_t*)grad.data_ptr(); auto out = (uint16_t*)gx.data_ptr();
  auto a = slope.data_ptr<float>(); auto sum = gslope.data_ptr<float>();
  for (int64_t i = 0; i < pixels; i++, in += channels, g += channels, out += channels) {
    #pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      float v = widen(in[c]), d = widen(g[c]);
      out[c] = narrow(v > 0 ? d : d * a[c]);
      sum[c] += v > 0 ? 0.f : d * v;
    }
  }
  return {gx, gslope};
}
"""


@lru_cache(maxsize=1)
def _kernel():
    if os.environ.get("HIRESFIX_PLAIN_PRELU"):
        return None
    try:
        from torch.utils.cpp_extension import load_inline

        flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp-simd"]
        return load_inline("hiresfix_prelu", SOURCE, functions=["prelu", "prelu_backward"], extra_cflags=flags)
    except (ImportError, OSError, RuntimeError) as error:  # no compiler or no ninja
        print(f"fast PReLU not available, using torch's: {str(error).splitlines()[0]}")
        return None


class _ChannelsLastPReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, slope: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        ctx.save_for_backward(x, slope)
        return _kernel().prelu(x, slope)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, slope = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last).to(torch.bfloat16)
        return tuple(_kernel().prelu_backward(grad, x, slope))


class FastPReLU(nn.PReLU):
    """nn.PReLU with a slope per channel; bf16 inputs go through the compiled kernel while training."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.bfloat16 and x.device.type == "cpu" and _kernel() is not None:
            return _ChannelsLastPReLU.apply(x, self.weight)
        return super().forward(x)
