"""The final model, and the one look at the test set, held against plain Keras, scikit-learn and SciPy."""

from __future__ import annotations

import dataclasses
import math
import threading

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import accuracy_score, mean_absolute_error

from recipe.core.dataset import Dataset
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.engine.saving import FinalModel
from recipe.journal import Journal
from recipe.steps.s2_measure import Uncertainty, estimate_uncertainty
from recipe.steps.s7_final import FinalResult, evaluate_once, train_final

SPECS = {
    "image": ModelSpec(hidden_units=(8,), batch_size=128, epochs=2),
    "text": ModelSpec(hidden_units=(4,), epochs=2),
    "table": ModelSpec(hidden_units=(8,), batch_size=32, epochs=5, dropout=0.2, l2=0.001),
}


def _load(name: str = "housing", rows: int = 400) -> Dataset:
    return load(name, source="sample", rows=rows)


def _train(dataset: Dataset, **changes: object) -> FinalModel:
    return train_final(SPECS[dataset.problem.kind].replace(**changes), dataset)


@pytest.fixture(scope="module")
def houses(no_journal) -> tuple[FinalModel, Dataset]:
    dataset = _load()
    return _train(dataset), dataset


@pytest.fixture(scope="module")
def digits(no_journal) -> tuple[FinalModel, Dataset]:
    dataset = _load("mnist", rows=1_792)  # more than are predicted at once
    return _train(dataset), dataset


def test_train_final_uses_all_training_data_and_fits_the_preparation_on_it(houses):
    final, dataset = houses
    assert final.run.train_samples == len(dataset.y_train) == 320
    np.testing.assert_allclose(final.preparation.mean, dataset.x_train.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(final.preparation.std, dataset.x_train.std(axis=0, dtype=np.float64))
    assert dataset.test.looks == 0


def test_train_final_is_recorded_as_final_and_without_a_score(tmp_path):
    journal = Journal(tmp_path / "journal.log")
    final = train_final(SPECS["table"].replace(patience=1, epochs=12), _load(), journal=journal)
    (run,) = journal.runs()
    assert (run.epochs, run.spec.epochs, run.spec.patience) == (12, 12, None)  # as told, and never stopped early
    assert (run.final, math.isnan(run.score), run.data) == (True, True, final.run.data)


def test_predict_on_raw_images_equals_plain_keras_on_pixels_scaled_by_hand(digits):
    final, dataset = digits
    by_hand = final.model.predict(dataset.x_train.astype("float32") / 16, verbose=0)
    assert by_hand.shape == (1_600, 10)
    np.testing.assert_allclose(final.predict(dataset.x_train), by_hand, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"\(8, 8\)"):
        final.predict(np.zeros((2, 28, 28), np.uint8))


def test_predict_on_raw_texts_equals_plain_keras_on_words_encoded_by_hand():
    dataset = _load("imdb", rows=100)
    final, reviews = _train(dataset, architecture="embedding"), dataset.x_train[:50]
    x = np.zeros((50, 256), "int32")
    for row in range(50):
        known = [token for token in reviews[row] if token < dataset.problem.num_words][:256]
        x[row, : len(known)] = known
    np.testing.assert_allclose(final.predict(reviews), final.model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_evaluate_once_accuracy_is_scikit_learns_and_its_interval_the_exact_binomial_one(digits):
    final, dataset = digits
    result = evaluate_once(final, dataset)
    x, y = dataset.test.open()
    classes = final.model.predict(x.astype("float32") / 16, verbose=0).argmax(axis=1)
    right, n = int((classes == y).sum()), len(y)
    assert result.score == pytest.approx(accuracy_score(y, classes))
    expected = beta.ppf(0.025, right, n - right + 1), beta.ppf(0.975, right + 1, n - right)
    assert (result.uncertainty.low, result.uncertainty.high) == pytest.approx(expected)
    assert result.samples == 192


def test_evaluate_once_error_is_in_the_problems_unit(houses):
    final, dataset = houses[0], _load()
    result = evaluate_once(final, dataset)
    x, y = dataset.test.open()
    assert result.score == pytest.approx(mean_absolute_error(y / 100_000, final.predict(x)[:, 0]), rel=1e-5)
    assert result.uncertainty.low < result.score < result.uncertainty.high
    assert "hundred thousand dollars" in result.sentences[0]
    with pytest.raises(TypeError, match=r"Received: a Run\. Give what load returns"):
        evaluate_once(final, final.run)


def test_evaluate_once_counts_looks_of_earlier_sessions_at_each_test_set(houses, tmp_path):
    """A dataset that is loaded anew knows of no look; the journal does."""
    final, dataset = houses[0], _load()
    first, second, third = (evaluate_once(final, data) for data in (dataset, dataset, _load()))
    assert (first.looks, second.looks, dataset.test.looks, third.looks) == (1, 2, 2, 3)
    assert first.score == second.score
    assert "opened once" in first.sentences[-1]
    assert "opened 2 times. To repeat a run does no harm" in second.sentences[-1]
    assert evaluate_once(final, _load(rows=300)).looks == 1
    assert evaluate_once(final, _load(), journal=None).looks == 1  # this session's alone
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match=r"The look at the test set is not in the journal\. "):
        result = evaluate_once(final, _load(), journal=Journal(tmp_path / "file" / "journal.log"))
    assert result.looks == 1


def test_evaluate_once_leaves_the_test_set_sealed_after_a_training_that_was_stopped():
    dataset, stop = _load(), threading.Event()
    stop.set()
    final = train_final(SPECS["table"], dataset, stop=stop)
    with pytest.raises(ValueError, match=r"stopped after 1 of 5 epochs.* Received: final, stopped='asked'"):
        evaluate_once(final, dataset)
    assert dataset.test.looks == 0


def test_evaluate_once_of_a_model_that_diverged_is_nan_and_promises_nothing():
    dataset = _load()
    final = _train(dataset, optimizer="sgd", learning_rate=1e6)
    result = evaluate_once(final, dataset, validation_score=0.3, validation_samples=320)
    assert math.isnan(result.score)
    assert "Validation had promised" in result.sentences[1]


def _result(score: float, validation: float, measure: str) -> FinalResult:
    return FinalResult(
        problem=find_problem("imdb" if measure == "accuracy" else "housing"),
        score=score,
        uncertainty=Uncertainty(low=score - 0.02, high=score + 0.02, standard_error=0.01, method="by hand"),
        samples=1_000,
        looks=1,
        validation_score=validation,
        validation_samples=1_000,
    )


@pytest.mark.parametrize(
    ("score", "validation", "measure", "words"),
    [
        (0.90, 0.92, "accuracy", "cannot be told from what validation promised"),
        (0.90, 0.95, "accuracy", "Validation had promised more"),
        (0.95, 0.90, "accuracy", "Validation had promised less"),
        (0.35, 0.30, "mae", "Validation had promised more"),
        (0.30, 0.35, "mae", "Validation had promised less"),
    ],
)
def test_promise_is_judged_by_the_noise_of_both_sets(score, validation, measure, words):
    result = _result(score, validation, measure)
    # Two sets of the same size: the root of two times one standard error.
    assert result.tolerance == pytest.approx(1.96 * 0.01 * math.sqrt(2))
    assert words in result.sentences[1]
    few = dataclasses.replace(result, validation_samples=250)
    assert few.tolerance == pytest.approx(1.96 * 0.01 * math.sqrt(5))
    nothing = dataclasses.replace(result, validation_score=None)
    assert (nothing.tolerance, len(nothing.sentences)) == (None, 2)


def test_estimate_uncertainty_of_a_perfect_score_is_not_zero():
    found = estimate_uncertainty(find_problem("imdb"), np.ones(100), np.ones((100, 1)))
    assert found.high == 1.0
    assert found.low == pytest.approx(0.025 ** (1 / 100))
    assert found.standard_error > 0.005
