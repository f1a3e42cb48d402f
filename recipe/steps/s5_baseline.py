"""Step 5: what does a guess achieve that never looks at the input, and is a model better than that beyond chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.input_checks import expect
from recipe.core.measures import MEASURES, check_outputs
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.steps.s2_measure import LEVEL, paired_test, resample_scores, variance_of_folds

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.base import BaseEstimator

MOST_CELLS = 8_000_000  # numbers that a rival is fitted on, rows times columns: seconds, not minutes, on two cores
MOST_ROWS = 20_000
FEWEST = 6  # samples, below which no difference of two models can be told: not even a sign test could
YES = np.max  # of labels, of which one is a yes

# The best constant guess for each measure. The median has the smallest mean absolute error, the mean the smallest
# squared one. For F1, precision and recall it is a yes to everything: with a share p of positives, saying yes to a
# share q at random has an expected precision of p, a recall of q and so an F1 of about 2pq / (p + q), which grows
# with q. A guess drawn at random from the class shares (q = p) has F1 = p, and never a yes has 0. Ranking needs no
# threshold: the same score for all has an average precision of p.
_GUESSES = {
    "accuracy": ("always the most frequent class", lambda labels: np.bincount(labels.astype(int)).argmax()),
    "f1": ("always yes", YES),
    "precision": ("always yes", YES),
    "recall": ("always yes", YES),
    "average_precision": ("the same score for all", YES),
    "mae": ("always the median", np.median),
    "mse": ("always the mean", np.mean),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """The honest rival: the best of the simple models that are no network, on the validation part.

    A guess is easily beaten. What a network has to be better than is the model that somebody else would have fitted in
    a minute: logistic or ridge regression, gradient boosting on tables, TF-IDF with logistic regression on texts. Where
    it is not, the simple model is the one to use: it trains faster and is easier to explain.

    Attributes
    ----------
    name : such as ``"gradient boosting"``
    value : the problem's measure on the validation part
    outputs : (n_val, outputs), probabilities or quantities in the prepared target's unit, as a network's
    """

    name: str
    value: float
    outputs: np.ndarray = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """What a guess without the input achieves on the validation part.

    Attributes
    ----------
    name : what is guessed, such as ``"always the most frequent class"``
    guess : the guess itself: the class, or the value of each output, in words
    value : the measure on the validation part
    outputs : np.ndarray of shape (n_val, outputs), what a network that guesses so would put out
    prepared : the data that it is of
    """

    name: str
    guess: str
    value: float
    outputs: np.ndarray = field(repr=False)
    prepared: Prepared = field(repr=False)

    @cached_property
    def rival(self) -> Rival:
        """The best simple model that is no network, by scikit-learn, on the same data; it is fitted when asked for."""
        return fit_rival(self.prepared)

    @property
    def sentence(self) -> str:
        """The baseline in words, with its number."""
        measure = MEASURES[self.prepared.problem.measure]
        value = f"{self.value:.3g} {measure.unit_of(self.prepared.problem)}".rstrip()
        return f"Without looking at the input ({self.name}: {self.guess}) the {measure.title} is {value}."


def compute_baseline(prepared: Prepared) -> Baseline:
    """Guess without the input, as well as the problem's measure allows.

    The guess is learned from the training targets and judged on the validation targets, like a model. The baseline
    also has a `rival`, the best simple model that is no network.

    Raises
    ------
    ValueError
        If yes is to be guessed and the training part has no yes.
    TypeError
        If that is no prepared data.

    Examples
    --------
    >>> from recipe import hold_out, load, prepare
    >>> compute_baseline(prepare(hold_out(load("mnist_five", source="sample", rows=200)))).name
    'always yes'
    """
    expect(prepared, Prepared, "A baseline is what a guess achieves on prepared data.")
    problem = prepared.problem
    name, guess = _GUESSES[problem.measure]
    y_train, y_val = prepared.y_train, prepared.y_val
    guesses = np.array([guess(column) for column in y_train.reshape(len(y_train), -1).T], dtype=np.float64)
    if guess is YES and not guesses.all():
        names = problem.output_names[-len(guesses) :]  # of a binary problem's two names the last is the yes
        raise ValueError(
            f"No training sample is a yes for {', '.join(np.array(names)[guesses == 0])}, so no guess and no model can "
            f"learn to say it. Received: y_train of {len(y_train)} samples. Take more rows, or shuffle before "
            "splitting."
        )
    # What a network that is sure of the guess puts out, shape (1, outputs).
    sure = np.eye(problem.outputs)[guesses.astype(int)] if problem.type is ProblemType.MULTICLASS else guesses[None, :]
    outputs = np.tile(sure, (len(y_val), 1))
    return Baseline(
        name=name,
        guess=_in_words(problem, guesses),
        value=MEASURES[problem.measure].compute(problem, y_val, outputs),
        outputs=outputs,
        prepared=prepared,
    )


def _in_words(problem: Problem, guesses: np.ndarray) -> str:
    if not problem.type.is_classification:
        return ", ".join(f"{guess:.3g}" for guess in guesses)
    if problem.type is ProblemType.MULTILABEL:
        pairs = zip(problem.output_names, guesses, strict=True)
        return ", ".join(name if guess else f"not {name}" for name, guess in pairs)
    return problem.output_names[int(guesses[0])]


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
    if prepared.problem.kind != "text":
        features = prepared.preparation.to_network(x).reshape(len(x), -1)
        # Of a table that is not scaled, ridge regression needs all the digits that there are.
        return features.astype(np.float64) if prepared.problem.kind == "table" else features
    from scipy.sparse import csr_matrix

    if prepared.preparation.encoding != "sequence":
        return csr_matrix(x.astype(np.float32))
    texts, places = np.nonzero(x)  # 0 fills a short text up
    words = x[texts, places].astype(np.int32)
    return csr_matrix((np.ones(len(words), np.float32), (texts, words)), shape=(len(x), prepared.problem.num_words))


def _choose_models(problem: Problem) -> dict[str, BaseEstimator]:
    from sklearn import ensemble, linear_model
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline

    if problem.type.is_classification:
        name, linear = "logistic regression", linear_model.LogisticRegression(max_iter=300)
        boosted, one_by_one = ensemble.HistGradientBoostingClassifier(random_state=0), OneVsRestClassifier
    else:
        name, linear = "ridge regression", linear_model.Ridge()
        boosted, one_by_one = ensemble.HistGradientBoostingRegressor(random_state=0), MultiOutputRegressor
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


@dataclass(frozen=True, kw_only=True)
class StatisticalPower:
    """Whether a model beats a baseline beyond chance, judged on the validation samples.

    Attributes
    ----------
    measure : the name of the measure of success
    model, baseline : the measure of either
    difference : how much better the model is, in the measure's unit; below 0 where it is worse
    interval : of the difference, at a level of 90 %, so that its lower end is the one-sided bound of 95 %
    p_value : how often a difference at least as large would turn up if the model were no better (one-sided)
    test : which test that is from
    samples : number of validation samples
    """

    measure: str
    model: float
    baseline: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    test: str
    samples: int

    @property
    def beats_baseline(self) -> bool:
        """Whether the p-value is 0.05 or below, on six samples or more."""
        return self.samples >= FEWEST and self.p_value <= round(1.0 - LEVEL, 12)

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        numbers = f"{MEASURES[self.measure].title} {self.model:.3g} against {self.baseline:.3g}"
        tested = f"{self.test}, {self.samples:,} validation samples"
        if self.samples < FEWEST:
            return f"Too few samples to tell whether the model beats the baseline: {numbers} ({self.samples} of them)."
        if math.isfinite(self.difference):
            low, high = (f"{end:.2g}" for end in self.interval)
            chance = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.2g}"
            tested = f"90 % interval of the difference {low} to {high}; {chance}, {tested}"
        can_be_told = self.beats_baseline or not self.difference > 0  # NaN is no better
        verb = "beats" if self.beats_baseline else "does not beat" if can_be_told else "cannot be told from"
        return f"The model {verb} the baseline: {numbers} ({tested})."


def statistical_power(
    problem: Problem,
    y_val: np.ndarray,
    outputs: np.ndarray,
    baseline: Baseline,
    *,
    folds: Sequence[Prepared] = (),
    seed: int = 0,
) -> StatisticalPower:
    """Test whether a model beats a baseline on the validation samples.

    Both are judged on the same samples, by a paired test (see `recipe.steps.s2_measure.paired_test`). Fewer than six
    samples are too few to tell.

    Folds share training samples, so that their scores are no independent ones: the gains of the folds are tested by
    the corrected t-test of Nadeau and Bengio.

    Parameters
    ----------
    y_val : np.ndarray of shape (n,) or (n, outputs)
    outputs : np.ndarray of shape (n, outputs), the model's raw outputs; one that is not finite beats nothing
    baseline : Baseline
        With its own outputs on the same samples, in the same order.
    folds : the folds whose validation parts the samples are, in their order; none of a hold-out
    seed : fixes the draw

    Raises
    ------
    ValueError
        If the shapes do not fit, or the samples are not the baseline's.

    References
    ----------
    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12, 1947.
    C. Nadeau and Y. Bengio, Inference for the generalization error, Machine Learning 52, 2003.
    """
    from scipy.stats import t

    measure = MEASURES[problem.measure]
    y_val, outputs = check_outputs(problem, y_val, outputs)
    if len(baseline.outputs) != len(outputs):
        raise ValueError(
            f"The baseline was judged on {len(baseline.outputs)} samples and the model on {len(outputs)}. Received: "
            f"outputs of shape {outputs.shape}. Compare both on the same validation part."
        )
    # The baseline's value is taken on these very targets, whatever it was computed on.
    both, samples = (outputs, baseline.outputs), len(y_val)
    value, reference = (measure.compute(problem, y_val, one) for one in both)
    difference, freedom = measure.gain(value, reference), max(samples - 1, 1)
    if math.isnan(value):
        error, p_value, test = math.nan, 1.0, "none: the outputs are not finite"
    elif len(folds) > 1:
        error, freedom = _error_over_folds(problem, y_val, both, folds), len(folds) - 1
        p_value, test = t.sf(difference / error, freedom), f"corrected t-test of {len(folds)} folds"
    else:
        error = measure.gain(*resample_scores(problem, y_val, both, seed)).std()
        p_value, test = paired_test(problem, y_val, *both, seed=seed)
    margin = float(t.ppf(LEVEL, freedom) * error)
    return StatisticalPower(
        measure=measure.name,
        model=value,
        baseline=reference,
        difference=difference,
        interval=(difference - margin, difference + margin),
        p_value=float(p_value),
        test=test,
        samples=samples,
    )


def _error_over_folds(
    problem: Problem, y_val: np.ndarray, both: tuple[np.ndarray, np.ndarray], folds: Sequence[Prepared]
) -> float:
    """Return the standard error of the mean gain over folds, which share training samples."""
    measure, ends = MEASURES[problem.measure], np.cumsum([len(fold.y_val) for fold in folds])[:-1]
    parts = zip(*(np.split(values, ends) for values in (y_val, *both)), strict=True)
    gains = [measure.gain(*(measure.compute(problem, y, one) for one in pair)) for y, *pair in parts]
    return max(float(np.std(gains, ddof=1)) * math.sqrt(variance_of_folds(folds)), np.finfo(float).tiny)
