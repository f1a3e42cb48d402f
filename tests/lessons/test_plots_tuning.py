"""Optuna's plots in the kit's style: the same numbers, and no trace of Optuna's own style, figures and warnings."""

import dataclasses
import warnings

import matplotlib as mpl
import numpy as np
import optuna
import pytest
from tuning_examples import BASE, make_run, score_of, train_at_once

import recipe
from recipe.data.problems import find_problem
from recipe.figures import ORANGE, VERMILION
from recipe.journal import default_journal
from recipe.lessons.s3_protocol.study import SelectionStudy
from recipe.lessons.s7_regularize.figures import (
    describe_leak,
    draw_history,
    draw_importances,
    draw_leak,
    draw_slices,
    draw_trial_curves,
)
from recipe.search import tune
from recipe.search.space import Range, SearchSpace
from recipe.search.worker import Outcome

SPACE = SearchSpace(
    base=BASE, layers=Range(1, 2), units=(8, 16), optimizer=("adam", "sgd"), learning_rate=Range(1e-5, 1.0)
)


def search(monkeypatch, train, problem="mnist", trials=10, space=SPACE):
    monkeypatch.setattr("recipe.search.loop.train_trial", train)
    prepared = recipe.prepare(recipe.hold_out(recipe.load(problem, source="sample", rows=100)))
    for rate in (1e-5, 1e-4):
        run = make_run(BASE.replace(learning_rate=rate), data=prepared.data_key, problem=problem)
        default_journal().record(run)
    return tune(prepared, space, trials)


def give_up_the_odd(job, on_epoch=None):
    run = make_run(job.spec, data=job.data_key)
    if job.trial_id % 2 == 0:
        return Outcome(run=run)
    history = {name: values[:1] for name, values in run.history.items()}
    return Outcome(run=dataclasses.replace(run, history=history, stopped="asked"), ended="pruned")


@pytest.fixture
def found(monkeypatch):
    return search(monkeypatch, give_up_the_odd)


def points_of(axes, label):
    line = next(line for line in axes.lines if line.get_label() == label)
    return line.get_xydata()


def test_draw_history_shows_each_score_and_the_best_so_far(found):
    axes = draw_history(found)
    by_hand, searched = points_of(axes, "by hand"), points_of(axes, "by the search")
    assert by_hand.tolist() == [
        [1, score_of(BASE.replace(learning_rate=1e-5))],
        [2, pytest.approx(0.9 - 0.1 * 2.47712)],
    ]
    complete = [entry for entry in found.new if entry.state == "complete"]
    assert searched[:, 1] == pytest.approx([entry.score for entry in complete])
    assert searched[:, 0] == pytest.approx([entry.number + 1 for entry in complete])
    best = points_of(axes, "best so far")
    assert best[-1, 1] == found.score
    assert (np.diff(best[:, 1]) >= 0).all()
    assert axes.get_ylabel() == "validation accuracy"


def test_draw_importances_puts_the_rate_on_top_of_what_does_not_matter(found):
    axes = draw_importances(found)
    shares = {
        label.get_text(): bar.get_width() for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }
    assert max(shares, key=shares.get) == "learning rate"
    assert {"layers", "optimizer", "units of layer 1"} <= set(shares)
    expected = optuna.importance.get_param_importances(found.study, params=["learning_rate", "layers", "optimizer"])
    assert next(iter(expected)) == "learning_rate"
    assert sum(shares.values()) == pytest.approx(1.0)


def test_draw_slices_shows_the_parameters_of_the_trials(found):
    left, right = draw_slices(found, ("learning_rate", "optimizer")).axes
    scores = sorted(entry.score for entry in found.trials if entry.state == "complete")
    for axes in (left, right):
        assert sorted(axes.collections[0].get_offsets()[:, 1]) == pytest.approx(scores)
    assert left.get_xscale() == "log"
    assert {label.get_text() for label in right.get_xticklabels()} <= {"rmsprop", "adam", "sgd"}
    assert len(draw_slices(found).axes) == 4


def test_draw_trial_curves_marks_what_was_given_up_and_the_best(found):
    axes = draw_trial_curves(found)
    assert len(axes.lines) == len(found.trials)
    given_up = [line for line in axes.lines if line.get_label() == "given up"]
    assert len(given_up) == found.counts["pruned"]
    assert {line.get_color() for line in given_up} == {VERMILION}
    assert all(len(line.get_xdata()) == 1 for line in given_up)
    (best,) = [line for line in axes.lines if line.get_label() == "the best"]
    assert best.get_ydata() == pytest.approx(found.best.history["val_accuracy"])
    assert [text.get_text() for text in axes.get_legend().get_texts()].count("given up") == 1


def test_plots_of_errors_have_their_unit_and_take_the_smallest_as_the_best(monkeypatch):
    def train(job, on_epoch=None):
        return Outcome(run=make_run(job.spec, data=job.data_key, problem="housing"))

    found = search(monkeypatch, train, "housing", 4)
    axes = draw_history(found)
    assert axes.get_ylabel() == "validation mean absolute error\n(hundred thousand dollars)"
    assert points_of(axes, "best so far")[-1, 1] == min(entry.score for entry in found.trials)


def test_plots_leave_no_trace_of_optunas_style_figures_and_warnings(found):
    import matplotlib.pyplot as plt

    mine = plt.figure()
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for draw in (draw_history, draw_importances, draw_slices, draw_trial_curves):
            draw(found)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_plots_refuse_what_is_too_little(monkeypatch):
    fixed = SearchSpace(base=BASE.replace(learning_rate=1e-5))
    few = search(monkeypatch, train_at_once, trials=1, space=fixed)
    with pytest.raises(ValueError, match=r"3 trials have a score, too few to draw.*Search until 4 have one"):
        draw_importances(few)
    with pytest.raises(ValueError, match=r"does not vary among the trials. Received: names, dropout. Choose from lear"):
        draw_slices(few, ("dropout",))
    nothing = dataclasses.replace(few, study=optuna.create_study())
    with pytest.raises(ValueError, match="0 trials have a score"):
        draw_history(nothing)
    with pytest.raises(ValueError, match="No trial has reported an epoch"):
        draw_trial_curves(nothing)


def make_study(problem="mnist", sign=1):
    dev = np.array([[0.5, 0.9, 0.7], [0.6, 0.8, 0.7]]) * sign
    truth = np.array([[0.6, 0.7, 0.8], [0.6, 0.7, 0.8]]) * sign
    return SelectionStudy(problem=find_problem(problem), source="sample", dev=dev, truth=truth, dev_rows=3)


def test_draw_leak_begins_at_no_leak_and_ends_at_all_of_it():
    study = make_study()
    axes = draw_leak(study)
    dev, truth = points_of(axes, "on the dev set"), points_of(axes, "in truth")
    assert dev[0] == pytest.approx(truth[0])
    assert dev[-1, 1] - truth[-1, 1] == pytest.approx(study.optimism(3)) == pytest.approx(0.15)
    assert describe_leak(study) == (
        "accuracy of the best of 1 to 3 trials: in truth from 0.700 to 0.700; on the dev set it looks better than "
        "that, by 0 with one trial and by 0.150 with 3."
    )
    assert ORANGE in {line.get_color() for line in axes.lines}


def test_draw_leak_looks_better_downwards_where_lower_is_better():
    study = make_study("housing", sign=-1)
    axes = draw_leak(study)
    assert points_of(axes, "on the dev set")[-1, 1] < points_of(axes, "in truth")[-1, 1]
