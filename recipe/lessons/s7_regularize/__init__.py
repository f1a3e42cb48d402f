"""Lesson 7: a search, drawn."""
