"""Counting parameters and MACs: tinylib.cost beside torchinfo and fvcore, interleaved in one run.

Needs torch, torchinfo and fvcore in the environment (no lock holds torch). Prints what each reports and
the median time of a count; the layer list or the module is built outside the clock. Asserts nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable

ROUNDS = 7


def bottleneck_resnet(torch):
    """ResNet-50 v1.5 as a torch module, written from the block parameters of the paper (table 1)."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, cin, width, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(cin, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width),
            )  # fmt: skip
            same = stride == 1 and cin == 4 * width
            short = [nn.Conv2d(cin, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)]
            self.short = nn.Identity() if same else nn.Sequential(*short)

        def forward(self, x):
            return torch.relu(self.body(x) + self.short(x))

    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    blocks, cin = [], 64
    for depth, width, stride in ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)):
        for i in range(depth):
            blocks.append(Block(cin, width, stride if i == 0 else 1))
            cin = 4 * width
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def mobilenet_v2(torch):
    """MobileNetV2 1.0 as a torch module, from table 2 of the paper."""
    nn = torch.nn

    def conv(cin, cout, k=1, stride=1, groups=1):
        return [nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]

    class Block(nn.Module):
        def __init__(self, cin, cout, stride, expand):
            super().__init__()
            inner = cin * expand
            parts = [*conv(cin, inner), nn.ReLU6()] if expand > 1 else []
            depthwise = [*conv(inner, inner, 3, stride, inner), nn.ReLU6()]
            self.body = nn.Sequential(*parts, *depthwise, *conv(inner, cout))
            self.adds = stride == 1 and cin == cout

        def forward(self, x):
            return x + self.body(x) if self.adds else self.body(x)

    layers, cin = [*conv(3, 32, 3, 2), nn.ReLU6()], 32
    table = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for expand, cout, depth, stride in table:
        for i in range(depth):
            layers.append(Block(cin, cout, stride if i == 0 else 1, expand))
            cin = cout
    tail = [*conv(320, 1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers, *tail)


def subjects(torch) -> dict[str, tuple]:
    """name -> (torch module, input size, function that counts with tinylib)."""
    from tinylib.cost import networks
    from tinylib.cost.sequence import LSTM

    resnet, mobile, lstm = networks.resnet50(), networks.mobilenet_v2(), LSTM(40, 128, bias_vectors=2)

    def fold(model):
        rows = type(model)(model.name, model.input_shape, model.nodes)  # a new model folds its rows anew
        return rows.params, rows.macs

    return {
        "ResNet-50": (bottleneck_resnet(torch), (1, 3, 224, 224), lambda: fold(resnet)),
        "MobileNetV2": (mobilenet_v2(torch), (1, 3, 224, 224), lambda: fold(mobile)),
        "LSTM 40-128, 100 steps": (
            torch.nn.LSTM(40, 128, batch_first=True),
            (1, 100, 40),
            lambda: (lstm.params, lstm.macs((100, 40))),
        ),
    }


def timed(count: Callable[[], tuple[int, int]]) -> tuple[float, tuple[int, int]]:
    start = time.perf_counter()
    found = count()
    return 1e3 * (time.perf_counter() - start), found


def main() -> int:
    try:
        import torch
        import torchinfo
        from fvcore.nn import FlopCountAnalysis, parameter_count
    except ModuleNotFoundError as error:
        print(f"counting needs torch, torchinfo and fvcore beside the workbook: pip install them, {error}")
        return 0
    import logging

    logging.disable(logging.WARNING)
    for name, (module, size, ours) in subjects(torch).items():
        module.eval()
        x = torch.zeros(size)

        def info(module=module, size=size):
            said = torchinfo.summary(module, input_size=size, verbose=0)
            return said.total_params, said.total_mult_adds

        def fv(module=module, x=x):
            return parameter_count(module)[""], FlopCountAnalysis(module, x).total()

        peers = {"tinylib": ours, "torchinfo": info, "fvcore": fv}
        times: dict[str, list[float]] = {peer: [] for peer in peers}
        found = {}
        for _ in range(ROUNDS):
            for peer, count in peers.items():
                ms, found[peer] = timed(count)
                times[peer].append(ms)
        medians = {peer: statistics.median(ms) for peer, ms in times.items()}
        print(f"\n{name}")
        for peer, (params, macs) in found.items():
            slower = f"{medians[peer]:9.3f} ms {medians[peer] / medians['tinylib']:8.1f} x"
            print(f"  {peer:10} {params:>12,} parameters {macs:>15,} MACs {slower}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
