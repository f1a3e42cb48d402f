"""What all panels are made of, and the training panel. A panel reads controls, calls the kit, shows what it returns.

Whatever a panel does, a line of Python does too: `panel.run(...)`, `panel.result`, `panel.figure()`, `panel.table()`.
"""
