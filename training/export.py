"""Writes the averaged weights of a training run as a safetensors file that the service reads.

    python training/export.py --checkpoint training/runs/main/best.pt --output models/compact-x2.safetensors
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file


def export(checkpoint: Path, output: Path) -> None:
    """float32, official key names; the metadata says what it is."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    tensors = {name: tensor.float().contiguous() for name, tensor in saved["average"].items()}
    # One entry: safetensors writes several in no fixed order, and the same run must give the same file.
    about = {"description": f"COMPACT_X2: SRVGGNetCompact, scale 2, trained on procedural pictures, step {saved['step']}; MIT"}
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(output), metadata=about)
    output.chmod(0o644)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    export(options.checkpoint, options.output)
