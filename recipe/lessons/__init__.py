"""Experiments with many trainings each: what a protocol, a preparation, a size, a rate or a wrong choice does."""
