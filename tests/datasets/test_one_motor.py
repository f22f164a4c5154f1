"""One motor on the bench: the envelope shows the rate of the flaw, the spectrum the orders of the shaft."""

import numpy as np
import pytest

from tinylib.datasets import motors, one_motor
from tinylib.show import bearing


@pytest.mark.parametrize(
    "fault, mark", [("outer race", "BPFO"), ("inner race", "BPFI"), ("ball", "2 BSF"), ("healthy", None)]
)
def test_the_envelope_tells_which_part_is_flawed(fault, mark):
    found = one_motor.recording(fault, 29.95, 0.7, "envelope")
    peak = max(found.levels, key=lambda level: level[1])
    others = {"BPFO", "BPFI", "2 BSF"} & set(bearing.hits(found.levels, found.marks))
    assert others == ({mark} if mark else set())
    assert mark is None or abs(peak[0] - found.marks[mark]) < one_motor.motors.RATE_HZ / motors.TIME


@pytest.mark.parametrize("speed", [20.0, 33.0, 45.0])
def test_imbalance_raises_the_first_order_and_misalignment_the_second(speed):
    def level(fault, order):
        found = one_motor.recording(fault, speed, 1.0, "spectrum")
        return min(found.levels, key=lambda p: abs(p[0] - order * speed))[1]

    assert level("imbalance", 1) > level("healthy", 1) + 6
    assert level("misalignment", 2) > level("healthy", 2) + 10


def test_marks_are_those_worked_by_hand():  # exercises vib.bpfo, vib.bpfi and vib.bsf
    marks = one_motor.recording(speed_hz=29.95).marks
    assert marks["BPFO"] == pytest.approx(107.364, abs=0.001)
    assert marks["BPFI"] == pytest.approx(162.186, abs=0.001)
    assert marks["2 BSF"] == pytest.approx(2 * 70.5846, abs=0.001)


def test_envelope_of_a_tone_is_its_size():
    t = np.arange(1024) / 8000
    tone = 0.7 * np.cos(2 * np.pi * 2000 * t) + 3 * np.cos(2 * np.pi * 250 * t)
    np.testing.assert_allclose(one_motor.envelope(tone, 1600, 3200), 0.7, atol=1e-9)


def test_without_severity_all_faults_sound_healthy():
    quiet = [one_motor.windows(fault, severity=0.0) for fault in ("healthy", "imbalance", "misalignment")]
    np.testing.assert_allclose(quiet[0], quiet[1])
    np.testing.assert_allclose(quiet[0], quiet[2])


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: one_motor.windows("rust"), "fault must be one of healthy"),
        (lambda: one_motor.windows("ball", 90), "speed_hz must lie in 10 .. 60, got 90"),
        (lambda: one_motor.recording(view="sound"), "view must be spectrum or envelope"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
