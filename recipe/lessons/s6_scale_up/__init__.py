"""Lesson 6: how large a network a training set can bear, and the plane of bias and variance."""
