"""Step 4's panel, driven from Python and by its controls: it shows what `try_preparation` returns."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import recipe
from recipe.data.problems import HOUSING_RATIOS
from recipe.lessons.s4_prepare import panel as prepare
from recipe.lessons.s4_prepare.panel import NETWORKS, PreparePanel, PrepareSettings
from recipe.lessons.s4_prepare.preparations import try_preparation


@pytest.fixture(scope="module")
def datasets():
    return [recipe.load(name, source="sample", rows=1_000) for name in ("housing", "mnist", "imdb")]


@pytest.fixture(scope="module", autouse=True)
def short_trainings():
    """Two epochs show what the panel does as well as sixty do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "NETWORKS", {name: spec.replace(epochs=2) for name, spec in NETWORKS.items()})
        yield


@pytest.fixture
def panel(datasets):
    return PreparePanel(*datasets, rows=50)


@pytest.mark.parametrize(
    ("changes", "arguments"),
    [
        ({}, {"encoding": "raw"}),
        ({"scaling": "scale"}, {"encoding": "scale"}),
        ({"scaling": "scale_signed", "normalize": True}, {"encoding": "normalize"}),
        ({"normalize": True, "leak": True}, {"encoding": "normalize", "fit_on": "all"}),
        ({"normalize": True, "ratios": True}, {"encoding": "normalize", "ratios": HOUSING_RATIOS}),
        ({"problem": "mnist", "scaling": "scale"}, {"encoding": "scale"}),
        ({"problem": "imdb", "text": "tfidf", "scaling": "scale", "ratios": True}, {"encoding": "tfidf"}),
    ],
)
def test_run_returns_what_try_preparation_returns(panel, datasets, changes, arguments):
    result = panel.run(**changes, seed=3)
    dataset = next(one for one in datasets if one.problem.name == panel.settings.problem)
    spec = prepare.NETWORKS[dataset.problem.name].replace(seed=3)
    expected = try_preparation(dataset, spec, rows=50, **arguments)
    assert result.trial.inputs == expected.inputs
    assert result.trial.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_allclose(result.trial.history[name], values, rtol=1e-4, err_msg=name)
    assert panel.result is result


def test_earlier_runs_of_the_problem_stay_the_latest_first_and_each_once(panel):
    names = []
    for changes in ({}, {"scaling": "scale"}, {"normalize": True}, {"leak": True}, {"normalize": False}):
        names.append(panel.run(**changes).trial.name)
    assert [trial.name for trial in panel.result.earlier] == names[-2:-5:-1]
    again = panel.run(normalize=True)  # the same as before the last: it is not shown twice
    assert again.trial.name == names[3]
    assert [trial.name for trial in again.earlier] == [names[4], names[2], names[1]]
    assert panel.run(problem="mnist").earlier == ()


def test_change_of_a_switch_trains_by_itself(panel):
    panel.run()
    before = panel.image.value
    panel.controls["normalize"].value = True
    panel.wait(timeout=60)
    assert panel.result.trial.name.startswith("normalised")
    assert panel.image.value != before
    assert "normalised" in panel.image.tooltip


def test_run_button_trains_and_shows(panel):
    panel.run_button.click()
    panel.wait(timeout=60)
    assert "Validation mean absolute error" in panel.status.value
    assert panel.result.trial.samples == (50, 200)


def test_controls_without_effect_are_switched_off(panel):
    def disabled():
        return {name for name, control in panel.controls.items() if control.disabled}

    assert disabled() == {"text"}
    panel.run(problem="mnist")
    assert disabled() == {"text", "ratios"}
    panel.run(problem="imdb")
    assert disabled() == {"scaling", "normalize", "ratios"}


def test_panel_offers_only_the_problems_it_was_given(datasets):
    panel = PreparePanel(datasets[1])
    assert panel.settings.problem == "mnist"
    assert [name for _, name in panel.controls["problem"].options] == ["mnist"]


def test_source_is_that_of_the_chosen_problem(panel):
    assert "housing: an embedded sample, not the real data" in panel.source_label.value
    panel.run(problem="imdb")
    assert "imdb: an embedded sample" in panel.source_label.value
    assert "housing" not in panel.source_label.value


def test_leak_is_said_in_the_status(panel):
    panel.run(normalize=True, leak=True)
    assert "a leak, made on purpose" in panel.status.value
    assert panel.table()[0]["notes"] >= 1


def test_table_and_words_hold_the_scores(panel):
    panel.run()
    result = panel.run(normalize=True)
    now, before = panel.table()
    assert now["validation mae"] == round(result.trial.score, 4)
    assert before["preparation"] == result.earlier[0].name == "raw (50, seed 0)"
    assert before["highest input"] > 1_000 > 5 > now["highest input"]
    found = re.search(r"validation samples is ([\d.]+) hundred thousand dollars", panel.alt_text())
    assert float(found[1]) == pytest.approx(result.trial.score, rel=0.01)


def test_figure_shows_ranges_and_curves(panel):
    panel.run()
    result = panel.run(normalize=True)
    left, right = panel.figure().axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == list(
        recipe.load("housing", rows=50).problem.feature_names
    )
    curves = {line.get_label(): line.get_ydata() for line in right.get_lines()}
    assert list(curves["validation: normalised (50, seed 0)"]) == result.trial.history["val_mae"]
    assert list(curves["before: raw (50, seed 0)"]) == result.earlier[0].history["val_mae"]


def test_stop_keeps_the_epochs_that_were_trained(datasets, monkeypatch):
    monkeypatch.setattr(prepare, "NETWORKS", {"housing": NETWORKS["housing"].replace(epochs=100_000)})
    panel = PreparePanel(datasets[0], rows=50)
    panel.start()
    before = panel.image.value
    while panel.image.value == before:  # the first live figure
        assert panel.error is None
        time.sleep(0.02)
    panel.stop()
    panel.wait(timeout=60)
    assert 0 < len(panel.result.trial.history["val_mae"]) < 100_000
    assert "Stopped after" in panel.status.value


def test_settings_survive_their_text_and_refuse_what_is_no_choice():
    settings = PrepareSettings(problem="mnist", scaling="scale_signed", normalize=True, leak=True, rows=100, seed=4)
    assert PrepareSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match=r"rows is none of the choices\. Received: rows=33"):
        PrepareSettings(rows=33)
    with pytest.raises(ValueError, match=r"problem is none of the choices\. Received: problem='iris'"):
        PrepareSettings(problem="iris")
