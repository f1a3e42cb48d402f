"""Lesson 3: its studies give what training by hand gives, its figures and its panel show what the studies return."""

import re
import threading
import time

import numpy as np
import pytest
from matplotlib.figure import Figure

import recipe
from recipe.core.run import mean_run
from recipe.data.problems import find_problem
from recipe.lessons import judging
from recipe.lessons.judging import draw_rows, prepare_all_of, prepare_rest, with_words
from recipe.lessons.s3_protocol.figures import draw_selection, draw_studies
from recipe.lessons.s3_protocol.panel import ProtocolPanel, ProtocolSettings
from recipe.lessons.s3_protocol.study import PROTOCOLS, SelectionStudy, study_protocols, study_selection

SPEC = recipe.ModelSpec(hidden_units=(4,), optimizer="adam", learning_rate=0.02, batch_size=32, epochs=3)


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


def test_study_protocols_reports_what_training_by_hand_reports(houses):
    (study,) = study_protocols(houses, ["K-fold"], folds=3, rows=60, draws=1, spec=SPEC.replace(seed=5))
    drawn = draw_rows(houses, 60, seed=5)
    splits = recipe.k_fold(drawn.few, folds=3, seed=5)
    runs = [recipe.train(SPEC.replace(seed=5 + fold), recipe.prepare(split)) for fold, split in enumerate(splits)]
    assert study.reported == pytest.approx([mean_run(runs).score], abs=1e-4)
    final = prepare_all_of(drawn)
    x, y = prepare_rest(final, drawn)
    truth = np.abs(recipe.train(SPEC.replace(seed=8), final).model.predict(x, verbose=0)[:, 0] - y).mean()
    assert study.truth == pytest.approx([truth], abs=1e-4)
    assert (study.models, study.truth_rows) == (4, 1_540)


def test_study_protocols_reads_all_three_from_the_same_models(houses):
    options = {"folds": 3, "repeats": 2, "rows": 60, "draws": 2, "spec": SPEC}
    studies = study_protocols(houses, **options)
    assert [study.protocol for study in studies] == list(PROTOCOLS)
    assert [study.name for study in studies] == ["hold-out, 1/3", "3-fold", "3-fold, 2 times"]
    assert {study.models for study in studies} == {2 * 7}
    (alone,) = study_protocols(houses, ["iterated K-fold"], **options)
    np.testing.assert_allclose(studies[2].reported, alone.reported, atol=1e-5)
    np.testing.assert_array_equal(studies[0].truth, studies[2].truth)


def test_study_protocols_cutting_the_same_rows_anew_moves_hold_out_more_than_iterated_k_fold(houses):
    studies = study_protocols(houses, rows=80, repeats=3, draws=8, redraw="cut")
    assert studies[2].std < 0.6 * studies[0].std
    assert np.ptp(studies[0].truth) < np.ptp(studies[0].reported)


def test_study_protocols_finds_k_fold_nearer_to_the_truth_than_hold_out_on_other_rows_each_time(houses):
    hold_out, k_fold, _ = study_protocols(houses, rows=100, repeats=2, draws=12)
    assert k_fold.std < hold_out.std
    assert k_fold.miss < hold_out.miss
    assert k_fold.miss == pytest.approx(np.sqrt(k_fold.bias**2 + np.var(k_fold.reported - k_fold.truth)))


def test_study_protocols_trains_a_hundred_models_in_less_than_ten_seconds_of_computing(houses):
    began = time.process_time()
    (study,) = study_protocols(houses, ["K-fold"])
    assert study.models == 100
    assert time.process_time() - began < 10  # of both cores together: other work on the machine does not count


def test_study_protocols_works_on_labels_and_says_so_in_words():
    reviews = with_words(recipe.load("imdb", source="sample", rows=1_000), 200)
    (study,) = study_protocols(reviews, ["hold-out"], rows=100, draws=2, truth_rows=300)
    assert (study.unit, study.truth_rows) == ("", 300)
    assert study.sentence.startswith("hold-out, 1/4 on 100 rows reports 0.")
    assert study.sentence.endswith("(2 repetitions).")


def test_study_protocols_tells_what_there_is_so_far_and_keeps_it_when_it_is_stopped(houses, monkeypatch):
    monkeypatch.setattr(judging, "MODELS_TOGETHER", 6)
    told, stop = [], threading.Event()

    def listen(studies, message):
        told.append((studies and studies[0].draws, message))
        if message == "2 of 6 repetitions":
            stop.set()

    options = {"folds": 2, "rows": 40, "draws": 6, "spec": SPEC}
    (study,) = study_protocols(houses, ["K-fold"], **options, on_progress=listen, stop=stop)
    assert (study.draws, study.models) == (2, 6)
    assert told[0] == (None, "models 1 to 6 of 18, epoch 1 of 3")
    assert [number for number, message in told if message.endswith("repetitions")] == [1, 2]
    assert study_protocols(houses, **options, stop=stop)[0].draws == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocols": ["leave-one-out"]}, "There is no such protocol. Received: protocols=['leave-one-out']."),
        ({"redraw": "all"}, "There is nothing else to redraw. Received: redraw='all'."),
        ({"draws": 0}, "There is nothing to study. Received: protocols=['hold-out', 'K-fold', 'iterated K-fold'], dra"),
        ({"folds": 1}, "folds must be between 2 and that. Received: folds=1."),
        ({"repeats": 0}, "Received: repeats=0."),
    ],
)
def test_study_protocols_refuses_what_makes_no_sense(houses, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        study_protocols(houses, **options)


def make_selection(problem="mnist", sign=1):
    dev = np.array([[0.5, 0.9, 0.7], [0.6, 0.8, 0.7]]) * sign
    truth = np.array([[0.6, 0.7, 0.8], [0.6, 0.7, 0.8]]) * sign
    return SelectionStudy(problem=find_problem(problem), source="sample", dev=dev, truth=truth, dev_rows=3)


def test_study_selection_is_flattered_and_more_so_with_more_candidates(houses):
    study = study_selection(houses, rows=80, candidates=10, draws=5)
    assert study.dev.shape == study.truth.shape == (5, 10)
    assert study.dev_rows == 16
    assert study.expected(10)[0] < study.expected(2)[0] < study.expected(1)[0]
    assert study.optimism(10) > study.optimism(2) > study.optimism(1) == 0


@pytest.mark.parametrize(("problem", "sign"), [("mnist", 1), ("housing", -1)])
def test_selection_takes_the_best_whichever_way_the_measure_goes(problem, sign):
    study = make_selection(problem, sign)
    assert study.expected(1) == pytest.approx((sign * 0.7, sign * 0.7))
    assert study.expected(3) == pytest.approx((sign * 0.85, sign * 0.7))
    assert study.optimism(3) == pytest.approx(0.15)
    assert f"The best of 3 has {sign * 0.85:.3f} on a dev set of 3, and {sign * 0.7:.3f} in truth" in study.sentence


def test_selection_refuses_what_is_no_choice(houses):
    with pytest.raises(ValueError, match=r"A choice needs 2 candidates and 1 draw\. Received: candidates=1, draws=6"):
        study_selection(houses, candidates=1)
    with pytest.raises(ValueError, match=r"There are 3 candidates\. Received: candidates=4"):
        make_selection().expected(4)


@pytest.mark.parametrize(("problem", "sign"), [("mnist", 1), ("housing", -1)])
def test_draw_selection_begins_at_one_score_and_ends_at_the_optimism(problem, sign):
    study = make_selection(problem, sign)
    axes = Figure().add_subplot()
    draw_selection(study, axes=axes)
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    dev, truth = lines["on the dev set"], lines["in truth"]
    assert dev[0] == pytest.approx(truth[0])
    assert dev[-1] - truth[-1] == pytest.approx(sign * study.optimism(3))


def test_draw_studies_has_a_line_for_each_protocol_and_one_for_the_truth(houses):
    studies = study_protocols(houses, folds=2, rows=40, repeats=2, draws=2, spec=SPEC)
    axes = Figure().add_subplot()
    draw_studies(studies, axes=axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == [*(study.name for study in studies), "the truth"]
    dots = [line.get_xdata() for line in axes.get_lines() if line.get_marker() in ("o", "D")]
    np.testing.assert_array_equal(dots, [*(study.reported for study in studies), studies[0].truth])


# The panel.


@pytest.fixture(scope="module")
def used(houses):
    """A panel that has been run once."""
    panel = ProtocolPanel(houses)
    panel.run(rows=60, draws=5, folds=2)
    return panel


def test_panel_run_returns_what_the_study_returns(used, houses):
    (expected,) = study_protocols(houses, ["K-fold"], rows=60, draws=5, folds=2)
    np.testing.assert_allclose(used.result.reported, expected.reported, atol=1e-5)
    np.testing.assert_allclose(used.result.truth, expected.truth, atol=1e-5)


def test_panel_controls_reach_the_study(houses):
    panel = ProtocolPanel(houses, rows=60, draws=5)
    for name, value in {"protocol": "iterated K-fold", "folds": 2, "repeats": 2, "redraw": "cut"}.items():
        panel.controls[name].value = value
    panel.run_button.click()
    panel.wait(timeout=120)
    result = panel.result
    assert (result.name, result.rows, result.draws, result.redraw) == ("2-fold, 2 times", 60, 5, "cut")
    assert "25 models" in panel.status.value


def test_panel_table_and_words_hold_the_same_numbers(used):
    result, table = used.result, used.table()
    assert [row["reported"] for row in table] == [round(float(score), 4) for score in result.reported]
    assert f"2-fold reports {result.reported.mean():.3f} on average" in used.alt_text()
    assert f"the truth is {result.truth.mean():.3f} on average" in used.image.tooltip
    assert "(data: sample)" in used.figure().axes[0].get_title(loc="left")
    assert "an embedded sample, not the real data" in used.source_label.value


def test_panel_stop_keeps_the_repetitions_that_are_complete(houses, monkeypatch):
    monkeypatch.setattr(judging, "MODELS_TOGETHER", 6)
    panel = ProtocolPanel(houses, rows=40, folds=2, draws=60)
    wanted, seen = panel.compute, threading.Event()

    def compute(settings, on_progress, stop):
        def listen(partial, message):
            on_progress(partial, message)
            if partial is not None:
                seen.set()
                stop.wait(60)  # until Stop is pressed

        return wanted(settings, listen, stop)

    monkeypatch.setattr(panel, "compute", compute)
    panel.run_button.click()
    assert seen.wait(60)
    panel.stop_button.click()
    panel.wait(timeout=60)
    assert panel.result.draws == 2
    assert "Stopped after" in panel.status.value


def test_panel_stopped_before_anything_is_complete_keeps_the_result_that_was_there(used, monkeypatch):
    before, wanted = used.result, used.compute

    def stop_then_compute(settings, on_progress, stop):
        stop.set()
        return wanted(settings, on_progress, stop)

    monkeypatch.setattr(used, "compute", stop_then_compute)
    used.run()
    assert used.result is before


def test_panel_says_in_its_status_that_the_rows_are_too_many():
    panel = ProtocolPanel(recipe.load("housing", source="sample", rows=500))
    with pytest.raises(ValueError, match=r"Of 400 training samples 10 to 200 can be drawn.*Received: rows=800"):
        panel.run(rows=800)
    assert "10 to 200 can be drawn" in panel.status.value


def test_panel_settings_survive_their_text_and_refuse_what_is_out_of_range():
    settings = ProtocolSettings(protocol="iterated K-fold", folds=5, repeats=2, rows=400, draws=10, redraw="cut")
    assert ProtocolSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match="protocol is none of the choices"):
        ProtocolSettings(protocol="bootstrap")
