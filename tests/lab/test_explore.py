"""explore and my_device: a moved control draws anew, a refusal is a sentence, a cell holds its picture."""

import json

import pytest
from ipywidgets import HBox, IntSlider, Play, SelectionSlider, ToggleButtons

from tinylib.cost import Conv2D, devices
from tinylib.lab import explore, my_device
from tinylib.lab.explore import label
from tinylib.lab.my_device import CHOSEN
from tinylib.show import canvases

STEM = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)


def bars(side):
    return canvases.cost_bars(STEM, (side, side, 3))


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A learner's folder, with nothing chosen yet."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    CHOSEN.forget()
    yield tmp_path / "device.json"
    CHOSEN.forget()


def test_a_moved_slider_draws_anew():
    shown = explore(bars, side=IntSlider(value=224, min=32, max=320, step=32))
    assert "118,013,952" in shown.svg
    shown.controls["side"].value = 64
    assert "118,013,952" not in shown.svg and "9,633,792" in shown.svg
    assert shown._figure.value == shown.svg


def test_the_cell_holds_widget_picture_and_words():
    shown = explore(bars, side=(32, 320, 32))
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == shown.svg and bundle["text/plain"] == canvases.alternative(shown.svg)
    json.dumps(bundle)
    assert shown._repr_mimebundle_(include=None, exclude=None)["text/plain"] == bundle["text/plain"]


@pytest.mark.parametrize(
    "made_of, kind, value",
    [
        ((1, 9), IntSlider, 5),
        ((8, 64, 8), IntSlider, 32),
        ([32, 16, 8], ToggleButtons, 32),
        ([1, 2, 4, 8, 16, 32, 64], SelectionSlider, 1),
        ([("small", 8), ("large", 64)], ToggleButtons, 8),
    ],
)
def test_shorthands_become_controls(made_of, kind, value):
    side = explore(bars, side=made_of).controls["side"]
    assert type(side) is kind and side.value == value
    assert side.description == side.tooltip == "side"


def test_a_control_keeps_its_own_words():
    side = explore(bars, side=IntSlider(value=64, description="Image side", max=99)).controls["side"]
    assert side.description == side.tooltip == "Image side" and side.continuous_update


def test_a_name_is_shown_in_words_and_not_cut_off():
    wide = explore(lambda pointer_bytes: "<svg></svg>", pointer_bytes=[4, 8]).controls["pointer_bytes"]
    assert wide.description == wide.tooltip == "pointer bytes"
    assert wide.style.description_width == "initial"
    symbol = explore(lambda c_in: "<svg></svg>", c_in=[1, 2]).controls["c_in"]
    assert symbol.description == "c_in" and not symbol.style.description_width


@pytest.mark.parametrize(
    "name, words",
    [
        ("energy_uj", "energy [µJ]"),
        ("sleep_uw", "sleep [µW]"),
        ("power_mw", "power [mW]"),
        ("memory_gb", "memory [GB]"),
        ("flash_kib", "flash [KiB]"),
        ("every_s", "every [s]"),
        ("clock_hz", "clock [Hz]"),
        ("price_a_eur", "price a [EUR]"),
        ("weight_bits", "weight bits"),
        ("price_b", "price b"),
    ],
)
def test_a_unit_at_the_end_of_a_name_is_written_as_one(name, words):
    assert label(name) == words


def steps(**more):
    sizes = {"c_in": 8, "c_out": 8, "kernel_size": 3, "stride": 1, "side": 12, "bits": 8}
    play = Play(min=2, max=143, step=3, value=5, **more)
    return explore(lambda position: canvases.convolution(**sizes, position=position), position=play)


def test_play_has_a_linked_slider_beside_it():
    shown = steps()
    (row,) = shown._row
    assert type(row) is HBox
    play, slider = row.children
    assert play is shown.controls["position"] and type(slider) is IntSlider
    assert (slider.min, slider.max, slider.step, slider.value) == (2, 143, 3, 5)
    assert slider.description == "position"
    assert slider.link.source == (play, "value") and slider.link.target == (slider, "value")
    play.max = 99
    assert slider.max == 99
    json.dumps(shown._repr_mimebundle_())


def test_a_played_step_draws_anew():
    shown = steps()
    assert "writes row 0, column 5" in shown.svg
    shown.controls["position"].value = 17
    assert "writes row 1, column 5" in shown.svg and shown._figure.value == shown.svg


def test_a_play_keeps_its_own_words():
    assert steps(description="Step")._row[0].children[1].description == "Step"


def test_a_refusal_is_one_sentence_and_the_picture_is_kept():
    def fussy(n):
        if n == 3:
            raise ValueError("n must not be <three>,\n got 3")
        return [bars, None][n // 5](32 * n + 32) if n < 5 else 1 / 0

    shown = explore(fussy, n=(0, 9))
    good = shown.svg
    shown.controls["n"].value = 3
    assert shown.error == "n must not be <three>, got 3" and shown.svg == good
    assert "&lt;three&gt;" in shown._figure.value and "Traceback" not in shown._figure.value
    shown.controls["n"].value = 7
    assert shown.error == "This could not be drawn: ZeroDivisionError: division by zero."
    shown.controls["n"].value = 1
    assert shown.error == "" and shown._figure.value == shown.svg


def test_a_first_refusal_still_shows_a_cell():
    shown = explore(lambda side: canvases.convolution(3, 3, 3, 1, side, 7), side=(1, 9))
    assert shown._repr_mimebundle_()["text/plain"].startswith("bits must be one of")


@pytest.mark.parametrize("bad", [None, 5, "abc", [], object()])
def test_what_is_no_control_is_refused(bad):
    with pytest.raises(TypeError, match="control 'side' must be a widget"):
        explore(bars, side=bad)


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="low < high"):
        explore(bars, side=(9, 1))


def test_figures_follow_the_device(record):
    controls = {"c_in": (1, 64), "c_out": (1, 64), "kernel_size": [1, 3], "stride": [1, 2]}
    shown = explore(canvases.convolution, **controls, side=(8, 64), bits=[8, 4])
    choice = my_device()
    assert choice.device.id == devices.DEFAULT and "of 256 KiB SRAM" in shown.svg
    choice.control.value = "stm32l011"
    assert choice.device.name == "STM32L011x4" and "of 2 KiB SRAM" in shown.svg
    assert my_device().control.value == "stm32l011"


def test_the_choice_is_kept_beside_the_record(record):
    my_device().control.value = "stm32f746"
    assert json.loads(record.read_text()) == {"device": "stm32f746"}
    CHOSEN.forget()  # as in the next session
    assert my_device().device.id == "stm32f746"


def test_an_id_is_chosen_at_once(record):
    earlier = my_device()
    choice = my_device("nano33ble")
    assert choice.device.id == choice.control.value == earlier.control.value == "nano33ble"
    assert json.loads(record.read_text()) == {"device": "nano33ble"}
    assert my_device().device.id == "nano33ble"


@pytest.mark.parametrize("bad", ["abacus", "", 3, ["nano33ble"], True])
def test_an_unknown_id_is_one_sentence_with_the_known_ones(record, bad):
    with pytest.raises(ValueError, match=r"device must be one of course, .*nano33ble.*, got") as caught:
        my_device(bad)
    assert "\n" not in str(caught.value) and my_device().device.id == devices.DEFAULT


def test_without_a_record_the_choice_stays_in_memory(monkeypatch, tmp_path):
    monkeypatch.delenv("TINYML_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    my_device().control.value = "stm32f407"
    assert my_device().device.id == "stm32f407" and not list(tmp_path.iterdir())
    CHOSEN.forget()


@pytest.mark.parametrize(
    "kept", [b"", b"{", b"[1]", b'{"device": "abacus"}', b'{"device": [1]}', b"\xff", b"null"]
)
def test_a_damaged_choice_falls_back_with_a_sentence(record, kept):
    record.write_bytes(kept)
    choice = my_device()
    assert choice.device.id == devices.DEFAULT
    assert choice._words.value.startswith("device.json holds no known device, so the course")


def test_the_device_cell_says_it_in_words(record):
    bundle = my_device()._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert "256 KiB SRAM, 512 KiB flash" in bundle["text/plain"]


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device must be one of"):
        CHOSEN.choose("abacus")
