"""The preparation as Keras layers, inside the model, so that the model takes raw input.

Whoever gets the model cannot forget the preparation, nor fit another one. Tables and images are prepared by Keras's own
layers and operations, so that Keras alone loads the file; to load a model of texts, whose layer is defined here,
`import recipe.engine.preparation_layers` first.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from recipe.core.prepared import Preparation
from recipe.core.problem import REVIEW_LENGTH


def attach_preparation(model: keras.Model, preparation: Preparation) -> keras.Model:
    """Return a model that takes raw input: the preparation as layers, then the layers of the model.

    Parameters
    ----------
    model : a trained model that reads what `preparation` prepares; its layers are shared, not copied
    preparation : fitted on what the model was trained on

    Returns
    -------
    keras.Model
        Its input is float32 of shape ``(batch, height, width)``, with channels behind them in colour, pixels as they
        were loaded; or ``(batch, features)``,
        a table's raw columns; or int32 of shape ``(batch, any length)``, the ranks of a review's words, 0 behind its
        end (see `Reviews.sequences`). Its predictions are those of `model` for prepared data, to rounding.
    """
    is_text = preparation.problem.kind == "text"
    raw = keras.Input((None,) if is_text else preparation.problem.input_shape, dtype="int32" if is_text else "float32")
    x = _prepare(raw, preparation)
    return keras.Model(raw, model(x), name=f"{model.name}_with_preparation")


def _prepare(raw: keras.KerasTensor, preparation: Preparation) -> keras.KerasTensor:
    """Do in the network what `Preparation.transform` and the scale do."""
    problem, is_raw = preparation.problem, preparation.encoding == "raw"
    if problem.kind == "text":
        return EncodeWords(preparation.encoding, problem.num_words, preparation.idf or None)(raw)
    center, spread = preparation.center_and_spread
    if problem.kind == "image":  # all pixels alike: one number each
        scale = keras.layers.Rescaling(1 / spread.item(), offset=-center.item() / spread.item())
        return raw if is_raw else scale(raw)
    parts = []
    if problem.number_columns:
        x = ops.where(ops.isnan(raw), np.array(preparation.median, "float32"), raw) if preparation.median else raw
        numbers = ops.take(x, list(problem.number_columns), axis=1) if problem.category_columns else x
        # `Normalization` divides by the root of the variance, so it does scaling to a range, too.
        scale = keras.layers.Normalization(mean=center.tolist(), variance=(spread**2).tolist())
        parts.append(numbers if is_raw else scale(numbers))
    if problem.gaps:
        parts.append(ops.cast(ops.isnan(ops.take(raw, list(problem.gaps), axis=1)), "float32"))
    for column in problem.category_columns:
        number = ops.cast(ops.take(raw, column, axis=1), "int32")  # -1, an unknown category, becomes zeros
        parts.append(ops.one_hot(number, len(problem.categories[column])))
    return ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


@keras.saving.register_keras_serializable(package="recipe")
class EncodeWords(keras.layers.Layer):
    """Turns ranks of words into what a network reads: (batch, length) -> (batch, words), or (batch, 256) in order.

    Keras's own `TextVectorization` needs TensorFlow, and its `CategoryEncoding` cannot be compiled by JAX.
    """

    def __init__(self, encoding: str, words: int, idf: Sequence[float] | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.encoding, self.words = encoding, words
        self.idf = None if idf is None else [float(value) for value in idf]

    def call(self, ranks: keras.KerasTensor) -> keras.KerasTensor:
        known = ops.where(ranks < self.words, ranks, 0)  # 0 stands for no word
        if self.encoding == "sequence":
            # The known words move to the front in their order, and the first 256 stay: (batch, 256).
            padded = ops.pad(known, [[0, 0], [0, REVIEW_LENGTH]])
            order = ops.argsort(ops.cast(padded == 0, "int32"), axis=1)  # it keeps the order of what is alike
            return ops.take_along_axis(padded, order, axis=1)[:, :REVIEW_LENGTH]
        # How often each word stands in each text, (batch, words): each text has its own stretch of one long row.
        texts = ops.shape(known)[0]
        places = ops.reshape(ops.arange(texts, dtype="int32")[:, None] * self.words + known, (-1,))
        ones = ops.cast(ops.reshape(known, (-1,)) > 0, "float32")  # rank 0 is not counted
        counts = ops.reshape(ops.segment_sum(ones, places, num_segments=texts * self.words), (texts, self.words))
        if self.encoding == "multi_hot":
            return ops.minimum(counts, 1.0)
        weights = counts * ops.convert_to_tensor(self.idf, dtype="float32")
        length = ops.sqrt(ops.sum(weights**2, axis=1, keepdims=True))
        return weights / ops.where(length > 0, length, 1.0)

    def compute_output_spec(self, ranks: keras.KerasTensor) -> keras.KerasTensor:
        in_order = self.encoding == "sequence"
        shape = (ranks.shape[0], REVIEW_LENGTH if in_order else self.words)
        return keras.KerasTensor(shape, dtype="int32" if in_order else "float32")

    def get_config(self) -> dict[str, object]:
        return super().get_config() | {"encoding": self.encoding, "words": self.words, "idf": self.idf}
