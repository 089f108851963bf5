"""The tiles that `scenes.py` wrote, and batches of them: halved and degraded anew each time, cropped, turned."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from degrade import aged, degrade
from fields import Rng

EDGE = 2  # small pixels at a tile's border that are never taken: the filters ran out of picture there


class TilePool:
    """All shards of one folder or several in memory; `refresh` picks up those that were written since."""

    def __init__(self, *folders: Path):
        self.folders = folders
        self._shards: dict[Path, np.ndarray] = {}
        self._index: list[tuple[Path, int]] = []

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self) -> None:
        for path in sorted(path for folder in self.folders for path in folder.glob("shard-*.npz")):
            if path not in self._shards:
                with np.load(path) as shard:
                    self._shards[path] = shard["sharp"]
                self._index.extend((path, i) for i in range(len(self._shards[path])))

    def batch(self, rng: Rng, count: int, side: int) -> tuple[Tensor, Tensor]:
        """(small, sharp): random crops of `side` and twice that, each turned or mirrored at random; float, [0, 1].

        Tiles are aged and halved whole, anew each time, so that the blocks of a JPEG fall anywhere in a crop."""
        smalls, sharps = [], []
        for choice in rng.integers(len(self._index), size=count):
            path, i = self._index[choice]
            picture = aged(rng, Image.fromarray(self._shards[path][i]))
            sharp, small = np.asarray(picture), np.asarray(degrade(rng, picture))
            top, left = rng.integers(EDGE, small.shape[0] - EDGE - side + 1, size=2)
            turn, mirror = int(rng.integers(4)), rng.uniform() < 0.5
            for pixels, into, by in ((small, smalls, 1), (sharp, sharps, 2)):
                pixels = np.rot90(pixels[by * top : by * (top + side), by * left : by * (left + side)], turn)
                into.append(pixels[:, ::-1] if mirror else pixels)
        return _tensor(smalls), _tensor(sharps)


def _tensor(pictures: list) -> Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures)))
    return stacked.permute(0, 3, 1, 2).float().div_(255)  # channels-last in memory
