"""From a spec to a plain compiled Keras model.

The model is what `keras.Sequential`, `compile` and the table say, nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.core.input_checks import expect
from recipe.core.measures import MEASURES, THRESHOLD
from recipe.core.problem import REVIEW_LENGTH, Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.engine.compile_cache import use_compile_cache

if TYPE_CHECKING:
    import keras


def build_model(spec: ModelSpec, problem: Problem) -> keras.Model:
    """Build and compile the Keras model that a spec describes for a problem.

    Parameters
    ----------
    spec : ModelSpec
    problem : Problem
        Gives the shape of the input, the units and activation of the last layer, the loss and the metric.

    Returns
    -------
    keras.Model
        A compiled `keras.Sequential`. Its input is float32 of shape ``(batch, *problem.input_shape)``, pixels in
        [0, 1]; an embedding network takes whole numbers of shape ``(batch, 256)``. The same spec always gives the
        same first weights, and the global random state is left as it was.

    Raises
    ------
    ValueError
        If the architecture does not suit the problem, such as a convnet for a table.
    TypeError
        If that is no spec, or no problem.
    """
    import keras

    from recipe.engine.first_weights import build_optimizer, fast_first_weights, fixed_seed

    expect(spec, ModelSpec, "A model is built from a spec, for a problem.")
    expect(problem, Problem, "A model is built from a spec, for a problem.")
    check_fit(spec, problem)
    use_compile_cache()
    with fixed_seed(spec.seed):
        layers = _layers(spec, problem)
        with fast_first_weights(layers):
            model = keras.Sequential(layers, name=f"{problem.name}_{spec.architecture}")
        rate = {} if spec.learning_rate is None else {"learning_rate": spec.learning_rate}  # else Keras's default
        optimizer = keras.optimizers.get({"class_name": spec.optimizer, "config": rate})
        name, arguments = metric_of(problem)
        metric = getattr(keras.metrics, name)(**arguments) if arguments else name
        model.compile(optimizer=optimizer, loss=loss_name(spec, problem), metrics=[metric])
        # Built here, inside the fixed seed: an optimizer that is built later would still draw nothing, but must exist.
        build_optimizer(model.optimizer, model.trainable_variables)
    return model


def last_activation(spec: ModelSpec, problem: Problem) -> str | None:
    """Return the activation of the last layer: the table's, unless the spec asks for another."""
    if spec.last_activation == "auto":
        return problem.last_layer.activation
    return None if spec.last_activation == "none" else spec.last_activation


def loss_name(spec: ModelSpec, problem: Problem) -> str:
    """Return the name of the loss: the table's, unless the spec asks for another."""
    return problem.last_layer.loss if spec.loss == "auto" else spec.loss


def wants_one_hot(spec: ModelSpec, problem: Problem) -> bool:
    """Say whether the loss compares each class with a 0 or a 1, so that integer labels must become vectors."""
    return problem.type is ProblemType.MULTICLASS and not loss_name(spec, problem).startswith("sparse")


def make_targets(spec: ModelSpec, problem: Problem, y: np.ndarray) -> np.ndarray:
    """Return labels or quantities in the shape that the loss compares with the output.

    Parameters
    ----------
    y : np.ndarray of shape (n,) or (n, outputs)

    Returns
    -------
    np.ndarray of shape (n,) for integer labels of one class each, else (n, outputs); the dtype is kept.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> make_targets(ModelSpec(), find_problem("imdb"), np.array([0, 1, 1])).shape
    (3, 1)
    """
    if wants_one_hot(spec, problem):
        return np.eye(problem.outputs, dtype=np.uint8)[y]
    return y if problem.type is ProblemType.MULTICLASS else y.reshape(len(y), -1)


def check_fit(spec: ModelSpec, problem: Problem) -> None:
    """Raise ValueError if the architecture cannot work on this problem's input."""
    if spec.architecture == "convnet" and problem.kind != "image":
        raise ValueError(
            f"A convnet needs images, and a sample of {problem.name} has the shape {problem.input_shape}. "
            f'Received: architecture="convnet". Take architecture="mlp".'
        )
    if spec.architecture == "convnet" and min(problem.input_shape[:2]) < 2 ** len(spec.hidden_units):
        raise ValueError(
            f"Each convolution is followed by a pooling that halves the image, and {problem.input_shape} is too small "
            f"for {len(spec.hidden_units)}. Received: hidden_units={spec.hidden_units}. Take fewer layers."
        )
    if spec.architecture == "embedding" and not problem.num_words:
        raise ValueError(
            f'An embedding network needs words, and {problem.name} has none. Received: architecture="embedding". '
            'Take architecture="mlp".'
        )
    sparse = loss_name(spec, problem).startswith("sparse")
    if sparse and problem.type is not ProblemType.MULTICLASS:
        raise ValueError(
            f"A sparse loss wants one integer class a sample; {problem.name} is a {problem.type}. "
            f"Received: loss={spec.loss!r}. Take {' or '.join(problem.last_layer.losses)}."
        )


def _layers(spec: ModelSpec, problem: Problem) -> list[keras.layers.Layer]:
    """Return the layers in order, input first: each draws its seed when it is made, as in the written-out program."""
    from keras import Input, initializers, layers, regularizers

    penalty = regularizers.L1L2(l1=spec.l1, l2=spec.l2) if spec.l1 or spec.l2 else None
    units, options = spec.hidden_units, {"activation": spec.activation, "kernel_regularizer": penalty}
    network = [Input(problem.input_shape)]
    if spec.architecture == "convnet":
        network += [layers.Reshape((*problem.input_shape, 1))] if len(problem.input_shape) == 2 else []  # grey
        for filters in units:  # each pooling halves the image: (28, 28) -> (14, 14) -> (7, 7)
            network += [layers.Conv2D(filters, 3, padding="same", **options), layers.MaxPooling2D(2)]
        units = ()
    if spec.architecture == "embedding":  # word vectors, and their mean over the review, padding left out
        network = [Input((REVIEW_LENGTH,), dtype="int32")]
        network += [layers.Embedding(problem.num_words, units[0], mask_zero=True), layers.GlobalAveragePooling1D()]
        units = units[1:]
    elif len(problem.input_shape) > 1:
        network.append(layers.Flatten())
    if spec.dropout and spec.architecture in {"convnet", "embedding"}:
        network.append(layers.Dropout(spec.dropout))
    for number in units:
        network.append(layers.Dense(number, **options))
        network += [layers.Dropout(spec.dropout)] if spec.dropout else []
    start = {"bias_initializer": initializers.Constant(list(problem.output_start))} if problem.output_start else {}
    return [*network, layers.Dense(problem.outputs, activation=last_activation(spec, problem), name="output", **start)]


def metric_of(problem: Problem) -> tuple[str, dict[str, object]]:
    """Return the class of `keras.metrics` that is the problem's measure, with its arguments; none where a name will do.

    F1 wants targets of shape (n, 1), not (n,), and average precision is Keras's area under the precision-recall curve
    at 200 thresholds, so that it agrees with `Measure.compute` to two digits or so; the others agree to rounding.

    Raises
    ------
    ValueError
        If the measure is not defined for this type of problem.
    """
    measure, several_labels = MEASURES[problem.measure], problem.type is ProblemType.MULTILABEL
    measure.check_type(problem)
    metrics = {
        "f1": ("F1Score", {"threshold": THRESHOLD, "average": "macro"}),
        "precision": ("Precision", {"thresholds": THRESHOLD}),
        "recall": ("Recall", {"thresholds": THRESHOLD}),
        "average_precision": ("AUC", {"curve": "PR", "multi_label": several_labels}),
    }
    if several_labels:  # "accuracy" would compare only the largest output
        metrics["accuracy"] = "BinaryAccuracy", {"threshold": THRESHOLD}
    if measure.name not in metrics:
        return measure.name, {}
    name, arguments = metrics[measure.name]
    return name, arguments | {"name": measure.name}
