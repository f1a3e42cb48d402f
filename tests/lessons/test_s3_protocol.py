"""Lesson 3: its panel reports what training by hand reports, and shows that."""

import threading
import time

import numpy as np
import pytest

import recipe
from recipe.lessons.s3_protocol import panel as panel_module
from recipe.lessons.s3_protocol.panel import SPEC, ProtocolPanel
from recipe.steps.s3_protocol import take_split

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


@pytest.fixture(scope="module")
def used(houses):
    """A panel that has been run once."""
    panel = ProtocolPanel(houses)
    panel.run(rows=60, draws=5, folds=2)
    return panel


def test_panel_reports_what_training_by_hand_reports(used, houses):
    order = np.random.default_rng(0).permutation(len(houses.y_train))
    x, y = houses.x_train[order], houses.y_train[order] / 100_000
    half = len(y) // 2
    few = slice(half, half + 60)
    mean, std = x[few].mean(axis=0, dtype="float64"), x[few].std(axis=0, dtype="float64")
    final = recipe.prepare(take_split(houses, order[few], order[:half], protocol="by hand"))
    outputs = recipe.train(SPEC.replace(seed=0), final).model.predict((x[:half] - mean) / std, verbose=0)[:, 0]
    assert used.result.truth[0] == pytest.approx(np.abs(outputs - y[:half]).mean(), abs=1e-3)


def test_panel_trains_a_hundred_models_in_seconds_and_finds_k_fold_steadier_than_hold_out(houses):
    began = time.process_time()
    k_fold = ProtocolPanel(houses).run()
    assert time.process_time() - began < 10  # of both cores together: other work on the machine does not count
    assert len(k_fold.reported) == 20  # of four models each, and a final one
    held_out = ProtocolPanel(houses, protocol="hold-out").run()
    assert np.std(k_fold.reported) < np.std(held_out.reported)
    np.testing.assert_allclose(k_fold.truth, held_out.truth, atol=0.1)  # the same rows, other initializations


def test_panel_controls_reach_the_reports(houses):
    panel = ProtocolPanel(houses, rows=60, draws=5)
    for name, value in {"protocol": "iterated K-fold", "folds": 2, "repeats": 2}.items():
        panel.controls[name].value = value
    panel.run_button.click()
    panel.wait(timeout=120)
    assert panel.result.settings == panel.settings
    assert "2-fold, 2 times reports" in panel.alt_text()
    assert "The reports miss the truth by" in panel.status.value


def test_panel_table_and_words_hold_the_same_numbers(used):
    result = used.result
    assert used.table()["reported"].tolist() == result.reported.tolist()
    assert f"2-fold reports {result.reported.mean():.3f} on average" in used.alt_text()
    assert f"the truth is {result.truth.mean():.3f} on average" in used.image.tooltip
    axes = used.figure().axes[0]
    assert [label.get_text().split("\n")[0] for label in axes.get_yticklabels()] == ["2-fold", "the truth"]
    assert "(data: sample)" in axes.get_title(loc="left")
    assert "an embedded sample, not the real data" in used.source_label.value


def test_panel_works_on_labels():
    panel = ProtocolPanel(recipe.load("mnist", source="sample", rows=400), protocol="hold-out", rows=60, draws=5)
    panel.run()
    assert 0 <= panel.result.miss <= 1
    assert panel.alt_text().startswith("accuracy in 5 repetitions: hold-out, 1/4 reports")


def test_panel_keeps_the_repetitions_that_are_complete_where_it_is_stopped(houses, monkeypatch):
    monkeypatch.setattr(panel_module, "MODELS_TOGETHER", 4)
    stop = threading.Event()

    def listen(partial, message):
        if partial is not None:
            stop.set()

    panel = ProtocolPanel(houses, rows=40, folds=2, draws=60)
    assert len(panel.compute(panel.settings, listen, stop).reported) == 2
