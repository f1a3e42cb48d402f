"""The diagnosis of errors: the textbook cases, and those between them."""

import math

import numpy as np
import pytest

from recipe.steps.s6_scale_up import diagnose_errors


@pytest.mark.parametrize(
    ("errors", "bias", "variance"),
    [
        ((0.01, 0.11), "low", "high"),
        ((0.15, 0.14), "high", "low"),
        ((0.15, 0.16), "high", "low"),
        ((0.15, 0.30), "high", "high"),
        ((0.005, 0.01), "low", "low"),
        ((0.15, 0.14, 0.15), "low", "low"),
        ((0.15, 0.30, 0.15), "low", "high"),
        ((0.15, 0.16, 0.14), "low", "low"),  # one point each: nothing worth the work
        ((0.08, 0.10, 0.01), "high", "low"),  # seven points of bias outweigh two of variance
        ((0.08, 0.10, 0.075), "low", "high"),
        ((0.05, 0.06, 0.005), "high", "low"),
        ((0.01, 0.05, 0.005), "low", "high"),
        ((0.0005, 0.002), "low", "low"),
        ((0.0, 0.0), "low", "low"),
        ((0.2, 0.2), "high", "low"),
        ((0.02, 0.12, 0.10), "low", "high"),  # below the reachable error on training, above it on validation
        ((0.02, 0.10, 0.10), "low", "low"),  # the noise learned by heart, and no harm done
        ((0.05, 0.04, 0.10), "low", "low"),
        ((0.40, 0.50), "high", "high"),  # ten points are large whatever the other part is
        ((0.10, 0.50), "high", "high"),
        ((0.25, 0.36), "high", "high"),  # housing, relative to the median's error
        ((1.10, 1.15), "high", "low"),  # worse than the baseline on both
        ((0.30, 1.40), "high", "high"),
    ],
)
def test_diagnose_errors_gives_the_textbook_verdicts(errors, bias, variance):
    diagnosis = diagnose_errors(*errors)
    assert (diagnosis.bias, diagnosis.variance) == (bias, variance)


def test_diagnose_errors_holds_the_numbers():
    diagnosis = diagnose_errors(0.15, 0.30, reachable_error=0.05)
    assert diagnosis.avoidable_bias == pytest.approx(0.10)
    assert diagnosis.variance_gap == pytest.approx(0.15)
    assert diagnosis.sentence == (
        "High bias and high variance: training error 15 %, 10 points above the reachable 5 %; "
        "validation error 30 %, 15 points above training."
    )
    assert diagnose_errors(0.01, 0.0).sentence.endswith(
        "training error 1 %, 1 point above the reachable 0 %; validation error 0 %, 1 point below training."
    )
    assert "training error 5 %, the same as the reachable 5 %" in diagnose_errors(0.05, 0.05, 0.05).sentence
    assert diagnose_errors(0.0005, 0.002).sentence.startswith(
        "Neither bias nor variance is high: training error 0.05 %"
    )
    assert "by heart" in diagnose_errors(0.02, 0.2, 0.1).sentence


def test_diagnose_errors_never_finds_less_when_a_gap_grows():
    gaps = np.linspace(0, 0.5, 101)
    for train in (0.0, 0.01, 0.05, 0.2, 0.6):
        found = [diagnose_errors(train, train + gap).variance == "high" for gap in gaps]
        assert found == sorted(found)


def test_diagnose_errors_with_a_smaller_tolerance_sees_smaller_parts():
    assert diagnose_errors(0.001, 0.012).variance == "low"
    assert diagnose_errors(0.001, 0.012, tolerance=0.005).variance == "high"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((math.nan, 0.1), ValueError, r"finite and never below 0\. Received: train_error=nan\..*diverged"),
        ((0.1, -0.1), ValueError, r"validation_error=-0\.1"),
        ((0.1, math.inf), ValueError, r"validation_error=inf"),
        ((0.1, 0.1, -1), ValueError, r"reachable_error=-1"),
        (("much", 0.1), TypeError, r"An error is a number\. Received: train_error='much'"),
        ((0.1, None), TypeError, r"validation_error=None"),
    ],
)
def test_diagnose_errors_refuses_what_is_no_error(arguments, error, message):
    with pytest.raises(error, match=message):
        diagnose_errors(*arguments)


def test_diagnose_errors_refuses_no_tolerance():
    with pytest.raises(ValueError, match=r"Received: tolerance=0\. Give one above 0"):
        diagnose_errors(0.1, 0.1, tolerance=0)
