"""Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum whose matrix is made orthogonal before it is applied.

Adam gives every weight a step of the same size; a convolution's weights then move along few directions. Here all directions
of the matrix (outputs x inputs and taps) move alike, which gets a small network further in the same number of steps.
"""

import torch
from torch import Tensor

# An odd polynomial whose iteration drives singular values in (0, 1] towards 1: the quintic of the paper, good after 5 rounds.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


def orthogonalized(matrices: Tensor) -> Tensor:
    """[N, rows, columns], rows <= columns -> the same with singular values near 1 (0.7 to 1.2), by Newton-Schulz rounds."""
    a, b, c = QUINTIC
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + torch.bmm(b * gram + c * gram @ gram, x)
    return x


class Muon(torch.optim.Optimizer):
    """For convolutions of one shape [outputs, inputs, height, width]. A step's root mean square is 0.2 `lr`, as Adam's is, so
    that rates carry over (Liu et al. 2025, arXiv:2502.16982)."""

    def __init__(self, params, lr: float, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            grads = torch.stack([p.grad.flatten(1) for p in group["params"]])
            state = self.state[group["params"][0]]  # one stack for all, so that the rounds are batched
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(grads)
            state["momentum"].lerp_(grads, 1 - group["momentum"])
            update = orthogonalized(grads.lerp(state["momentum"], group["momentum"]))
            size = 0.2 * max(grads.shape[1:]) ** 0.5
            for param, matrix in zip(group["params"], update):
                param.sub_(matrix.view_as(param), alpha=group["lr"] * size)
