"""What each word of a review did to the answer, exactly: take the word out, ask the model again, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.preparation import Preparation
from recipe.core.prepared import Prepared
from recipe.core.reviews import Reviews

if TYPE_CHECKING:
    import keras

BATCH = 500  # rows that go through the network at once
SURE = 1e-6  # probabilities nearer to 0 or 1 are not told apart


@dataclass(frozen=True, kw_only=True)
class MovingWord:
    """A word of a review and what it did.

    Attributes
    ----------
    count : how often it stands in the review
    effect : by how much it raised the log-odds of "positive": those with the word minus those without it
    score_without : the probability of "positive" that the model gives to the review without the word
    """

    text: str
    count: int
    effect: float
    score_without: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewMistake:
    """One review and what its words did to the model's answer.

    Attributes
    ----------
    row : which row of the validation part
    label : 0 for negative, 1 for positive
    score : the probability of "positive" that the model gives
    words : the whole text, in its order
    effects : of each of these words, NaN where the model does not read it
    strongest : each word once, the one with the largest effect, either way, first
    """

    row: int
    label: int
    score: float
    words: tuple[str, ...]
    effects: tuple[float, ...]
    strongest: tuple[MovingWord, ...]


def explain_reviews(
    model: keras.Model,
    prepared: Prepared,
    x: Reviews,
    rows: np.ndarray,
    scores: np.ndarray,
    vocabulary: Sequence[str],
) -> tuple[ReviewMistake, ...]:
    """Take every word out of each of these reviews in turn, and predict again.

    A word is taken out wherever it stands in the review, and the rest is prepared anew: a network that reads the first
    256 words then reads one more.

    Parameters
    ----------
    x : the raw reviews of the validation part
    rows, scores : which of them, and what the model says of each
    vocabulary : the word of each rank
    """
    texts = [x[int(row)] for row in rows]
    read = [_ranks_read(text, prepared.preparation) for text in texts]
    shortened = [text[text != rank] for text, ranks in zip(texts, read, strict=True) for rank in ranks]
    without = _ask(model, prepared.preparation, shortened)
    whole = _ask(model, prepared.preparation, texts)
    ends = np.cumsum([len(ranks) for ranks in read])[:-1]
    return tuple(
        _explain(int(row), int(label), float(score), text, ranks, odds - rest, rest, vocabulary)
        for row, label, score, text, ranks, odds, rest in zip(
            rows, prepared.y_val[rows], scores, texts, read, whole, np.split(without, ends), strict=True
        )
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


def log_odds(probability: np.ndarray | float) -> np.ndarray:
    """Return ln(p / (1 - p)): 0 for undecided, 2.2 for 90 %, 4.6 for 99 %."""
    p = np.clip(np.asarray(probability, np.float64), SURE, 1 - SURE)
    return np.log(p / (1 - p))


def predict_log_odds(model: keras.Model, x: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Return the log-odds of "yes" for prepared inputs, (n,).

    They are what goes into the last sigmoid. Taken from what comes out of it, they would all be alike for an overfitted
    network: float32 has no number between 0.99999994 and 1.
    """
    import keras

    last = model.layers[-1]
    if not (isinstance(last, keras.layers.Dense) and last.activation is keras.activations.sigmoid and last.use_bias):
        return log_odds(predict_rows(model, x, preparation)[:, 0])
    kernel, bias = last.get_weights()
    before = predict_rows(keras.Model(model.inputs[0], last.input), x, preparation)  # (n, features)
    return (before.astype(np.float64) @ kernel + bias)[:, 0]


def _ranks_read(text: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Return each word once that the network reads of a text, as ranks."""
    if preparation.encoding == "sequence":
        text = preparation.transform(_as_reviews([text]))[0]
    return np.unique(text[(text > 0) & (text < preparation.problem.num_words)])


def _ask(model: keras.Model, preparation: Preparation, texts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the log-odds of "positive" of each text, (n,)."""
    parts = [
        predict_log_odds(model, preparation.transform(_as_reviews(texts[first : first + BATCH])), preparation)
        for first in range(0, len(texts), BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _as_reviews(texts: Sequence[np.ndarray]) -> Reviews:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return Reviews(tokens=np.concatenate(texts), offsets=offsets)


def _explain(
    row: int,
    label: int,
    score: float,
    text: np.ndarray,
    ranks: np.ndarray,
    effects: np.ndarray,
    without: np.ndarray,
    names: Sequence[str],
) -> ReviewMistake:
    effects = np.nan_to_num(effects)  # no number where nothing is left to be read
    effect_of = dict(zip(ranks.tolist(), effects.tolist(), strict=True))
    return ReviewMistake(
        row=row,
        label=label,
        score=score,
        words=tuple(names[rank] for rank in text.tolist()),
        effects=tuple(effect_of.get(rank, np.nan) for rank in text.tolist()),
        strongest=tuple(
            MovingWord(
                text=names[ranks[place]],
                count=int((text == ranks[place]).sum()),
                effect=float(effects[place]),
                score_without=float(1 / (1 + np.exp(-np.clip(without[place], -500, 500)))),
            )
            for place in np.argsort(-np.abs(effects), kind="stable")
        ),
    )
