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
