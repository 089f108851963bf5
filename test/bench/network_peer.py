"""Times the network of a checkpoint in PyTorch, as spandrel reads it.

Usage: network_peer.py CHECKPOINT SIDE CHANNELS. Prints the runtime's name, then for every line on stdin one JSON object of milliseconds.
"""

import json
import os
import sys
import time
import warnings

import torch

warnings.filterwarnings("ignore")
import spandrel_extra_arches
from spandrel import ModelLoader, UnsupportedModelError


def main():
    spandrel_extra_arches.install()
    torch.set_num_threads(os.cpu_count())
    try:
        network = ModelLoader().load_from_file(sys.argv[1]).model.eval()
    except UnsupportedModelError:
        return
    side, channels = int(sys.argv[2]), int(sys.argv[3])
    if type(network).__name__ == "DRUNet":
        channels += 1  # how much noise there is, at every pixel
    x = torch.rand(1, channels, side, side)
    with torch.inference_mode():
        network(x)
        print("PyTorch", torch.__version__, flush=True)
        for _ in sys.stdin:
            start, before = time.perf_counter(), time.process_time()
            network(x)
            times = {"wall": time.perf_counter() - start, "processor": time.process_time() - before}
            print(json.dumps({name: seconds * 1000 for name, seconds in times.items()}), flush=True)


main()
