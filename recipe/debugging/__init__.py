"""Step 8: why does it not work? Checks of a pipeline and of a split, its mistakes, and faults to practise on."""
