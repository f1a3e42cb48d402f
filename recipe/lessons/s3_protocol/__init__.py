"""Lesson 3: the panel that repeats a whole evaluation and holds each report against the truth."""
