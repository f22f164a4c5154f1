"""Diagrams: what they say is what the cost room counts."""

from xml.etree import ElementTree

import numpy as np
import pytest

from tinylib.cost import Dense, devices, networks
from tinylib.cost.models import sequential
from tinylib.cost.sequence import GRU, KAN, LSTM, LTC, CfC, Elman
from tinylib.nets import BinaryDense, Network
from tinylib.nets import Dense as Neurons
from tinylib.show import canvases, diagrams

CELLS = [
    Elman(2, 3),
    GRU(2, 3),
    LSTM(2, 3),
    LSTM(3, 16, bias_vectors=2),
    LTC(2, 3),
    LTC(4, 8, synapse_values=4),
]
CELLS += [CfC(2, 3, 4), CfC(4, 8, 16, fixed_step=True)]


@pytest.mark.parametrize("layer", CELLS, ids=str)
def test_blocks_of_a_cell_add_up(layer):
    assert sum(params for _, _, params in diagrams.blocks(layer)) == layer.params


@pytest.mark.parametrize("layer", CELLS, ids=str)
def test_a_cell_says_its_parameters(layer):
    drawing = diagrams.diagram(layer)
    ElementTree.fromstring(drawing)
    said = canvases.alternative(drawing)
    assert f"{layer.params:,} parameters" in said
    assert f"{layer.macs((1, layer.in_features)):,} MACs a sample" in said


def test_small_dense_networks_show_every_neuron():
    drawing = diagrams.diagram(sequential("XOR", (2,), [Dense(2, 4), Dense(4, 1)]))
    assert drawing.count("<circle") == 2 + 4 + 1
    assert "dense layer from 2 to 4, 12 parameters" in canvases.alternative(drawing)


def test_kan_edges_are_curves():
    drawing = diagrams.diagram(sequential("KAN", (2,), [KAN(2, 5), KAN(5, 1)]))
    assert drawing.count("<path") == 2 * 5 + 5
    assert "KAN layer from 2 to 5, 100 parameters" in canvases.alternative(drawing)  # 10 edges x (5 + 3 + 2)


def test_other_networks_are_listed_with_their_shortcuts():
    model = networks.resnet8()
    said = canvases.alternative(diagrams.diagram(model))
    assert f"{model.macs:,} MACs" in said
    assert all(f"{row.params:,} parameters" in said for row in model.rows)


def test_layers_without_a_name_of_their_own_are_called_by_their_kind():
    parts = BinaryDense.draw(np.random.default_rng(0), 64, 16), Neurons.draw(np.random.default_rng(0), 16, 10)
    said = canvases.alternative(diagrams.diagram(Network(parts).model((64,))))
    assert "BinaryDense to 16, 1,040 parameters, 1,024 MACs" in said and "binarydense_1" not in said


def test_one_of_a_kind_is_singular():
    assert "Elman: 1 input, 4 units" in diagrams.diagram(Elman(1, 4))
    assert "1 output<" in diagrams.diagram(sequential("XOR", (2,), [Dense(2, 4), Dense(4, 1)]))


@pytest.mark.parametrize("what", [Dense(2, 3), "resnet8", devices])
def test_anything_else_is_refused(what):
    with pytest.raises(TypeError, match="draws a Model or a recurrent layer"):
        diagrams.diagram(what)


def test_a_long_list_is_refused():
    with pytest.raises(ValueError, match="at most 40 layers"):
        diagrams.diagram(networks.resnet50())
