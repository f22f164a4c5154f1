"""Experiments with networks: python -m tinylib.nets xor --seeds 1000 --format q16.16 --jobs 2."""

import argparse
import re
import sys

from tinylib.formats.qformat import OVERFLOWS, ROUNDINGS, QFormat
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Fixed
from tinylib.nets.xor import Settings, success, wilson


def arithmetic(name: str, rounding: str = "floor", overflow: str = "wrap") -> Arithmetic:
    """The arithmetic of a name such as "float" or "q16.16"."""
    if name.lower() == "float":
        return FLOAT
    found = re.fullmatch(r"[qQ](\d+)\.(\d+)", name)
    if not found:
        raise ValueError(f"format must be float or a name such as q16.16, got {name!r}")
    return Fixed(QFormat(int(found[1]), int(found[2])), rounding, overflow)


def xor(options: argparse.Namespace) -> str:
    """How many random networks learn XOR, in words."""
    ops = arithmetic(options.format, options.rounding, options.overflow)
    settings = Settings(ops, options.learning_rate, options.momentum, options.limit, options.steps)
    found = success(options.seeds, settings, options.jobs, options.scheduler, progress=sys.stderr.isatty())
    low, high = wilson(sum(found), len(found))
    rate = f"{sum(found):,} of {len(found):,} networks learnt XOR: {sum(found) / len(found):.1%}"
    return f"{rate}, 95 % interval {low:.1%} to {high:.1%}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tinylib.nets", description="Experiments with networks.")
    commands = top.add_subparsers(dest="command", required=True)
    it = commands.add_parser("xor", help="success rate of 2-4-1 networks on XOR over random initial weights")
    it.add_argument("--seeds", type=int, default=1000, help="networks, seeds 0, 1, ... (%(default)s)")
    it.add_argument("--format", default="q16.16", help="float, or a format such as q8.8 (%(default)s)")
    it.add_argument("--rounding", choices=ROUNDINGS, default="floor", help="of products (%(default)s)")
    it.add_argument("--overflow", choices=OVERFLOWS, default="wrap", help="(%(default)s)")
    it.add_argument("--learning-rate", type=float, default=0.5, help="(%(default)s)")
    it.add_argument("--momentum", type=float, default=0.0, help="(%(default)s)")
    it.add_argument("--limit", type=float, default=1.0, help="initial weights lie in +-limit (%(default)s)")
    it.add_argument("--steps", type=int, default=4000, help="samples, one at a time (%(default)s)")
    it.add_argument("--jobs", type=int, default=1, help="processes on this machine (%(default)s)")
    it.add_argument("--scheduler", default="", help="address of a Dask scheduler to use instead")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; 0 when it worked, 2 with one line on stderr when not."""
    options = parser().parse_args(arguments)
    try:
        print(xor(options))
    except (ValueError, ModuleNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
