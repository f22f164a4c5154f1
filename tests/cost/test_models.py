"""Models: published totals, networks with shortcuts built here, faults of files in one sentence."""

import copy
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Add, Conv2D, Dense, Model, ModelError, Node, PointwiseConv2D, memory, models
from tinylib.cost.models import named, read, sequential
from tinylib.cost.stated import differences


def conv(name, src, out, kernel, stride=1, pad="same", op="conv"):
    common = {"kernel": kernel, "stride": stride, "pad": pad, "bias": False, "bn": True}
    return {"name": name, "op": op, "src": [src], "out": out, **common}


def resnet18():
    layers = [conv("stem", "input", 64, 7, 2, 3)]
    layers.append({"name": "pool", "op": "maxpool", "src": ["stem"], "kernel": 3, "stride": 2, "pad": 1})
    last = "pool"
    for stage, width in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, stride = f"s{stage}b{block}", 2 if stage and not block else 1
            layers.append(conv(name + "a", last, width, 3, stride, 1))
            layers.append(conv(name + "b", name + "a", width, 3, 1, 1))
            if stride == 2:
                layers.append(conv(name + "short", last, width, 1, 2, 0))
                last = name + "short"
            layers.append({"name": name, "op": "add", "src": [name + "b", last]})
            last = name
    layers.append({"name": "mean", "op": "avgpool", "src": [last], "kernel": 7, "stride": 1, "pad": 0})
    layers.append({"name": "fc", "op": "fc", "src": ["mean"], "out": [1000], "bias": True, "bn": False})
    return {"name": "ResNet-18", "input": [224, 224, 3], "layers": layers}


def mobilenetv2():
    layers, last, c_in = [conv("stem", "input", 32, 3, 2)], "stem", 32
    table = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    for row, (expand, c_out, repeats, first) in enumerate(table):  # Sandler et al., table 2
        for i in range(repeats):
            name, src, stride = f"r{row}i{i}", last, first if i == 0 else 1
            if expand > 1:
                layers.append(conv(name + "e", src, c_in * expand, 1, 1, 0))
                src = name + "e"
            layers.append(conv(name + "d", src, c_in * expand, 3, stride, op="dwconv"))
            layers.append(conv(name + "p", name + "d", c_out, 1, 1, 0))
            if stride == 1 and c_in == c_out:
                layers.append({"name": name + "s", "op": "add", "src": [name + "p", last]})
                last = name + "s"
            else:
                last = name + "p"
            c_in = c_out
    layers.append(conv("head", last, 1280, 1, 1, 0))
    layers.append({"name": "mean", "op": "avgpool", "kernel": 7, "stride": 1, "pad": 0})
    layers.append({"name": "fc", "op": "fc", "out": [1000]})
    return {"name": "MobileNetV2", "input": [224, 224, 3], "layers": layers}


TINY = {
    "name": "tiny",
    "input": [8, 8, 2],
    "layers": [
        {"name": "a", "op": "conv", "out": [8, 8, 4], "kernel": 3, "stride": 1, "pad": "same", "bias": True},
        {"name": "b", "op": "dwconv", "out": [8, 8, 4], "kernel": [3, 3], "stride": [1, 1], "pad": 1},
        {"name": "c", "op": "concat", "src": ["a", "b"], "out": [8, 8, 8]},
        {"name": "d", "op": "fc", "out": [10]},
    ],
}


def changed(layer=None, **values):
    """TINY with other values in one layer (by index), or at its top; None removes the key."""
    entry = copy.deepcopy(TINY)
    target = entry if layer is None else entry["layers"][layer]
    for key, value in values.items():
        target.pop(key, None) if value is None else target.update({key: value})
    return entry


@pytest.mark.parametrize(
    "name, params, macs",
    [
        ("lenet5", 61_706, 416_520),  # LeCun et al. 1998, dense C3
        ("alexnet_torchvision", 61_100_840, 714_188_480),  # torchvision model table
        ("vgg16", 138_357_544, 15_470_264_320),
        ("mobilenetv1_1.0_224", 4_231_976, 568_740_352),  # Howard et al.: 4.2 M, 569 M
        ("mlperf_tiny_kws_dscnn", 23_756, 2_656_768),
        ("mlperf_tiny_ad_autoencoder", 267_928, 264_192),
    ],
)
def test_reference_networks(name, params, macs):
    model = named(name)
    assert (model.params, model.macs) == (params, macs)
    assert model.source and name in models.NAMES
    assert model.stated["recomputed"] and differences(model) == []


@pytest.mark.parametrize(
    "entry, params, macs",
    [(resnet18(), 11_689_512, 1_814_073_344), (mobilenetv2(), 3_504_872, 300_774_272)],  # torchvision
    ids=["resnet18", "mobilenetv2"],
)
def test_networks_with_shortcuts(entry, params, macs):
    (model,) = read(entry).models
    assert (model.params, model.macs) == (params, macs)


def test_peaks_of_resnet18():  # stem output 112*112*64 and pooled 56*56*64
    (model,) = read(resnet18()).models
    assert memory.peak_op_pair(model) == (802_816 + 200_704, "pool")
    assert memory.model_weight_bytes(model) == 11_678_912 + 4 * (4800 + 1000)


def test_rows_are_the_fold():  # worked by hand
    (model,) = read(TINY).models
    assert [(r.op, r.out_shape, r.params, r.macs) for r in model.rows] == [
        ("Conv2D", (8, 8, 4), 3 * 3 * 2 * 4 + 4, 72 * 64),
        ("DepthwiseConv2D", (8, 8, 4), 36 + 4, 36 * 64),
        ("Concat", (8, 8, 8), 0, 0),
        ("Dense", (10,), 5130, 5120),
    ]
    assert model.rows[2].in_shapes == ((8, 8, 4), (8, 8, 4))
    assert str(model) == "tiny: 4 layers, 5,246 parameters, 12,032 MACs"


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_totals_are_sums_of_layers(widths):
    model = sequential("mlp", (widths[0],), [Dense(a, b) for a, b in pairwise(widths)])
    assert model.params == sum(a * b + b for a, b in pairwise(widths))
    assert model.macs == model.weights == sum(r.weights for r in model.rows)


def test_stated_counts_are_compared_and_never_used():
    stated = {
        "recomputed": {"params": 1, "macs": 12_032},
        "published": {"params_millions": 0.005, "mmacs": 99},
    }
    (model,) = read(changed() | stated).models
    (wrong,) = read(changed(0, macs=7, params=76)).models
    assert model.params == 5246 and wrong.macs == 12_032
    assert differences(model) == [
        {"where": "recomputed", "what": "params", "stated": 1, "computed": 5246},
        {"where": "published", "what": "mmacs", "stated": 99, "computed": 0.012032},
    ]
    assert differences(wrong) == [{"where": "a", "what": "macs", "stated": 7, "computed": 4608}]


def test_models_without_layers_are_left_out_with_a_reason():
    listed = {"big": {"layers": "totals only"}, "tiny": TINY, "none": {"name": "None", "layers": None}}
    contents = read({"models": listed})
    assert [m.id for m in contents.models] == ["tiny"]
    assert [(m.id, m.reason) for m in contents.left_out] == [
        ("big", "no layer list: totals only"),
        ("none", "no layer list: layers is missing"),
    ]


def test_a_list_of_models_and_a_single_model_are_read():
    assert [m.id for m in read({"models": [TINY, changed(name="other")]}).models] == ["tiny", "other"]
    assert read(TINY).models[0].name == "tiny"


@pytest.mark.parametrize(
    "entry, words",
    [
        (changed(1, op="lstm"), "layer 'b': 'op' must be one of conv dwconv .* got 'lstm'"),
        (changed(1, op=None), "layer 'b': 'op' must be one of"),
        (changed(2, src=["a", "z"]), "layer 'c': src must name .* no layer has that name, got 'z'"),
        (changed(1, src=["c"]), "layer 'b': src must name earlier .* a cycle, got 'c'"),
        (changed(1, src=["b"]), "layer 'b': src must name earlier .* a cycle, got 'b'"),
        (changed(1, src=[]), "layer 'b': 'src' must be a name or a list of names, got \\[\\]"),
        (changed(1, src=[["a"]]), "layer 'b': 'src' must be a name"),
        (changed(1, name="a"), "layer 'a': its name must be new"),
        (changed(1, name="input"), "layer 'input': its name must be new"),
        (changed(1, name=7), "layer 7: name must be printable text"),
        (changed(1, name="\x1b[31m"), "name must be printable text"),
        (changed(0, kernel=None), "layer 'a': a conv must have 'kernel'"),
        (changed(0, out=None), "layer 'a': a conv must have 'out'"),
        (changed(0, kernel="3"), "kernel_size must be a whole number, got '3'"),
        (changed(0, bias=1), "bias must be True or False, got 1"),
        (changed(0, strides=2), "this one would be ignored, got 'strides'"),
        (changed(0, strid=2), "this one would be ignored, got 'strid'"),
        (changed(0, group=2), "this one would be ignored, got 'group'"),
        (changed(0, BatchNorm=True), "this one would be ignored, got 'BatchNorm'"),
        (changed(1, groups=2), "'groups' must be the 4 input channels, got 2"),
        (changed(1, out=[8, 8, 6]), "'out' must be a multiple of the 4 input channels, got 6"),
        (changed(0, out=[9, 9, 4]), r"layer 'a': 'out' must be \(8, 8, 4\): .* got \(9, 9, 4\)"),
        (changed(1, inp=[8, 8, 3]), r"layer 'b': 'inp' must be \(8, 8, 4\): .* got \(8, 8, 3\)"),
        (changed(2, src=["a"]), "layer 'c': Concat.* two or more"),
        (changed(2, op="add", src=["a", "input"], out=None), "layer 'c': Add.* inputs of one shape"),
        (changed(input=[8, 8]), r"layer 'a': .*\(height, width, channels\)"),
        (changed(input="8x8"), "model 'model': 'input' must be a shape"),
        (changed(input=None), "'input' must be given"),
        (changed(layers=[]), "at least one layer"),
        (changed(layers=3), "'layers' must be a list, got 3"),
        (changed(layers=[3]), "layer 'l0': a layer must be an object, got 3"),
        ({"models": 3}, "'models' must be a list or an object, got 3"),
        ({"models": [3]}, "model 'model 0': it must be an object"),
        ({}, "the top level must be an object"),
    ],
)
def test_faults_are_one_sentence(entry, words):
    with pytest.raises(ModelError, match=words) as caught:
        read(entry)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "content, words",
    [
        (b"{", "must be JSON, got Expecting .* at line 1 column 2"),
        (b"", "must be JSON"),
        (b"\xff\xfe", r"must be UTF-8 text, got b'\\xff' at byte 0"),
        (b"[1]", r"top level must be an object .* got \[1\]"),
        (b"[" * 100_000, "too many nested brackets"),
        (b'{"models": {"a": {}, "a": {}}}', "each key must appear once in its object, got 'a' twice"),
        (b'{"models": NaN}', "numbers must be finite, got NaN"),
        (b'{"models": ' + b"9" * 5000 + b"}", "readable JSON"),
    ],
)
def test_broken_files_are_one_sentence_with_the_file_name(tmp_path, content, words):
    path = tmp_path / "net.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        read(path)
    assert "net.json" in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_and_directories(tmp_path):
    for path, words in (
        (tmp_path / "none.json", "No such file"),
        (tmp_path, "Is a directory"),
        ("a\0b", "null"),
    ):
        with pytest.raises(ModelError, match=words):
            read(path)
    with pytest.raises(ModelError, match="must be a path or a dict, got 3"):
        read(3)


def test_models_built_by_hand_are_checked():
    block = (Node("a", PointwiseConv2D(2, 2)), Node("sum", Add(), ("a", "input")))
    assert Model("block", (4, 4, 2), block).rows[1].src == ("a", "input")
    with pytest.raises(ModelError, match=r"model 'net', layer 'l1': Conv2D.* expects 3 input channels"):
        sequential("net", (8, 8, 3), [Conv2D(3, 4, 3), Conv2D(3, 4, 3)])
    with pytest.raises(ModelError, match="a node must hold a layer, got 3"):
        Model("net", (8,), (3,))
    with pytest.raises(ModelError, match="at least one layer"):
        Model("net", (8,), ())
    with pytest.raises(ValueError, match=r"model must be one of .* got 'lenet'"):
        named("lenet")


def test_thousands_of_layers_are_no_trouble(tmp_path):
    layers = [{"op": "fc", "out": [3]} for _ in range(3000)]
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({"input": [3], "layers": layers}))
    assert read(path).models[0].params == 3000 * 12
