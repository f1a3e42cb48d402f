"""nbgrader's configuration of the course: its commands, run in this folder, and the page of its formgrader read it."""

from pathlib import Path

from recipe.teach.grading import configure

configure(get_config(), Path(__file__).parent)  # noqa: F821 (nbgrader puts the name there)
