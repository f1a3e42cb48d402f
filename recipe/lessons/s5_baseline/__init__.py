"""Lesson 5: is a model better than a guess, how many samples does it take to tell, and what a wrong last layer does."""
