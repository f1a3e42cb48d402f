"""Lesson 1: the panel that puts a question to a dataset."""
