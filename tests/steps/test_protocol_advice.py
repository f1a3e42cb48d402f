"""How much to hold out, and which protocol: the rules at their borders."""

from __future__ import annotations

import re

import numpy as np
import pytest

from recipe.steps.s3_advice import recommend_protocol, recommend_sizes, standard_error


@pytest.mark.parametrize(
    ("samples", "parts"),
    [
        (5, (3, 1, 1)),
        (1_003, (601, 201, 201)),
        (1_000_000, (600_000, 200_000, 200_000)),
        (1_000_001, (995_001, 2_500, 2_500)),
        (40_000_000, (39_800_000, 100_000, 100_000)),
    ],
)
def test_recommend_sizes_turns_at_a_million_and_uses_every_sample(samples, parts):
    sizes = recommend_sizes(samples)
    assert (sizes.train, sizes.dev, sizes.test) == parts
    assert sum(parts) == samples
    assert sum(sizes.shares) == pytest.approx(1)


def test_recommend_sizes_names_the_source_of_its_rule():
    assert "60 / 20 / 20 %" in recommend_sizes(100).reason
    assert "99.5 / 0.25 / 0.25 %" in recommend_sizes(2_000_000).reason
    assert "A. Ng" in recommend_sizes(100).reason


def test_recommend_sizes_refuses_what_cannot_be_shared_out():
    with pytest.raises(ValueError, match=r"Fewer than 5 samples .* Received: samples=4"):
        recommend_sizes(4)


def test_standard_error_is_the_spread_of_simulated_accuracies():
    accuracies = np.random.default_rng(0).binomial(400, 0.8, 20_000) / 400
    assert standard_error(0.8, 400) == pytest.approx(accuracies.std(), rel=0.02)


@pytest.mark.parametrize(("accuracy", "samples"), [(1.1, 10), (-0.1, 10), (0.5, 0)])
def test_standard_error_refuses_what_is_no_accuracy(accuracy, samples):
    with pytest.raises(ValueError, match=re.escape(f"Received: accuracy={accuracy}, samples={samples}.")):
        standard_error(accuracy, samples)


@pytest.mark.parametrize(
    ("samples", "protocol"),
    [
        (899, "iterated K-fold"),  # 0.9 * 0.1 / 0.01 ** 2 = 900
        (901, "K-fold"),
        (4_490, "K-fold"),
        (4_510, "hold-out"),  # a fifth of it is 902
    ],
)
def test_recommend_protocol_turns_where_luck_is_one_point(samples, protocol):
    advice = recommend_protocol(samples)
    assert advice.protocol == protocol
    assert advice.standard_error == pytest.approx(standard_error(0.9, round(0.2 * samples)))
    assert f"Take {protocol}: an accuracy near 90%" in advice.sentence


def test_recommend_protocol_wants_more_for_finer_differences():
    assert recommend_protocol(10_000).protocol == "hold-out"
    assert recommend_protocol(10_000, wanted=0.004).protocol == "K-fold"


def test_recommend_protocol_keeps_time_before_all_else_and_groups_whole():
    assert recommend_protocol(100, ordered=True).code == "hold_out_latest(dataset, times)"
    advice = recommend_protocol(100, grouped=True)
    assert advice.code == "k_fold(dataset, folds=4, repeats=5, groups=groups)"
    assert advice.sentence.endswith("Keep each group whole.")


@pytest.mark.parametrize("more", [{"samples": 3}, {"samples": 100, "wanted": 0.0}])
def test_recommend_protocol_refuses_numbers_that_make_no_sense(more):
    with pytest.raises(ValueError, match="A protocol needs 4 samples and a wanted error above 0"):
        recommend_protocol(**more)
