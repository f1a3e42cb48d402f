"""The study of protocols: its scores are those of training by hand, and what must hold of it does."""

from __future__ import annotations

import re
import threading
import time

import numpy as np
import pytest

import recipe
from recipe.lessons.judging import (
    TRUTH_ROWS,
    draw_rows,
    measure_truth,
    prepare_all_of,
    prepare_rest,
    small_spec,
    with_words,
)
from recipe.lessons.s3_protocol.selection import SelectionStudy, study_selection
from recipe.lessons.s3_protocol.study import PROTOCOLS, compare_protocols, study_protocol

SPEC = recipe.ModelSpec(hidden_units=(4,), optimizer="adam", learning_rate=0.02, batch_size=32, epochs=3)


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


@pytest.fixture(scope="module")
def reviews():
    return with_words(recipe.load("imdb", source="sample", rows=1_000), 200)


def test_draw_rows_shares_no_row_with_the_rest_and_leaves_the_test_sealed(houses):
    drawn = draw_rows(houses, 100, seed=4, truth_rows=500)
    assert (len(drawn.few.y_train), len(drawn.y_rest)) == (100, 500)
    assert recipe.find_duplicates(drawn.few.x_train, drawn.x_rest).in_second == 0
    assert recipe.find_duplicates(houses.x_train, drawn.x_rest).in_second == 500
    assert houses.test.looks == 0


def test_draw_rows_takes_targets_along(reviews):
    drawn = draw_rows(reviews, 50)
    words = {reviews.x_train[row].tobytes(): label for row, label in enumerate(reviews.y_train)}
    assert all(words[drawn.few.x_train[row].tobytes()] == drawn.few.y_train[row] for row in range(50))


@pytest.mark.parametrize("rows", [9, 801])
def test_draw_rows_refuses_too_few_and_more_than_half(houses, rows):
    message = "Of 1,600 training samples 10 to 800 can be drawn, so that the rest is large enough to be the truth. "
    with pytest.raises(ValueError, match=re.escape(f"{message}Received: rows={rows}.")):
        draw_rows(houses, rows)


def test_study_reports_what_training_by_hand_reports(houses):
    study = study_protocol(houses, protocol="K-fold", folds=3, rows=60, draws=1, spec=SPEC, seed=5)
    drawn = draw_rows(houses, 60, seed=5)
    splits = recipe.k_fold(drawn.few, folds=3, seed=5)
    scores = [
        recipe.train(SPEC.replace(seed=5 + number), recipe.prepare(split)).score for number, split in enumerate(splits)
    ]
    assert study.reported == pytest.approx([np.mean(scores)], abs=1e-4)
    final = prepare_all_of(drawn)
    model = recipe.train(SPEC.replace(seed=8), final).model
    x, y = prepare_rest(final, drawn)
    truth = np.abs(model.predict(x, verbose=0)[:, 0] - y).mean()
    assert study.truth == pytest.approx([truth], abs=1e-4)
    assert (study.models, study.truth_rows) == (4, 1_540)


def test_final_model_learns_from_all_rows_and_no_other(houses):
    drawn = draw_rows(houses, 60)
    prepared = prepare_all_of(drawn)
    assert len(prepared.y_train) == 60
    np.testing.assert_allclose(prepared.preparation.mean, drawn.few.x_train.mean(axis=0, dtype=np.float64))


def test_measure_truth_agrees_with_keras(reviews):
    drawn = draw_rows(reviews, 60)
    prepared = prepare_all_of(drawn)
    run = recipe.train(SPEC, prepared)
    x, y = prepare_rest(prepared, drawn)
    accuracy = np.mean((run.model.predict(x, verbose=0)[:, 0] > 0.5) == y)
    assert measure_truth(run, (x, y)) == pytest.approx(accuracy)


def test_compare_protocols_reads_all_three_from_the_same_models(houses):
    studies = compare_protocols(houses, folds=3, repeats=2, rows=60, draws=2, spec=SPEC)
    assert [study.protocol for study in studies] == list(PROTOCOLS)
    assert [study.name for study in studies] == ["hold-out, 1/3", "3-fold", "3-fold, 2 times"]
    assert {study.models for study in studies} == {2 * 7}
    alone = study_protocol(houses, protocol="iterated K-fold", folds=3, repeats=2, rows=60, draws=2, spec=SPEC)
    np.testing.assert_allclose(studies[2].reported, alone.reported, atol=1e-5)
    np.testing.assert_array_equal(studies[0].truth, studies[2].truth)


def test_study_in_several_batches_is_the_study_in_one(houses, monkeypatch):
    options = {"folds": 2, "rows": 40, "draws": 5, "spec": SPEC}
    whole = study_protocol(houses, **options)
    monkeypatch.setattr("recipe.lessons.s3_protocol.study.MODELS_TOGETHER", 6)
    parts = study_protocol(houses, **options)
    np.testing.assert_allclose(parts.reported, whole.reported, atol=1e-4)
    np.testing.assert_allclose(parts.truth, whole.truth, atol=1e-4)


def test_cutting_the_same_rows_anew_moves_hold_out_more_than_iterated_k_fold(houses):
    studies = compare_protocols(houses, rows=80, repeats=3, draws=8, redraw="cut")
    assert studies[2].spread < 0.6 * studies[0].spread
    assert np.ptp(studies[0].truth) < np.ptp(studies[0].reported)


def test_k_fold_is_nearer_to_the_truth_than_hold_out_on_other_rows_each_time(houses):
    hold_out, k_fold, _ = compare_protocols(houses, rows=100, repeats=2, draws=12)
    assert k_fold.spread < hold_out.spread
    assert k_fold.miss < hold_out.miss
    assert k_fold.miss == pytest.approx(np.sqrt(k_fold.bias**2 + np.var(k_fold.reported - k_fold.truth)))


def test_a_hundred_models_take_less_than_ten_seconds_of_computing(houses):
    compare_protocols(houses, rows=60, draws=1, folds=2, repeats=2, spec=SPEC)  # Keras is imported
    began = time.process_time()
    study = study_protocol(houses, rows=200, draws=20)
    assert study.models == 100
    assert time.process_time() - began < 10  # of both cores together: other work on the machine does not count


def test_study_works_on_labels_and_says_so_in_words(reviews):
    study = study_protocol(reviews, protocol="hold-out", rows=100, draws=2, truth_rows=300)
    assert study.unit == ""
    assert study.truth_rows == 300
    assert study.sentence.startswith("hold-out, 1/4 on 100 rows reports 0.")
    assert study.sentence.endswith("(2 repetitions).")


def test_study_tells_what_it_does_and_what_there_is_so_far(houses, monkeypatch):
    monkeypatch.setattr("recipe.lessons.s3_protocol.study.MODELS_TOGETHER", 6)
    told = []
    study_protocol(houses, folds=2, rows=40, draws=3, spec=SPEC, on_progress=lambda *report: told.append(report))
    messages = [message for _, message in told]
    assert messages[0] == "models 1 to 6 of 9, epoch 1 of 3"
    assert messages[-1] == "3 of 3 repetitions"
    assert told[0][0] is None
    assert [partial.draws for partial, message in told if message.endswith("repetitions")] == [2, 3]


def test_study_that_is_stopped_keeps_the_repetitions_that_are_complete(houses, monkeypatch):
    monkeypatch.setattr("recipe.lessons.s3_protocol.study.MODELS_TOGETHER", 6)
    stop = threading.Event()

    def stop_after_the_first(partial, message):
        if message == "2 of 6 repetitions":
            stop.set()

    study = study_protocol(houses, folds=2, rows=40, draws=6, spec=SPEC, on_progress=stop_after_the_first, stop=stop)
    assert study.draws == 2
    assert study.models == 6


def test_study_that_is_stopped_at_once_has_no_repetition(houses):
    stop = threading.Event()
    stop.set()
    assert study_protocol(houses, rows=40, draws=3, spec=SPEC, stop=stop).draws == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "leave-one-out"}, "There is no such protocol. Received: protocol='leave-one-out'."),
        ({"redraw": "all"}, "There is nothing else to redraw. Received: redraw='all'."),
        ({"draws": 0}, "There is nothing to study in 0 repetitions. Received: draws=0."),
        ({"folds": 1}, "folds must be between 2 and that. Received: folds=1."),
        ({"protocol": "iterated K-fold", "repeats": 0}, "Received: repeats=0."),
    ],
)
def test_study_refuses_what_makes_no_sense(houses, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        study_protocol(houses, **options)


def test_with_words_makes_a_smaller_problem_of_the_same_reviews(reviews):
    assert (reviews.problem.num_words, reviews.problem.input_shape) == (200, (200,))
    assert recipe.prepare(recipe.hold_out(reviews)).x_train.shape == (600, 200)
    with pytest.raises(ValueError, match=r"imdb has 200 words\. Received: words=201"):
        with_words(reviews, 201)
    with pytest.raises(ValueError, match=r"housing has 0 words\. Received: words=10"):
        with_words(recipe.load("housing", source="sample"), 10)


def test_selection_is_flattered_and_more_so_with_more_candidates(houses):
    study = study_selection(houses, rows=80, candidates=10, draws=5)
    assert study.dev.shape == study.truth.shape == (5, 10)
    assert study.dev_rows == 16
    assert study.optimism > 0
    assert study.chosen(10)[0] < study.chosen(2)[0] < study.chosen(1)[0] + 1e-9
    assert study.chosen(1) == pytest.approx((study.dev[:, 0].mean(), study.truth[:, 0].mean()))


def test_selection_takes_the_best_whichever_way_the_measure_goes(houses, reviews):
    dev, truth = np.array([[0.5, 0.9, 0.7]]), np.array([[0.6, 0.65, 0.7]])
    common = {"source": "sample", "dev": dev, "truth": truth, "rows": 10, "dev_rows": 2}
    accuracy = SelectionStudy(problem=reviews.problem, **common)
    assert accuracy.chosen() == (0.9, 0.65)
    assert accuracy.optimism == pytest.approx(0.25 - (0.7 - 0.65))
    error = SelectionStudy(problem=houses.problem, **common)
    assert error.chosen() == (0.5, 0.6)
    assert error.optimism == pytest.approx(0.1 - (0.65 - 0.7))
    assert "The best of 3 has 0.500 on a dev set of 2, and 0.600 in truth" in error.sentence


def test_selection_that_is_stopped_keeps_whole_draws(houses):
    stop = threading.Event()
    told = []

    def stop_in_the_second(partial, message):
        told.append(message)
        if message.startswith("models 3 to 4 of 6, epoch 2"):
            stop.set()

    study = study_selection(
        houses, rows=40, candidates=2, draws=3, spec=SPEC, on_progress=stop_in_the_second, stop=stop
    )
    assert study.dev.shape == (1, 2)
    assert told[-1] == "models 3 to 4 of 6, epoch 2 of 3"


def test_selection_refuses_what_is_no_choice(houses):
    with pytest.raises(ValueError, match=r"A choice needs 2 candidates and 1 draw\. Received: candidates=1, draws=6"):
        study_selection(houses, candidates=1)
    with pytest.raises(ValueError, match=r"There are 3 candidates\. Received: candidates=4"):
        study_selection(houses, rows=40, candidates=3, draws=1, spec=SPEC).chosen(4)


def test_small_spec_suits_each_problem_and_is_small_enough_to_train_side_by_side(houses):
    for name in ("mnist", "imdb", "housing"):
        dataset = recipe.load(name, source="sample")
        dataset = with_words(dataset, 1_000) if name == "imdb" else dataset
        assert recipe.build_model(small_spec(dataset.problem), dataset.problem).count_params() <= 20_000
    assert TRUTH_ROWS >= 16_512  # all of the houses' training part
