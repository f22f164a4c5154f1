"""python -m grading demo [FOLDER]: grade a class of eight made-up students and show what came out."""

import argparse
import sys
import tempfile
from pathlib import Path


def demo(folder: Path | None) -> None:
    """Make the class, grade it, print the table and where the feedback pages lie."""
    from grading.demo import CLASS, grade, make_course
    from grading.report import table

    root = folder or Path(tempfile.mkdtemp(prefix="tinyml-class-"))
    make_course(root)
    students = grade(root, list(CLASS))
    print(table(students))
    print(f"\nThe course folder is {root}\nFeedback pages:")
    for student in students:
        print(f"  {student.name:<10} {student.feedback}   ({CLASS[student.name].__doc__})")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grading", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("demo", help="a class of eight, graded by nbgrader in a temporary folder")
    one.add_argument("folder", nargs="?", type=Path, help="where to make the course (default: temporary)")
    options = parser.parse_args(arguments)
    if sys.platform == "win32":
        sys.exit("grading needs Linux, macOS or WSL: nbgrader's autograde is not supported on Windows")
    if options.folder and options.folder.exists() and any(options.folder.iterdir()):
        sys.exit(f"demo needs an empty or new folder, got {options.folder}")
    demo(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
