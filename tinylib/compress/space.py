"""The space that `search` looks through: small networks for 8 x 8 images, as genomes.

    genome    channels of up to two convolutions, their kernel, separable or not, a hidden layer or none
    network   convolution, 2 x 2 max pool; again; flatten; hidden layer; one output per class

Some genes are silent: without a second convolution it does not matter whether it is separable. A genome
is `expressed` with its silent genes at their defaults, so that one network has one name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from tinylib.cost.memory import model_weight_bytes, peak_activation_bytes
from tinylib.nets.conv import Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.pool import Flatten, MaxPool2D

CHOICES = {
    "first": (0, 2, 4, 6, 8, 12, 16, 24),  # channels of the first convolution; 0 = none
    "second": (0, 4, 8, 12, 16, 24, 32),  # of the second, behind a first
    "kernel_size": (3, 5),
    "separable": (False, True),  # the second as depthwise and pointwise
    "hidden": (0, 8, 16, 32, 64, 96),  # units of a hidden dense layer; 0 = none
}


@dataclass(frozen=True)
class Genome:
    """One choice of each gene in `CHOICES`."""

    first: int = 8
    second: int = 0
    kernel_size: int = 3
    separable: bool = False
    hidden: int = 0

    def __str__(self) -> str:
        """Short, such as c8k3-s16-h32."""
        words = [f"c{self.first}k{self.kernel_size}"] if self.first else []
        words += [f"{'s' if self.separable else 'c'}{self.second}"] if self.first and self.second else []
        return "-".join(words + ([f"h{self.hidden}"] if self.hidden else [])) or "linear"

    def expressed(self) -> "Genome":
        """The genome with silent genes at their defaults: what cannot differ compares equal."""
        second = self.second if self.first else 0
        return replace(
            self,
            second=second,
            kernel_size=self.kernel_size if self.first else 3,
            separable=self.separable and second > 0,
        )


def build(
    genome: Genome, rng: np.random.Generator, side: Sequence[int] = (8, 8), classes: int = 10
) -> Network:
    """The network of a genome with random weights; each convolution is followed by a 2 x 2 max pool."""
    parts: list[Any] = []
    height, width, channels, k = *side, 1, genome.kernel_size
    for c_out in (genome.first, genome.second if genome.first else 0):
        if not c_out:
            continue
        if genome.separable and channels > 1:
            parts += [DepthwiseConv2D.draw(rng, channels, k, padding="same")]
            parts += [PointwiseConv2D.draw(rng, channels, c_out, "relu")]
        else:
            parts += [Conv2D.draw(rng, channels, c_out, k, "relu", padding="same")]
        parts += [MaxPool2D(2)]
        height, width, channels = height // 2, width // 2, c_out
    features = height * width * channels
    parts += [Flatten()]
    if genome.hidden:
        parts += [Dense.draw(rng, features, genome.hidden, "relu")]
    return Network((*parts, Dense.draw(rng, genome.hidden or features, classes)))


@lru_cache(maxsize=4096)
def costs(genome: Genome, side: tuple[int, int] = (8, 8), classes: int = 10) -> Mapping[str, int]:
    """macs [MAC], sram_bytes and flash_bytes [bytes] at int8, from shapes alone."""
    model = build(genome, np.random.default_rng(0), side, classes).model((*side, 1))
    sram, flash = peak_activation_bytes(model), model_weight_bytes(model)
    return MappingProxyType({"macs": model.macs, "sram_bytes": sram, "flash_bytes": flash})


def draw(rng: np.random.Generator) -> Genome:
    """A random genome."""
    return Genome(**{gene: values[rng.integers(len(values))] for gene, values in CHOICES.items()}).expressed()


def mutated(genome: Genome, rng: np.random.Generator) -> Genome:
    """The genome with one gene, or two, moved to another of its choices."""
    genes = rng.choice(list(CHOICES), size=rng.integers(1, 3), replace=False)
    return replace(genome, **{g: CHOICES[g][rng.integers(len(CHOICES[g]))] for g in genes}).expressed()


def crossed(a: Genome, b: Genome, rng: np.random.Generator) -> Genome:
    """Each gene from either parent."""
    return replace(a, **{g: getattr(b, g) for g in CHOICES if rng.integers(2)}).expressed()
