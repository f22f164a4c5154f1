"""One split of the digits and one trained network of each kind, shared by the tests of this room."""

import pytest

from tinylib.compress import baseline
from tinylib.datasets import digits


@pytest.fixture(scope="session")
def data():
    return digits()


@pytest.fixture(scope="session")
def net(data):
    return baseline.mlp(data.train)


@pytest.fixture(scope="session")
def nets(data):
    """Networks of four seeds: what is claimed of a technique is claimed of their mean."""
    return [baseline.mlp(data.train, seed=seed) for seed in range(4)]


@pytest.fixture(scope="session")
def conv(data):
    return baseline.conv(data.train, epochs=10)
