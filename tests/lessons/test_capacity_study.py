"""Learning curves: what is trained on what, against small trainings by hand, and the figures' numbers."""

import dataclasses
import threading

import numpy as np
import pytest

import recipe
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.figures import to_png
from recipe.lessons.s6_scale_up.capacity import CapacityStudy, study_capacity
from recipe.lessons.s6_scale_up.capacity_figures import describe_capacity, draw_capacities, draw_learning_curves

SPEC = ModelSpec(hidden_units=(4,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=3)


def make_study(problem="imdb", train=((1.0, 0.9), (0.6, 0.6)), validation=((0.6, 0.8), (0.55, 0.6)), baseline=0.5):
    train, validation = (np.repeat(np.array(part)[..., None], 2, axis=2) for part in (train, validation))
    validation = validation + np.array([-0.01, 0.01])
    return CapacityStudy(
        problem=find_problem(problem),
        source="sample",
        sizes=(100, 1_000),
        units=((64, 64), ())[: len(train)],
        parameters=(5_000, 11)[: len(train)],
        train=train,
        validation=validation,
        best=validation,
        baseline=baseline,
        held_out=200,
        epochs=3,
    )


def test_study_capacity_scores_every_network_at_every_size():
    dataset = recipe.load("housing", source="sample", rows=400)
    study = study_capacity(dataset, sizes=(160, 20), units=((), (4,)), draws=2, spec=SPEC, held_out=80)
    assert study.sizes == (20, 160)
    assert study.train.shape == study.validation.shape == study.best.shape == (2, 2, 2)
    assert study.parameters == (8 + 1, 8 * 4 + 4 + 4 + 1)
    assert study.names == ("no hidden layer (9 weights)", "4 units (41 weights)")
    assert (study.best <= study.validation + 1e-6).mean() > 0.5
    assert np.isfinite(study.train).all()
    assert 0.5 < study.baseline < 1.5
    assert (study.held_out, study.epochs, study.source) == (80, 3, "sample")


def test_study_capacity_trains_as_by_hand_and_repeats_a_small_training_set():
    dataset = recipe.load("housing", source="sample", rows=300)
    study = study_capacity(dataset, sizes=(30, 60), units=((4,),), draws=1, spec=SPEC, held_out=50, seed=3)
    order = np.random.default_rng(3).permutation(len(dataset.y_train))
    split = recipe.steps.s3_protocol.take_split(dataset, order[50:80], order[:50], protocol="by hand")
    prepared = recipe.prepare(split)
    twice = [np.concatenate([part, part]) for part in (prepared.x_train, prepared.y_train)]
    prepared = dataclasses.replace(prepared, x_train=twice[0], y_train=twice[1])
    run = recipe.train(SPEC.replace(seed=3), prepared, journal=None)
    assert study.train[0, 0, 0] == pytest.approx(run.history["mae"][-1], rel=1e-3)
    assert study.validation[0, 0, 0] == pytest.approx(run.history["val_mae"][-1], rel=1e-3)
    assert study.best[0, 0, 0] == pytest.approx(run.history["val_mae"][run.best_epoch], rel=1e-3)


def test_study_capacity_shows_that_a_large_network_knows_a_small_training_set_by_heart():
    dataset = recipe.load("housing", source="sample", rows=1_500)
    spec = SPEC.replace(epochs=30)
    study = study_capacity(dataset, sizes=(30, 900), units=((1,), (64, 64)), draws=2, spec=spec, held_out=200)
    by_heart, with_many = study.gap[1]
    assert by_heart > 0.1  # training is that much better than validation
    assert by_heart > 3 * abs(with_many)
    assert study.diagnose(1, 0).variance == "high"
    assert study.diagnose(0, 1).variance == "low"


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_study_capacity_of_images_and_reviews(name):
    dataset = recipe.load(name, source="sample", rows=120)
    study = study_capacity(dataset, sizes=(20, 40), units=((2,),), draws=1, spec=SPEC.replace(epochs=1), held_out=20)
    assert study.train.shape == (1, 2, 1)
    assert ((study.validation >= 0) & (study.validation <= 1)).all()


def test_study_capacity_takes_sizes_that_rise_by_one_factor():
    dataset = recipe.load("housing", source="sample", rows=500)
    study = study_capacity(dataset, units=((1,),), draws=1, spec=SPEC.replace(epochs=1))
    assert study.sizes == (50, 78, 120, 190, 300)
    assert study.held_out == 100


def test_study_capacity_tells_its_progress_and_stops_after_a_network():
    dataset, told, stop = recipe.load("housing", source="sample", rows=200), [], threading.Event()

    def report(_, message):
        told.append(message)
        if "network 2" in message:
            stop.set()

    study = study_capacity(
        dataset, sizes=(20,), units=((1,), (2,), (3,)), draws=1, spec=SPEC, on_progress=report, stop=stop
    )
    assert told[0] == "network 1 of 3, 1 units: epoch 1 of 3, training 1 of 1"
    assert study.units == ((1,),)
    stop.set()
    none = study_capacity(dataset, sizes=(20,), units=((1,),), draws=1, spec=SPEC, stop=stop)
    assert (none.units, none.sentence) == ((), "Stopped before the first network was done.")


def test_study_capacity_keeps_no_run_in_the_journal(monkeypatch):
    from recipe.lessons.s6_scale_up import capacity as capacity_study

    asked = []
    monkeypatch.setattr(capacity_study, "cross_validate", lambda *some, **named: asked.append(named) or [])
    study_capacity(recipe.load("housing", source="sample", rows=200), sizes=(20,), units=((1,),), draws=1)
    assert asked[0]["journal"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sizes": (10, 500)},
            r"Of 160 training samples 40 are held out, and 1 to 120 can be trained on. Received: sizes",
        ),
        ({"sizes": (0, 5)}, r"Received: sizes=\(0, 5\), held_out=40. Take fewer."),
        ({"held_out": 160}, r"160 are held out, and 1 to 0 can be trained on."),
        ({"units": ()}, r"nothing to train. Received: units=\(\), draws=4. Give 1 or more of each."),
        ({"draws": 0, "sizes": (10,)}, r"draws=0"),
    ],
)
def test_study_capacity_refuses_what_cannot_be_done(options, message):
    with pytest.raises(ValueError, match=message):
        study_capacity(recipe.load("housing", source="sample", rows=200), **options)


def test_capacity_study_diagnoses_each_cell():
    study = make_study()
    assert [study.diagnose(0, size).variance for size in (0, 1)] == ["high", "high"]
    assert study.diagnose(1, 1).bias == "high"
    assert study.gap.tolist() == [pytest.approx([0.4, 0.1]), pytest.approx([0.05, 0.0])]
    errors = make_study("housing", train=((0.1, 0.2),), validation=((0.5, 0.3),), baseline=1.0)
    assert errors.diagnose(0, 0).train_error == pytest.approx(0.1)
    assert errors.gap.tolist() == [pytest.approx([0.4, 0.1])]


def test_capacity_study_says_what_more_samples_did():
    assert make_study().sentence == (
        "64-64 units: accuracy 1 on training and 0.6 on validation with 100 samples, 0.9 on training and 0.8 on "
        "validation with 1,000. no hidden layer: accuracy 0.6 on training and 0.55 on validation with 100 samples, 0.6 "
        "on training and 0.6 on validation with 1,000."
    )


def test_draw_learning_curves_draws_means_and_bands():
    axes = draw_learning_curves(make_study())
    to_png(axes.figure, dpi=50)
    lines = [(line.get_linestyle(), *line.get_xydata().tolist()) for line in axes.get_lines()[:4]]
    assert lines[0] == ("--", [100, 1.0], [1000, 0.9])
    assert lines[1] == ("-", [100, pytest.approx(0.6)], [1000, pytest.approx(0.8)])
    band = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(0.59), pytest.approx(0.81))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["100", "1,000"]
    assert axes.get_title(loc="left") == "imdb (sample): 2 draws, judged on 200 held-out samples"
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend[0] == "64-64 units (5,000 weights)"
    assert legend[-1] == "baseline 0.5"


def test_draw_capacities_writes_scores_and_verdict_into_each_cell():
    axes = draw_capacities(make_study())
    to_png(axes.figure, dpi=50)
    assert [text.get_text() for text in axes.texts] == [
        "1 | 0.6\nhigh variance",
        "0.9 | 0.8\nboth are high",
        "0.6 | 0.55\nhigh bias",
        "0.6 | 0.6\nhigh bias",
    ]
    assert draw_capacities(make_study(), reachable_error=0.4).texts[3].get_text() == "0.6 | 0.6\nneither is high"


def test_describe_capacity_gives_all_means():
    assert describe_capacity(make_study()) == (
        "accuracy on training and on validation by the number of training samples, mean of 2 draws, baseline 0.5. "
        "64-64 units (5,000 weights): 100: 1 and 0.6, 1,000: 0.9 and 0.8. no hidden layer (11 weights): "
        "100: 0.6 and 0.55, 1,000: 0.6 and 0.6."
    )
