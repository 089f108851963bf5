"""SRVGGNetCompact (Real-ESRGAN, arXiv:2107.10833): a plain stack of 3x3 convolutions with PReLU, and a pixel shuffle.

The parameter names are the official ones (`body.N.weight`, `body.N.bias`), so any reader of such checkpoints takes it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fast_prelu import FastPReLU


class Compact(nn.Module):
    """RGB in [0, 1], [N, 3, H, W] -> [N, 3, 2H, 2W]; the body adds detail to the nearest-neighbour enlargement."""

    def __init__(self, features: int = 32, convolutions: int = 10, scale: int = 2):
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), FastPReLU(features)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(features, features, 3, padding=1), FastPReLU(features)]
        layers.append(nn.Conv2d(features, 3 * scale * scale, 3, padding=1))
        self.body = nn.Sequential(*layers)
        self._start_near_nearest()

    def _start_near_nearest(self) -> None:
        """He initialisation through the body; a last layer so weak that training begins at the nearest-neighbour picture."""
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=0.25)
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.body[-1].weight.mul_(0.02)

    def forward(self, image: Tensor) -> Tensor:
        detail = functional.pixel_shuffle(self.body(image).float(), self.scale)
        return detail + functional.interpolate(image.float(), scale_factor=self.scale, mode="nearest")


def parameter_count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def shape_of(state: dict) -> dict:
    """The constructor's arguments, read back from a state dict."""
    return {"features": state["body.0.weight"].shape[0], "convolutions": (max(int(k.split(".")[1]) for k in state) - 2) // 2}
