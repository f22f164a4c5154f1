"""Pipeline bars: the sizes of the published table, what training adds, and what the picture says."""

from xml.etree import ElementTree

import pytest

from tinylib.cost import (
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAvgPool2D,
    MaxPool1D,
    MaxPool2D,
    PointwiseConv2D,
)
from tinylib.cost.layer_footprint import layer_bytes
from tinylib.cost.models import sequential
from tinylib.cost.sequence import Dropout
from tinylib.show import canvases
from tinylib.show.pipeline_bars import dominant, pipeline_bars, pipeline_rows

IMAGES = sequential(
    "words",
    (20, 20, 1),
    [
        Conv2D(1, 8, 3),
        MaxPool2D(2),
        DepthwiseConv2D(8, 3),
        PointwiseConv2D(8, 16),
        GlobalAvgPool2D(),
        Dense(16, 10),
    ],
)
SIGNAL = sequential("signal", (100, 1), [Conv1D(1, 4, 5), MaxPool1D(2), Dropout(0.5)])


def test_float_objects_of_the_published_table():  # tinymind docs/size-comparison.md, without the empty object
    assert [row.own_bytes for row in pipeline_rows(IMAGES)] == [640, 5184, 640, 1152, 0, 1360]


@pytest.mark.parametrize("weights, total", [("double", 2112), ("Q8.8", 1824)])
def test_signal_pipeline_is_the_published_one_without_the_mode_flag(weights, total):  # 2,113 and 1,825 B
    assert sum(row.own_bytes for row in pipeline_rows(SIGNAL, weights)) == total


@pytest.mark.parametrize("weights", ["double", "float", "Q16.16", "Q8.8"])
@pytest.mark.parametrize("pointer_bytes", [8, 4])
def test_rows_agree_with_the_layout_rules(weights, pointer_bytes):
    for model in (IMAGES, SIGNAL):
        for row, node, counted in zip(
            pipeline_rows(model, weights, True, pointer_bytes), model.nodes, model.rows
        ):
            if not isinstance(node.layer, (Dense, GlobalAvgPool2D)):  # no object, an empty one
                flag = isinstance(node.layer, Dropout)
                size = layer_bytes(node.layer, weights, counted.in_shapes[0], pointer_bytes)
                assert row.own_bytes + flag == size


def test_inference_holds_weights_alone():
    rows = pipeline_rows(IMAGES, "Q8.8", trainable=False)
    assert sum(row.own_bytes for row in rows) == 2 * IMAGES.params
    assert "Largest: weights" in dominant(rows) and "100 %" in dominant(rows)


def test_picture_says_work_and_the_dominant_term():
    drawing = pipeline_bars(IMAGES)
    ElementTree.fromstring(drawing)
    said = canvases.alternative(drawing)
    assert "23,328 MACs" in said and "argmax 5,184 B" in said
    assert "Largest: argmax, 5,184 of 8,976 B, 58 %." in said


def test_numbers_without_a_format_are_refused():
    with pytest.raises(ValueError, match="weights must be"):
        pipeline_bars(IMAGES, "int4")
