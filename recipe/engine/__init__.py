"""The compiled engine: a whole epoch as one XLA program, and what makes it start soon and run fast.

`recipe.steps.training` is the only door to it. Read `members`, `batches`, `epoch` and `loop`; the others make a part
fast.
"""
