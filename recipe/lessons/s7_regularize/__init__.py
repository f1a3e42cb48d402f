"""Lesson 7: a search drawn, and how much better the best of many trials looks than it is."""
