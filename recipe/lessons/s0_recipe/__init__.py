"""Lesson 0: the whole recipe at once."""
