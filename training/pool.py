"""The tiles that `scenes.py` wrote, and batches cut from them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fields import Rng


class TilePool:
    """All shards of one folder or several in memory; `refresh` picks up those that were written since."""

    def __init__(self, *folders: Path):
        self.folders = folders
        self._shards: dict[Path, tuple] = {}
        self._index: list[tuple] = []

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self) -> None:
        for path in sorted(path for folder in self.folders for path in folder.glob("shard-*.npz")):
            if path not in self._shards:
                with np.load(path) as shard:
                    self._shards[path] = (shard["sharp"], shard["small"])
                self._index.extend((path, i) for i in range(len(self._shards[path][0])))

    def batch(self, rng: Rng, count: int, side: int) -> tuple[Tensor, Tensor]:
        """(small, sharp): random crops of `side` and twice that, each turned or mirrored at random; float, [0, 1]."""
        smalls, sharps = [], []
        for choice in rng.integers(len(self._index), size=count):
            path, i = self._index[choice]
            sharp, small = (array[i] for array in self._shards[path])
            top, left = rng.integers(small.shape[0] - side + 1, size=2)
            small = small[top : top + side, left : left + side]
            sharp = sharp[2 * top : 2 * (top + side), 2 * left : 2 * (left + side)]
            turn, mirror = int(rng.integers(4)), rng.uniform() < 0.5
            for pixels, into in ((small, smalls), (sharp, sharps)):
                pixels = np.rot90(pixels, turn)
                into.append(pixels[:, ::-1] if mirror else pixels)
        return _tensor(smalls), _tensor(sharps)


def _tensor(pictures: list) -> Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures)))
    return stacked.permute(0, 3, 1, 2).float().div_(255)  # channels-last in memory
