"""Times one tile of an RRDBNet in whatever of torch, OpenVINO and ncnn (with pnnx) is installed.

Usage: peers.py CHECKPOINT SIDE. Prints the runtimes' names, then for every line on stdin one JSON object of milliseconds.
"""

import json
import os
import sys
import tempfile
import time

import torch
from torch import nn
from torch.nn import functional as F


class DenseBlock(nn.Module):
    def __init__(self):
        super().__init__()
        for index in range(1, 6):
            inputs, outputs = 64 + 32 * (index - 1), 32 if index < 5 else 64
            setattr(self, f"conv{index}", nn.Conv2d(inputs, outputs, 3, 1, 1))

    def forward(self, x):
        seen = x
        for index in range(1, 5):
            seen = torch.cat((seen, F.leaky_relu(getattr(self, f"conv{index}")(seen), 0.2)), 1)
        return self.conv5(seen) * 0.2 + x


class ResidualBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = DenseBlock(), DenseBlock(), DenseBlock()

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class RRDBNet(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.conv_first = nn.Conv2d(3, 64, 3, 1, 1)
        self.body = nn.Sequential(*[ResidualBlock() for _ in range(blocks)])
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            setattr(self, name, nn.Conv2d(64, 64, 3, 1, 1))
        self.conv_last = nn.Conv2d(64, 3, 3, 1, 1)

    def forward(self, x):
        shallow = self.conv_first(x)
        deep = self.conv_body(self.body(shallow)) + shallow
        for up in (self.conv_up1, self.conv_up2):
            deep = F.leaky_relu(up(F.interpolate(deep, scale_factor=2.0, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(deep), 0.2))


def load(path):
    weights = torch.load(path, map_location="cpu", weights_only=True)
    weights = weights.get("params_ema", weights.get("params", weights))
    network = RRDBNet(1 + max(int(name.split(".")[1]) for name in weights if name.startswith("body.")))
    network.load_state_dict(weights)
    return network.eval()


def torch_runs(network, x):
    yield "torch fp32", lambda: network(x)
    blocked, pixels = load(sys.argv[1]).to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    yield "torch channels_last", lambda: blocked(pixels)

    def bfloat16():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return blocked(pixels)

    yield "torch bf16", bfloat16


def openvino_runs(network, x):
    import openvino

    model = openvino.convert_model(network, example_input=x, input=[list(x.shape)])
    for precision in ("f32", "bf16"):
        options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        compiled = openvino.Core().compile_model(model, "CPU", options)
        yield f"OpenVINO {precision}", lambda compiled=compiled: compiled(x.numpy())


def ncnn_runs(network, x):
    import ncnn
    import pnnx

    folder = tempfile.mkdtemp()
    os.chdir(folder)  # where pnnx leaves its files
    pnnx.export(network, os.path.join(folder, "net.pt"), (x,))
    net = ncnn.Net()
    net.opt.num_threads = os.cpu_count()
    net.load_param(os.path.join(folder, "net.ncnn.param"))
    net.load_model(os.path.join(folder, "net.ncnn.bin"))

    def run():
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(x.squeeze(0).numpy()).clone())
        return extractor.extract("out0")

    yield "ncnn fp32", run


def main():
    torch.set_num_threads(os.cpu_count())
    answers, sys.stdout = sys.stdout, sys.stderr  # converters are talkative
    network = load(sys.argv[1])
    x = torch.rand(1, 3, int(sys.argv[2]), int(sys.argv[2]))
    runs = {}
    with torch.inference_mode():
        for source in (torch_runs, openvino_runs, ncnn_runs):
            try:
                runs.update(source(network, x))
            except ImportError as error:
                print(error, file=sys.stderr)
        print(", ".join(runs), file=answers, flush=True)
        for _ in sys.stdin:
            times = {}
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                times[name] = (time.perf_counter() - start) * 1000
            print(json.dumps(times), file=answers, flush=True)


main()
