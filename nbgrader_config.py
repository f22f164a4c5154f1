"""nbgrader's settings for this course: run nbgrader and the formgrader from this folder."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader defines it)

c.CourseDirectory.course_id = "tinyml"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.Exchange.root = os.environ.get("TINYML_EXCHANGE") or str(Path.home() / ".local/share/tinyml-exchange")
c.ClearSolutions.code_stub = {"python": "...  # YOUR CODE HERE"}
c.ExecutePreprocessor.timeout = 60
c.Execute.extra_arguments = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]

if os.environ.get("TINYML_STOCK", "") in (
    "",
    "0",
):  # else nbgrader alone, where student code decides its marks
    c.Autograde.sanitize_preprocessors = [
        "grading.preprocessors.Transplant",
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.DeduplicateIds",
        "nbgrader.preprocessors.OverwriteKernelspec",
        "nbgrader.preprocessors.OverwriteCells",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    c.Autograde.autograde_preprocessors = [
        "grading.preprocessors.SealedExecute",
        "nbgrader.preprocessors.IgnorePattern",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "grading.preprocessors.SaveReasons",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    c.Autograde.exporter_class = "grading.preprocessors.Files"
    c.GenerateFeedback.exporter_class = "grading.preprocessors.Feedback"
