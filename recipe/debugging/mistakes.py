"""What a model gets wrong on held-out samples: the worst images, rows of a table, and texts with the words that moved
them.

Numbers only; `recipe.figures.mistakes` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Samples, Split
from recipe.core.measures import THRESHOLD
from recipe.core.prepared import Preparation, Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.core.reviews import Reviews

if TYPE_CHECKING:
    import keras
    import pandas as pd

JUDGED_ROWS = 2_000  # held-out samples that are looked at: enough to find bad mistakes, and done at once
MOST_TEXTS = 6  # each is asked about as often as it has words
BATCH = 500  # rows that go through the network at once
SURE = 1e-6  # probabilities nearer to 0 or 1 are not told apart
_SAMPLES_ARE = MappingProxyType({"image": "images", "text": "texts", "table": "rows"})


@dataclass(frozen=True, kw_only=True, eq=False)
class TextMistake:
    """One text and what its words did to the model's answer.

    What a word did is by how much it raised the log-odds of the output that is most wrong (a quantity itself): those
    with the word minus those without it, wherever it stands in the text.

    Attributes
    ----------
    words : the whole text, in its order
    strongest : each word that it reads once, with its effect, the largest one, either way, first
    """

    words: tuple[str, ...]
    strongest: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The held-out samples that were judged, and which of them the model gets most wrong.

    Attributes
    ----------
    rows : (samples,), which rows of the validation part were judged
    inputs : these samples, raw: images (samples, height, width), a table (samples, columns), or texts
    truth : (samples,), or (samples, outputs) where a sample has several labels or quantities
    outputs : as the network gave them, (samples, outputs)
    worst : places of the worst mistakes in these arrays, the worst first: the wrong answer that the model was surest
        of, or the largest error; of several quantities the first counts
    texts : one for each of `worst`, where the samples are texts
    """

    problem: Problem
    source: str
    rows: np.ndarray = field(repr=False)
    inputs: Samples = field(repr=False)
    truth: np.ndarray = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    worst: np.ndarray
    texts: tuple[TextMistake, ...] = field(default=(), repr=False)

    @property
    def samples(self) -> int:
        """How many held-out samples were judged."""
        return len(self.rows)

    @property
    def predictions(self) -> np.ndarray:
        """What the model says, in the shape of `truth`: labels, or quantities."""
        if self.problem.type is ProblemType.MULTICLASS:
            return self.outputs.argmax(axis=1)
        says = (self.outputs > THRESHOLD).astype(np.uint8) if self.problem.type.is_classification else self.outputs
        return says if self.truth.ndim > 1 else says[:, 0]

    @property
    def wrong(self) -> int:
        """How many of them are wrong: in any label, or off by anything at all."""
        return int((self.predictions != self.truth).reshape(self.samples, -1).any(axis=1).sum())

    @property
    def errors(self) -> np.ndarray:
        """Prediction minus truth of the first quantity, (samples,): above 0 where the model says too much."""
        return self.outputs[:, 0] - self.truth.reshape(self.samples, -1)[:, 0]

    @property
    def unit(self) -> str:
        """The unit of `errors`."""
        return self.problem.target_unit.split(", and ")[0]

    @property
    def sentence(self) -> str:
        """How many there are, or how far off it is on average and at worst, in words."""
        held_out = f"{self.samples:,} held-out {_SAMPLES_ARE[self.problem.kind]}"
        if self.problem.type.is_classification:
            if not self.wrong:
                return f"Not a single mistake in {held_out}."
            return f"{self.wrong:,} of {held_out} are wrong ({self.wrong / self.samples:.1%})."
        if not self.wrong:
            return f"Not a single error in {held_out}."
        error = self.errors[self.worst[0]]
        off = f"{np.abs(self.errors).mean():.2f} {self.unit}".rstrip()
        return (
            f"Off by {off} on average over {held_out}; at worst {abs(error):.2f} too {'high' if error > 0 else 'low'}, "
            f"in row {self.rows[self.worst[0]]:,}."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the worst ones as a table: what is true, what the model says and, of a table, all columns by name."""
        import pandas as pd

        truth, says = (part[self.worst].reshape(len(self.worst), -1) for part in (self.truth, self.predictions))
        columns = {"truth": truth[:, 0], "prediction": says[:, 0]}
        if truth.shape[1] > 1:
            named = dict(enumerate(self.problem.output_names))
            columns = {
                f"{what}: {named.get(number, number + 1)}": part[:, number]
                for number in range(truth.shape[1])
                for what, part in (("truth", truth), ("prediction", says))
            }
        if not self.problem.type.is_classification:
            columns["error"] = self.errors[self.worst]
        if self.problem.kind == "table":
            columns |= self.problem.name_columns(self.inputs[self.worst])
        return pd.DataFrame(columns, index=pd.Index(self.rows[self.worst], name="row"))


def find_mistakes(model: keras.Model, prepared: Prepared, split: Split, *, count: int = 12) -> Mistakes:
    """Return the worst mistakes of a model on the validation part: at most 2,000 samples, spread evenly over it.

    Parameters
    ----------
    prepared, split : of the training: what the model read, and the same samples raw, to be shown
    count : of mistakes to return, 1 or more; six texts at most, for each of their words is asked about

    Raises
    ------
    ValueError
        If the split is not the one that was prepared, or the model's outputs are not finite.
    """
    _check(prepared, split, count)
    problem, samples = prepared.problem, len(prepared.y_val)
    rows = np.unique(np.linspace(0, samples - 1, min(samples, JUDGED_ROWS)).round().astype(int))
    outputs = predict_rows(model, prepared.x_val[rows], prepared.preparation)
    if not np.isfinite(outputs).all():
        raise ValueError(
            f"Nothing can be said of outputs that are not finite. Received: model={model.name!r}, without a number for "
            f"{(~np.isfinite(outputs).all(axis=1)).sum():,} of {len(rows):,} samples. Take a model that did not "
            "diverge: lower the learning rate, or scale the inputs."
        )
    truth = prepared.y_val[rows]
    badness = _measure_badness(problem, truth, outputs)  # (samples, outputs), 0 where the answer counts as right
    most = badness.max(axis=1)
    worst = np.argsort(-most, kind="stable")
    worst = worst[most[worst] > 0] if problem.type.is_classification else worst
    worst = worst[: min(count, MOST_TEXTS) if problem.kind == "text" else count]
    texts = ()
    if problem.kind == "text":
        texts = tuple(
            _explain_text(model, prepared.preparation, split, rows[place], badness[place].argmax()) for place in worst
        )
    return Mistakes(
        problem=problem,
        source=prepared.source,
        rows=rows,
        inputs=split.x_val[rows],
        truth=truth,
        outputs=outputs,
        worst=worst,
        texts=texts,
    )


def _measure_badness(problem: Problem, truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how far each output is from the truth, (n, outputs): the first quantity's error, or of labels that are
    wrong how sure the model was; of classes only the right one's output counts.
    """
    columns = truth.reshape(len(truth), -1)
    if problem.type is ProblemType.MULTICLASS:
        is_right = np.arange(outputs.shape[1]) == columns
        return np.where(is_right & (outputs.argmax(axis=1)[:, None] != columns), 1 - outputs, 0.0)
    errors = np.abs(outputs - columns)
    if problem.type.is_classification:
        wrong = (outputs > THRESHOLD) != columns
        # Of several labels the worst one counts, though the model may be wrong in another.
        return np.where(wrong.any(axis=1)[:, None], errors, 0.0)
    return errors * (np.arange(errors.shape[1]) == 0)


def _check(prepared: Prepared, split: Split, count: int) -> None:
    if count < 1:
        raise ValueError(f"There is nothing to show. Received: count={count}. Ask for 1 or more.")
    ours, theirs = prepared.problem.name, split.problem.name
    if ours != theirs or len(prepared.y_val) != len(split.y_val):
        raise ValueError(
            f"The split is another one than was prepared. Received: split of {theirs} with {len(split.y_val):,} "
            f"validation samples, prepared of {ours} with {len(prepared.y_val):,}. Give the split that went to prepare."
        )


def _explain_text(model: keras.Model, preparation: Preparation, split: Split, row: int, output: int) -> TextMistake:
    """Say exactly what each word of a text did: take the word out wherever it stands, ask the model again, and compare.

    The rest is prepared anew: a network that reads the first 256 words then reads one more.
    """
    text, vocabulary = split.x_val[row], split.vocabulary
    read = preparation.transform(_as_reviews([text]))[0] if preparation.encoding == "sequence" else text
    ranks = np.unique(read[(read > 0) & (read < preparation.problem.num_words)])
    versions = _as_reviews([text, *(text[text != rank] for rank in ranks)])
    odds = predict_log_odds(model, preparation.transform(versions), preparation)[:, output]
    effects = np.nan_to_num(odds[0] - odds[1:])  # no number where nothing is left to be read
    effect_of = dict(zip(ranks.tolist(), effects.tolist(), strict=True))
    strongest = sorted(effect_of, key=lambda rank: abs(effect_of[rank]), reverse=True)
    names = {rank: vocabulary[rank] if rank < len(vocabulary) else f"word {rank}" for rank in text.tolist()}
    return TextMistake(
        words=tuple(names[rank] for rank in text.tolist()),
        strongest={names[rank]: effect_of[rank] for rank in strongest},
    )


def predict_rows(model: keras.Model, x: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Return a model's outputs for prepared inputs, (n, outputs), in batches of one size: a new size compiles anew."""
    import keras

    outputs = []
    for first in range(0, len(x), BATCH):
        batch = x[first : first + BATCH]
        padded = np.concatenate([batch, np.repeat(batch[:1], BATCH - len(batch), axis=0)])
        said = model(preparation.to_network(padded), training=False)
        outputs.append(np.asarray(keras.ops.convert_to_numpy(said))[: len(batch)])
    return np.concatenate(outputs)


def predict_log_odds(model: keras.Model, x: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Return the log-odds of each output for prepared inputs, (n, outputs); quantities as they are.

    Behind a sigmoid they are what goes into it. Taken from what comes out of it, they would all be alike for an
    overfitted network: float32 has no number between 0.99999994 and 1.
    """
    import keras
    from scipy.special import logit

    last = model.layers[-1]
    if not preparation.problem.type.is_classification:
        return predict_rows(model, x, preparation)
    if not (isinstance(last, keras.layers.Dense) and last.activation is keras.activations.sigmoid and last.use_bias):
        probabilities = predict_rows(model, x, preparation).astype(np.float64)
        return logit(np.clip(probabilities, SURE, 1 - SURE))
    kernel, bias = last.get_weights()
    before = predict_rows(keras.Model(model.inputs[0], last.input), x, preparation)  # (n, features)
    return before.astype(np.float64) @ kernel + bias


def _as_reviews(texts: list[np.ndarray]) -> Reviews:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return Reviews(tokens=np.concatenate(texts), offsets=offsets)
