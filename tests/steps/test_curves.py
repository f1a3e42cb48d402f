"""Many noisy curves: how often a turn is found where there is one, and where there is none."""

import numpy as np
import pytest

from recipe.steps.s6_curves import find_turn, measure_noise, running_median, window
from recipe.steps.s6_histories import diagnose_history


def diagnose(val_loss):
    """Judge a validation curve beside a training loss that falls all the time."""
    return diagnose_history({"loss": np.geomspace(1.0, 0.1, len(val_loss)).tolist(), "val_loss": val_loss})


DRAWS = 200


def draw(epochs, noise, seed, rise=0.0, turn=0.4):
    """A validation curve that falls to 0.3 fast, then stays there, or rises by a share."""
    epoch = np.arange(epochs)
    clean = 0.3 + 1.5 * np.exp(-epoch / max(0.6, epochs / 15))
    first = turn * (epochs - 1)
    clean += 0.3 * rise * np.clip((epoch - first) / (epochs - 1 - first), 0, None)
    return (clean * (1 + noise * np.random.default_rng(seed).normal(size=epochs))).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("epochs", "noise", "most"),
    [
        (5, 0.03, 0.01),
        (8, 0.01, 0.01),
        (10, 0.03, 0.05),
        (20, 0.03, 0.05),
        (20, 0.1, 0.05),
        (50, 0.1, 0.02),
        (100, 0.03, 0.01),
        (200, 0.1, 0.01),
        (500, 0.03, 0.01),
        (500, 0.1, 0.01),
    ],
)
def test_diagnose_history_seldom_calls_a_noisy_plateau_overfitting(epochs, noise, most):
    verdicts = [diagnose(draw(epochs, noise, seed)).verdict for seed in range(DRAWS)]
    assert verdicts.count("overfitting") <= most * DRAWS
    assert verdicts.count("did not learn") == verdicts.count("diverged") == 0


@pytest.mark.parametrize(
    ("epochs", "noise", "rise", "least"),
    [
        (5, 0.01, 0.6, 0.99),
        (10, 0.01, 0.6, 0.99),
        (20, 0.03, 0.6, 0.98),
        (50, 0.03, 0.6, 0.99),
        (200, 0.03, 0.3, 0.99),
        (500, 0.1, 0.6, 0.99),
        (500, 0.03, 0.15, 0.99),
    ],
)
def test_diagnose_history_finds_the_turn_of_noisy_u_curves(epochs, noise, rise, least):
    clean = np.array(draw(epochs, 0.0, 0, rise))
    found = [diagnose(draw(epochs, noise, seed, rise)) for seed in range(DRAWS)]
    turns = [diagnosis.overfitting_epoch for diagnosis in found if diagnosis.verdict == "overfitting"]
    assert len(turns) >= least * DRAWS
    # The band: within an eighth of the epochs, at least one, of the noiseless turn, in 95 of 100 cases.
    band = max(1, epochs / 8)
    assert np.mean(np.abs(np.array(turns) - (clean.argmin() + 1)) <= band) >= 0.95


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_diagnose_history_sees_long_noisy_curves_that_still_improve(noise):
    def falling(seed):
        clean = 0.3 + np.exp(-np.arange(300) / 150)
        return (clean * (1 + noise * np.random.default_rng(seed).normal(size=300))).tolist()

    verdicts = [diagnose(falling(seed)).verdict for seed in range(50)]
    assert verdicts.count("still improving") >= 48


def test_measure_noise_finds_the_deviation_that_was_put_in():
    epoch = np.arange(300)
    found = []
    for seed in range(50):
        noise = 0.05 * np.random.default_rng(seed).normal(size=300)
        found.append(measure_noise(1 + np.exp(-epoch / 40) + noise))
    assert np.median(found) == pytest.approx(0.05, rel=0.15)


def test_measure_noise_does_not_take_a_smooth_bend_for_noise():
    epoch = np.arange(30)
    assert measure_noise(1 + ((epoch - 12) / 10) ** 2) < 0.02
    assert measure_noise(np.ones(100)) == 0.0


def test_measure_noise_is_larger_where_the_noise_lasts():
    rng = np.random.default_rng(0)
    fresh, lasting = rng.normal(size=400), np.zeros(400)
    for i in range(1, 400):
        lasting[i] = 0.8 * lasting[i - 1] + 0.6 * fresh[i]
    assert measure_noise(10 + lasting) > 1.5 * measure_noise(10 + fresh)


def test_running_median_agrees_with_a_loop():
    values = np.random.default_rng(0).normal(size=31)
    expected = [np.median(values[max(0, i - 2) : i + 3]) for i in range(31)]
    assert running_median(values, 5) == pytest.approx(expected)
    assert running_median(values, 1) == pytest.approx(values)


def test_window_is_odd_and_a_tenth_of_long_curves():
    assert [window(epochs) for epochs in (1, 9, 10, 39, 40, 100, 500)] == [1, 1, 3, 3, 5, 11, 51]


def test_find_turn_needs_a_rise_that_matters():
    values = np.array([0.5, 0.4, 0.300, 0.302, 0.304, 0.305])  # without noise, but by less than 2 %
    assert not find_turn(values).rises
