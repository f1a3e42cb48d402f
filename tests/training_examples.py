"""What the tests of the training panel share: settings that train in no time, and the status line as it is read."""

from __future__ import annotations

import html
import re

from recipe.ui.training import TrainingPanel

SMALL = {"units_1": 8, "batch_size": 32, "epochs": 2}


def read_status(panel: TrainingPanel) -> str:
    """Return the status line without its markup."""
    return html.unescape(re.sub("<.*?>", "", panel.status.value))
