"""The page of a report: its words are those of the cost room, over exactly when over, nothing outside."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Dense, devices, models, networks
from tinylib.cost.models import sequential
from tinylib.cost.report import report
from tinylib.show import canvases, theme
from tinylib.show.numbers import kib

KWS = models.named("mlperf_tiny_kws_dscnn")
V2 = networks.mobilenet_v2(0.35, 160)
NETWORKS = [*(models.named(name) for name in models.NAMES), V2, networks.resnet8()]
CASES = st.tuples(
    st.sampled_from(NETWORKS), st.sampled_from(list(devices.DEVICES)), st.sampled_from([4, 8, 16, 32])
)
NS = "{http://www.w3.org/2000/svg}"


def words(drawing):
    return [e.text for e in ElementTree.fromstring(drawing).iter(f"{NS}text")]


def test_keyword_network():  # 24,368 of 196,608 bytes, 16,000 of 20,480, 332 ms at 8 million MAC/s
    drawing = canvases.report(report(KWS, "stm32l072"))
    shown = words(drawing)
    for text in ("23.8 KiB, 12.4 %", "15.62 KiB, 78.1 %", "332 ms, 332.1 %", "0.797 µJ, 0.8 %"):
        assert text in shown
    assert "▲ over by 232 ms" in shown and "INT4" in shown and "width × 0.5" in shown
    said = canvases.alternative(drawing)
    assert "2,656,768 MACs at 8 bits" in said and "The binding memory is SRAM" in said
    assert "INT4: weights 13.05 KiB, 2.66 M MACs, peak 7.812 KiB, fits" in said


def test_unknown_time_is_said_and_not_drawn():
    drawing = canvases.report(report(models.named("lenet5"), bits=32))
    assert "no clock or rate on record" in words(drawing) and "▲" not in drawing
    assert "The time is not known" in canvases.alternative(drawing)


@given(CASES)
def test_over_is_said_exactly_when_over(case):
    r = report(*case)
    drawing = canvases.report(r, every_ms=1e9, power_mw=1e3)
    over = (r.weight_bytes > r.device.flash_bytes) + (r.arena_bytes > r.device.sram_bytes)
    assert drawing.count(f'fill="{theme.FILLS["over_budget"]}"') == over
    for remedy in r.remedies:
        left = remedy.fit.flash_left_bytes, remedy.fit.sram_left_bytes
        over += sum(size < 0 for size in left)
    assert sum("over by" in text for text in words(drawing)) == over
    assert canvases.alternative(drawing).count("over by") == over
    assert sum(text == "✓ fits" for text in words(drawing)) >= sum(remedy.fits for remedy in r.remedies)


@given(CASES)
def test_nothing_is_drawn_outside_the_page(case):
    root = ElementTree.fromstring(canvases.report(report(*case)))
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for e in root.iter(f"{NS}rect"):
        assert float(e.get("x")) + float(e.get("width")) <= width
        assert float(e.get("y")) + float(e.get("height")) <= height
    for e in root.iter(f"{NS}text"):
        long = len(e.text) * float(e.get("font-size")) * (0.62 if e.get("font-weight") else 0.58)
        start = float(e.get("x")) - long * {"end": 1, "middle": 0.5}.get(e.get("text-anchor"), 0)
        assert start >= 0 and start + long <= width and 0 < float(e.get("y")) <= height - 8, e.text


def test_bars_of_layers_follow_their_numbers():
    r = report(V2, "stm32f746")
    drawing = canvases.report(r)
    rects = list(ElementTree.fromstring(drawing).iter(f"{NS}rect"))
    wide = {e[0].text: float(e.get("width")) for e in rects if len(e) and ": MACs" in e[0].text}
    most = max(row.macs for row in r.heaviest())
    for (label, width), row in zip(wide.items(), r.heaviest()):
        assert label.startswith(row.name) and width == pytest.approx(76 * row.macs / most, abs=0.06)
    assert kib(r.arena_bytes) in canvases.alternative(drawing)


def test_a_model_that_nothing_helps_and_long_names():
    tiny = canvases.report(report(sequential("t" * 200, (1,), [Dense(1, 1, bias=False)]), bits=1))
    assert "Nothing on the list makes this model smaller." in words(tiny)
    assert max(len(text) for text in words(tiny)) < 90


def test_wrong_arguments_are_refused_with_a_sentence():
    with pytest.raises(TypeError, match="report must be a Report"):
        canvases.report(KWS)
    for bad in ({"every_ms": 0}, {"power_mw": -1}):
        with pytest.raises(ValueError, match="must be positive"):
            canvases.report(report(KWS), **bad)
