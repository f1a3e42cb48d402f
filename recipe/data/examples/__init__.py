"""Two small sets of data as people bring them, for lessons, tests and first steps: a CSV file and a folder of images.

Both are simulated, and `tools/make_examples.py` makes them again, byte for byte.

- `CHURN`: 600 customers of a telephone company, of whom a third left. Who is on a monthly contract, is new, pays much
  or calls the hotline often is likelier to leave. It has what tables of one's own have: categories, missing values, an
  identifier, and a column that gives the target away: only who left has a ``last_bill``.
- `SHAPES`: 120 grey images of 16 x 16 pixels, circles, squares and triangles of any size and place, with noise.
"""

from __future__ import annotations

from pathlib import Path

CHURN = Path(__file__).with_name("churn.csv")
SHAPES = Path(__file__).with_name("shapes")
