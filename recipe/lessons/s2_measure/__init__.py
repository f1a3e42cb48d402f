"""Lesson 2: the panel that moves the threshold and the class balance of one yes-or-no model."""
