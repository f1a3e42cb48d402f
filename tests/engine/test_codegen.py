"""The generated programs are run, on Keras's own files and on the sample, and compared with what the kit trains."""

import dataclasses
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras_programs import cases, keras_arrays, load_as_kit, prepare_as_program

from recipe.core.measures import MEASURES
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.codegen import keras_code
from recipe.engine.models import build_model, make_targets, metric_of

SLOW = pytest.mark.slow  # another problem beside one that make test trains


@pytest.fixture(scope="module")
def arrays():
    return {base: keras_arrays(base) for base in ("mnist", "imdb", "housing")}


@pytest.fixture(scope="module")
def folder(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras_datasets")
    for base, content in arrays.items():
        np.savez(folder / f"{base}.npz", **content)
    return folder


@pytest.fixture
def run_program(folder, monkeypatch):
    """Run a program in a namespace of its own; `fit` reports what it was called with, and what weights it found.

    Without `trains` it does no more than that.
    """
    for base, module in (("mnist", "mnist"), ("imdb", "imdb"), ("housing", "california_housing")):
        monkeypatch.setattr(f"keras.src.datasets.{module}.get_file", lambda *_, b=base, **__: str(folder / f"{b}.npz"))
    fit = keras.Model.fit

    def run(program, trains=True):
        seen = {}

        def recording_fit(model, x, y, **arguments):
            seen.update(first_weights=model.get_weights(), fit_arguments=arguments)
            return fit(model, x, y, verbose=0, **arguments) if trains else None

        with monkeypatch.context() as patch:
            patch.setattr(keras.Model, "fit", recording_fit)
            namespace = {"__name__": "__main__"}
            exec(compile(program, "program.py", "exec"), namespace)
        return namespace | seen

    return run


def comparable(layer):
    """A layer's configuration without what differs by nature: its name, and a penalty's way to be written."""
    config = layer.get_config()
    penalty = config.pop("kernel_regularizer", None)
    strengths = penalty["config"] if penalty else {}
    for name in ("name", "build_config"):
        config.pop(name, None)
    return type(layer), config, {name: np.float32(value) for name, value in strengths.items() if value}


def optimizer_config(model):
    config = model.optimizer.get_config()
    return type(model.optimizer), {name: value for name, value in config.items() if name != "name"}


def check_program(found, spec, dataset):
    """Compare the network, its first weights, how it is trained, and the data with those of the kit."""
    problem, model, expected = dataset.problem, found["model"], build_model(spec, dataset.problem)
    assert [comparable(layer) for layer in model.layers] == [comparable(layer) for layer in expected.layers]
    assert (model.input_shape, model.input_dtype) == (expected.input_shape, expected.input_dtype)
    for ours, theirs in zip(found["first_weights"], expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert optimizer_config(model) == optimizer_config(expected)
    assert model.loss == expected.loss
    arguments = found["fit_arguments"]
    assert (arguments["batch_size"], arguments["epochs"]) == (spec.batch_size, spec.epochs)
    assert [stop.patience for stop in arguments.get("callbacks", ())] == ([spec.patience] if spec.patience else [])
    prepared = prepare_as_program(spec, dataset)
    for part in ("train", "val"):
        np.testing.assert_allclose(found[f"x_{part}"], prepared.inputs(part), atol=2e-4)
        targets = make_targets(spec, problem, getattr(prepared, f"y_{part}"))
        np.testing.assert_allclose(found[f"y_{part}"].reshape(targets.shape), targets, rtol=1e-5)


@pytest.mark.parametrize(("name", "spec", "source"), cases())
def test_program_builds_the_model_of_the_spec(name, spec, source, run_program, arrays):
    dataset = load_as_kit(name, source, arrays)
    check_program(run_program(keras_code(spec, dataset.problem, source=source), trains=False), spec, dataset)


@pytest.mark.parametrize("l1", [pytest.param(0.0, marks=SLOW), 1e-3])
def test_program_stops_early_on_the_loss_without_its_penalty(l1, run_program):
    spec = ModelSpec(hidden_units=(64,), l1=l1, optimizer="adam", learning_rate=0.003, epochs=60, patience=3)
    found = run_program(keras_code(spec, find_problem("imdb")))
    history = found["history"].history
    watched = history["val_binary_crossentropy" if l1 else "val_loss"]
    assert len(watched) == np.argmin(watched) + 1 + 3 < 60
    outputs = found["model"].predict(found["x_val"], verbose=0)
    y = found["y_val"].reshape(-1, 1).astype(np.float32)
    restored = float(np.mean(keras.losses.binary_crossentropy(y, outputs)))
    assert restored == pytest.approx(min(watched), rel=1e-4)
    if l1:  # Keras counts the penalty into val_loss, which falls on and would have gone on training
        assert np.argmin(history["val_loss"]) > np.argmin(watched)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", ["mnist", "imdb", "mnist_multilabel", "housing", "housing_vector"])
def test_program_measures_as_the_kit_does(name, measure):
    problem = find_problem(name)
    if problem.type not in MEASURES[measure].types:
        return
    problem = dataclasses.replace(problem, measure=measure)
    metric = eval(re.search(r"metrics=\[(.*)\]", keras_code(ModelSpec(), problem)).group(1), {"keras": keras})
    name, arguments = metric_of(problem)
    assert (type(metric).__name__ if arguments else metric) == name
    assert not arguments or arguments.items() <= metric.get_config().items()


def test_programs_are_tidy(tmp_path):
    long = {"hidden_units": (2048, 1024, 512), "l1": 1e-16, "l2": 1e-5, "dropout": 0.125, "patience": 10}
    programs = [keras_code(ModelSpec(learning_rate=1e-5, **long), problem) for problem in PROBLEMS.values()]
    for name, spec, _ in (case.values for case in cases()):
        programs.append(keras_code(spec, find_problem(name)))
        programs.append(keras_code(spec, load(name, source="sample").problem, source="sample"))
    for number, program in enumerate(programs):
        (tmp_path / f"program_{number}.py").write_text(program, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    rules = "E,F,W,I,B,UP,SIM,RUF,PT,PTH,C4,NPY"
    options = ["--isolated", "--no-cache", "--line-length=120", str(tmp_path)]
    for command in (["check", f"--select={rules}"], ["format", "--check", "--diff"]):
        done = subprocess.run([*ruff, *command, *options], capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 0, (done.stdout + done.stderr)[:3000]


@pytest.mark.parametrize("name", PROBLEMS)
def test_program_is_plain_keras_unless_it_loads_the_sample(name):
    spec = ModelSpec()
    assert "recipe" not in keras_code(spec, find_problem(name))
    sample = load(name, source="sample").problem
    program = keras_code(spec, sample, source="sample")
    assert f'recipe.load("{name}", source="sample")' in program
    assert program.count("recipe.") == 1
    assert keras_code(spec, sample, source="sample") == program  # the same each time
