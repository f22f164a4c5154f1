"""Networks to make smaller: trained on the digits in about a second, and the two numbers that judge them.

The same fit serves every technique of this room, so that accuracies can be compared: cross-entropy on
the logits, Adam, batches of 32, an order that the seed decides.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinylib.datasets import Examples
from tinylib.nets import losses
from tinylib.nets.conv import Conv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.network import mlp as drawn_mlp
from tinylib.nets.optimizers import Adam, Optimizer
from tinylib.nets.pool import Flatten, MaxPool2D
from tinylib.nets.train import train


def inputs(net: Network, data: Examples) -> np.ndarray:
    """The examples as the network reads them: images for a convolution, else rows of features."""
    return data.images if _reads_images(net) else data.x


def _reads_images(net: Network) -> bool:
    """Whether the first layer that has a shape of its own reads images."""
    layers = [part.layer for part in net.parts if getattr(part, "layer", None) is not None]
    return bool(layers) and layers[0].axes == 2


def logits(net: Network, data: Examples) -> np.ndarray:
    """Outputs of the network (n, classes)."""
    return net.predict(inputs(net, data))


def accuracy(net: Network, data: Examples) -> Any:
    """Share of examples whose largest output is their class [0..1]; an array for independent networks."""
    right = logits(net, data).argmax(axis=-1) == data.y
    share = right.mean(axis=-1)
    return share if share.ndim else float(share)


def loss(net: Network, data: Examples) -> float:
    """Mean cross-entropy of the softmax of the outputs [nat]."""
    return float(losses.cross_entropy(logits(net, data), data.targets)[0].mean())


def fit(
    net: Network,
    data: Examples,
    epochs: int = 20,
    learning_rate: float = 0.005,
    batch_size: int = 32,
    seed: int = 0,
    optimizer: Optimizer | None = None,
    progress: bool = False,
) -> Network:
    """The network after training on the examples; `optimizer` None is Adam at `learning_rate`."""
    net, _ = train(
        net,
        inputs(net, data),
        data.targets,
        loss="cross_entropy",
        optimizer=optimizer or Adam(learning_rate),
        epochs=epochs,
        batch_size=batch_size,
        rng=np.random.default_rng(seed),
        progress=progress,
        batch_axis=0 if _reads_images(net) else -2,
    )
    return net


def mlp(
    data: Examples,
    hidden: Sequence[int] = (32,),
    seed: int = 0,
    epochs: int = 20,
    activation: str = "relu",
    progress: bool = False,
) -> Network:
    """A trained multilayer perceptron with the given hidden widths, one output per class."""
    sizes = (data.x.shape[-1], *hidden, len(data.classes))
    net = drawn_mlp(sizes, activation, "linear", np.random.default_rng(seed))
    return fit(net, data, epochs, seed=seed, progress=progress)


def _drawn_conv(
    side: Sequence[int], channels: Sequence[int], classes: int, rng: np.random.Generator, kernel_size: int = 3
) -> Network:
    """A convolution and a 2 x 2 max pool per entry of `channels`, then one dense layer; random weights."""
    parts: list[Any] = []
    for c_in, c_out in zip((1, *channels), channels):
        parts += [Conv2D.draw(rng, c_in, c_out, kernel_size, "relu", padding="same"), MaxPool2D(2)]
    features = math.prod(n >> len(channels) for n in side) * channels[-1]
    return Network((*parts, Flatten(), Dense.draw(rng, features, classes)))


def conv(
    data: Examples, channels: Sequence[int] = (8, 16), seed: int = 0, epochs: int = 20, progress: bool = False
) -> Network:
    """A trained convolutional network for images, a 3 x 3 convolution per entry of `channels`."""
    net = _drawn_conv(data.side, channels, len(data.classes), np.random.default_rng(seed))
    return fit(net, data, epochs, seed=seed, progress=progress)
