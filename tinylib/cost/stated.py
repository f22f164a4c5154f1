"""What a model file states about itself, against what is counted: where the two differ."""

import math

from tinylib.cost.memory import model_weight_bytes, peak_live, peak_op_pair
from tinylib.cost.models import Model
from tinylib.units import shown


def differences(model: Model) -> list[dict]:
    """Where counts stated in the file differ: [{"where", "what", "stated", "computed"}], [] if none.

    `where` is a layer, "recomputed" or "published". Published millions and billions count as equal
    when the computed figure rounds to them at the digits they are printed with.
    """
    found = []
    layer_keys = {"params_folded": "params_bn_folded"} | {k: k for k in ("weights", "params", "macs")}
    layer_keys["params_bn_folded"] = "params_bn_folded"
    for row in model.rows:
        given = model.stated.get("layers", {}).get(row.name, {})
        pairs = [(key, given[key], getattr(row, attr)) for key, attr in layer_keys.items() if key in given]
        found += [_difference(row.name, *pair) for pair in pairs if pair[1] != pair[2]]
    totals = {name: getattr(model, name) for name in ("params", "params_bn_folded", "macs", "weights")}
    totals["weights_only"] = model.weights
    totals["int8_weight_bytes"] = model_weight_bytes(model)
    totals["peak_activation_elements_op_pair"], totals["peak_at"] = peak_op_pair(model)
    totals["peak_activation_elements_live"] = peak_live(model)[0]
    for where in ("recomputed", "published"):
        block = model.stated.get(where, {})
        pairs = [(key, block[key], totals[key]) for key in totals if key in block]
        found += [_difference(where, *pair) for pair in pairs if pair[1] != pair[2]]
        for key, unit in ("params_millions", 10**6), ("mmacs", 10**6), ("gmacs", 10**9):
            total = model.params if key == "params_millions" else model.macs
            if key in block and not _rounds_to(total / unit, block[key]):
                found.append(_difference(where, key, block[key], total / unit))
    return found


def _rounds_to(computed: float, stated: object) -> bool:
    if not isinstance(stated, (int, float)) or not 0 <= stated < 1e15:
        return False
    digits = len(repr(stated).partition(".")[2]) if "e" not in repr(stated) else 0
    return abs(computed - stated) <= 0.5 * 10**-digits * (1 + 1e-9)


def _difference(where: str, what: str, stated: object, computed: object) -> dict:
    short = isinstance(stated, (int, str)) or (isinstance(stated, float) and math.isfinite(stated))
    stated = stated if short and len(str(stated)) <= 60 else shown(stated)
    return {"where": where, "what": what, "stated": stated, "computed": computed}
