"""From a spec to the plain Keras program that trains the same model, to read, to run and to take along."""

from __future__ import annotations

from pprint import pformat

from recipe.models import check_fit, last_activation, loss_name, wants_one_hot
from recipe.problems import HOUSING_CAP, REVIEW_LENGTH, Problem, ProblemType
from recipe.spec import ModelSpec

_METRICS = {
    "accuracy": '"accuracy"',
    "mae": '"mae"',
    "mse": '"mse"',
    "f1": 'keras.metrics.F1Score(threshold=0.5, average="macro", name="f1")',
}


def keras_code(spec: ModelSpec, problem: Problem, *, source: str = "download", validation: float = 0.2) -> str:
    """Return a Keras program, data loading included, for this spec and problem.

    Parameters
    ----------
    source : ``"sample"`` loads the kit's embedded sample; anything else loads the data through `keras.datasets`
    validation : part of the training samples that is held out

    Returns
    -------
    str
        Python source. When it has run, `model` is the fitted model and `history` what `fit` returned. Architecture,
        first weights and data are those of `build_model` and `load`; the order of the batches is Keras's own.

    Raises
    ------
    ValueError
        If the architecture does not suit the problem.
    """
    check_fit(spec, problem)
    load = _load_sample(problem) if source == "sample" else _LOADERS[problem.base](spec, problem)
    imports = ["import keras", "import numpy as np"] + (["import recipe"] if source == "sample" else [])
    parts = [
        "\n".join(imports),
        f"keras.utils.set_random_seed({spec.seed})",
        f"# The data: {problem.question}\n" + load,
        "# Hold out a part for validation, then prepare both with what the training part alone tells.\n"
        + _split(validation)
        + _prepare(spec, problem, sample=source == "sample"),
        "# The network.\n" + _model(spec, problem),
        _training(spec),
    ]
    return "\n\n".join(parts) + "\n"


def _load_sample(problem: Problem) -> str:
    """The embedded sample comes from the kit itself, whatever the problem."""
    lines = [f'dataset = recipe.load("{problem.name}", source="sample")', "x, y = dataset.x_train, dataset.y_train"]
    return "\n".join(lines)


def _load_mnist(spec: ModelSpec, problem: Problem) -> str:
    """Digits, with the labels of the problem."""
    lines = ["(x, y), _ = keras.datasets.mnist.load_data()"]
    if problem.type is ProblemType.BINARY:
        lines.append('y = (y == 5).astype("uint8")')
    if problem.type is ProblemType.MULTILABEL:
        lines.append("# even, above four, with a closed loop")
        lines.append('y = np.stack([y % 2 == 0, y > 4, np.isin(y, [0, 6, 8, 9])], axis=1).astype("uint8")')
    return "\n".join(lines)


def _load_imdb(spec: ModelSpec, problem: Problem) -> str:
    """Reviews as lists of frequency ranks, without the shift and the start mark that Keras adds by default."""
    return "\n".join(
        [
            "(x, y), _ = keras.datasets.imdb.load_data(",
            f"    num_words={problem.words}, index_from=0, start_char=None, oov_char=None",
            ")",
        ]
    )


def _load_housing(spec: ModelSpec, problem: Problem) -> str:
    """The small version, 600 districts, with the target of the problem."""
    lines = ['(x, y), _ = keras.datasets.california_housing.load_data(version="small")']
    if problem.type is ProblemType.BOUNDED_REGRESSION:
        lines.append(f"y = y / {HOUSING_CAP:.0f}  # a fraction of the highest recorded value")
    if problem.outputs == 2:
        lines.append("x, y = x[:, :7], np.stack([y, x[:, 7]], axis=1)  # value and income from the rest")
    return "\n".join(lines)


_LOADERS = {"mnist": _load_mnist, "imdb": _load_imdb, "housing": _load_housing}


def _split(validation: float) -> str:
    return "\n".join(
        [
            "order = np.random.default_rng(0).permutation(len(x))",
            f"val, train = np.split(order, [round({validation} * len(x))])",
            "x_train, y_train, x_val, y_val = x[train], y[train], x[val], y[val]",
            "",
        ]
    )


def _prepare(spec: ModelSpec, problem: Problem, *, sample: bool) -> str:
    """Inputs as the network reads them, and targets as the loss compares them."""
    return "\n".join([*_prepare_inputs(spec, problem, sample=sample), *_prepare_targets(spec, problem)])


def _prepare_inputs(spec: ModelSpec, problem: Problem, *, sample: bool) -> list[str]:
    if problem.words:
        return _prepare_reviews(spec, problem, sample=sample)
    if problem.base == "mnist":
        largest = 16 if sample else 255
        return [f'x_train, x_val = x_train.astype("float32") / {largest}, x_val.astype("float32") / {largest}']
    return [
        "mean, std = x_train.mean(axis=0, dtype=float), x_train.std(axis=0, dtype=float)",
        "x_train, x_val = (x_train - mean) / std, (x_val - mean) / std",
    ]


def _prepare_reviews(spec: ModelSpec, problem: Problem, *, sample: bool) -> list[str]:
    """Multi-hot vectors, or for an embedding network the first words of each review."""
    if spec.architecture == "embedding":
        words = ["x_train, x_val = ("]
        words += [f"    keras.utils.pad_sequences({'_keep(part)' if sample else 'part'}, maxlen={REVIEW_LENGTH},"]
        words += [
            '                              padding="post", truncating="post")',
            "    for part in (x_train, x_val)",
            ")",
        ]
        keep = [
            "def _keep(part):",
            f"    return [[word for word in review if word < {problem.words}] for review in part]",
        ]
        return [*keep, "", *words] if sample else words
    return [
        "def multi_hot(reviews):",
        f'    vectors = np.zeros((len(reviews), {problem.words}), dtype="float32")',
        "    for row, review in enumerate(reviews):",
        "        vectors[row, review] = 1",
        "    return vectors",
        "",
        "x_train, x_val = multi_hot(x_train), multi_hot(x_val)",
    ]


def _prepare_targets(spec: ModelSpec, problem: Problem) -> list[str]:
    if wants_one_hot(spec, problem):
        to_vectors = "keras.utils.to_categorical({0}, " + f"{problem.outputs})"
        return [f"y_train, y_val = {to_vectors.format('y_train')}, {to_vectors.format('y_val')}"]
    if problem.target_scale != (1.0,):
        scale = f"{problem.target_scale[0]:.0f}" if problem.outputs == 1 else pformat(list(problem.target_scale))
        return [f"y_train, y_val = y_train / {scale}, y_val / {scale}  # in {problem.target_unit}"]
    return []


def _model(spec: ModelSpec, problem: Problem) -> str:
    """The layers as a list, and `compile`."""
    layers = "\n".join(f"        {line}," for line in _layer_lines(spec, problem))
    return "\n".join(
        [
            "model = keras.Sequential(",
            "    [",
            layers,
            "    ]",
            ")",
            "model.compile(",
            f"    optimizer={_optimizer(spec)},",
            f'    loss="{loss_name(spec, problem)}",',
            f"    metrics=[{_METRICS[problem.measure]}],",
            ")",
        ]
    )


def _layer_lines(spec: ModelSpec, problem: Problem) -> list[str]:
    """One line of source a layer, in the order of `build_model`."""
    activation = last_activation(spec, problem)
    ending = f', activation="{activation}"' if activation else ""
    output = f"keras.layers.Dense({problem.outputs}{ending})"
    dropout = [f"keras.layers.Dropout({spec.dropout})"] if spec.dropout else []
    hidden = f', activation="{spec.activation}"' + _penalty(spec)
    dense = [line for units in spec.hidden_units for line in (f"keras.layers.Dense({units}{hidden})", *dropout)]
    if spec.architecture == "convnet":
        shape = (*problem.input_shape, 1)
        lines = [f"keras.Input({problem.input_shape})", f"keras.layers.Reshape({shape})"]
        for filters in spec.hidden_units:
            lines.append(f'keras.layers.Conv2D({filters}, 3, padding="same"{hidden})')
            lines.append("keras.layers.MaxPooling2D(2)")
        return [*lines, "keras.layers.Flatten()", *dropout, output]
    if spec.architecture == "embedding":
        lines = [f'keras.Input(({REVIEW_LENGTH},), dtype="int32")']
        lines.append(f"keras.layers.Embedding({problem.words}, {spec.hidden_units[0]}, mask_zero=True)")
        return [*lines, "keras.layers.GlobalAveragePooling1D()", *dropout, *dense[1 + len(dropout) :], output]
    flatten = ["keras.layers.Flatten()"] if len(problem.input_shape) > 1 else []
    return [f"keras.Input({problem.input_shape})", *flatten, *dense, output]


def _penalty(spec: ModelSpec) -> str:
    if not spec.l1 and not spec.l2:
        return ""
    return f", kernel_regularizer=keras.regularizers.L1L2(l1={spec.l1}, l2={spec.l2})"


def _optimizer(spec: ModelSpec) -> str:
    """A name where the default rate serves, else the optimizer with its rate."""
    if spec.learning_rate is None:
        return f'"{spec.optimizer}"'
    names = {
        "rmsprop": "RMSprop",
        "adam": "Adam",
        "sgd": "SGD",
        "adamw": "AdamW",
        "nadam": "Nadam",
        "adagrad": "Adagrad",
    }
    return f"keras.optimizers.{names[spec.optimizer]}(learning_rate={spec.learning_rate})"


def _training(spec: ModelSpec) -> str:
    """The call of `fit`; with patience, early stopping on the data loss, which is the loss without its penalty."""
    lines = [
        "history = model.fit(",
        "    x_train,",
        "    y_train,",
        f"    batch_size={spec.batch_size},",
        f"    epochs={spec.epochs},",
        "    validation_data=(x_val, y_val),",
        *([f"    callbacks=[{_stoppers(spec)}],"] if spec.patience else []),
        ")",
    ]
    if spec.patience is None:
        return "\n".join(lines)
    return "\n".join([*_early_stopping(spec), *lines])


def _early_stopping(spec: ModelSpec) -> list[str]:
    """Lines that make `early`; a penalty is taken off `val_loss` first, since Keras counts it in."""
    stop = 'early = keras.callbacks.EarlyStopping("{}", mode="min", patience={}, restore_best_weights=True)'
    if not spec.l1 and not spec.l2:
        return [stop.format("val_loss", spec.patience)]
    return [
        "# val_loss counts the penalty in: take it off, so that early stopping judges the predictions alone.",
        "class DataLoss(keras.callbacks.Callback):",
        "    def on_epoch_end(self, epoch, logs=None):",
        '        logs["val_data_loss"] = logs["val_loss"] - float(sum(self.model.losses))',
        "",
        "",
        stop.format("val_data_loss", spec.patience),
    ]


def _stoppers(spec: ModelSpec) -> str:
    return "DataLoss(), early" if spec.l1 or spec.l2 else "early"
