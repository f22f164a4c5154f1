"""Networks as plain values: there and back for every kind of layer; one sentence for what is not fit."""

import json
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinylib.deploy import plain_network
from tinylib.deploy.plain_network import MAX_LAYERS, MAX_WEIGHTS, read, values
from tinylib.formats.qformat import QFormat
from tinylib.nets import conv, int8, pool
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network, mlp

RNG = np.random.default_rng(3)
X = RNG.uniform(-1, 1, (30, 10, 10, 2))
Q = Fixed(QFormat(4, 12))


def parts(rng=RNG) -> list:
    return [
        conv.Conv2D.draw(rng, 2, 4, 3, "relu", stride=2, padding="same"),
        conv.DepthwiseConv2D.draw(rng, 4, 3, "relu", multiplier=2),
        conv.PointwiseConv2D.draw(rng, 8, 6, "relu"),
        pool.MaxPool2D(2, 1),
        pool.AvgPool2D(2),
        pool.Flatten(),
        Dense.draw(rng, 6, 3),
    ]


NETS = {
    "all kinds": parts(),
    "mean": [conv.Conv2D.draw(RNG, 2, 3, 3, "relu"), pool.GlobalAvgPool2D(), Dense.draw(RNG, 3, 2)],
    "bent": [pool.Flatten(), Dense.draw(RNG, 200, 4, "tanh"), Dense.draw(RNG, 4, 2, "sigmoid")],
}


def there_and_back(made: dict, shape=(10, 10, 2)):
    return read(json.loads(json.dumps(made)), shape)


@pytest.mark.parametrize("name", NETS)
def test_int8_networks_come_back_to_the_last_bit(name):
    net = int8.from_float(Network(tuple(NETS[name])), X)
    found = there_and_back(values(net))
    codes = net.source.quantize(X).astype(np.int8)
    assert np.array_equal(found.answers(X), net.forward(codes).reshape(len(X), -1))
    assert found.weight_bytes == net.weight_bytes and found.macs == net.model((10, 10, 2)).macs
    assert values(found.network) == values(net)


WIDE = [(name, form) for name in NETS for form in ((8, 8), (16, 16))]  # a mean of 64 needs 7 bits, and a sign


@pytest.mark.parametrize("name, form", [*WIDE, ("all kinds", (4, 12)), ("bent", (4, 4))])
def test_q_networks_come_back_to_the_last_bit(name, form):
    ops = Fixed(QFormat(*form))
    net = Network(tuple(NETS[name])).mapped(ops.number)
    found = there_and_back(values(net, ops))
    expected = net.forward(ops.number(X), ops)[0].reshape(len(X), -1)
    assert np.array_equal(found.answers(X), expected) and found.ops == ops
    assert values(found.network, found.ops) == values(net, ops)


def test_a_format_that_cannot_run_its_layers_is_refused():
    ops = Fixed(QFormat(3, 5))
    for name in ("mean", "bent"):
        with pytest.raises(ValueError, match=r"Q3\.5|whole number"):
            there_and_back(values(Network(tuple(NETS[name])).mapped(ops.number), ops))


def test_the_classes_are_the_largest_codes_and_blocks_do_not_matter(monkeypatch):
    found = there_and_back(values(int8.from_float(Network(tuple(NETS["mean"])), X)))
    whole = found.answers(X)
    monkeypatch.setattr(plain_network, "ROOM", 1)
    assert np.array_equal(found.answers(X), whole) and np.array_equal(found.classes(X), whole.argmax(-1))


def test_a_hand_written_network_computes_what_it_says():  # 2 x 0.5 - 1 = 0, in Q4.4: 16 * 8 / 16 + 8 - 16
    row = {"kind": "dense", "shape": [2, 1], "weights": [8, 16], "bias": [-16]}
    found = read({"arithmetic": "Q4.4", "layers": [row]}, (2,), 1)
    assert found.answers(np.array([[1.0, 0.5], [0.0, 0.0]])).tolist() == [[0], [-16]]
    assert found.outputs == 1 and found.weight_bytes == 3


DENSE = {"kind": "dense", "shape": [2, 2], "weights": [1, 2, 3, 4], "bias": [0, 0]}
CODE = {"scale": 0.1, "zero_point": 0}
EIGHT = DENSE | {"scales": [0.1, 0.1], "output": CODE}


def q(*rows, **more):
    return {"arithmetic": "Q4.12", "layers": list(rows), **more}


def eight(*rows, **more):
    return {"arithmetic": "int8", "input": CODE, "layers": list(rows), **more}


REFUSED = [
    (None, "a network must be a dict of entries, got None"),
    ([1], "a network must be a dict of entries, got a list of 1"),
    ({}, "must have the entry 'arithmetic', got none"),
    ({"arithmetic": "float", "layers": []}, 'must be "int8" or a format such as "Q4.12"'),
    ({"arithmetic": ["int8"], "layers": []}, "got a list of 1"),
    ({"arithmetic": "Q0.8", "layers": []}, 'must be "int8" or a format'),
    ({"arithmetic": "Q60.4", "layers": []}, "of 8, 16 or 32 bits"),
    (q(), f"layers must be a list of 1 to {MAX_LAYERS} layers, got 0 layers"),
    (q(*[{"kind": "flatten"}] * 17), "got 17 layers"),
    (q(DENSE) | {"layers": {"0": DENSE}}, "got a dict of 1"),
    (q(DENSE, author="me"), "must have no other entry than arithmetic, layers, got 'author'"),
    (q(3), "layer 1: a layer must be a dict of entries, got 3"),
    (q({"kind": "softmax"}), "layer 1: kind must be one of dense, conv"),
    (q({"kind": {}}), "kind must be one of"),
    (q(DENSE | {"shape": [2, 0]}), "a size must be a whole number from 1 to 4096, got 0"),
    (q(DENSE | {"shape": [True, 2]}), "got True"),
    (q(DENSE | {"shape": [2, 2, 1]}), "must be a list of 2 sizes, got a list of 3"),
    (q(DENSE | {"shape": [4096, 4096]}), f"weights must be at most {MAX_WEIGHTS:,} codes"),
    (q(DENSE | {"shape": "22"}), "must be a list of 2 sizes"),
    (q(DENSE | {"weights": [1, 2, 3]}), "weights must be one flat list of 4 codes, got a list of 3"),
    (q(DENSE | {"weights": [[1, 2], [3, 4]]}), "got a list of 2"),
    (q(DENSE | {"weights": [1, 2, 3, 2**15]}), "from -32768 to 32767, got 32768"),
    (q(DENSE | {"weights": [1, 2, 3, 4.0]}), "must be whole codes from"),
    (q(DENSE | {"weights": [1, 2, 3, None]}), "got None"),
    (q(DENSE | {"bias": [0]}), "bias must be one flat list of 2 codes"),
    (q(DENSE | {"activation": "relu6"}), "activation must be one of linear, relu, tanh, sigmoid"),
    (q(DENSE | {"scales": [1]}), "a dense must have no other entry"),
    (q({"kind": "dense"}), "must have the entry 'shape'"),
    (q(DENSE, DENSE | {"shape": [1, 4], "bias": [0] * 4}), "layer 2: "),
    (q({"kind": "max_pool", "size": 2}), "layer 1: "),
    (q({"kind": "flatten"}), "must have a layer that computes something"),
    (eight(DENSE), "must have the entry 'scales'"),
    ({"arithmetic": "int8", "layers": [EIGHT]}, "an int8 network must have the entry 'input'"),
    (eight(EIGHT) | {"input": [0.1, 0]}, "input must be a dict of scale and zero_point"),
    (
        eight(EIGHT) | {"input": CODE | {"zero_point": 128}},
        "zero_point must be a whole number from -128 to 127",
    ),
    (eight(EIGHT) | {"input": CODE | {"scale": 0}}, "scale of input must be a number from 1e-09"),
    (eight(EIGHT | {"scales": [0.1] * 3}), "scales must be a list of 2 numbers or of one"),
    (eight(EIGHT | {"scales": [0.1, "x"]}), "each of scales must be a number"),
    (eight(EIGHT | {"scales": [0.1, -1.0]}), "each of scales must be a number"),
    (eight(EIGHT | {"output": None}), "output must be a dict"),
    (eight(EIGHT | {"weights": [1, 2, 3, -129]}), "from -128 to 127"),
    (eight(EIGHT | {"bias": [2**31, 0]}), "bias must be whole codes"),
    (eight(EIGHT | {"bias": [2**31 - 1, 0]}), "accumulators must fit into 32 bits"),
    (eight(EIGHT | {"scales": [1e9, 1e9], "output": CODE | {"scale": 1e-9}}), "layer 1: "),
    (eight({"kind": "table", "function": "exp", "output": CODE}), "function must be one of tanh, sigmoid"),
]


@pytest.mark.parametrize("value, words", REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_fit_is_refused_in_one_sentence(value, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        read(value, (2,), 2)
    said = str(caught.value)
    assert words in said and "\n" not in said and len(said) < 400


def test_a_network_beyond_its_caps_is_refused_before_it_runs():
    row = {"kind": "conv", "shape": [64, 8, 8, 1], "weights": [1] * 4096, "bias": [0] * 64, "padding": "same"}
    with pytest.raises(ValueError, match=r"layer 1: a network must stay within 65,536 values"):
        read(q(row), (64, 64, 1))
    row = {"kind": "dense", "shape": [300, 300], "weights": [0] * 90_000, "bias": [0] * 300}
    with pytest.raises(ValueError, match="layer 2: a network must hold at most 100,000 weights"):
        read(q(row, row), (300,))
    with pytest.raises(ValueError, match="must give 3 outputs, one for each class, got 2"):
        read(q(DENSE), (2,), 3)


def test_what_is_no_network_has_no_plain_values():
    with pytest.raises(TypeError, match="network must be an Int8Network, or a Network with its ops"):
        values(mlp((2, 2)))
    with pytest.raises(TypeError, match="w must hold codes"):
        values(mlp((2, 2)), Q)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
GOOD = [q(DENSE), eight(EIGHT, EIGHT), values(int8.from_float(Network(tuple(NETS["all kinds"])), X))]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data(), st.sampled_from(GOOD), JSON)
def test_one_entry_changed_is_read_or_refused_in_words(data, good, odd):
    value = deepcopy(good)
    at = value
    while type(at) in (dict, list) and at:
        key = data.draw(st.sampled_from(sorted(at) if type(at) is dict else range(len(at))))
        if type(at[key]) not in (dict, list) or not at[key] or data.draw(st.booleans()):
            at[key] = odd
            break
        at = at[key]
    shape = (10, 10, 2) if good is GOOD[2] else (2,)
    try:
        found = read(value, shape)
    except (TypeError, ValueError) as error:
        assert str(error) and "\n" not in str(error) and len(str(error)) < 500
    else:
        assert len(found.answers(np.zeros((2, *shape)))) == 2
