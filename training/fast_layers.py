"""The layers that take a training step's time, with kernels of our own for channels-last activations on the CPU.

Compiled on first use (`kernels.cpp`); without a C++ compiler or ninja, or with HIRESFIX_PLAIN_LAYERS=1, torch's layers are used:
the same results to rounding, several times slower.
"""

import os
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

CHANNELS = 64  # of the only convolution that kernels.cpp does
# Kernel of 3 taps -> 6 points, for Winograd's F(4, 3) at 0, 1, -1, 2, -2 and infinity.
TAPS_TO_POINTS = torch.tensor([[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]])


@lru_cache(maxsize=1)
def _kernels():
    if os.environ.get("HIRESFIX_PLAIN_LAYERS"):
        return None
    try:
        from torch.utils.cpp_extension import load

        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-fopenmp"]
        return load("hiresfix_kernels", [str(Path(__file__).with_name("kernels.cpp"))], extra_cflags=flags, extra_ldflags=["-fopenmp"])
    except (ImportError, OSError, RuntimeError) as error:  # no compiler or no ninja
        print(f"fast layers not available, using torch's: {str(error).splitlines()[0]}")
        return None


def _last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, slope: Tensor) -> Tensor:
        x = _last(x)
        ctx.save_for_backward(x, slope)
        return _kernels().prelu(x, slope)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, slope = ctx.saved_tensors
        return tuple(_kernels().prelu_backward(_last(grad).to(x.dtype), x, slope))


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, points: Tensor, bias: Tensor) -> Tensor:
        x, points = _last(x), points.contiguous()
        ctx.save_for_backward(x, points)
        return _kernels().winograd(x, points, bias)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, points = ctx.saved_tensors
        grad = _last(grad)
        return *_kernels().winograd_backward(grad, x, points.mT.contiguous()), grad.sum((0, 2, 3))


class FastPReLU(nn.PReLU):
    """nn.PReLU with a slope per channel; while training, bf16 and fp32 on the CPU go through the compiled kernel."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.device.type == "cpu" and x.dtype in (torch.bfloat16, torch.float32) and _kernels():
            return _PReLU.apply(x, self.weight)
        return super().forward(x)


class FastConv(nn.Conv2d):
    """A 3x3 convolution, padded by 1; while training in fp32 on the CPU, one of 64 channels to 64 goes through the compiled kernel."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        plain = torch.is_autocast_enabled("cpu") or x.dtype != torch.float32 or x.device.type != "cpu"
        if plain or not self.training or self.in_channels != CHANNELS or self.out_channels != CHANNELS or not _kernels():
            return super().forward(x)
        points = torch.einsum("ia,jb,ocab->ijco", TAPS_TO_POINTS, TAPS_TO_POINTS, self.weight).flatten(0, 1)
        return _Winograd.apply(x, points, self.bias)
