"""One motor on the bench, at a speed, with a fault and a severity of one's choice, and its spectrum.

    bearing   9 balls, q = 7.94 / 39.04 (a 6205): outer race 3.585 f, inner race 5.415 f
    envelope  |analytic signal| of the band about the resonance: how loud it rings, whatever the phase

A flaw rings the housing at its resonance, far above its own rate. The rate is seen in the envelope.
Source: Randall and Antoni, Mechanical Systems and Signal Processing 25 (2011) 485-520, section 5.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tinylib.datasets import motors, spectra
from tinylib.units import real, shown

FAULTS = ("healthy", "imbalance", "misalignment", "outer race", "inner race", "ball")
FLAW = {"outer race": 0, "inner race": 1, "ball": 2}
VIEWS = ("spectrum", "envelope")
BENCH = motors.Machine(
    9, 7.94 / 39.04, 29.95, 2400.0, 0.05, (0.05, 0.02, 0.01), 0.02, 50, 0.05, 0.04, 0.5, 1.0
)
BAND_HZ = (1600, 3200)  # about the resonance
WINDOWS, TOP_HZ = 24, 400  # averaged; and the end of the picture


class Recording(NamedTuple):
    """signal: (ms, g) of one window; levels: (Hz, dB re 1 g^2) of all of them; marks: rates by name [Hz]."""

    signal: list[tuple[float, float]]
    levels: list[tuple[float, float]]
    marks: dict[str, float]
    view: str


def windows(fault: str, speed_hz: float = 29.95, severity: float = 0.7, seed: int = 0) -> np.ndarray:
    """Windows (1024, 24) of the motor on the bench [g]."""
    if fault not in FAULTS:
        raise ValueError(f"fault must be one of {', '.join(FAULTS)}, got {shown(fault)}")
    if not 10 <= real("speed_hz", speed_hz) <= 60:
        raise ValueError(f"speed_hz must lie in 10 .. 60, got {shown(speed_hz)}")
    y = np.full(WINDOWS, min(FAULTS.index(fault), 3))
    motor = replace(BENCH, speed_hz=speed_hz)
    return motor.windows(np.random.default_rng(seed), y, severity, FLAW.get(fault), spread=0.0).T


def recording(
    fault: str = "outer race", speed_hz: float = 29.95, severity: float = 0.7, view: str = "envelope"
) -> Recording:
    """What the panel of the lesson draws; `view` is "spectrum" or "envelope"."""
    if view not in VIEWS:
        raise ValueError(f"view must be spectrum or envelope, got {shown(view)}")
    x = windows(fault, speed_hz, severity)
    seen = envelope(x, *BAND_HZ) if view == "envelope" else x
    mean = spectra.power(seen).mean(axis=1)
    level = 10 * np.log10(mean + spectra.FLOOR)
    hz = np.arange(len(level)) * motors.RATE_HZ / motors.TIME
    inside = (hz > 0) & (hz <= TOP_HZ)
    ms = np.arange(motors.TIME) * 1000 / motors.RATE_HZ
    q = BENCH.q
    marks = {
        "1x": speed_hz,
        "2x": 2 * speed_hz,
        "hum": 2.0 * BENCH.line,
        "BPFO": motors.outer_race_hz(BENCH.balls, q, speed_hz),
        "BPFI": motors.inner_race_hz(BENCH.balls, q, speed_hz),
        "2 BSF": 2 * motors.ball_spin_hz(q, speed_hz),
    }
    signal = list(zip(ms.tolist(), x[:, 0].tolist()))
    return Recording(signal, list(zip(hz[inside].tolist(), level[inside].tolist())), marks, view)


def envelope(x: np.ndarray, low_hz: float, high_hz: float, rate_hz: float = motors.RATE_HZ) -> np.ndarray:
    """Magnitude (time, ...) of the analytic signal of the band low_hz .. high_hz of x (time, ...)."""
    spectrum = np.fft.fft(x, axis=0)
    hz = np.fft.fftfreq(len(x), 1 / rate_hz)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.abs(2 * np.fft.ifft(spectrum, axis=0))
