"""Figures of training curves: the lines are the numbers, nothing is cut, and words say the same."""

import numpy as np
import pytest

from recipe.figures import blank_figure, to_png
from recipe.figures.training import describe_training, draw_training

ACCURACY = {"measure": "accuracy", "measure_title": "accuracy"}
MAE = {"measure": "mae", "measure_title": "mean absolute error", "unit": "hundred thousand dollars"}


def make_history(train=(0.6, 0.4, 0.2), val=(0.7, 0.5, 0.6), measure="accuracy", penalty=0.0):
    flip = (lambda loss: 1 - loss) if measure == "accuracy" else (lambda loss: loss)
    return {
        "data_loss": list(train),
        "val_data_loss": list(val),
        measure: [flip(loss) for loss in train],
        "val_" + measure: [flip(loss) for loss in val],
        "penalty": [penalty] * len(train),
    }


def draw(histories, size=(7.0, 4.4), **options):
    figure = blank_figure(size)
    panes = draw_training(figure, histories, **options)
    to_png(figure, dpi=50)  # where a label cannot be laid out, Matplotlib warns, and a warning is an error here
    return figure, panes


def lines_of(axes):
    """(x, y) of every curve; lines that mark one place have two points or one."""
    return [np.transpose(line.get_xydata()).tolist() for line in axes.get_lines() if len(line.get_xdata()) > 2]


def labels_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_draw_training_draws_both_sides_of_loss_and_measure():
    figure, panes = draw([make_history()], **ACCURACY, baseline=0.35, overfitting_epoch=2)
    assert lines_of(panes["loss"]) == [[[1, 2, 3], [0.6, 0.4, 0.2]], [[1, 2, 3], [0.7, 0.5, 0.6]]]
    assert lines_of(panes["measure"])[1] == [[1, 2, 3], pytest.approx([0.3, 0.5, 0.4])]
    train, val = panes["loss"].get_lines()[:2]
    assert train.get_color() != val.get_color()
    assert (train.get_linestyle(), val.get_linestyle()) == ("--", "-")
    assert set(panes) == {"loss", "measure"}
    assert [line.get_ydata() for line in panes["measure"].get_lines() if line.get_linestyle() == ":"] == [[0.35, 0.35]]
    for axes in panes.values():
        assert 3 in [line.get_xdata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 2]  # counted from 1
    expected = ["training", "validation", "lowest: epoch 2", "overfitting from epoch 3", "baseline 0.35"]
    assert labels_of(figure) == expected


def test_draw_training_puts_the_penalty_into_axes_of_its_own():
    _, panes = draw([make_history(penalty=2.5)], **ACCURACY)
    assert lines_of(panes["penalty"]) == [[[1, 2, 3], [2.5, 2.5, 2.5]]]
    assert panes["loss"].get_ylim()[1] < 1
    assert "penalty" not in draw([make_history()], **ACCURACY)[1]


def test_draw_training_draws_seeds_as_mean_and_band():
    histories = [make_history(val=val) for val in ((0.9, 0.6, 0.3), (0.7, 0.4, 0.5), (0.8, 0.5, 0.4, 0.3))]
    figure, panes = draw(histories, **ACCURACY)
    assert [[1, 2, 3], pytest.approx([0.8, 0.5, 0.4])] in lines_of(panes["loss"])
    band = panes["loss"].collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.3)
    assert band[:, 1].max() == pytest.approx(0.9)
    assert [[1, 2, 3, 4], [0.8, 0.5, 0.4, 0.3]] in lines_of(panes["loss"])  # each seed as far as it went
    assert labels_of(figure)[:2] == ["training (mean of 3)", "validation (mean of 3)"]


def test_draw_training_compares_named_trainings_each_in_its_colour():
    figure, panes = draw([make_history(), make_history(val=(1, 1, 1))], **ACCURACY, names=["small", "large"])
    train = panes["loss"].get_lines()[0]
    assert train.get_color() == panes["loss"].get_lines()[2].get_color()
    assert len({line.get_color() for line in panes["loss"].get_lines()}) == 2
    assert labels_of(figure) == ["small", "large", "training", "validation"]


def test_draw_training_shows_the_baseline_in_a_strip_where_it_would_squeeze_the_curves():
    history = {
        "data_loss": [0.1, 0.1],
        "val_data_loss": [0.1, 0.1],
        "accuracy": [0.97, 0.99],
        "val_accuracy": [0.96] * 2,
    }
    _, panes = draw([history], **ACCURACY, baseline=0.112)
    low, high = panes["strip"].get_ylim()
    assert low < 0.112 < high
    assert [tick.get_text() for tick in panes["strip"].get_yticklabels()] == ["0.112"]
    assert panes["measure"].get_ylim()[0] > 0.9
    assert panes["strip"].get_position().y0 < panes["measure"].get_position().y0
    errors = {"data_loss": [0.1], "val_data_loss": [0.1], "mae": [0.31], "val_mae": [0.33]}
    _, panes = draw([errors], **MAE, baseline=0.82)
    assert panes["strip"].get_position().y0 > panes["measure"].get_position().y0


@pytest.mark.parametrize(("last", "expected"), [(0.03, "linear"), (0.01, "log")])
def test_draw_training_takes_a_logarithmic_axis_for_a_wide_loss(last, expected):
    _, panes = draw([make_history(train=(0.6, 0.1, last), val=(0.6, 0.5, 0.5))], **ACCURACY)
    assert panes["loss"].get_yscale() == expected
    assert panes["measure"].get_yscale() == "linear"


def test_draw_training_keeps_the_epochs_axis_still_while_training_runs():
    def limits(done):
        _, panes = draw([make_history((0.5,) * done, (0.6,) * done)], **ACCURACY, epochs=20)
        return panes["loss"].get_xlim()

    assert limits(1) == limits(7) == limits(20)
    assert limits(1)[1] > 20


def test_draw_training_shows_a_single_epoch_as_a_dot_on_a_whole_number():
    _, panes = draw([make_history((0.5,), (0.6,))], **ACCURACY)
    assert all(line.get_marker() == "o" for line in panes["loss"].get_lines())
    low, high = panes["loss"].get_xlim()
    assert [tick for tick in panes["loss"].get_xticks() if low <= tick <= high] == [1]


def test_draw_training_shows_past_runs_faintly_and_never_gives_way_to_one_that_exploded():
    past = [make_history(val=(1e9, 1e9, 1e9)), make_history(val=(0.75, 0.5, 0.45))]
    figure, panes = draw([make_history()], **ACCURACY, past=past)
    assert [[1, 2, 3], [0.75, 0.5, 0.45]] in lines_of(panes["loss"])
    assert panes["loss"].get_ylim()[1] < 1.1
    assert min(line.get_zorder() for line in panes["loss"].get_lines()) < 2
    assert labels_of(figure)[-1] == "earlier runs (validation)"


def test_draw_training_says_where_a_training_diverged():
    nan, inf = float("nan"), float("inf")
    figure, panes = draw([make_history((0.5, 9.0, nan), (0.6, 1e8, inf), "mae")], **MAE, baseline=0.8)
    assert "diverged in epoch 3" in labels_of(figure)
    assert panes["loss"].get_yscale() == "log"
    figure, panes = draw([make_history((nan,), (nan,))], **ACCURACY, baseline=0.1)
    assert [text.get_text() for text in panes["loss"].texts] == ["no finite number"]


@pytest.mark.parametrize("histories", [[], [{}], [{"data_loss": [], "val_data_loss": []}]])
def test_draw_training_is_ready_before_the_first_epoch(histories):
    _, panes = draw(histories, **ACCURACY, baseline=0.5, epochs=10)
    assert panes["measure"].get_ylim() == (0, 1.02)
    assert describe_training(histories, **ACCURACY, epochs=10) == "Training curves over 0 of 10 epochs."


def test_draw_training_stacks_the_axes_in_a_narrow_figure():
    _, panes = draw([make_history()], size=(4.3, 5.6), **MAE | {"measure": "accuracy"})
    assert panes["loss"].get_position().y0 > panes["measure"].get_position().y1
    _, panes = draw([make_history()], **ACCURACY)
    assert panes["loss"].get_position().x1 < panes["measure"].get_position().x0


def test_draw_training_names_a_sample_and_the_unit():
    _, panes = draw([make_history(measure="mae")], **MAE, source="sample")
    assert panes["loss"].get_title(loc="left") == "data loss (sample)"
    assert panes["measure"].get_title(loc="left") == "mean absolute error\n(hundred thousand dollars)"
    assert draw([make_history()], **ACCURACY, source="local")[1]["loss"].get_title(loc="left") == "data loss"


def test_draw_training_takes_a_history_of_plain_keras():
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 2.6], "accuracy": [0.1] * 3, "val_accuracy": [0.1] * 3}
    _, panes = draw([history], **ACCURACY)
    assert lines_of(panes["loss"])[0] == [[1, 2, 3], [3.0, 2.0, 1.0]]


def test_describe_training_says_what_is_drawn():
    nan = float("nan")
    history = make_history((0.6, nan), (0.7, 0.5), penalty=0.25)
    past = [make_history()]
    told = describe_training(
        [history], **ACCURACY, baseline=0.35, overfitting_epoch=1, past=past, epochs=5, source="sample"
    )
    assert told == (
        "Training curves on a sample over 2 of 5 epochs. data loss: training from 0.6 to not finite, validation from "
        "0.7 to 0.5, lowest 0.5 in epoch 2. accuracy: training from 0.4 to not finite, validation from 0.3 to 0.5. "
        "The penalty goes from 0.25 to 0.25. The baseline is 0.35. Overfitting from epoch 2 on. Diverged: no finite "
        "number in epoch 2. Behind them, faintly, the validation curves of 1 earlier run."
    )


def test_describe_training_gives_the_mean_of_seeds_and_each_of_named_trainings():
    two = [make_history(val=(0.5, 0.3, 0.1)), make_history(val=(0.7, 0.5, 0.3))]
    assert "mean of 2 seeds: training from 0.6 to 0.2, validation from 0.6 to 0.2," in describe_training(
        two, **ACCURACY
    )
    told = describe_training(two, **ACCURACY, names=["small", "large"])
    assert "small: training from 0.6 to 0.2, validation from 0.5 to 0.1" in told
    assert "large: training from 0.6 to 0.2, validation from 0.7 to 0.3" in told
