"""Mixed precision: bits where they matter, within a budget of bytes.

    sensitivity of part i at b bits = loss with that part alone at b bits - loss of the float network
    plan: bits b_i with least sum of sensitivities and sum of bytes <= budget

Adding up sensitivities takes the parts for independent; `measured` says what the whole plan costs.
Greedy starts wide and takes the step that costs least per byte saved; `exhaustive` tries every plan.
Source: Dong et al., HAWQ-V2, arXiv 1911.03852, section 3 (the additive model, there with curvature).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tinylib.compress import baseline
from tinylib.compress.layout import has_weights
from tinylib.compress.ptq import ptq_part
from tinylib.datasets import Examples
from tinylib.nets.network import Network
from tinylib.nets.progress import bar
from tinylib.units import shown

BITS = (2, 3, 4, 6, 8)
Table = Mapping[tuple[int, int], float]  # (part, bits) -> value


@dataclass(frozen=True)
class Plan:
    """Bits for each part with weights, bytes of the weights, and the sum of sensitivities [nat]."""

    bits: dict[int, int]
    bytes: int
    cost: float


def at_bits(net: Network, bits: Mapping[int, int], method: str = "mse") -> Network:
    """The network with the named parts at their bits, per channel; the others stay in floating point."""
    arrays = list(net.arrays)
    for i, b in bits.items():
        arrays[i] = arrays[i] | {n: q.restored() for n, q in ptq_part(net.parts[i], b, method=method).items()}
    return net.with_arrays(arrays)


def sensitivity(
    net: Network, data: Examples, bits: Sequence[int] = BITS, progress: bool = False
) -> dict[tuple[int, int], float]:
    """Rise of the loss with one part at b bits [nat], by (part, bits)."""
    whole = baseline.loss(net, data)
    pairs = [(i, b) for i, part in enumerate(net.parts) if has_weights(part) for b in bits]
    return {
        (i, b): baseline.loss(at_bits(net, {i: b}), data) - whole
        for i, b in bar(pairs, title="sensitivity", shown=progress)
    }


def sizes(net: Network, bits: Sequence[int] = BITS) -> dict[tuple[int, int], int]:
    """Bytes of the weights of each part at b bits, scales included [bytes], by (part, bits)."""
    return {
        (i, b): sum(q.bytes for q in ptq_part(part, b).values())
        for i, part in enumerate(net.parts)
        if has_weights(part)
        for b in bits
    }


def _plan(bits: Mapping[int, int], cost: Table, size: Table) -> Plan:
    return Plan(dict(bits), int(sum(size[p] for p in bits.items())), sum(cost[p] for p in bits.items()))


def _choices(cost: Table, size: Table) -> dict[int, list[int]]:
    if set(cost) != set(size) or not cost:
        raise ValueError("sensitivity and sizes must name the same parts and bits, and at least one")
    return {i: sorted(b for j, b in cost if j == i) for i in sorted({i for i, _ in cost})}


def _too_small(budget_bytes: int, least: Plan) -> ValueError:
    return ValueError(
        f"budget_bytes must be at least {least.bytes}, the plan of fewest bits, got {shown(budget_bytes)}"
    )


def greedy(cost: Table, size: Table, budget_bytes: int) -> Plan:
    """From the widest plan on, always the step with the least rise of cost per byte saved."""
    choices = _choices(cost, size)
    least = _plan({i: b[0] for i, b in choices.items()}, cost, size)
    if least.bytes > budget_bytes:
        raise _too_small(budget_bytes, least)
    bits = {i: b[-1] for i, b in choices.items()}
    while (plan := _plan(bits, cost, size)).bytes > budget_bytes:
        steps = [(i, b) for i, all_bits in choices.items() for b in all_bits if b < bits[i]]

        def price(step: tuple[int, int], now: Mapping[int, int] = bits) -> float:
            i, _ = step
            return (cost[step] - cost[i, now[i]]) / (size[i, now[i]] - size[step])

        i, b = min(steps, key=price)
        bits = bits | {i: b}
    return plan


def exhaustive(cost: Table, size: Table, budget_bytes: int) -> Plan:
    """The best of all plans within the budget; of equal ones the smaller. Bits to the power of parts."""
    choices = _choices(cost, size)
    plans = [_plan(dict(zip(choices, bits)), cost, size) for bits in product(*choices.values())]
    fitting = [p for p in plans if p.bytes <= budget_bytes]
    if not fitting:
        raise _too_small(budget_bytes, min(plans, key=lambda p: p.bytes))
    return min(fitting, key=lambda p: (p.cost, p.bytes))
