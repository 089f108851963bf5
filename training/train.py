"""Trains COMPACT_X2 on a pool of procedural tiles; stop it at any time and run the same line again to go on.

    python training/train.py --pool training/runs/pool --run training/runs/main --steps 60000
    python training/train.py --smoke --run FOLDER      # a tiny run from the seed, tens of seconds
"""

import argparse
import json
import math
import signal
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from degrade import jpeg
from evaluate import enlarge, luma, psnr
from export import export
from model import Compact, deepened, parameter_count
from muon import Muon
from pool import TilePool
from scenes import held_out_tiles, make_pool

# A picture's figure is decided by its hard patches: those better than this mean squared error (47 dB) count ever less.
FAINT = 2e-5
LUMA = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255


def loss_of(result: Tensor, truth: Tensor, kind: str) -> Tensor:
    """Charbonnier on RGB and on luma; or 'psnr', the mean over patches of log(squared luma error), which is what is measured."""
    error = result - truth
    bright = (error * LUMA).sum(1, keepdim=True)
    if kind == "charbonnier":
        return torch.sqrt(error**2 + 1e-6).mean() + torch.sqrt(bright**2 + 1e-6).mean()
    squares = (bright**2).mean((1, 2, 3)) + 0.05 * (error**2).mean((1, 2, 3))
    return torch.log(squares + FAINT).mean()


class HeldOut:
    """Procedural tiles of another seed: what checkpoints are chosen by."""

    def __init__(self, seed: int, *extent: int):
        """`extent`: scenes, tiles and, if not the default, textures."""
        self.sharp = [Image.fromarray(tile) for tile in held_out_tiles(seed, *extent)]
        half = [tile.resize((tile.width // 2, tile.height // 2), Image.Resampling.BICUBIC) for tile in self.sharp]
        self._small = {"gain": half, "gain_jpeg85": [jpeg(tile, 85) for tile in half]}
        self._lanczos = {kind: [self._psnr(i, tile.resize(self.sharp[i].size, Image.Resampling.LANCZOS)) for i, tile in enumerate(tiles)] for kind, tiles in self._small.items()}

    def _psnr(self, index: int, picture: Image.Image) -> float:
        return min(psnr(luma(self.sharp[index]), luma(picture)), 55.0)  # blank tiles must not decide

    def measure(self, model: Compact) -> dict[str, float]:
        """Mean dB over LANCZOS, on plain halved tiles and on the same after JPEG 85."""
        return {
            kind: float(np.mean([self._psnr(i, enlarge(model, tile)) - self._lanczos[kind][i] for i, tile in enumerate(tiles)]))
            for kind, tiles in self._small.items()
        }


class Trainer:
    """Adam with warm-up and cosine decay, an exponential average of the weights, and everything needed to resume."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.run = options.run
        self.run.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self.rng = np.random.default_rng([options.seed, 7])
        self.model = Compact(options.features, options.convolutions).to(memory_format=torch.channels_last)
        self.average = deepcopy(self.model).requires_grad_(False)
        self.optimizers = self._optimizers()
        self.pool = TilePool(*options.pool)
        self.pool.refresh()
        self.held_out = HeldOut(options.seed + 1_000_000, *options.held_out)
        self.step, self.best, self.seconds = 0, -math.inf, 0.0

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for everything; or Muon for the convolutions between the first and the last, and Adam for the rest."""
        square, rest = [], []
        for param in self.model.parameters():
            is_square = param.dim() == 4 and param.shape[0] == param.shape[1]
            (square if is_square and self.options.optimizer == "muon" else rest).append(param)
        adam = torch.optim.Adam(rest, lr=self.options.lr, betas=(0.9, 0.99), fused=True)
        return [adam, Muon(square, lr=self.options.lr)] if square else [adam]

    def learning_rate(self) -> float:
        o = self.options
        warm = min(1.0, (self.step + 1) / o.warmup)
        return o.lr * warm * (0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / o.steps))))

    def one_step(self) -> float:
        small, sharp = self.pool.batch(self.rng, self.options.batch, self.options.patch)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            result = self.model(small)
        loss = loss_of(result[:, :, 4:-4, 4:-4], sharp[:, :, 4:-4, 4:-4], self.options.loss)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        decay = min(self.options.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)
        return loss.item()

    def save(self, name: str) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "rng": json.dumps(self.rng.bit_generator.state),
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
        }
        temporary = self.run / f"{name}.part"
        torch.save(state, temporary)
        temporary.rename(self.run / f"{name}.pt")

    def start_from(self, path: Path) -> None:
        """Begins a fresh schedule from the averaged weights of a checkpoint, or from a safetensors file; shallower ones are deepened."""
        state = load_file(str(path)) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)["average"]
        state = deepened(state, self.options.convolutions)
        self.model.load_state_dict(state)
        self.average.load_state_dict(state)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint of this run."""
        saved = torch.load(path, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.rng.bit_generator.state = json.loads(saved["rng"])
        self.step, self.best, self.seconds = saved["step"], saved["best"], saved["seconds"]

    def check(self, losses: list[float]) -> None:
        """Measures the averaged weights, logs, and keeps them if they are the best so far."""
        measured = self.held_out.measure(self.average)
        entry = {"step": self.step, "seconds": round(self.seconds), "loss": float(np.mean(losses)), "lr": self.learning_rate(), **measured}
        with (self.run / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        print(" ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in entry.items()), flush=True)
        value = measured["gain"] + self.options.jpeg_weight * measured["gain_jpeg85"]
        if value > self.best:
            self.best = value
            self.save("best")
        self.save("last")

    def fit(self) -> bool:
        """Trains to the last step, or until SIGTERM or Ctrl-C asks it to save and go; whether it got to the end."""
        stopped = []
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.append(True))
        losses, begun = [], time.monotonic()
        while self.step < self.options.steps and not stopped:
            losses.append(self.one_step())
            if self.step % self.options.every == 0 or self.step == self.options.steps:
                self.seconds += time.monotonic() - begun
                self.check(losses)
                self.pool.refresh()
                losses, begun = [], time.monotonic()
        if stopped:
            self.seconds += time.monotonic() - begun
            self.save("last")
        return not stopped


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="where checkpoints and the log go")
    parser.add_argument("--pool", type=Path, nargs="+", help="what scenes.py wrote, in one folder or several")
    parser.add_argument("--init", type=Path, help="a checkpoint (its averaged weights) or a safetensors file to start from; a shallower network is deepened")
    parser.add_argument("--smoke", action="store_true", help="a tiny run that makes its own pool and exports")
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--convolutions", type=int, default=10)
    parser.add_argument("--steps", type=int, default=60000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=40)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--optimizer", choices=["adam", "muon"], default="adam", help="muon: for the convolutions between the first and the last")
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--loss", choices=["charbonnier", "psnr"], default="charbonnier")
    parser.add_argument("--decay", type=float, default=0.999, help="of the weight average")
    parser.add_argument("--every", type=int, default=1000, help="steps between checks")
    parser.add_argument("--held-out", type=int, nargs=2, default=(60, 160), metavar=("SCENES", "TILES"))
    parser.add_argument("--jpeg-weight", type=float, default=0.2, help="of the JPEG gain in choosing the best")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=torch.cpu._is_avx512_bf16_supported())
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.smoke:
        options.features, options.convolutions, options.steps, options.every = 8, 2, 120, 40
        options.pool, options.held_out, options.bf16, options.warmup, options.decay = [options.run / "pool"], (2, 6, 4), False, 10, 0.95
        options.batch, options.patch = 8, 24
    elif options.pool is None:
        parser.error("--pool is needed: make one with training/scenes.py")
    return options


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    if options.smoke:
        make_pool(options.pool[0], 3, options.seed, textures=4)
    trainer = Trainer(options)
    print(f"{parameter_count(trainer.model)} parameters, {len(trainer.pool)} tiles", flush=True)
    if (options.run / "last.pt").exists():
        trainer.load(options.run / "last.pt")
    elif options.init:
        trainer.start_from(options.init)
    if trainer.fit():
        export(options.run / "best.pt", options.run / "compact-x2.safetensors")


if __name__ == "__main__":
    main()
