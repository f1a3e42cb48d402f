"""The generated programs are run, on Keras's own files and on the sample, and compared with what the kit trains."""

import dataclasses
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from test_spec import random_spec

from recipe import codegen
from recipe.codegen import keras_code
from recipe.datasets import Dataset, SealedTest, load
from recipe.measures import MEASURES
from recipe.models import build_model, make_targets
from recipe.prepare import encoding_for, prepare
from recipe.problems import PROBLEMS, ProblemType, find_problem
from recipe.protocols import take_split
from recipe.reviews import Reviews
from recipe.samples import make_sample
from recipe.spec import ACTIVATIONS, LAST_ACTIVATIONS, ModelSpec
from recipe.training import train

ROWS = 500  # samples in each file of Keras's; the sample form takes the whole sample
RARE_WORD = 12_345  # beyond the 10,000 words that are kept


def keras_arrays(base):
    """The sample's data in the arrays that Keras's own file of that name holds."""
    raw = make_sample(base).arrays
    if base == "housing":
        return {"x": raw["x"][:700], "y": raw["y"][:700]}
    if base == "mnist":
        large = np.kron(raw["x_train"][:ROWS] * np.uint8(15), np.ones((1, 3, 3), np.uint8))
        x, y = np.pad(large, [(0, 0), (2, 2), (2, 2)]), raw["y_train"][:ROWS]
    else:
        reviews = Reviews(tokens=raw["train_tokens"], offsets=raw["train_offsets"].astype(np.int64))
        x, y = np.empty(ROWS, object), raw["train_labels"][:ROWS].astype(np.int64)
        for row in range(ROWS):
            x[row] = [RARE_WORD, *reviews[row].tolist()]
    return {"x_train": x, "y_train": y, "x_test": x[:9], "y_test": y[:9]}


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


def shuffled_by_keras(*columns):
    """Keras shuffles housing and reviews on loading, by the same generator."""
    order = np.arange(len(columns[0]))
    np.random.RandomState(113).shuffle(order)
    return [column[order] for column in columns]


def from_keras_file(name, arrays):
    """What the kit would load from these files: inputs and targets, made here by hand."""
    content = arrays[PROBLEMS[name].base]
    if name == "imdb":
        texts, y = shuffled_by_keras(content["x_train"], content["y_train"])
        offsets = np.cumsum([0, *map(len, texts)])
        return Reviews(tokens=np.concatenate(list(texts)).astype(np.uint32), offsets=offsets), y
    if name.startswith("mnist"):
        x, digits = content["x_train"], content["y_train"]
        loops = np.array([digit in (0, 6, 8, 9) for digit in digits])
        many = np.column_stack([digits % 2 == 0, digits > 4, loops])
        return x, {"mnist": digits, "mnist_five": digits == 5, "mnist_multilabel": many}[name].astype(np.uint8)
    x, y = (part[:480] for part in shuffled_by_keras(content["x"][:600], content["y"][:600]))
    income = np.column_stack([y, x[:, 7]])
    targets = {"housing": y, "housing_fraction": y / np.float32(500_001), "housing_vector": income}
    return (x[:, :7] if name == "housing_vector" else x), targets[name]


def load_as_kit(name, source, arrays):
    if source == "sample":
        return load(name, source="sample")
    x, y = from_keras_file(name, arrays)
    return Dataset(
        problem=find_problem(name),
        x_train=x,
        y_train=y,
        test=SealedTest(x[:1], y[:1]),
        source="local",
        provenance="made for this test",
        reason="made for this test",
        pixel_max=255.0 if PROBLEMS[name].base == "mnist" else 0.0,
    )


def prepare_as_program(spec, dataset):
    """The kit's preparation of the very split that the program makes."""
    rows = len(dataset.y_train)
    val, train_rows = np.split(np.random.default_rng(0).permutation(rows), [round(0.2 * rows)])
    split = take_split(dataset, train_rows, val, protocol="as the program")
    return prepare(split, encoding=encoding_for(spec, dataset.problem))


MLP = {"hidden_units": (8, 6)}
CONVNET = {"architecture": "convnet", "hidden_units": (4, 3)}
EMBEDDING = {"architecture": "embedding", "hidden_units": (6, 5)}
LINEAR = {"architecture": "linear"}
# Every architecture on every problem that it fits, with early stopping on each kind of loss, and what lessons show as
# mistakes: these are trained.
TRAINED_SHORT = [
    ("mnist", LINEAR),
    ("mnist", MLP | {"patience": 1, "l1": 1e-4}),
    ("mnist", CONVNET | {"dropout": 0.25, "l1": 1e-5, "l2": 1e-4}),
    ("imdb", LINEAR),
    ("imdb", MLP | {"patience": 1, "l2": 1e-3}),
    ("imdb", EMBEDDING | {"dropout": 0.5, "l2": 0.01, "patience": 1}),
    ("housing", LINEAR | {"l2": 0.1, "dropout": 0.5, "patience": 1}),
    ("housing", MLP | {"dropout": 0.5, "l1": 0.01, "l2": 0.001, "patience": 1}),
    ("housing", MLP | {"patience": 2, "l2": 1e-3, "loss": "mae"}),
    ("mnist_five", LINEAR),
    ("mnist_five", MLP | {"l2": 0.01, "patience": 1}),
    ("mnist_five", CONVNET | {"patience": 3}),
    ("mnist_multilabel", LINEAR),
    ("mnist_multilabel", CONVNET | {"l2": 0.01, "patience": 1}),
    ("housing_fraction", MLP | {"loss": "binary_crossentropy"}),
    ("housing_vector", MLP | {"l1": 0.01, "patience": 2}),
    ("mnist", MLP | {"last_activation": "sigmoid", "loss": "mse"}),
    ("mnist", MLP | {"loss": "categorical_crossentropy", "l2": 1e-3, "patience": 1}),
    ("imdb", MLP | {"last_activation": "none", "loss": "mse"}),
]
# These run up to `fit`: what they differ in shows before.
BUILT_ALONE = [
    ("mnist", CONVNET),
    ("imdb", EMBEDDING),
    ("imdb", EMBEDDING | {"hidden_units": (6,), "l2": 0.1, "patience": 1}),
    ("mnist_multilabel", MLP),
    ("housing_fraction", LINEAR),
    ("housing_fraction", MLP),
    ("housing_vector", LINEAR),
    *[("housing", MLP | {"optimizer": name}) for name in codegen._OPTIMIZER_CLASSES],
    *[("housing", MLP | {"optimizer": name, "learning_rate": 0.002}) for name in codegen._OPTIMIZER_CLASSES],
    *[("mnist_five", MLP | {"activation": name}) for name in ACTIVATIONS],
    *[("mnist", MLP | {"last_activation": name}) for name in LAST_ACTIVATIONS],
    ("mnist_multilabel", MLP | {"last_activation": "softmax"}),
    ("housing", MLP | {"last_activation": "sigmoid"}),
    ("housing", MLP | {"last_activation": "relu", "loss": "mae", "activation": "tanh", "seed": 7}),
]


def cases(settings):
    """Each program loads its data in one of both forms, in turn."""
    found = []
    for number, (name, values) in enumerate(settings):
        spec, source = ModelSpec(**({"epochs": 1, "batch_size": 64} | values)), ("download", "sample")[number % 2]
        found.append(pytest.param(name, spec, source, id=f"{name}-{source}-{spec.to_text()}"))
    return found


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


@pytest.mark.parametrize(("name", "spec", "source"), cases(BUILT_ALONE))
def test_program_builds_the_model_of_the_spec(name, spec, source, run_program, arrays):
    dataset = load_as_kit(name, source, arrays)
    check_program(run_program(keras_code(spec, dataset.problem, source=source), trains=False), spec, dataset)


@pytest.mark.parametrize(("name", "spec", "source"), cases(TRAINED_SHORT))
def test_program_trains_the_model_of_the_spec(name, spec, source, run_program, arrays):
    dataset = load_as_kit(name, source, arrays)
    found = run_program(keras_code(spec, dataset.problem, source=source))
    check_program(found, spec, dataset)
    history, measure = found["history"].history, dataset.problem.measure
    assert {"loss", "val_loss", measure, f"val_{measure}"} <= set(history)
    assert np.isfinite(list(history.values())).all()
    weights = zip(found["model"].get_weights(), found["first_weights"], strict=True)
    assert any((now != first).any() for now, first in weights)


# The band: how far the program's last validation measure may lie from the kit's, whose batches come in another order.
TRAINED = [
    ("mnist", {"hidden_units": (64,), "batch_size": 32, "epochs": 15}, "sample", 0.03),
    (
        "mnist",
        {"architecture": "convnet", "hidden_units": (8,), "dropout": 0.2, "batch_size": 32, "epochs": 8},
        "sample",
        0.04,
    ),
    ("imdb", {"hidden_units": (16, 16), "l2": 1e-3, "epochs": 6}, "sample", 0.03),
    (
        "imdb",
        {"architecture": "embedding", "hidden_units": (8,), "optimizer": "adam", "learning_rate": 0.01, "epochs": 6},
        "sample",
        0.03,
    ),
    ("housing", {"hidden_units": (64, 64), "batch_size": 16, "epochs": 30}, "download", 0.05),
    ("housing_fraction", {"hidden_units": (32,), "batch_size": 32, "epochs": 20}, "sample", 0.02),
    ("housing_vector", {"hidden_units": (32,), "batch_size": 32, "epochs": 20, "optimizer": "adam"}, "sample", 0.05),
    ("mnist_five", {"hidden_units": (64,), "batch_size": 32, "epochs": 15}, "sample", 0.06),
    ("mnist_multilabel", {"hidden_units": (64,), "batch_size": 32, "epochs": 15}, "sample", 0.04),
]


@pytest.mark.parametrize(
    ("name", "settings", "source", "band"), TRAINED, ids=[f"{c[0]}-{i}" for i, c in enumerate(TRAINED)]
)
def test_program_reaches_what_the_kit_reaches(name, settings, source, band, run_program, arrays):
    spec, dataset = ModelSpec(**settings), load_as_kit(name, source, arrays)
    found = run_program(keras_code(spec, dataset.problem, source=source))
    run = train(spec, prepare_as_program(spec, dataset))
    measure = f"val_{dataset.problem.measure}"
    first, last = run.history[measure][0], run.history[measure][-1]
    assert found["history"].history[measure][-1] == pytest.approx(last, abs=band)
    assert found["history"].history["val_loss"][-1] == pytest.approx(run.history["val_loss"][-1], rel=0.4, abs=0.01)
    assert MEASURES[dataset.problem.measure].gain(last, first) > 0  # something was learned, so that it says something


@pytest.mark.parametrize("l1", [0.0, 1e-3])
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


def test_program_stops_where_the_kit_would_by_its_own_losses(run_program):
    """The program's own losses, put to the kit's rule, end at the same epoch."""
    from recipe.members import Progress

    spec = ModelSpec(hidden_units=(32,), optimizer="adam", learning_rate=0.05, epochs=40, patience=2)
    watched = run_program(keras_code(spec, find_problem("imdb")))["history"].history["val_loss"]
    progress = Progress()
    for loss in watched:
        assert progress.stopped is None
        progress.record({"val_data_loss": loss}, spec.patience)
    assert progress.stopped == "early"


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", ["mnist", "imdb", "mnist_multilabel", "housing", "housing_vector"])
def test_program_measures_as_the_kit_does(name, measure):
    problem = find_problem(name)
    if problem.type not in MEASURES[measure].types:
        return
    program = keras_code(ModelSpec(), dataclasses.replace(problem, measure=measure))
    metric = eval(re.search(r"metrics=\[(.*)\]", program).group(1), {"keras": keras})
    expected = MEASURES[measure].keras_metric(problem)
    if isinstance(metric, str):
        assert metric == expected.name
    else:
        assert (type(metric), metric.get_config()) == (type(expected), expected.get_config())


def test_programs_are_tidy(tmp_path):
    rng = np.random.default_rng(1)
    programs = []
    for name, spec, _ in (case.values for case in cases(TRAINED_SHORT + BUILT_ALONE)):
        programs.append(keras_code(spec, find_problem(name)))
        programs.append(keras_code(spec, load(name, source="sample").problem, source="sample"))
    for number in range(150):
        problem = list(PROBLEMS.values())[number % len(PROBLEMS)]
        fitting = {"mnist": "convnet", "imdb": "embedding", "housing": "mlp"}[problem.base]
        spec = random_spec(rng).replace(
            architecture=rng.choice(["mlp", "linear", fitting]), hidden_units=(2048, 1024, 512)[: 1 + number % 3]
        )
        if spec.loss.startswith("sparse") and problem.type is not ProblemType.MULTICLASS:
            spec = spec.replace(loss="auto")
        programs.append(keras_code(spec, problem, validation=0.25))
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


def test_keras_code_takes_the_source_from_the_size_of_the_input():
    spec = ModelSpec()
    for name in ("mnist", "mnist_five", "imdb"):
        sample = load(name, source="sample").problem
        assert keras_code(spec, sample) == keras_code(spec, sample, source="sample")
    for name, problem in PROBLEMS.items():
        assert keras_code(spec, problem) == keras_code(spec, problem, source="download"), name
        assert keras_code(spec, problem) == keras_code(spec, problem, source="local"), name


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_keras_code_names_every_activation(activation):
    program = keras_code(ModelSpec(activation=activation), find_problem("housing"))
    assert f'keras.layers.Dense(64, activation="{activation}"),' in program


def test_keras_code_refuses_a_source_whose_images_have_another_size():
    small = load("mnist", source="sample").problem
    for problem, source in ((small, "download"), (small, "local"), (find_problem("mnist"), "sample")):
        message = (
            f"The images of this source are not of shape {problem.input_shape}. Received: source='{source}'. "
            "Take problem and source from one dataset: keras_code(spec, dataset.problem, source=dataset.source)."
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            keras_code(ModelSpec(), problem, source=source)


def test_keras_code_refuses_an_unknown_source():
    message = "There is no such source. Received: source='web'. Choose from auto, local, download, sample."
    with pytest.raises(ValueError, match=re.escape(message)):
        keras_code(ModelSpec(), find_problem("mnist"), source="web")


@pytest.mark.parametrize("validation", [0, 1, -0.5, float("nan"), 20])
def test_keras_code_refuses_a_validation_part_out_of_range(validation):
    with pytest.raises(ValueError, match=re.escape(f"Received: validation={validation!r}. Give a fraction such as")):
        keras_code(ModelSpec(), find_problem("mnist"), validation=validation)


def test_keras_code_refuses_an_architecture_that_does_not_fit():
    with pytest.raises(ValueError, match="A convnet needs images, and a sample of housing has the shape"):
        keras_code(ModelSpec(architecture="convnet"), find_problem("housing"))
