"""Step 7: tuning over specs, and the networks that the workflow starts with."""
