"""The keyword network of lesson 18: its layers, its int8 form on file, and how that file was made.

    20 x 20 x 1 -> convolution -> max pool -> depthwise -> pointwise -> global pool -> dense

`python -m tinylib.deploy.keywords` trains it on synthetic words, quantizes it, compares exported C with
Python and writes `data/keywords.json`. The file holds integers and scales, so it answers alike everywhere.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinylib.compress import baseline
from tinylib.datasets import Examples, pictures, words
from tinylib.deploy import c99, host
from tinylib.deploy.measure import measure
from tinylib.formats.affine import Affine
from tinylib.nets import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAvgPool2D,
    MaxPool2D,
    PointwiseConv2D,
    int8_layers,
    int8_pool,
)
from tinylib.nets.int8 import Int8Network, Step, from_float
from tinylib.nets.network import Network
from tinylib.units import shown

FILE = Path(__file__).parent / "data" / "keywords.json"
SIDE = (20, 20, 1)  # frames, bands, channels
RUNTIME = "reference"  # whose rounding the exported C takes


@dataclass(frozen=True)
class Compared:
    """Exported C beside Python: in how many of the samples every output code is the same.

    where: the compiler, or the emulated core, which also knows flash and RAM [bytes] and the instructions of
    one inference [count]
    """

    where: str
    samples: int
    equal: int
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None


def pipeline(classes: int = 5, seed: int = 0) -> Network:
    """The network with random weights: 8 filters, 8 depthwise ones, 16 mixtures, one output per class."""
    rng = np.random.default_rng(seed)
    return Network(
        (
            Conv2D.draw(rng, 1, 8, 3, "relu"),
            MaxPool2D(2),
            DepthwiseConv2D.draw(rng, 8, 3, "relu"),
            PointwiseConv2D.draw(rng, 8, 16, "relu"),
            GlobalAvgPool2D(),
            Dense.draw(rng, 16, classes),
        )
    )


def train(data: Examples, epochs: int = 200, progress: bool = False) -> Network:
    """The network after training on pictures of words; about 15 s for 1,000 of them and 200 epochs."""
    return baseline.fit(pipeline(len(data.classes)), data, epochs, batch_size=32, progress=progress)


def codes(network: Int8Network, data: Examples) -> np.ndarray:
    """The pictures as the network reads them, int8 (n, 20, 20, 1)."""
    return network.source.quantize(data.images).astype(np.int8)


def accuracy(network: Int8Network, data: Examples) -> float:
    """Share of words whose largest output is their class [0..1]."""
    return float((network.forward(codes(network, data)).argmax(axis=-1) == data.y).mean())


def sources(network: Int8Network) -> c99.Sources:
    """The C99 files of the network."""
    return c99.export(network, RUNTIME, "keyword", in_shape=SIDE)


def on_host(network: Int8Network, xs: np.ndarray) -> Compared:
    """Exported C, compiled here and run on codes xs (n, 20, 20, 1); MissingTool where no compiler is."""
    cc = host.compiler()
    found = host.Library(sources(network), cc=cc).run(xs.reshape(len(xs), -1))
    same = (found == network.forward(xs, RUNTIME)).all(axis=-1)
    return Compared(Path(cc).name, len(xs), int(same.sum()))


def on_core(network: Int8Network, xs: np.ndarray, target: str = "cortex-m0plus") -> Compared:
    """The same, built for a core and run on its emulator; MissingTool without the extra `device`."""
    found = measure(network, target, xs, ops=RUNTIME, name="keyword")
    same = len(xs) if found.equal else len(xs) - found.differing  # at most one word a differing code
    where = f"{target}, {found.compiler}"
    return Compared(where, len(xs), max(same, 0), found.flash, found.ram, found.instructions)


@cache
def _stored() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def trained() -> Int8Network:
    """The network on file, in int8: five outputs, one a word."""
    stored = _stored()
    steps, reads = [], "input"
    for i, step in enumerate(stored["steps"]):
        kind = getattr(int8_layers, step["kind"], None) or getattr(int8_pool, step["kind"])
        layer = kind(**{name: _read(value) for name, value in step["fields"].items()})
        steps.append(Step(layer, (reads,), reads := f"{step['kind']}_{i}"))
    return Int8Network(tuple(steps), Affine(*stored["source"]))


def on_file() -> tuple[Compared, ...]:
    """The comparisons with C that were made when the network was put on file."""
    return tuple(Compared(**row) for row in _stored()["compared"])


def _plain(value: Any) -> Any:
    """A field of a layer as JSON: arrays and codes by their kind."""
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.name, "values": value.tolist()}
    if isinstance(value, Affine):
        return {"scale": value.scale, "zero_point": value.zero_point}
    if value is None or isinstance(value, (int, str, list, tuple)):
        return value
    raise TypeError(f"a field must be an array, a code, a word or whole numbers, got {shown(value)}")


def _read(value: Any) -> Any:
    """The field again."""
    if isinstance(value, dict):
        return np.array(value["values"], value["dtype"]) if "dtype" in value else Affine(**value)
    return tuple(value) if isinstance(value, list) else value


def written(network: Int8Network, compared: Iterable[Compared]) -> str:
    """The text of the file: a chain of layers, and the comparisons."""
    steps = [
        {
            "kind": type(s.layer).__name__,
            "fields": {f.name: _plain(getattr(s.layer, f.name)) for f in fields(s.layer)},
        }
        for s in network.steps
    ]
    head = {"made_by": "python -m tinylib.deploy.keywords", "compared": [vars(row) for row in compared]}
    whole = {**head, "source": [network.source.scale, network.source.zero_point], "steps": steps}
    return json.dumps(whole) + "\n"


if __name__ == "__main__":
    data = words((20, 4, 12))
    seen, strangers = pictures(data.train), pictures(data.test)
    network = from_float(train(seen, progress=True), seen.images[:200])
    print(f"int8 accuracy on unseen speakers {accuracy(network, strangers):.1%}")
    heard = codes(network, strangers)
    FILE.write_text(written(network, (on_host(network, heard), on_core(network, heard))), encoding="utf-8")
