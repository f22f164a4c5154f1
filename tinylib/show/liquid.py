"""A liquid neuron after a step of its input: exact, by the fused solver step and by explicit Euler.

    dx/dt = -(1/tau + f) x + f A     at constant f: x = x_end (1 - exp(-rate t))
                                     rate = 1/tau + f, x_end = f A / rate

Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, eq. 1 and algorithm 1.
"""

import math

from tinylib.show import svg
from tinylib.show.curves import curves
from tinylib.units import format_quantity, real, shown

SECONDS = 6.0


def trajectories(tau: float, f: float, a: float, dt: float) -> dict[str, list[svg.Point]]:
    """(time [s], state) of the three roads from x = 0; tau [s], f [1/s] and dt [s] are positive."""
    for name, value in (("tau", tau), ("f", f), ("dt", dt)):
        if real(name, value) <= 0:
            raise ValueError(f"{name} must be positive: it is a time or a rate, got {shown(value)}")
    rate = 1 / tau + f
    end = f * a / rate
    exact = [(t, end * (1 - math.exp(-rate * t))) for t in (SECONDS * i / 200 for i in range(201))]
    fused, explicit = [(0.0, 0.0)], [(0.0, 0.0)]
    for i in range(1, int(SECONDS / dt + 1e-9) + 1):
        fused.append((i * dt, (fused[-1][1] + dt * f * a) / (1 + dt * rate)))
        explicit.append((i * dt, explicit[-1][1] + dt * (f * a - rate * explicit[-1][1])))
    return {"exact": exact, "explicit": explicit, "fused": fused}


def step_response(tau: float = 1.0, f: float = 1.0, a: float = 1.0, dt: float = 0.5) -> str:
    """SVG of the three roads [text]: tau [s] at rest, gate f [1/s], pull A, solver step dt [s]."""
    series = trajectories(tau, f, a, dt)
    rate = 1 / tau + f
    constant = format_quantity(1 / rate, "s", 3)
    swing = dt * rate
    stable = swing < 2
    note = f"tau {tau:g} s at rest, {constant} with the gate open; step {dt:g} s"
    if math.isclose(swing, 2):
        note += "; explicit Euler swings for ever: dt (1/tau + f) = 2"
    elif not stable:
        note += "; explicit Euler diverges: dt (1/tau + f) > 2"
    limit = max(1.0, abs(a)) * 1.5
    return curves(
        "A liquid neuron answers a step",
        svg.Axis("time [s]", 0, SECONDS),
        svg.Axis("state", min(0.0, -limit * (a < 0 or not stable)), limit * (a > 0 or not stable) or 0.5),
        series,
        note,
        marks={"time constant": 1 / rate} if 1 / rate < SECONDS else None,
    )
