"""Lesson 6: the plane of bias and variance."""
