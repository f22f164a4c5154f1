"""Sensor readings to a network on a microcontroller: `python -m tinylib.deploy train DATA.csv`.

One row of the file is one sample in time; columns of numbers are readings. With a label column a classifier
is trained, without one an anomaly score. A report page and C files are put into a folder.
"""

import argparse
import sys
from pathlib import Path

from tinylib.deploy.own import choose, pages, run, tables
from tinylib.deploy.own.roles import roles_of
from tinylib.deploy.toolchain import TARGETS
from tinylib.units import parse


def _bytes(text: str) -> int:
    return int(_quantity(text, "B"))


def _ms(text: str) -> float:
    return float(_quantity(text, "ms"))


def _quantity(text: str, unit: str) -> float:
    try:
        return parse(text).to(unit).value
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> argparse.ArgumentParser:
    """The arguments of `train`."""
    top = argparse.ArgumentParser(prog="python -m tinylib.deploy", description=__doc__.split("\n\n")[0])
    commands = top.add_subparsers(dest="command", required=True)
    made = commands.add_parser("train", help="a network for a CSV file of readings", description=__doc__)
    add = made.add_argument
    add("data", metavar="DATA.csv", help="one row for each sample in time")
    add("--target", default="cortex-m0plus", choices=TARGETS, help="the core (cortex-m0plus)")
    add("--flash", type=_bytes, metavar="SIZE", help="such as `192KB`; by default the usual part's")
    add("--sram", type=_bytes, metavar="SIZE", help="such as `20KB`; likewise")
    add("--latency", type=_ms, metavar="TIME", help="longest time for a window, such as `100ms`")
    add("--label", metavar="COL", help="column of the classes; '' for an anomaly score; guessed by default")
    add("--group", metavar="COL", help="column of the machine or subject; guessed by default")
    add("--time", metavar="COL", help="column of the time; guessed by default")
    add("--rate", type=float, metavar="HZ", help="samples per second, if no column tells the time")
    add("--channels", metavar="COL,COL", help="columns of readings; by default all that are numbers")
    add("--window", type=int, metavar="N", help="samples of a window; about two seconds by default")
    add("--out", metavar="FOLDER", help="folder for report and C files (DATA-own)")
    add("--seconds", type=float, default=120, metavar="S", help="about how long it may take (120)")
    add("--seed", type=int, default=0)
    add("--false-alarms", type=float, default=0.01, metavar="SHARE", help="of an anomaly score (0.01)")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 written, 1 nothing keeps the limits, 2 one sentence on stderr, 130 stopped."""
    a = parser().parse_args(arguments)
    try:
        return _train(a)
    except KeyboardInterrupt:
        print("\nStopped: nothing was written.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _train(a: argparse.Namespace) -> int:
    if not a.seconds > 0:
        raise ValueError(f"seconds must be positive, got {a.seconds}")
    if a.seed < 0:
        raise ValueError(f"seed must not be negative: it starts a generator, got {a.seed}")
    folder = pages.checked(a.out or Path(a.data).stem + "-own")
    limits = choose.limits_of(a.target, a.flash, a.sram, a.latency)
    table = tables.read(a.data, progress=sys.stderr.isatty())
    channels = [c.strip() for c in a.channels.split(",")] if a.channels else None
    roles = roles_of(table, a.label, a.group, a.time, a.rate, channels)
    watch = run.Watch(say=lambda text: print(text, flush=True), progress=sys.stderr.isatty())
    found = run.find(table, roles, a.target, limits, a.window, a.seconds, a.false_alarms, a.seed, watch)
    pages.write(found, folder)
    print(f"\n{found.verdict}")
    if taken := found.taken:
        about = "" if taken.measured else "about "
        print(
            f"Flash {about}{taken.flash:,} of {limits.flash_bytes:,} bytes, RAM {about}{taken.ram:,} of "
            f"{limits.ram_bytes:,} bytes, {about}{taken.latency_ms(limits.clock_hz):.3g} ms a window at "
            f"{limits.clock_hz / 1e6:g} MHz."
        )
        print(_checked(taken))
    print(f"{found.seconds:.0f} s. Report and files: {folder / 'report.html'}")
    return 0 if found.program else 1


def _checked(taken: object) -> str:
    if taken.where == "nothing":
        return "NOT CHECKED: no C compiler is here; `make lab EXTRAS=device` gets one and an emulator."
    result = (
        "equal those of Python in every bit" if not taken.differing else f"DIFFER in {taken.differing} places"
    )
    return f"Scores of {taken.compared} windows on {taken.where} {result}."


if __name__ == "__main__":
    sys.exit(main())
