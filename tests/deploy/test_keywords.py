"""The keyword network on file: its counts, what it hears of strangers, and C that answers as Python."""

import pytest

from tests.deploy.cross import device_tools
from tinylib.compress import baseline
from tinylib.datasets import pictures, words
from tinylib.deploy import keywords


@pytest.fixture(scope="module")
def heard():
    return pictures(words((4, 0, 1), seed=5).train)  # speakers that the training had not


def test_counts_of_the_pipeline():  # by hand: 80 + 80 + 144 + 85 values; 324 x 72, 49 x 72, 49 x 128, 16 x 5
    model = keywords.pipeline().model(keywords.SIDE)
    assert (model.params, model.macs) == (389, 23_328 + 3_528 + 6_272 + 80)
    assert keywords.trained().model(keywords.SIDE).macs == model.macs


def test_network_on_file_hears_strangers(heard):
    assert keywords.accuracy(keywords.trained(), heard) > 0.75


def test_file_is_what_is_written_of_it():
    assert keywords.written(keywords.trained(), keywords.on_file()) == keywords.FILE.read_text()


def test_every_recorded_answer_was_equal():
    assert [row.equal for row in keywords.on_file()] == [row.samples for row in keywords.on_file()]


def test_training_makes_the_loss_fall(heard):
    trained = keywords.train(heard, epochs=60)
    assert baseline.loss(trained, heard) < 0.9 * baseline.loss(keywords.pipeline(), heard)


def test_c_answers_as_python(heard, cc):
    found = keywords.on_host(keywords.trained(), keywords.codes(keywords.trained(), heard))
    assert found.equal == found.samples == 200


def test_core_answers_as_python_and_is_small(heard):
    device_tools()
    found = keywords.on_core(keywords.trained(), keywords.codes(keywords.trained(), heard)[:4])
    assert found.equal == found.samples == 4
    assert found.flash_bytes < 4096 and 3240 <= found.ram_bytes < 4096  # the pool's pair is 3,240 B
