"""For courses: assignments and their grading, what a learner has done, and where a class stands."""
