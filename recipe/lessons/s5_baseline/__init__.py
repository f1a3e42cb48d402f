"""Lesson 5: is a model better than a guess, and how many samples does it take to tell?"""
