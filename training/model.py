"""SRVGGNetCompact (Real-ESRGAN, arXiv:2107.10833): a plain stack of 3x3 convolutions with PReLU, and a pixel shuffle.

The parameter names are the official ones (`body.N.weight`, `body.N.bias`), so any reader of such checkpoints takes it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fast_layers import FastConv, FastPReLU


class Compact(nn.Module):
    """RGB in [0, 1], [N, 3, H, W] -> [N, 3, 2H, 2W]; the body adds detail to the nearest-neighbour enlargement."""

    def __init__(self, features: int = 32, convolutions: int = 10, scale: int = 2):
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [FastConv(3, features), FastPReLU(features)]
        for _ in range(convolutions):
            layers += [FastConv(features, features), FastPReLU(features)]
        layers.append(FastConv(features, 3 * scale * scale))
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


def deepened(state: dict[str, Tensor], convolutions: int) -> dict[str, Tensor]:
    """The same function as `state`, bit for bit, in a network of more convolutions between the first and the last: those added
    pass their input on (a centred identity kernel, PReLU of slope 1) and stand evenly among the old ones (Net2DeeperNet: Chen,
    Goodfellow, Shlens, ICLR 2016)."""
    old = shape_of(state)["convolutions"]
    if convolutions < old:
        raise ValueError(f"{convolutions} convolutions asked for, fewer than the {old} of the weights to start from")
    features = state["body.0.weight"].shape[0]
    kernel = torch.zeros(features, features, 3, 3)
    kernel[range(features), range(features), 1, 1] = 1
    passing = {"weight": kernel, "bias": torch.zeros(features)}
    # A unit is a convolution and its PReLU; unit 0 takes the colours in, the last convolution has no PReLU.
    kept = {0: 0} | {i * convolutions // old: i for i in range(1, old + 1)}
    result = {}
    for unit in range(convolutions + 1):
        if unit in kept:
            copied = {f"body.{2 * unit + k}.{part}": state[f"body.{2 * kept[unit] + k}.{part}"] for k, part in ((0, "weight"), (0, "bias"), (1, "weight"))}
            result |= copied
        else:
            result |= {f"body.{2 * unit}.{part}": tensor.clone() for part, tensor in passing.items()}
            result[f"body.{2 * unit + 1}.weight"] = torch.ones(features)
    last = f"body.{2 * (convolutions + 1)}"
    return result | {f"{last}.{part}": state[f"body.{2 * (old + 1)}.{part}"] for part in ("weight", "bias")}


def parameter_count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def shape_of(state: dict) -> dict:
    """The constructor's arguments, read back from a state dict."""
    return {"features": state["body.0.weight"].shape[0], "convolutions": (max(int(k.split(".")[1]) for k in state) - 2) // 2}
