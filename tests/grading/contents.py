"""What a gradebook says, as plain rows: two runs agree when these do."""

import sqlalchemy as sql

MARKS = """
select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score, 
       grade.extra_credit, grade.needs_manual_grade
from grade join base_cell on base_cell.id = grade.cell_id
     join submitted_notebook on submitted_notebook.id = grade.notebook_id
     join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id"""
COMMENTS = """
select submitted_assignment.student_id, base_cell.name, comment.auto_comment, comment.manual_comment
from comment join base_cell on base_cell.id = comment.cell_id
     join submitted_notebook on submitted_notebook.id = comment.notebook_id
     join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id"""
VERDICTS = """
select submitted_assignment.student_id, tinyml_runs.digest, tinyml_runs.answers, tinyml_runs.level
from tinyml_runs join submitted_assignment on submitted_assignment.id = tinyml_runs.submission_id"""

SCHEMA = "select version_num from alembic_version"


def contents(url: str) -> dict[str, list[tuple]]:
    """Every grade, every comment, what they were made from and the version of the tables, sorted."""
    engine = sql.create_engine(url)
    try:
        with engine.connect() as db:
            queries = {"grades": MARKS, "comments": COMMENTS, "made": VERDICTS, "schema": SCHEMA}
            return {
                name: sorted((tuple(row) for row in db.execute(sql.text(query))), key=lambda row: row[:2])
                for name, query in queries.items()
            }
    finally:
        engine.dispose()


def scores(url: str) -> dict[str, float]:
    """Student -> sum of the automatic scores."""
    found: dict[str, float] = {}
    for student, _, score, *_ in contents(url)["grades"]:
        found[student] = found.get(student, 0.0) + (score or 0.0)
    return found
