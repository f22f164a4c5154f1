"""How long each canvas takes to draw itself as a string, beside one small matplotlib bar chart as PNG.

Interleaved in one run; prints medians in ms and the ratio. The way through the browser is in
benchmarks/canvas.py.
"""

import io
import statistics
import time
from collections.abc import Callable

from tinylib.cost import Conv2D, networks
from tinylib.cost.report import report
from tinylib.show import canvases

ROUNDS = 30


def pictures() -> dict[str, Callable[[], object]]:
    """name -> function that draws once."""
    stem, page = Conv2D(3, 64, 7, stride=2, padding=3, bias=False), report(networks.resnet8(), "nano33ble")
    stack = [Conv2D(3, 16, 3, padding="same"), Conv2D(16, 16, 3, stride=2, padding="same")]
    return {
        "cost_bars": lambda: canvases.cost_bars(stem, (224, 224, 3)),
        "convolution": lambda: canvases.convolution(16, 32, 3, 1, 56, 8),
        "gap_bars": lambda: canvases.gap_bars(2021),
        "growth_points": lambda: canvases.growth_points(2023),
        "energy_ladder": lambda: canvases.energy_ladder(),
        "battery": lambda: canvases.battery(84, 10),
        "roofline": lambda: canvases.roofline("a100_80", 2.0, 16, "vgg16", 8),
        "arena": lambda: canvases.arena("mlperf_tiny_kws_dscnn", 8, 3),
        "patches": lambda: canvases.patches(stack, (56, 56, 3), 4, 1, 1),
        "kv_cache": lambda: canvases.kv_cache(),
        "report": lambda: canvases.report(page),
        "matplotlib bars": matplotlib_bars(),
    }


def matplotlib_bars() -> Callable[[], bytes]:
    """The usual way: a small bar chart, drawn and encoded as PNG."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    def draw() -> bytes:
        axes = (figure := Figure(figsize=(7.2, 3))).subplots()
        axes.barh(["a", "b", "c"], [1, 2, 3])
        axes.set_xlabel("count")
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return out.getvalue()

    return draw


def main() -> None:
    drawn = pictures()
    times: dict[str, list[float]] = {name: [] for name in drawn}
    for _ in range(ROUNDS):
        for name, draw in drawn.items():
            start = time.perf_counter()
            draw()
            times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(ms) for name, ms in times.items()}
    for name, ms in medians.items():
        print(
            f"{name:16} {ms:8.2f} ms   {medians['matplotlib bars'] / ms:6.1f} x faster than matplotlib bars"
        )


if __name__ == "__main__":
    main()
