"""A final model with its preparation as a file, held against plain Keras and read in another process."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.engine.saving import MEMBER, load_model, save_model
from recipe.steps.s7_final import evaluate_once, train_final

SPEC = ModelSpec(hidden_units=(8,), batch_size=16, epochs=2, dropout=0.2, l2=0.001)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, no_journal):
    """A housing model, its data, and the file that it was saved to."""
    dataset = load("housing", source="sample", rows=100)
    final = train_final(SPEC, dataset)
    return final, dataset, save_model(final, tmp_path_factory.mktemp("models") / "houses.keras")


WAYS = [*((name, "mlp") for name in PROBLEMS), ("mnist", "convnet"), ("imdb", "embedding")]


@pytest.mark.parametrize(
    ("name", "architecture"),
    [pytest.param(*way, marks=[pytest.mark.slow] * (way not in [("mnist", "mlp"), ("imdb", "mlp")])) for way in WAYS],
)
def test_load_model_predicts_on_raw_input_exactly_what_was_saved_and_keras_alone_the_same(name, architecture, tmp_path):
    dataset = load(name, source="sample", rows=100)
    own = dataclasses.replace(dataset.problem, name="of my own", question="What is it?")
    final = train_final(SPEC.replace(architecture=architecture), dataclasses.replace(dataset, problem=own))
    path, x = save_model(final, tmp_path / "model.keras"), dataset.x_train[:20]
    loaded, plain = load_model(path), keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.predict(x), final.predict(x))
    raw = x.sequences(length=2_000, num_words=2**16) if dataset.problem.kind == "text" else x.astype("float32")
    np.testing.assert_allclose(plain.predict(raw, verbose=0), final.predict(x), rtol=1e-4, atol=1e-5)
    assert loaded.problem == final.problem == own
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_load_model_knows_what_was_known_of_its_training_and_can_be_trained_on(saved):
    final, dataset, path = saved
    loaded = load_model(path)
    assert loaded.run.to_dict() == final.run.to_dict()
    assert dataclasses.asdict(loaded.preparation) == dataclasses.asdict(final.preparation)
    assert loaded.run.epochs == 2
    assert evaluate_once(loaded, dataset).score == evaluate_once(final, dataset).score
    x = np.asarray(loaded.preparation.transform(dataset.x_train))
    y = loaded.preparation.transform_target(dataset.y_train)
    assert loaded.model.evaluate(x, y, verbose=0) == pytest.approx(final.model.evaluate(x, y, verbose=0))
    loaded.model.fit(x, y, epochs=1, verbose=0)
    assert not np.allclose(loaded.predict(dataset.x_train), final.predict(dataset.x_train))


def test_save_model_writes_keras_format_and_refuses_a_folder_that_is_not_there(saved, tmp_path):
    assert [save_model(saved[0], tmp_path / name) for name in ("model.h5", "model")] == [tmp_path / "model.keras"] * 2
    with pytest.raises(OSError, match=r"[Nn]o such file or directory"):
        save_model(saved[0], tmp_path / "nowhere" / "model.keras")
    assert list(tmp_path.iterdir()) == [tmp_path / "model.keras"]


def test_a_model_predicts_in_two_threads_at_once():
    data = load("mnist", source="sample", rows=100)
    final = train_final(ModelSpec(hidden_units=(8,), epochs=1), data, journal=None)
    expected = final.predict(data.x_train)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(final.predict, [data.x_train] * 60):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize("part", ["head", "middle", "tail"])
def test_load_model_says_of_a_damaged_file_that_it_is(saved, tmp_path, part):
    data = bytearray(saved[2].read_bytes())
    if part == "tail":
        data = data[:-200]
    else:
        place = 0 if part == "head" else data.index(b"model.weights.h5") + 5_000
        data[place : place + 4] = b"\xff\xfe\xfd\xfc"
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"no whole file of save_model.*Received: .*model\.keras"):
        load_model(path)


def test_load_model_refuses_a_plain_keras_model_and_a_file_that_is_not_there(saved, tmp_path):
    saved[0].model.save(tmp_path / "plain.keras")
    with pytest.raises(ValueError, match=r"no item named 'recipe\.json'.* a plain Keras model is loaded by"):
        load_model(tmp_path / "plain.keras")
    with pytest.raises(FileNotFoundError, match=r"There is no such file\. Received: .*none\.keras"):
        load_model(tmp_path / "none.keras")


def test_load_model_refuses_what_another_version_wrote(saved, tmp_path):
    changes = {"run": {"spec": {"hidden": 3}}, "recipe": "9.0"}
    changed = tmp_path / "changed.keras"
    with zipfile.ZipFile(saved[2]) as archive, zipfile.ZipFile(changed, "w") as copy:
        for name in archive.namelist():
            data = archive.read(name)
            copy.writestr(name, json.dumps(json.loads(data) | changes) if name == MEMBER else data)
    with pytest.raises(ValueError, match=r"of other versions than recipe .*Received: .*changed\.keras"):
        load_model(changed)


def test_load_model_runs_no_code_from_a_file(saved, tmp_path):
    inputs = keras.Input((8,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, :1])(inputs)).save(tmp_path / "code.keras")
    with zipfile.ZipFile(saved[2]) as archive, zipfile.ZipFile(tmp_path / "code.keras", "a") as code:
        code.writestr(MEMBER, archive.read(MEMBER))
    with pytest.raises(ValueError, match=r"(?i:unsafe|safe_mode)"):
        load_model(tmp_path / "code.keras")
