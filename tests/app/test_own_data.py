"""The three doors for data of one's own, and the steps behind them."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forks import PYTHON
from PIL import Image
from sklearn import datasets as sk

import recipe

SPEC = recipe.ModelSpec(hidden_units=(16,), epochs=20, batch_size=16)


@pytest.fixture(scope="module")
def staff():
    """300 people, of whom some leave: numbers, categories, booleans and gaps."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, 300).round(1),
            "city": rng.choice(["Rome", "Oslo", "Bern"], 300),
            "married": rng.random(300) < 0.5,
            "grade": pd.Categorical(rng.choice([1, 2, 3], 300)),
        }
    )
    leaves = (frame.age > 40) ^ (frame.city == "Rome") ^ (rng.random(300) < 0.1)
    frame["left"] = np.where(leaves, "yes", "no")
    frame.loc[rng.random(300) < 0.1, "age"] = np.nan
    frame.loc[:4, "city"] = None
    return frame


def test_from_table_tells_numbers_from_categories(staff):
    problem = recipe.from_table(staff, "left").problem
    assert problem.type.value == "binary classification"
    assert problem.output_names == ("no", "yes")
    assert problem.feature_names == ("age", "city", "married", "grade")
    assert problem.categories == ((), ("Bern", "Oslo", "Rome", "missing"), (), ("1", "2", "3"))
    assert problem.gaps == (0,)


def test_prepare_fills_gaps_from_the_training_part_with_indicators_and_one_column_a_category(staff):
    split = recipe.hold_out(recipe.from_table(staff, "left"))
    prepared = recipe.prepare(split)
    columns = prepared.preparation.columns
    assert columns[:4] == ("age", "married", "age is missing", "city = Bern")
    missing = np.isnan(split.x_val[:, 0])
    x = prepared.x_val
    np.testing.assert_array_equal(x[:, 2], missing)
    age = (np.nanmedian(split.x_train[:, 0]) - prepared.preparation.mean[0]) / prepared.preparation.std[0]
    np.testing.assert_allclose(x[missing, 0], age, rtol=1e-5)
    np.testing.assert_array_equal(x[:, 3:7].sum(axis=1), 1)


ALONE = """
import sys, keras, numpy as np
x = np.load("x.npy").astype("float32")
np.save("alone.npy", keras.saving.load_model("staff.keras").predict(x, verbose=0))
assert "recipe" not in sys.modules
"""


def test_final_model_reads_a_data_frame_before_and_after_it_is_saved_and_keras_alone_its_numbers(staff, tmp_path):
    data = recipe.from_table(staff, "left")
    final = recipe.train_final(SPEC, data)
    rows = staff.head(20).assign(city=lambda frame: frame.city.where(frame.index != 9, "Atlantis"))
    before = final.predict(rows[["grade", "city", "age", "married"]])
    back = recipe.load_model(recipe.save_model(final, tmp_path / "staff.keras"))
    np.testing.assert_allclose(back.predict(rows), before, rtol=1e-5)
    assert back.problem == final.problem
    np.save(tmp_path / "x.npy", data.x_train[:9])
    subprocess.run([*PYTHON, "-c", ALONE], cwd=tmp_path, env=os.environ | {"KERAS_BACKEND": "jax"}, check=True)
    alone = np.load(tmp_path / "alone.npy")
    np.testing.assert_allclose(alone, final.predict(data.x_train[:9]), rtol=1e-4, atol=1e-6)


def test_digits_are_images_and_a_convnet_reads_them_in_colour():
    digits = sk.load_digits()
    grey = recipe.from_arrays(digits.images, digits.target)
    assert (grey.problem.kind, grey.problem.pixel_max, grey.x_train.dtype) == ("image", 16.0, np.uint8)
    colour = recipe.from_arrays(np.repeat(digits.images[..., None], 3, axis=3) / 16, digits.target)
    assert (colour.problem.input_shape, colour.problem.pixel_max) == ((8, 8, 3), 1.0)
    convnet = recipe.ModelSpec(architecture="convnet", hidden_units=(8,), epochs=5, batch_size=32)
    assert recipe.train(convnet, recipe.prepare(recipe.hold_out(colour))).score > 0.8


def test_texts_are_read_in_any_script_with_words_of_the_training_part_alone():
    texts = [f"{'très bon' if row % 2 else 'плохой'} film {row}" for row in range(200)]
    data = recipe.from_arrays(texts, ["pos" if row % 2 else "neg" for row in range(200)])
    assert {"très", "плохой", "film"} < set(data.vocabulary)
    assert sum(word.isdigit() for word in data.vocabulary) == 160  # none of the 40 test texts
    final = recipe.train_final(SPEC, data)
    assert recipe.evaluate_once(final, data).score == 1.0
    assert final.predict(["Très BON!", "плохой"]).round().tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    ("y", "names"),
    [
        ([1, 2, 3], ("1", "2", "3")),
        ([0.0, 1.0, 2.0], ("0", "1", "2")),
        ([False, True], ("False", "True")),
        (["dog", "cat"], ("cat", "dog")),
        (np.array([[1], [2]]), ("1", "2")),
        (np.array([-1, 1]), ("-1", "1")),
        (pd.Series(["b", "a", "c"], dtype="category"), ("a", "b", "c")),
    ],
)
def test_labels_are_understood_as_files_give_them(y, names):
    y = pd.concat([pd.Series(y)] * 30) if isinstance(y, pd.Series) else np.concatenate([np.asarray(y)] * 30)
    data = recipe.from_arrays(np.random.default_rng(0).random((len(y), 3)), y)
    assert data.problem.output_names == names
    assert set(data.y_train.tolist()) == set(range(len(names)))


def test_several_targets_are_labels_or_quantities():
    rng = np.random.default_rng(0)
    x = rng.random((80, 3))
    labels = recipe.from_arrays(x, (rng.random((80, 3)) < 0.4).astype(int), classes=("a", "b", "c"))
    assert labels.problem.type.value == "multiclass, multilabel classification"
    quantities = recipe.from_arrays(x, rng.normal(size=(80, 2)) * (1, 1_000))
    assert quantities.problem.target_scale == (1.0, 1_000.0)


def test_regression_far_from_zero_starts_at_the_mean():
    x = np.random.default_rng(0).normal(size=(300, 4))
    data = recipe.from_arrays(x, 2_000 + 10 * (x[:, 0] + x[:, 1]))
    prepared = recipe.prepare(recipe.hold_out(data))
    run = recipe.train(SPEC.replace(epochs=30), prepared)
    assert run.score < recipe.compute_baseline(prepared).value / 2


def test_test_set_is_stratified_and_the_same_for_the_same_seed(staff):
    first, second = (recipe.from_table(staff, "left", test_size=0.25) for _ in range(2))
    assert first.test.fingerprint == second.test.fingerprint
    assert len(first.test) == 75
    assert recipe.from_table(staff, "left", seed=1).test.fingerprint != first.test.fingerprint


def test_identifier_and_copy_of_the_target_are_named_before_training(staff):
    spoiled = staff.assign(staff_id=range(1_000, 1_300), reason=np.where(staff.left == "yes", "moved", "stays"))
    with pytest.warns(UserWarning, match="looks like an identifier|alone tells the target") as caught:
        data = recipe.from_table(spoiled, "left")
    assert len(caught) == 2
    assert [note.text.split()[0] for note in data.notes if note.is_warning] == ["staff_id", "reason"]


def test_columns_that_tell_nothing_are_left_out_and_named(staff):
    frame = staff.assign(country="CH", name=[f"Person {row}" for row in range(300)], empty=np.nan)
    data = recipe.from_table(frame, "left")
    assert data.problem.feature_names == ("age", "city", "married", "grade")
    assert str(data).count("It is left out.") == 3
    assert "country is the same in every row. It is left out." in str(data)


@pytest.mark.parametrize(
    ("change", "target", "asked", "message"),
    [
        ({}, "lfet", {}, "no column of that name. Received: target='lfet'. Did you mean: left"),
        ({"left": ["one"] + ["no", "yes", "no"] * 99 + ["no"] * 2}, "left", {}, "Received: 1 such, one."),
        ({"left": [f"class {row}" for row in range(300)]}, "left", {}, "300 different values are too many classes"),
        ({"day": pd.Timestamp("2024-02-01")}, "left", {}, "Received: column 'day', such as '2024-02-01 00:00:00'"),
        ({"age": ["1"] * 20 + ["2"] * 100 + ["3"] * 100 + ["n/k"] * 80}, "left", {}, "column 'age', such as 'n/k'"),
        ({"age": [np.inf] + [1, 2, 3] * 99 + [4] * 2}, "left", {}, "1 values are not finite. Received: mine"),
        ({}, "left", {"columns": ["left"]}, "No column is left to predict from"),
        ({"name": [f"P{row}" for row in range(300)]}, "left", {"columns": ["name"]}, "looks like an identifier"),
        ({}, "left", {"measure": "mae"}, "such as mine is. Received: measure='mae'. Choose from accuracy"),
        ({}, "left", {"measure": "acuracy"}, "There is no such measure. Received: measure='acuracy'. Choose from"),
        ({}, "left", {"problem": "regression"}, "These targets cannot be taken for regression"),
        ({}, "age", {"problem": "classification"}, "These targets cannot be taken for classification"),
        ({}, "left", {"problem": "sorting"}, "cannot be taken for sorting"),
        ({}, "left", {"classes": ["a", "b"]}, "The targets have 2 classes: no, yes"),
        ({"left": ["a", "b", "a ", "b"] * 75}, "left", {}, "differ in blanks alone"),
        ({"left": ["a", "", "a", "b"] * 75}, "left", {}, "Some classes are empty"),
        ({"pay": [f"{row:,}" for row in range(1_000, 1_300)]}, "left", {}, "Numbers are written as texts"),
        ({"pay": [f"{row} %" for row in range(300)]}, "left", {}, "Numbers are written as texts"),
        ({}, [], {}, "The table has no column of that name"),
    ],
)
def test_from_table_refuses_in_a_sentence(staff, change, target, asked, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        recipe.from_table(staff.assign(**change), target, **asked)
    assert message in str(caught.value)
    assert "Received:" in str(caught.value)


DAYS = pd.date_range("2020-01-27", periods=300)


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        DAYS.date,
        DAYS.time,
        DAYS.to_period("M"),
        DAYS - DAYS[0],
        pd.Categorical(DAYS),
        *(DAYS.strftime(form) for form in ("%Y-%m-%d", "%d.%m.%y %H:%M", "%d %b %Y", "%B %d, %Y", "%H:%M", "%I:%M %p")),
    ],
)
def test_from_table_refuses_dates_and_times_in_any_form(staff, values):
    with pytest.raises(ValueError, match=r"A date or a time is no number.*Received: column 'day', such as .*dt\.month"):
        recipe.from_table(staff.assign(day=values), "left")


@pytest.mark.parametrize(
    "values", [["May", "June"], ["18-25", "26-40"], ["3.5 GHz", "1 GHz"], ["Golf 2020", "Polo 1999"]]
)
def test_from_table_takes_what_only_resembles_a_date_for_a_category(staff, values):
    data = recipe.from_table(staff.assign(group=values * 150), "left")
    assert set(data.problem.categories[-1]) == set(values)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((12, 2)), [0, 1] * 6, "Too few samples to learn from and to be judged on. Received: 12"),
        (np.zeros((40, 2)), [0, 1] * 10, "Received: x of 40 samples, y of 20"),
        (np.full((40, 2), np.inf), [0, 1] * 20, "80 values are not finite"),
        (np.full((40, 4, 4), -1.0), [0, 1] * 20, "A pixel is 0, black, or brighter. Received: x from -1"),
        (
            np.zeros(40),
            [0, 1] * 20,
            "Samples are rows of numbers, images or texts. Received: x of shape (40,)",
        ),
        (np.array([["a", "b"]] * 40), [0, 1] * 20, "A table with texts in it goes to from_table"),
        (np.zeros((40, 2)), 3, "Received: x of 40 samples, y of 1"),
        (["good", None] * 40, ["a", "b"] * 40, "of texts drop what is none"),
        (["...", ""] * 40, ["a", "b"] * 40, "No text has a word in it. Received: "),
        (np.ones((80, 2)), np.zeros((80, 2, 2)), "Must pass 2-d input"),
        (np.ones((80, 0)), ["a", "b"] * 40, "Received: x of shape (80, 0)"),
    ],
)
def test_from_arrays_refuses_in_a_sentence(x, y, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        recipe.from_arrays(x, y)
    assert message in str(caught.value)


def test_sparse_matrices_and_frames_are_tables(staff):
    from scipy.sparse import random as random_matrix

    sparse = random_matrix(60, 5, density=0.5, random_state=0, format="csr")
    assert recipe.from_arrays(sparse, [0, 1] * 30).x_train.shape == (48, 5)
    beside = recipe.from_arrays(staff[["age", "city"]], staff.left)
    assert beside.problem.feature_names == ("age", "city")


@pytest.fixture
def pictures(tmp_path):
    """Forty images of two sizes in two folders, the first of 16 x 16 pixels: bright and dark ones."""
    rng = np.random.default_rng(0)
    for name, light in (("bright", 200), ("dark", 20)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(20):
            side = 12 if number % 4 else 16
            pixels = rng.integers(light, light + 50, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "mine" / name / f"{number}.{'png' if number % 2 else 'jpg'}")
    return tmp_path / "mine"


def test_from_folder_brings_images_to_one_size_and_says_it(pictures):
    data = recipe.from_folder(pictures)
    assert data.problem.input_shape == (16, 16, 3)
    assert data.problem.output_names == ("bright", "dark")
    assert "40 images in 2 folders, one per class." in str(data)
    assert "40 colour images of 16 x 16 pixels; a white pixel is taken to be 255." in str(data)
    assert str(pictures.parent) not in str(data)
    small = recipe.from_folder(pictures, size=(6, 5))
    assert small.problem.input_shape == (6, 5, 3)
    final = recipe.train_final(SPEC.replace(architecture="linear", epochs=100, learning_rate=0.01), small)
    assert recipe.evaluate_once(final, small).score == 1.0


def png_that_claims(width, height):
    """The beginning of a PNG of that size, as a bomb has it: its pixels would be unpacked from next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100))
    chunks = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_from_folder_leaves_out_and_names_what_cannot_be_read(pictures, tmp_path):
    (pictures / "dark" / "broken.png").write_bytes(b"\x89PNG no image")
    (pictures / ".hidden").mkdir()  # as version control and file managers make them
    Image.new("L", (12, 12)).save(pictures / ".hidden" / "thumbnail.png")
    (pictures / "dark" / "bomb.png").write_bytes(png_that_claims(60_000, 60_000))
    Image.new("L", (12, 12)).save(tmp_path / "outside.png")
    (pictures / "bright" / "link.png").symlink_to(tmp_path / "outside.png")
    with pytest.warns(UserWarning, match="Files that were left out") as caught:
        data = recipe.from_folder(pictures)
    told = str(caught[0].message)
    assert all(name in told for name in ("dark/broken.png", "dark/bomb.png (too large", "bright/link.png (a link out"))
    assert len(data.y_train) + len(data.test) == 40


def test_from_folder_reads_texts(tmp_path):
    for name in ("ham", "spam"):
        (tmp_path / name).mkdir()
        for number in range(20):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} café {number}", encoding="latin-1")
    data = recipe.from_folder(tmp_path)
    assert data.problem.kind == "text"
    assert {"ham", "spam", "café"} < set(data.vocabulary)


@pytest.mark.parametrize("folders", [(), ("one",)])
def test_from_folder_refuses_too_few_classes(tmp_path, folders):
    for name in folders:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("text", encoding="utf-8")
    with pytest.raises(ValueError, match="Classes are folders, two or more"):
        recipe.from_folder(tmp_path)


@pytest.mark.slow
def test_page_on_your_data_runs_from_top_to_bottom(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "your_data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    monkeypatch.chdir(tmp_path)
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it shows what the doors warn of
        for block in blocks:
            exec(compile(block, "your_data.md", "exec"), found)
    assert found["found"].test.score > 0
    assert (tmp_path / "mine.keras").is_file()


def test_from_table_takes_numbers_as_names_each_once():
    frame = pd.DataFrame({0: np.arange(80) % 7, 1: ["no", "yes"] * 40})
    assert recipe.from_table(frame, 1, columns=[0, 0]).problem.feature_names == ("0",)


def test_from_table_drops_rows_without_a_target_and_says_what_a_file_means_by_none(tmp_path):
    frame = pd.DataFrame({"a": np.arange(80) % 7, "t": ["NA", "no", "yes", "no"] * 20})
    frame.to_csv(tmp_path / "some.csv", index=False)
    data = recipe.from_table(tmp_path / "some.csv", "t")
    assert data.problem.output_names == ("no", "yes")
    (note,) = [str(note) for note in data.notes if "dropped" in note.text]
    assert note.startswith("Rows without a target are dropped, 20 of 80: ")
    assert "NA, N/A, None, null and nan are read as missing, even where they name a class" in note
    assert "NA" in recipe.from_table(frame, "t").problem.output_names


def test_from_folder_keeps_the_brightness_of_16_bits_and_the_upright_size(tmp_path):
    for kind, value in {"dark": 10_000, "light": 40_000}.items():
        (tmp_path / kind).mkdir()
        for number in range(20):
            image = Image.fromarray(np.full((6, 10), value + number, np.uint16))
            image.save(tmp_path / kind / f"{number}.png", exif=_turned(image))
    images = recipe.from_folder(tmp_path).x_train
    assert images.shape == (32, 10, 6)
    assert sorted(set(images.ravel().tolist())) == [38, 155]


def _turned(image):
    exif = image.getexif()
    exif[0x0112] = 6
    return exif
