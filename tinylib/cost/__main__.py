"""Count the models of a file: `python -m tinylib.cost FILE.json [--json | --csv] [--bits N]`.

A file that ends in .onnx or .tflite is read by `readers`, which needs the extra `import`.
"""

import argparse
import csv
import json
import os
import sys
from dataclasses import asdict

from tinylib.cost import memory, models, stated
from tinylib.cost.models import Contents, Model, ModelError

TOTALS = (
    "params",
    "params_bn_folded",
    "macs",
    "weight_bytes",
    "peak_activation_elements_op_pair",
    "peak_activation_elements_live",
)
COLUMNS = ("op", "out_shape", "weights", "params", "params_bn_folded", "macs", "activation_elements")


def report(contents: Contents, bits: int = 8) -> dict:
    """All counts as plain data: what --json prints."""
    return {
        "models": [_model(m, bits) for m in contents.models],
        "left_out": [asdict(m) for m in contents.left_out],
    }


def _model(model: Model, bits: int) -> dict:
    return {
        "id": model.id,
        "name": model.name,
        "params": model.params,
        "params_bn_folded": model.params_bn_folded,
        "macs": model.macs,
        "weight_bytes": memory.model_weight_bytes(model, bits),
        "peak_activation_elements_op_pair": memory.peak_op_pair(model)[0],
        "peak_activation_elements_live": memory.peak_live(model)[0],
        "layers": [asdict(row) for row in model.rows],
        "differences": stated.differences(model),
    }


def _csv_lines(counted: dict) -> list[list]:
    """A line per layer, and after the layers of a model a line "total"; sizes read 224x224x3."""
    lines = [["id", "model", "layer", *COLUMNS, *TOTALS[3:]]]
    for m in counted["models"]:
        for row in m["layers"]:
            cells = row | {"out_shape": _sides(row["out_shape"])}
            lines.append([m["id"], m["name"], row["name"], *(cells[c] for c in COLUMNS), *[""] * 3])
        cells = dict.fromkeys(COLUMNS, "") | m | {"weights": sum(r["weights"] for r in m["layers"])}
        lines.append([m["id"], m["name"], "total", *(cells[c] for c in (*COLUMNS, *TOTALS[3:]))])
    return lines


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _table(counted: dict, bits: int) -> str:
    """Aligned text: per model its layers, totals, and what the file states differently."""
    lines = []
    for m in counted["models"]:
        lines += [m["name"], ""]
        cells = [["layer", *COLUMNS]]
        for row in m["layers"]:
            numbers = [f"{row[c]:,}" for c in COLUMNS[2:]]
            cells.append([row["name"], row["op"], _sides(row["out_shape"]), *numbers])
        widths = [max(map(len, column)) for column in zip(*cells)]
        for line in cells:
            text = [c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
            lines.append(("  " + "  ".join(text)).rstrip())
        lines.append("")
        lines += [f"  {key:34}{m[key]:>16,}" for key in TOTALS]
        lines.append(f"  (weight_bytes: {bits} bits per weight, 32 bits per folded bias)")
        for d in m["differences"]:
            lines.append(
                f"  differs: {d['where']} states {d['what']} {d['stated']}, computed {d['computed']}"
            )
        lines.append("")
    lines += [f"left out: {m['name']}: {m['reason']}" for m in counted["left_out"]]
    return "\n".join(lines).rstrip()


def _contents(path: str) -> Contents:
    """What a file holds, read as its ending says."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in (".onnx", ".tflite"):
        return models.read(path)
    from tinylib.cost import readers

    return readers.read_onnx(path) if ending == ".onnx" else readers.read_tflite(path)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 counted, 2 not a model file (one sentence on stderr), 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tinylib.cost", description=__doc__.split(":")[0] + ".")
    parser.add_argument(
        "file", metavar="FILE.json", help="one model, or several under 'models'; or .onnx, .tflite"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print comma-separated lines")
    parser.add_argument("--bits", type=int, default=8, help="bits per weight, 1 to 64 (biases have 32)")
    options = parser.parse_args(argv)
    try:
        memory.bit_width(options.bits)
        counted = report(_contents(options.file), options.bits)
        sys.stdout.reconfigure(errors="backslashreplace")
        if options.json:
            print(json.dumps(counted, indent=1))
        elif options.csv:
            csv.writer(sys.stdout, lineterminator="\n").writerows(_csv_lines(counted))
        else:
            print(_table(counted, options.bits))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ModelError, ValueError) as error:
        print(f"tinylib.cost: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
