"""Make the example data of `recipe.data.examples` again: a CSV file of customers and a folder of images.

    python tools/make_examples.py [FOLDER]

Without a folder they are written where the package has them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

CUSTOMERS, PICTURES, SIDE = 600, 40, 16
HOME = Path(__file__).resolve().parents[1] / "recipe" / "data" / "examples"


def make_churn(seed: int = 0) -> pd.DataFrame:
    """Simulate customers: the log-odds of leaving are a sum of what a person would expect, plus chance."""
    rng = np.random.default_rng(seed)
    contract = rng.choice(["monthly", "one year", "two years"], CUSTOMERS, p=[0.5, 0.3, 0.2])
    region = rng.choice(["north", "south", "east", "west"], CUSTOMERS)
    months = rng.integers(1, 72, CUSTOMERS)
    fee = rng.normal(45, 12, CUSTOMERS).clip(15, 90).round(2)
    calls = rng.poisson(1.5, CUSTOMERS)
    age = rng.normal(44, 14, CUSTOMERS).clip(18, 85).round()
    odds = -2.8 + 2.5 * (contract == "monthly") - 1.5 * (contract == "two years") - 0.05 * (months - 24)
    odds += 0.06 * (fee - 45) + 0.9 * calls + 1.5 * ((region == "east") & (age < 40))
    left = rng.random(CUSTOMERS) < 1 / (1 + np.exp(-odds))
    frame = pd.DataFrame(
        {
            "customer_id": rng.permutation(np.arange(10_000, 10_000 + CUSTOMERS)),
            "age": age,
            "region": region,
            "contract": contract,
            "months": months,
            "monthly_fee": fee,
            "hotline_calls": calls,
            "paperless": rng.random(CUSTOMERS) < 0.6,
            "last_bill": np.where(left, (fee * rng.uniform(0.2, 1.0, CUSTOMERS)).round(2), np.nan),
            "left": np.where(left, "yes", "no"),
        }
    )
    frame.loc[rng.random(CUSTOMERS) < 0.08, "age"] = np.nan
    frame.loc[rng.random(CUSTOMERS) < 0.04, "monthly_fee"] = np.nan
    frame.loc[rng.random(CUSTOMERS) < 0.03, "region"] = None
    return frame


def draw_shape(name: str, rng: np.random.Generator) -> Image.Image:
    """Draw one shape somewhere in a grey image, and add noise."""
    size = int(rng.integers(6, 12))
    left, top = rng.integers(1, SIDE - size, 2).tolist()
    image = Image.new("L", (SIDE, SIDE), 0)
    pen, box = ImageDraw.Draw(image), (left, top, left + size, top + size)
    if name == "triangle":
        pen.polygon([(left, top + size), (left + size, top + size), (left + size // 2, top)], fill=220)
    else:
        {"circle": pen.ellipse, "square": pen.rectangle}[name](box, fill=220)
    noisy = np.asarray(image, float) + rng.normal(20, 12, (SIDE, SIDE))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    make_churn().to_csv(folder / "churn.csv", index=False, lineterminator="\n")
    rng = np.random.default_rng(0)
    for name in ("circle", "square", "triangle"):
        (folder / "shapes" / name).mkdir(parents=True, exist_ok=True)
        for number in range(PICTURES):
            draw_shape(name, rng).save(folder / "shapes" / name / f"{number:02}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
