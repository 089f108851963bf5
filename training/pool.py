"""The tiles that `scenes.py` wrote, and batches of them: halved and degraded anew each time, cropped, turned."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from degrade import aged, degrade
from fields import Rng

CONTEXT = 4  # small pixels around a crop that are degraded with it and cut off: no filter sees the crop's edge


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
        """(small, sharp): random crops of `side` and twice that, the small one degraded anew, each turned or mirrored at random; float, [0, 1]."""
        smalls, sharps = [], []
        for choice in rng.integers(len(self._index), size=count):
            path, i = self._index[choice]
            tile = self._shards[path][i]
            top, left = 2 * rng.integers(tile.shape[0] // 2 - side - 2 * CONTEXT + 1, size=2)
            sharp = tile[top : top + 2 * (side + 2 * CONTEXT), left : left + 2 * (side + 2 * CONTEXT)]
            picture = aged(rng, Image.fromarray(sharp))
            sharp, small = np.asarray(picture), np.asarray(degrade(rng, picture))
            small = small[CONTEXT:-CONTEXT, CONTEXT:-CONTEXT]
            sharp = sharp[2 * CONTEXT : -2 * CONTEXT, 2 * CONTEXT : -2 * CONTEXT]
            turn, mirror = int(rng.integers(4)), rng.uniform() < 0.5
            for pixels, into in ((small, smalls), (sharp, sharps)):
                pixels = np.rot90(pixels, turn)
                into.append(pixels[:, ::-1] if mirror else pixels)
        return _tensor(smalls), _tensor(sharps)


def _tensor(pictures: list) -> Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures)))
    return stacked.permute(0, 3, 1, 2).float().div_(255)  # channels-last in memory
