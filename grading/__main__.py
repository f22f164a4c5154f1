"""python -m grading COMMAND: grade an assignment and all around it; `demo` shows it on a made-up class."""

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

MODULES = (
    "commands",
    "pages.class_report",
    "pages.preview",
    "exchange.export",
    "exchange.collect",
    "exchange.release_archive",
    "merging",
)


def demo(folder: Path | None) -> None:
    """Make the class, grade it, print the table and where the feedback pages lie."""
    from grading.demo import CLASS, grade_sealed, make_course
    from grading.report import table

    root = folder or Path(tempfile.mkdtemp(prefix="tinyml-class-"))
    make_course(root)
    students = grade_sealed(root)
    print(table(students))
    print(f"\nThe course folder is {root}\nFeedback pages:")
    for student in students:
        print(f"  {student.name:<10} {student.feedback}   ({CLASS[student.name].__doc__})")


def _demo(options: argparse.Namespace) -> int:
    if options.folder and options.folder.exists() and any(options.folder.iterdir()):
        sys.exit(f"demo needs an empty or new folder, got {options.folder}")
    demo(options.folder)
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command: demo here, the others from the modules that offer them."""
    found = argparse.ArgumentParser(prog="python -m grading", description=__doc__)
    commands = found.add_subparsers(dest="command", required=True)
    one = commands.add_parser("demo", help="a class of eight, graded in a temporary folder")
    one.add_argument("folder", nargs="?", type=Path, help="where to make the course (default: temporary)")
    one.set_defaults(run=_demo)
    for name in MODULES:
        importlib.import_module(f"grading.{name}").add_command(commands)
    return found


def main(arguments: list[str] | None = None) -> int:
    if sys.platform == "win32":
        sys.exit("grading needs Linux, macOS or WSL: nbgrader's autograde is not supported on Windows")
    try:
        try:
            options = parser().parse_args(arguments)
        except ModuleNotFoundError as missing:
            sys.exit(f"grading needs the extras course and instructor, got no module {missing.name!r}")
        return options.run(options)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main())
