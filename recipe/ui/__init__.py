"""The widget panels, one file a step. They read controls, call one public function and show what it returns.

Whatever a panel does, a line of Python does too: `panel.run(...)`, `panel.result`, `panel.figure()`, `panel.table()`.
"""
