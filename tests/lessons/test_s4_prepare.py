"""Lesson 4: a trial keeps what the network read and how training went; its figure and its panel show that."""

import re
import threading
import time

import numpy as np
import pytest
from matplotlib.figure import Figure

import recipe
from recipe.core.run import Run
from recipe.data.problems import find_problem
from recipe.lessons.s4_prepare import panel as panel_module
from recipe.lessons.s4_prepare.panel import NETWORKS, PreparationTrial, PreparePanel, PrepareSettings, try_preparation

SPEC = recipe.ModelSpec(hidden_units=(8,), epochs=2)


def test_try_preparation_keeps_the_validation_part_whatever_the_rows():
    dataset, seen = recipe.load("housing", source="sample", rows=400), []
    for rows in (20, 240):
        trial = try_preparation(dataset, SPEC, name="usual", rows=rows, on_epoch=seen.append)
        assert (trial.run.train_samples, trial.run.val_samples) == (rows, 80)
        assert [partial.run.epochs for partial in seen[-2:]] == [1, 2]
        assert seen[-1].run.score == trial.run.score
    assert [name for name, *_ in trial.inputs] == list(dataset.problem.feature_names)


def test_try_preparation_stops_when_asked_and_keeps_what_there_is():
    stop, dataset = threading.Event(), recipe.load("housing", source="sample", rows=100)
    trial = try_preparation(
        dataset, SPEC.replace(epochs=500), name="stopped", rows=60, on_epoch=lambda partial: stop.set(), stop=stop
    )
    assert (trial.name, trial.run.epochs) == ("stopped", 1)


@pytest.mark.parametrize("rows", [1, 61])
def test_try_preparation_refuses_more_rows_than_there_are(rows):
    message = f"There are 80 samples, and validation has 20 of them. Received: rows={rows}. Ask for 2 to 60"
    with pytest.raises(ValueError, match=message):
        try_preparation(recipe.load("housing", source="sample", rows=100), SPEC, name="", rows=rows)


def test_try_preparation_tells_what_the_network_reads():
    digits = recipe.load("mnist", source="sample", rows=400)
    ((name, low, middle, high),) = try_preparation(digits, SPEC, name="", rows=60).inputs
    assert (name, low, high) == ("pixels", 0.0, 1.0)
    assert 0 <= middle <= 1
    reviews = recipe.load("imdb", source="sample", rows=200)
    assert try_preparation(reviews, SPEC, name="", rows=40).inputs == (("words that occur", 1.0, 1.0, 1.0),)
    houses = recipe.load("housing", source="sample", rows=200)
    inputs = try_preparation(houses, SPEC, name="", rows=80).inputs
    assert len(inputs) == 8
    assert all(-4 < low < middle < high < 6 for _, low, middle, high in inputs)


def make_trial(name="raw", scores=(0.9, 0.5), problem="housing"):
    measure = find_problem(problem).measure
    run = Run(
        spec=SPEC,
        problem=find_problem(problem),
        source="sample",
        protocol="",
        history={
            measure: [score / 2 for score in scores],
            "val_" + measure: list(scores),
            "val_data_loss": [1.0 - number / 10 for number in range(len(scores))],
        },
        train_samples=1_200,
        val_samples=80,
    )
    return PreparationTrial(name=name, inputs=(("a", -1.0, 0.0, 1.0),), notes=(), run=run)


# The panel.


@pytest.fixture(scope="module")
def datasets():
    return [recipe.load(name, source="sample", rows=1_000) for name in ("housing", "mnist", "imdb")]


@pytest.fixture(scope="module", autouse=True)
def short_trainings():
    """Two epochs show what the panel does as well as sixty do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panel_module, "NETWORKS", {name: spec.replace(epochs=2) for name, spec in NETWORKS.items()})
        yield


@pytest.fixture
def panel(datasets):
    return PreparePanel(*datasets, rows=50)


@pytest.mark.parametrize(
    ("changes", "arguments"),
    [
        ({}, {"encoding": "raw"}),
        ({"scaling": "scale_signed", "normalize": True}, {"encoding": "normalize"}),
        ({"normalize": True, "leak": True}, {"encoding": "normalize", "fit_on": "all"}),
        ({"problem": "mnist", "scaling": "scale"}, {"encoding": "scale"}),
        ({"problem": "imdb", "text": "tfidf", "scaling": "scale"}, {"encoding": "tfidf"}),
    ],
)
def test_panel_run_returns_what_try_preparation_returns(panel, datasets, changes, arguments):
    trial, *_ = panel.run(**changes, seed=3)
    dataset = next(one for one in datasets if one.problem.name == panel.settings.problem)
    spec = panel_module.NETWORKS[dataset.problem.name].replace(seed=3)
    expected = try_preparation(dataset, spec, name="", rows=50, **arguments)
    assert trial.inputs == expected.inputs
    assert trial.run.history.keys() == expected.run.history.keys()
    for name, values in expected.run.history.items():
        np.testing.assert_allclose(trial.run.history[name], values, rtol=1e-4, err_msg=name)


def test_panel_keeps_earlier_runs_of_the_problem_the_latest_first_and_each_once(panel):
    names = []
    for changes in ({}, {"scaling": "scale"}, {"normalize": True}, {"leak": True}, {"normalize": False}):
        names.append(panel.run(**changes)[0].name)
    assert [trial.name for trial in panel.result] == names[-1:-5:-1]
    again = panel.run(normalize=True)  # the same as before the last: it is not shown twice
    assert [trial.name for trial in again] == [names[3], names[4], names[2], names[1]]
    assert len(panel.run(problem="mnist")) == 1


def test_panel_switch_trains_by_itself(panel):
    panel.run()
    before = panel.image.value
    panel.controls["normalize"].value = True
    panel.wait(timeout=60)
    assert panel.result[0].name.startswith("normalised")
    assert panel.image.value != before
    assert "normalised" in panel.image.tooltip


def test_panel_run_button_trains_and_shows(panel):
    panel.run_button.click()
    panel.wait(timeout=60)
    assert "Validation mean absolute error" in panel.status.value
    assert panel.result[0].run.train_samples == 50


def test_panel_switches_off_what_has_no_effect_and_names_the_source_of_the_problem(panel):
    def disabled():
        return {name for name, control in panel.controls.items() if control.disabled}

    assert disabled() == {"text"}
    assert "housing: an embedded sample, not the real data" in panel.source_label.value
    panel.run(problem="mnist")
    assert disabled() == {"text"}
    panel.run(problem="imdb")
    assert disabled() == {"scaling", "normalize"}
    assert "imdb: an embedded sample" in panel.source_label.value
    assert "housing" not in panel.source_label.value


def test_panel_offers_only_the_problems_it_was_given(datasets):
    panel = PreparePanel(datasets[1])
    assert panel.settings.problem == "mnist"
    assert [name for _, name in panel.controls["problem"].options] == ["mnist"]


def test_panel_says_in_its_status_that_there_is_a_leak(panel):
    panel.run(normalize=True, leak=True)
    assert "a leak, made on purpose" in panel.status.value
    assert panel.table()[0]["notes"] >= 1


def test_panel_table_and_words_hold_the_scores(panel):
    panel.run()
    trial, earlier = panel.run(normalize=True)
    now, before = panel.table()
    assert now["validation mae"] == round(trial.run.score, 4)
    assert before["preparation"] == earlier.name == "raw (50, seed 0)"
    assert before["highest input"] > 1_000 > 5 > now["highest input"]
    found = re.search(r"validation samples is ([\d.]+) hundred thousand dollars", panel.alt_text())
    assert float(found[1]) == pytest.approx(trial.run.score, rel=0.01)
    curves = {line.get_label(): line.get_ydata() for line in panel.figure().axes[1].get_lines()}
    assert list(curves["validation: normalised (50, seed 0)"]) == trial.run.history["val_mae"]


def test_panel_stop_keeps_the_epochs_that_were_trained(datasets, monkeypatch):
    monkeypatch.setattr(panel_module, "NETWORKS", {"housing": NETWORKS["housing"].replace(epochs=100_000)})
    panel = PreparePanel(datasets[0], rows=50)
    panel.start()
    before = panel.image.value
    while panel.image.value == before:  # the first live figure
        assert panel.error is None
        time.sleep(0.02)
    panel.stop()
    panel.wait(timeout=60)
    assert 0 < panel.result[0].run.epochs < 100_000
    assert "Stopped after" in panel.status.value


def test_panel_settings_survive_their_text_and_refuse_what_is_no_choice():
    settings = PrepareSettings(problem="mnist", scaling="scale_signed", normalize=True, leak=True, rows=100, seed=4)
    assert PrepareSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match=r"rows is none of the choices\. Received: rows=33"):
        PrepareSettings(rows=33)


def test_panel_draws_the_trial_and_three_before_it(panel):
    figure = Figure()
    names = ("now", "first", "second", "third", "fourth")
    panel.draw(figure, [make_trial(name) for name in names])
    left, right = figure.axes
    labels = ["training: now", "validation: now", "before: first", "before: second", "before: third"]
    assert [line.get_label() for line in right.get_lines()] == labels
    assert left.get_title(loc="left") == "1,200 training samples, a sample"
    np.testing.assert_array_equal(left.get_lines()[0].get_xdata(), [-1.0, 1.0])


@pytest.mark.parametrize(
    ("problem", "scores", "scale"), [("imdb", (0.01, 0.9), "linear"), ("housing", (30.0, 0.9), "log")]
)
def test_panel_takes_a_logarithmic_axis_for_errors_alone(panel, problem, scores, scale):
    figure = Figure()
    panel.draw(figure, [make_trial(scores=scores, problem=problem), make_trial("none yet", (), problem)])
    assert figure.axes[1].get_yscale() == scale
    figure.draw_without_rendering()
    assert not any("$" in label.get_text() for label in figure.axes[1].get_yticklabels(which="both"))


def test_panel_says_the_range_the_score_and_what_was_before(panel):
    assert panel.describe([make_trial("now"), make_trial("raw", scores=(12.0,))]) == (
        "housing, now: the network reads numbers from -1 to 1. In the best of 2 epochs on 1,200 samples the mean "
        "absolute error on 80 validation samples is 0.5 hundred thousand dollars. Before, raw: 12."
    )
