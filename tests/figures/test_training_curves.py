"""Figures of training curves: the lines are the numbers, nothing is cut, and words say the same."""

from __future__ import annotations

import itertools
import types
from dataclasses import replace

import numpy as np
import pytest

from recipe.core.run import Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS
from recipe.figures import blank_figure, to_png
from recipe.figures.training import collect_curves, describe_curves, draw_curves, plot_runs

NAN, INF = float("nan"), float("inf")
LONG = (0.9, 0.6, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)


def make_run(train=(0.6, 0.4, 0.2), val=(0.7, 0.5, 0.6), problem="mnist", **fields):
    problem = PROBLEMS[problem]
    score = (lambda loss: 1 - loss) if problem.measure == "accuracy" else (lambda loss: loss)
    history = {
        "data_loss": list(train),
        "val_data_loss": list(val),
        problem.measure: [score(loss) for loss in train],
        "val_" + problem.measure: [score(loss) for loss in val],
    }
    given = {"spec": ModelSpec(), "source": "sample", "protocol": "", "baseline": 0.35} | fields
    return Run(problem=problem, history=history, **given)


def draw(runs, size=(9.0, 4.4), **options):
    figure = blank_figure(size)
    draw_curves(figure, collect_curves(runs, **options))
    to_png(figure, dpi=50)  # where a label cannot be laid out, Matplotlib warns, and a warning is an error here
    return figure, dict(zip(("loss", "measure"), figure.axes, strict=True))


def lines_of(axes):
    """(x, y) of every curve; lines that mark one place have two points or one."""
    return [np.transpose(line.get_xydata()).tolist() for line in axes.get_lines() if len(line.get_xdata()) > 2]


def labels_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_plot_runs_draws_both_sides_of_loss_and_measure():
    figure = plot_runs(make_run())
    loss, measure = figure.axes
    assert lines_of(loss) == [[[1, 2, 3], [0.6, 0.4, 0.2]], [[1, 2, 3], [0.7, 0.5, 0.6]]]
    assert lines_of(measure)[1] == [[1, 2, 3], pytest.approx([0.3, 0.5, 0.4])]
    train, val = loss.get_lines()[:2]
    assert train.get_color() != val.get_color()
    assert (train.get_linestyle(), val.get_linestyle()) == ("--", "-")
    assert [list(line.get_ydata()) for line in measure.get_lines()].count([0.35, 0.35]) == 1
    assert labels_of(figure) == ["training", "validation", "best epoch: 2", "baseline 0.35"]
    assert loss.get_title(loc="left") == "data loss (sample)"


def test_curves_drawn_over_others_are_those_on_an_empty_figure():
    wide, several = make_run(train=(90.0, 9.0, 0.9), problem="housing"), {"a": make_run(), "b": make_run(LONG, LONG)}
    for below, above in itertools.permutations((wide, make_run(), several), 2):
        (over, _), (alone, _) = draw(below), draw(above)
        draw_curves(over, collect_curves(above))
        assert [labels_of(over)] * len(over.legends) == [labels_of(alone)]
        for one, other in zip(over.axes, alone.axes, strict=True):
            assert (lines_of(one), len(one.patches)) == (lines_of(other), len(other.patches))
            assert (one.get_yscale(), *one.get_ylim()) == (other.get_yscale(), *map(pytest.approx, other.get_ylim()))


@pytest.mark.parametrize("pane", ["loss", "measure"])
def test_plot_runs_marks_the_epoch_at_which_a_run_is_scored(pane):
    run = make_run()
    marks = [line.get_xydata().tolist() for line in draw(run)[1][pane].get_lines() if line.get_marker() == "D"]
    assert marks == [[[run.best_epoch + 1, {"loss": 0.5, "measure": run.score}[pane]]]]


def test_plot_runs_marks_where_overfitting_begins():
    figure, panes = draw(make_run(train=[1 / (1 + epoch) for epoch in range(12)], val=LONG))
    (label,) = [text for text in labels_of(figure) if text.startswith("overfitting")]
    since = int(label.removeprefix("overfitting from epoch "))
    assert 4 <= since <= 8
    for axes in panes.values():
        assert since in [line.get_xdata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 2]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda one, other: {"small": one, "large": other}, ["small", "large"]),
        (lambda one, other: [one, other], ["1: dense 64, rmsprop", "2: dense 8, rmsprop"]),
        (lambda one, other: {"run": one, "history": other.history}, ["run", "history"]),
    ],
)
def test_plot_runs_compares_several_each_in_its_colour_and_with_its_mark(make, names):
    runs = make(make_run(), make_run(val=(1, 1, 1), spec=ModelSpec(hidden_units=(8,))))
    figure = plot_runs(runs)
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]
    assert [line.get_color() == lines[0].get_color() for line in lines] == [True, True, False, False]
    assert len({line.get_marker() for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 1}) == 2
    assert labels_of(figure)[:5] == [*names, "training", "validation", "best epoch, each its own mark"]
    assert all(f"{name}: training from 0.6 to 0.2" in figure.alt for name in names)


def test_plot_runs_draws_a_mean_with_the_band_of_its_members():
    members = [make_run(val=val) for val in ((0.9, 0.6, 0.3), (0.7, 0.4, 0.5), (0.8, 0.5, 0.4, 0.3))]
    figure, panes = draw(mean_run(members))
    assert [[1, 2, 3], pytest.approx([0.8, 0.5, 0.4])] in lines_of(panes["loss"])
    band = panes["loss"].collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.3)
    assert band[:, 1].max() == pytest.approx(0.9)
    assert [[1, 2, 3, 4], [0.8, 0.5, 0.4, 0.3]] in lines_of(panes["loss"])  # each member as far as it went
    assert labels_of(figure)[:2] == ["training (mean of 3)", "validation (mean of 3)"]
    assert "mean of 3: training from 0.6 to 0.2, validation from 0.8 to 0.4" in plot_runs(mean_run(members)).alt
    assert labels_of(plot_runs(mean_run(members[:1])))[:2] == ["training", "validation"]


@pytest.mark.parametrize("wrap", [dict, lambda history: types.SimpleNamespace(history=history)])
def test_plot_runs_takes_what_plain_keras_gives(wrap):
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 2.6], "f1": [0.1] * 3, "val_f1": [0.2] * 3}
    figure = plot_runs(wrap(history))
    assert lines_of(figure.axes[0])[0] == [[1, 2, 3], [3.0, 2.0, 1.0]]
    assert figure.axes[1].get_title(loc="left") == "F1 score"


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        ([], ValueError, r"nothing to draw. Received: no run. Give a run, a history or several."),
        (None, TypeError, r"drawn of runs and histories. Received: NoneType. Give what recipe.train returned"),
        ([make_run(), 3], TypeError, r"drawn of runs and histories. Received: int. Give what recipe.train returned"),
    ],
)
def test_plot_runs_refuses_what_it_cannot_draw(runs, error, message):
    with pytest.raises(error, match=message):
        plot_runs(runs)


def test_plot_runs_gives_a_notebook_a_picture_with_its_words():
    figure = plot_runs(make_run())
    data, metadata = figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")
    assert metadata["image/png"]["alt"] == data["text/plain"] == figure.alt


def test_plot_runs_draws_a_final_run_which_has_no_validation():
    history = {name: curve for name, curve in make_run().history.items() if not name.startswith("val_")}
    figure = plot_runs(replace(make_run(), history=history, final=True))
    assert lines_of(figure.axes[0]) == [[[1, 2, 3], [0.6, 0.4, 0.2]]]
    assert "data loss: training from 0.6 to 0.2. accuracy: training from 0.4 to 0.8." in figure.alt


def test_baseline_that_would_flatten_the_curves_stands_in_the_legend_alone():
    figure, panes = draw(make_run(val=(0.01, 0.02, 0.01), train=(0.02, 0.01, 0.01), baseline=0.112))
    assert "baseline 0.112, far off" in labels_of(figure)
    assert panes["measure"].get_ylim()[0] > 0.9


@pytest.mark.parametrize(("last", "expected"), [(0.03, "linear"), (0.01, "log")])
def test_loss_that_falls_far_has_a_logarithmic_axis(last, expected):
    _, panes = draw(make_run(train=(0.6, 0.1, last), val=(0.6, 0.5, 0.5)))
    assert panes["loss"].get_yscale() == expected
    assert panes["measure"].get_yscale() == "linear"


def test_axis_of_epochs_stays_still_while_training_runs():
    limits = [draw(make_run((0.5,) * done, (0.6,) * done), epochs=20)[1]["loss"].get_xlim() for done in (1, 7, 20)]
    assert limits[0] == limits[1] == limits[2]
    assert limits[0][1] > 20


def test_single_epoch_is_a_dot_on_a_whole_number():
    _, panes = draw(make_run((0.5,), (0.6,)))
    assert all(line.get_marker() == "o" for line in panes["loss"].get_lines())
    low, high = panes["loss"].get_xlim()
    assert [tick for tick in panes["loss"].get_xticks() if low <= tick <= high] == [1]


def test_past_runs_are_faint_and_one_that_exploded_changes_nothing():
    past = [make_run(val=val).history for val in ((1e9, 1e9, 1e9), (0.75, 0.5, 0.45))]
    figure, panes = draw(make_run(), past=past)
    assert [[1, 2, 3], [0.75, 0.5, 0.45]] in lines_of(panes["loss"])
    assert panes["loss"].get_ylim()[1] < 1.1
    assert min(line.get_zorder() for line in panes["loss"].get_lines()) < 2
    assert "earlier runs (validation)" in labels_of(figure)


def test_a_training_that_diverged_is_drawn_as_far_as_its_numbers_are_finite():
    _, panes = draw(make_run((0.5, 9.0, NAN), (0.6, 1e8, INF), "housing", baseline=0.8))
    assert panes["loss"].get_yscale() == "log"
    draw(make_run((NAN,), (NAN,), baseline=0.1))


@pytest.mark.parametrize("history", [{}, {"data_loss": [], "val_data_loss": []}])
def test_figure_is_ready_before_the_first_epoch(history):
    run = replace(make_run(), history=history, source="local", baseline=NAN)
    assert draw(run, epochs=10)[1]["measure"].get_ylim() == (0, 1.02)
    assert describe_curves(collect_curves(run, epochs=10)) == "Training curves over 0 of 10 epochs."


def test_describe_curves_says_what_is_drawn():
    run = make_run((0.6, NAN), (0.7, 0.5))
    assert describe_curves(collect_curves(run, past=[run.history], epochs=5)) == (
        "Training curves on a sample over 2 of 5 epochs. data loss: training from 0.6 to not finite, validation from "
        "0.7 to 0.5, best 0.5 in epoch 2. accuracy: training from 0.4 to not finite, validation from 0.3 to 0.5. "
        "The baseline is 0.35. Behind them, faintly, the validation curves of 1 earlier run."
    )
