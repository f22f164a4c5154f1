"""What a graded course holds, in a form that two of them can be compared by."""

import sqlite3
from pathlib import Path

GRADES = """
    select s.student_id, b.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
    from grade g join base_cell b on b.id = g.cell_id
    join submitted_notebook n on n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id"""
COMMENTS = """
    select s.student_id, b.name, c.auto_comment, c.manual_comment
    from comment c join base_cell b on b.id = c.cell_id
    join submitted_notebook n on n.id = c.notebook_id join submitted_assignment s on s.id = n.assignment_id"""
RUNS = """
    select s.student_id, r.digest, r.answers, r.level, r.note, r.verdict
    from tinyml_runs r join submitted_assignment s on s.id = r.submission_id"""


def rows(root: Path, query: str) -> list[tuple]:
    """The rows of a query on the course's SQLite gradebook, in order."""
    db = sqlite3.connect(root / "gradebook.db", timeout=30)
    try:
        return sorted(db.execute(query).fetchall(), key=repr)
    finally:
        db.close()


def change(root: Path, statement: str, *values) -> int:
    """Change the gradebook as a person would through formgrader; how many rows."""
    db = sqlite3.connect(root / "gradebook.db", timeout=30)
    try:
        with db:
            return db.execute(statement, values).rowcount
    finally:
        db.close()


def files(root: Path) -> dict[str, bytes]:
    """Every file that grading wrote beside the gradebook."""
    found = [p for kind in ("autograded", "feedback") for p in (root / kind).rglob("*") if p.is_file()]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found}


def snapshot(root: Path) -> tuple:
    """Grades, comments, what they were made from, and every file."""
    return rows(root, GRADES), rows(root, COMMENTS), rows(root, RUNS), files(root)
