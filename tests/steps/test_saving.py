"""A final model on disk: the same predictions on raw input, and a clear word about every file that is none."""

from __future__ import annotations

import json
import subprocess
import zipfile

import keras
import numpy as np
import pytest
from forks import PYTHON

from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import HOUSING_RATIOS, PROBLEMS
from recipe.steps.s4_export import pad_reviews
from recipe.steps.s7_final import evaluate_once, train_final
from recipe.steps.s7_saving import MEMBER, load_model, save_model

SPEC = ModelSpec(hidden_units=(4, 4), epochs=1, dropout=0.2, l2=0.001)


def _final(name: str, **changes: object) -> tuple:
    dataset = load(name, source="sample", rows=100)
    return train_final(SPEC.replace(**changes), dataset), dataset


@pytest.fixture(scope="module")
def saved(tmp_path_factory, no_journal):
    """A housing model with ratios, its data, and the file that it was saved to."""
    dataset = load("housing", source="sample", rows=100)
    final = train_final(SPEC, dataset, ratios=HOUSING_RATIOS)
    return final, dataset, save_model(final, tmp_path_factory.mktemp("models") / "houses.keras")


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        *(pytest.param(name, "mlp", marks=[pytest.mark.slow] * ("_" in name)) for name in PROBLEMS),
        ("mnist", "convnet"),
        ("imdb", "embedding"),
    ],
)
def test_loaded_model_predicts_on_raw_input_exactly_what_it_did(name, architecture, tmp_path):
    final, dataset = _final(name, architecture=architecture)
    loaded = load_model(save_model(final, tmp_path / "model.keras"))
    x = dataset.x_train[:20]
    np.testing.assert_array_equal(loaded.predict(x), final.predict(x))
    assert loaded.problem == final.problem
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_loaded_model_knows_what_was_known_of_its_training(saved):
    final, _, path = saved
    loaded = load_model(path)
    assert loaded.run.history == final.run.history
    assert (loaded.spec, loaded.epochs, loaded.samples) == (final.spec, 1, final.samples)
    assert loaded.preparation.to_dict() == final.preparation.to_dict()
    assert loaded.run.problem == final.run.problem
    assert loaded.run.versions == final.run.versions


def test_loaded_model_can_be_tested_and_trained_on(saved):
    final, dataset, path = saved
    loaded = load_model(path)
    assert evaluate_once(loaded, dataset).score == evaluate_once(final, dataset).score
    x = np.asarray(loaded.preparation.transform(dataset.x_train))
    y = loaded.preparation.transform_target(dataset.y_train)
    assert loaded.model.evaluate(x, y, verbose=0) == pytest.approx(final.model.evaluate(x, y, verbose=0))
    loaded.model.fit(x, y, epochs=1, verbose=0)
    assert not np.allclose(loaded.predict(dataset.x_train), final.predict(dataset.x_train))


def test_saved_model_is_loaded_by_another_process(saved):
    final, dataset, path = saved
    code = (
        "import sys, recipe; final = recipe.load_model(sys.argv[1]); "
        "data = recipe.load('housing', source='sample', rows=100); print(float(final.predict(data.x_train[:1])[0, 0]))"
    )
    done = subprocess.run([*PYTHON, "-c", code, path], capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout) == final.predict(dataset.x_train[:1])[0, 0]


@pytest.mark.parametrize("name", ["mnist", "imdb", "housing"])
def test_keras_alone_loads_a_model_of_raw_input(name, tmp_path):
    final, dataset = _final(name)
    model = keras.saving.load_model(save_model(final, tmp_path / "model.keras"))
    x = pad_reviews(dataset.x_train[:9]) if name == "imdb" else dataset.x_train[:9].astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), final.predict(dataset.x_train[:9]), rtol=1e-4, atol=1e-5)


def test_saving_replaces_an_older_file(saved, tmp_path):
    final, _, _ = saved
    path = tmp_path / "model.keras"
    path.write_text("old")
    assert save_model(final, str(path)) == path
    assert load_model(path).samples == final.samples


@pytest.mark.parametrize("name", ["model.h5", "model", "model.keras.zip"])
def test_save_model_refuses_another_suffix(saved, tmp_path, name):
    with pytest.raises(ValueError, match=r"whose files end in \.keras\. Received: .*Write model.*\.keras\."):
        save_model(saved[0], tmp_path / name)


def test_save_model_says_where_it_cannot_write_and_leaves_nothing(saved, tmp_path):
    with pytest.raises(OSError, match=r"The model cannot be written: .*Received: .*nowhere.*Take another folder"):
        save_model(saved[0], tmp_path / "nowhere" / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_load_model_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no such file\. Received: .*none\.keras"):
        load_model(tmp_path / "none.keras")


@pytest.mark.parametrize("part", ["head", "middle", "tail"])
def test_load_model_refuses_a_damaged_file(saved, tmp_path, part):
    data = bytearray(saved[2].read_bytes())
    if part == "tail":
        data = data[:-200]
    else:
        place = 0 if part == "head" else data.index(b"model.weights.h5") + 5_000
        data[place : place + 4] = b"\xff\xfe\xfd\xfc"
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"The file is damaged, or no model of this kit: .*Received: .*model\.keras"):
        load_model(path)


def test_load_model_refuses_a_plain_keras_model(saved, tmp_path):
    saved[0].model.save(tmp_path / "plain.keras")
    with pytest.raises(ValueError, match=r"has no recipe\.json, .* a plain Keras model is loaded by keras\.saving"):
        load_model(tmp_path / "plain.keras")


def test_load_model_refuses_a_newer_format(saved, tmp_path):
    path = _with_facts(saved[2], tmp_path, format=2, recipe="9.0")
    with pytest.raises(ValueError, match=r"has format 2, of recipe 9\.0; .* Update the package"):
        load_model(path)


def test_load_model_refuses_facts_that_say_something_else(saved, tmp_path):
    path = _with_facts(saved[2], tmp_path, spec={"hidden": 3})
    with pytest.raises(ValueError, match=r"The file is damaged, or no model of this kit: A spec has no such field"):
        load_model(path)


def test_load_model_runs_no_code_from_a_file(saved, tmp_path):
    inputs = keras.Input((8,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, :1])(inputs)).save(tmp_path / "code.keras")
    with zipfile.ZipFile(saved[2]) as archive, zipfile.ZipFile(tmp_path / "code.keras", "a") as code:
        code.writestr(MEMBER, archive.read(MEMBER))
    with pytest.raises(ValueError, match=r"no model of this kit: .*(?i:unsafe|safe_mode)"):
        load_model(tmp_path / "code.keras")


def _with_facts(path, folder, **changes: object):
    """Return a copy of a saved model with other facts beside it."""
    changed = folder / "changed.keras"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as copy:
        for name in archive.namelist():
            data = archive.read(name)
            copy.writestr(name, json.dumps(json.loads(data) | changes) if name == MEMBER else data)
    return changed
