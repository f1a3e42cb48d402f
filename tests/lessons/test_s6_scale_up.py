"""Lesson 6: learning curves of networks of several sizes, the plane of bias and variance, and its panel."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import recipe
from recipe.lessons.s6_scale_up import figures
from recipe.lessons.s6_scale_up.capacity import study_capacity
from recipe.lessons.s6_scale_up.panel import ErrorsPanel


@pytest.fixture(scope="module")
def study():
    houses = recipe.load("housing", source="sample", rows=800)
    return study_capacity(houses, units=((), (32, 32)), sizes=(300, 30), draws=2)


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_study_capacity_trains_every_network_on_every_size(study):
    assert study.sizes == (30, 300)
    assert study.train.shape == study.validation.shape == (2, 2, 2)
    assert study.names == ("no hidden layer (9 weights)", "32-32 units (1,377 weights)")
    assert study.held_out == 160
    assert study.gap == pytest.approx((study.validation - study.train).mean(axis=2))


def test_study_capacity_finds_that_more_samples_narrow_the_gap_of_a_large_network(study):
    assert study.gap[1, 1] < study.gap[1, 0]
    assert study.validation[1, 1].mean() < study.validation[1, 0].mean() < study.baseline
    assert "32-32 units" in study.sentence


def test_study_capacity_gives_the_same_again_and_other_numbers_with_another_seed(study):
    houses = recipe.load("housing", source="sample", rows=800)
    again, other = (study_capacity(houses, units=((),), sizes=(30, 300), draws=2, seed=seed) for seed in (0, 7))
    assert np.allclose(again.validation[0], study.validation[0], rtol=1e-3)
    assert not np.allclose(other.validation[0], study.validation[0], rtol=1e-3)


def test_study_capacity_refuses_more_samples_than_there_are():
    with pytest.raises(ValueError, match=r"Of 160 training samples 40 are held out, and 1 to 120 can be trained on"):
        study_capacity(recipe.load("housing", source="sample", rows=200), sizes=(500,))


def test_diagnose_is_that_of_the_mean_errors(study):
    means = [part[1, 0].mean() / study.baseline for part in (study.train, study.validation)]
    assert study.diagnose(1, 0) == recipe.diagnose_errors(*means)


def test_learning_curves_and_table_show_every_number(study, axes):
    figures.draw_learning_curves(study, axes=axes)
    assert [tuple(line.get_ydata()) for line in axes.lines[:2]] == [
        tuple(part[0].mean(axis=1)) for part in (study.train, study.validation)
    ]
    axes.clear()
    figures.draw_capacities(study, axes=axes)
    assert len(axes.texts) == 4
    assert axes.texts[0].get_text().startswith(f"{study.train[0, 0].mean():.3g} | {study.validation[0, 0].mean():.3g}")


def test_plane_numbers_own_runs_and_letters_the_textbooks(axes):
    figures.draw_errors({"mine": (0.02, 0.2), "other": (0.3, 0.6)}, reachable_error=0.01, axes=axes)
    assert [text.get_text() for text in axes.texts] == [*"ABCD", "1", "2"]
    assert axes.get_xlim()[1] >= 0.6
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[-2:] == ["mine", "other"]
    assert "reachable error" in labels


def test_words_of_the_plane_say_each_verdict():
    text = figures.describe_errors({"mine": (0.0, 0.1)}, chosen=(0.15, 0.14))
    assert "chosen: 15 % and 14 %, high bias." in text
    assert "mine: 0 % and 10 %, high variance." in text


def test_panel_diagnoses_what_the_sliders_say():
    panel = ErrorsPanel({"mine": (0.02, 0.2)})
    result = panel.run(training=0.15, validation=0.18, reachable=0.15)
    assert result == recipe.diagnose_errors(0.15, 0.18, 0.15)
    assert result.sentence in panel.status.value
    assert [row["name"] for row in panel.table()[:2]] == ["the sliders", "mine"]
    panel.controls["training"].value = 0.01
    panel.wait(timeout=60)
    assert panel.result.train_error == 0.01
    with pytest.raises(ValueError, match="The sliders move in half points up to 5 %"):
        panel.run(training=0.123)
    panel.close()
