"""Lesson 7: regularize and tune."""
