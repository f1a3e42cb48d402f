"""The honest rival, the best simple model that is no network, by scikit-learn.

A guess is easily beaten. What a network has to be better than is the model that somebody else would have fitted in a
minute: logistic or ridge regression, gradient boosting on tables, TF-IDF with logistic regression on texts. Where it is
not, the simple model is the one to use: it trains faster and is easier to explain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.base import BaseEstimator

MOST_CELLS = 8_000_000  # numbers that a rival is fitted on, rows times columns: seconds, not minutes, on two cores
MOST_ROWS = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """The best of the simple models on the validation part.

    Attributes
    ----------
    name : such as ``"gradient boosting"``
    value : the problem's measure on the validation part
    outputs : (n_val, outputs), probabilities or quantities in the prepared target's unit, as a network's
    """

    name: str
    value: float
    outputs: np.ndarray = field(repr=False)


def fit_rival(prepared: Prepared) -> Rival:
    """Fit the simple models that suit the kind of input, and return the one that is best in validation.

    They read the very data that a network reads, of much a random part, and are judged on the same validation part by
    the same measure. Their settings are scikit-learn's own, so that none is tuned; with two to choose from the choice
    flatters a little, as it does among networks.
    """
    measure, samples = MEASURES[prepared.problem.measure], len(prepared.y_train)
    columns = 1 if prepared.problem.kind == "text" else int(np.prod(prepared.x_train.shape[1:]))  # texts stay sparse
    most = max(100, min(MOST_ROWS, MOST_CELLS // columns))
    rows = np.sort(np.random.default_rng(0).permutation(samples)[:most])
    x_train, x_val = (_as_features(prepared, x) for x in (prepared.x_train[rows], prepared.x_val))
    y_train = prepared.y_train[rows]
    found = []
    for name, model in _choose_models(prepared.problem).items():
        outputs = _predict(model.fit(x_train, y_train), x_val, prepared.problem)
        value = measure.compute(prepared.problem, prepared.y_val, outputs)
        found.append(Rival(name=name, value=value, outputs=outputs))
    return max(found, key=lambda rival: measure.gain(rival.value, 0.0))


def _as_features(prepared: Prepared, x: np.ndarray) -> np.ndarray | csr_matrix:
    """Return prepared samples as scikit-learn reads them: (n, columns), of texts how often each word is there."""
    from scipy.sparse import csr_matrix

    if prepared.problem.kind != "text":
        return prepared.preparation.to_network(x).reshape(len(x), -1)
    if prepared.preparation.encoding != "sequence":
        return csr_matrix(x.astype(np.float32))
    texts, places = np.nonzero(x)  # 0 fills a short text up
    words = x[texts, places].astype(np.int32)
    return csr_matrix((np.ones(len(words), np.float32), (texts, words)), shape=(len(x), prepared.problem.num_words))


def _choose_models(problem: Problem) -> dict[str, BaseEstimator]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline

    if problem.type.is_classification:
        name, linear = "logistic regression", LogisticRegression(max_iter=300)
        boosted, one_by_one = HistGradientBoostingClassifier(random_state=0), OneVsRestClassifier
    else:
        name, linear = "ridge regression", Ridge()
        boosted, one_by_one = HistGradientBoostingRegressor(random_state=0), MultiOutputRegressor
    if problem.outputs > 1 and problem.type is not ProblemType.MULTICLASS:
        linear, boosted = one_by_one(linear), one_by_one(boosted)
    if problem.kind == "text":
        return {f"TF-IDF and {name}": make_pipeline(TfidfTransformer(sublinear_tf=True), linear)}
    return {name: linear, "gradient boosting": boosted} if problem.kind == "table" else {name: linear}


def _predict(model: BaseEstimator, x_val: np.ndarray, problem: Problem) -> np.ndarray:
    """Return what a fitted model says of the validation part, as a network would: (n_val, outputs)."""
    if not problem.type.is_classification:
        outputs = model.predict(x_val).reshape(len(x_val), -1)
        return outputs.clip(0, 1) if problem.type is ProblemType.BOUNDED_REGRESSION else outputs
    said = model.predict_proba(x_val)
    if problem.type is ProblemType.MULTICLASS:  # a class that the training part lacks has no column
        outputs = np.zeros((len(x_val), problem.outputs))
        outputs[:, model.classes_.astype(int)] = said
        return outputs
    return said if problem.type is ProblemType.MULTILABEL else said[:, 1:]
