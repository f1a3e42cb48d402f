"""Lesson 4: the panel that switches preparations on and off, and shows what training makes of them."""
