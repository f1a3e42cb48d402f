"""The program that `keras_code` writes for data of one's own, run as a program beside the kit."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from keras_programs import train_with_each_seed
from PIL import Image
from sklearn import datasets as sk

import recipe
from recipe.data.examples import CHURN, SHAPES

COLUMNS = ["age", "region", "contract", "months", "monthly_fee", "hotline_calls", "paperless"]
TEXTS = [f"{'good' if row % 2 else 'bad'} film {row % 7}, {'très' if row % 3 else 'sehr'} lang" for row in range(120)]
SPEC = recipe.ModelSpec(hidden_units=(16,), epochs=15, batch_size=16, learning_rate=0.003)
EMBEDDING = recipe.ModelSpec(architecture="embedding", hidden_units=(8,), epochs=15, batch_size=16, learning_rate=0.01)


def take_arrays(x, y):
    np.save("x.npy", x)
    np.save("y.npy", y)
    return recipe.from_arrays(x, y)


def take_excel():
    frame = pd.read_csv(CHURN)
    frame.to_csv("excel.csv", sep=";", decimal=",", encoding="utf-16", index=False)
    return recipe.from_table("excel.csv", "left", columns=COLUMNS)


def take_frame():
    frame = pd.read_csv(CHURN)[[*COLUMNS, "monthly_fee"]].loc[:, lambda one: ~one.columns.duplicated()].dropna()
    frame.to_csv("mine.csv", index=False)
    return recipe.from_table(frame, "monthly_fee")


def take_folder():
    shutil.copytree(SHAPES, "shapes")
    return recipe.from_folder("shapes")


DATA = {
    "excel": (take_excel, SPEC),
    "frame": (take_frame, SPEC),
    "folder": (take_folder, SPEC),
    "digits": (lambda: take_arrays(sk.load_digits().images, sk.load_digits().target), SPEC),
    "diabetes": (lambda: take_arrays(*sk.load_diabetes(return_X_y=True)), SPEC),
    "texts": (lambda: take_arrays(np.array(TEXTS), np.array(["yes", "no"] * 60)), EMBEDDING),
    "words": (lambda: take_arrays(np.array(TEXTS), np.array([1, 2] * 60)), SPEC.replace(epochs=5)),
}
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in DATA if name != "excel"]


def train_as_the_program(spec, data):
    encoding = "sequence" if spec.architecture == "embedding" else "auto"
    prepared = recipe.prepare(recipe.hold_out(data), encoding=encoding)
    return recipe.train(spec, prepared).history[f"val_{data.problem.measure}"][-1]


def test_program_reads_a_folder_as_the_kit_does(tmp_path, monkeypatch):
    """Images of 16 bits, in a palette, upside down; texts that are not UTF-8."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "images" / label).mkdir(parents=True)
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 65_536, (9, 12), dtype=np.uint16)
            image = Image.fromarray(pixels) if number % 2 else Image.fromarray((pixels // 257).astype(np.uint8))
            image = image.convert("P") if number % 4 == 2 else image
            exif = image.getexif()
            exif[0x0112] = 6 if number % 3 else 1
            image.save(tmp_path / "images" / label / f"{number:02}.png", exif=exif)
            (tmp_path / "texts" / label / f"{number:02}.txt").write_text(f"{label} café {number}", encoding="latin-1")
    for folder in ("images", "texts"):
        data = recipe.from_folder(folder)
        found = {}
        program = recipe.keras_code(SPEC, data.problem)
        exec(compile(program[: program.index("# A part is held out")], "program.py", "exec"), found)
        assert len(found["x"]) == len(data.x_train)
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(data.x_train, found["x"], strict=True))
        np.testing.assert_array_equal(found["y"], data.y_train)


@pytest.mark.parametrize("name", ["excel", *SLOW])
def test_program_scores_as_the_kit_does(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    take, spec = DATA[name]
    data = take()
    seeds, last = range(5), f"val_{data.problem.measure}"
    kit = [train_as_the_program(spec.replace(seed=seed), data) for seed in seeds]
    models = train_with_each_seed(recipe.keras_code(spec, data.problem), seeds)
    program = [model.history.history[last][-1] for model in models]
    # Both have the same first weights and the same rows; only the order of the batches differs.
    error = np.sqrt((np.var(kit, ddof=1) + np.var(program, ddof=1)) / len(seeds))
    difference = abs(np.mean(kit) - np.mean(program))
    near = 0.01 if data.problem.type.is_classification else 0.03 * np.mean(kit)
    assert difference <= max(near, 2 * error)
