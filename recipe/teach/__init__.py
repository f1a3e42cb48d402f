"""For courses: assignments with a world for each student, their grading, reports, and a learner's own progress.

A notebook of an assignment types one name, `open_assignment`; nothing of this room needs nbgrader until work is graded.
"""

from recipe.teach.exercises import open_assignment

__all__ = ["open_assignment"]
