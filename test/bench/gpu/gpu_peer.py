"""Times the network of a checkpoint in PyTorch on its card, as spandrel reads it and as users run it (NCHW).

Usage: gpu_peer.py CHECKPOINT fp32|fp16 SIDE. Prints one line of JSON: milliseconds to load, of the first run and of later ones; MiB.
"""

import json
import sys
import time
import warnings

import torch

warnings.filterwarnings("ignore")
import spandrel_extra_arches
from spandrel import ModelLoader

RUNS = 9


def main():
    checkpoint, numbers, side = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no card")
    spandrel_extra_arches.install()
    torch.set_grad_enabled(False)
    dtype = torch.float16 if numbers == "fp16" else torch.float32
    start = time.perf_counter()
    network = ModelLoader().load_from_file(checkpoint).model.eval().to("cuda", dtype)
    torch.cuda.synchronize()
    load = time.perf_counter() - start
    channels = 4 if type(network).__name__ == "UNetRes" else 3  # DRUNet's is the noise
    picture = torch.rand(1, channels, side, side, device="cuda").to(dtype)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        network(picture)
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    later = sorted(times[1:])[len(times[1:]) // 2]
    memory = round(torch.cuda.max_memory_reserved() / 2**20)
    print(json.dumps({"load": load * 1000, "first": times[0], "later": later, "memory": memory}))


main()
