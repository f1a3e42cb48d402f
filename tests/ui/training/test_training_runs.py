"""The training panel, driven by Python: runs, the journal, advice, guesses and the reachable error."""

from __future__ import annotations

import html
import threading

import pytest
from training_examples import SMALL, read_status

from recipe.data.load import load
from recipe.journal import default_journal
from recipe.steps.s6_scale_up import Verdict
from recipe.ui.experiment import run_experiment
from recipe.ui.experiment.outcome import Experiment
from recipe.ui.training import TrainingPanel


def test_run_returns_the_experiment_and_shows_it(panel, digits):
    experiment = panel.run()
    assert isinstance(experiment, Experiment)
    assert experiment is panel.experiment is panel.result
    assert experiment.history == run_experiment(panel.spec, experiment.prepared, journal=None).history
    assert read_status(panel).startswith("Done in ")
    assert experiment.sentences[0] in read_status(panel)
    assert "units_1=8&batch_size=32&epochs=2" in read_status(panel)
    assert "Training curves on a sample over 2 epochs" in panel.alt_text()
    assert "128 training" not in panel.alt_text()
    assert [row["epoch"] for row in panel.table()] == [1, 2]
    assert panel.table()[1]["val_accuracy"] == pytest.approx(experiment.score, abs=1e-6)
    assert experiment.sentences[1] in html.unescape(panel._view.diagnosis.value)
    assert "Hold-out, 32 of 160 samples for validation." in panel.source_label.value


def test_second_run_of_the_same_setting_comes_from_the_journal(panel):
    panel.run()
    again = panel.run()
    assert again.from_journal
    assert "From the journal, where this was trained in" in read_status(panel)
    trained = panel.run(again=True)
    assert not trained.from_journal
    assert len(panel.runs) == 2


def test_runs_outlive_the_panel_and_are_those_of_the_same_data(panel, digits):
    panel.run()
    panel.run(epochs=3)
    other = TrainingPanel(digits, **SMALL)
    assert [(row["epochs"], row["from"]) for row in other.runs] == [(2, "panel"), (3, "panel")]
    assert other.run().from_journal
    assert TrainingPanel(load("mnist", source="sample", rows=150)).runs == []


def test_panel_without_a_journal_keeps_its_own_runs(digits):
    panel = TrainingPanel(digits, journal=None, **SMALL)
    panel.run()
    assert not panel.run().from_journal
    assert [row["run"] for row in panel.runs] == [1, 2]
    panel.pin(1)
    assert [row["pinned"] for row in panel.runs] == [True, False]
    assert default_journal().runs() == []


def test_journal_that_cannot_be_written_is_told(panel, monkeypatch):
    monkeypatch.setattr("recipe.journal.Journal.record", lambda *args, **more: 1 / 0)
    with pytest.warns(RuntimeWarning, match="not in the journal"):
        panel.run()
    assert "The journal could not be written: this run is kept in this panel only" in read_status(panel)
    assert len(panel.runs) == 1


def test_start_and_stop_keep_whole_epochs(panel):
    seen = threading.Event()
    panel.image.observe(lambda change: seen.set(), names="value")
    panel.settings = panel.settings.replace(epochs=100_000)
    panel.start()
    assert seen.wait(60)
    panel.stop()
    panel.wait(60)
    assert panel.experiment.stopped == "asked"
    assert "Stopped after" in read_status(panel)
    assert {len(values) for values in panel.experiment.history.values()} == {panel.runs[0]["epochs"]}
    assert panel.runs[0]["end"] == "stopped"
    assert not panel.run(epochs=2).from_journal


def test_train_again_button_trains_what_the_journal_has(panel):
    panel.run()
    panel._view.again_button.click()
    panel.wait(60)
    assert not panel.experiment.from_journal
    panel.run_button.click()
    panel.wait(60)
    assert panel.experiment.from_journal


def test_three_seeds_are_three_histories(panel):
    experiment = panel.run(seeds=3)
    assert experiment.seeds == (0, 1, 2)
    assert "on average over 3 seeds" in read_status(panel)
    assert len(panel.runs) == 3


def test_earlier_runs_stay_as_faint_curves(panel):
    panel.run()
    panel.run(epochs=3)
    assert "Behind them, faintly, the validation curves of 1 earlier run" in panel.alt_text()
    lines = [line for axes in panel.figure().axes for line in axes.get_lines() if line.get_alpha() == 0.55]
    assert [len(line.get_xdata()) for line in lines] == [2, 2]
    panel.run(epochs=2)  # from the journal: not its own ghost
    assert [len(one["val_data_loss"]) for one in panel._past.curves] == [3]


def test_apply_advice_changes_the_controls_and_trains_nothing(panel):
    experiment = panel.run()
    piece = next(number for number, advice in enumerate(experiment.advice) if advice.spec)
    panel.apply_advice(piece)
    assert panel.spec == experiment.advice[piece].spec
    assert panel.experiment is experiment
    assert f"Put into the controls: {experiment.advice[piece].title}" in read_status(panel)
    assert "→" in read_status(panel)


def test_advice_is_put_on_top_of_what_the_controls_say(panel):
    experiment = panel.run()
    panel.settings = panel.settings.replace(activation="tanh")
    panel.apply_advice(0)
    assert panel.spec == experiment.advice[0].spec.replace(activation="tanh")


def test_advice_buttons_apply_and_hide(panel):
    experiment = panel.run()
    lines = panel._view.advice
    assert [line.row.layout.display for line in lines].count("flex") == len(experiment.advice)
    lines[0].button.click()
    assert panel.spec == experiment.advice[0].spec


@pytest.mark.parametrize("number", [-1, 99])
def test_apply_advice_refuses_a_piece_that_is_not_there(panel, number):
    with pytest.raises(ValueError, match=rf"no such piece of advice. Received: number={number}. Train first."):
        panel.apply_advice(number)


def test_apply_advice_refuses_advice_on_another_problem():
    panel = TrainingPanel(rows=300, **SMALL)
    panel.run()
    panel.controls["problem"].value = "housing"
    with pytest.raises(ValueError, match=r"The advice is on mnist, and the controls ask for housing."):
        panel.apply_advice(0)


def test_reachable_error_diagnoses_anew_and_holds_for_the_next_run(panel):
    before = panel.run()
    panel._view.reachable.value = 0.5
    assert panel.experiment.error_diagnosis.reachable_error == 0.5
    assert panel.experiment.outcomes is before.outcomes
    assert "above the reachable 50 %" in panel._view.diagnosis.value
    panel.reachable_error = 0.123
    assert panel._view.reachable.label == "12.3 %"
    assert panel.run().error_diagnosis.reachable_error == 0.123


def test_guess_is_scored_after_the_run(panel):
    first = panel.run()
    panel.predict_first(overfits=True, better=True)
    assert "Guess: it will overfit, and score better than the last run." in read_status(panel)
    second = panel.run(epochs=8)
    came = [second.history_diagnosis.verdict is Verdict.OVERFITTING, second.score > first.score]
    assert [answer.is_right for answer in panel.answers] == came
    assert f"{sum(came)} of 2 guesses right so far." in panel._view.guess_text.value
    assert (panel._view.overfits.value, panel._view.better.value) == ("no guess", "no guess")
    panel.run(epochs=9)
    assert len(panel.answers) == 2


@pytest.mark.parametrize("problem", ["imdb", "housing", "mnist_multilabel"])
def test_panel_changes_the_problem(problem):
    panel = TrainingPanel(rows=300, **SMALL)
    experiment = panel.run(problem=problem)
    assert experiment.problem.name == problem
    assert "an embedded sample, not the real data" in panel.source_label.value
    panel.show_tab("Mistakes")
    assert panel._view.mistakes_image.layout.display == "block"


def test_rows_beyond_the_data_are_all_of_it():
    panel = TrainingPanel(problem="housing", rows=30_000, **SMALL)
    prepared = panel.run().prepared
    assert len(prepared.y_train) + len(prepared.y_val) == 1_600


def test_error_of_a_run_stands_in_the_status(panel):
    panel.settings = panel.settings.replace(architecture="convnet", layer_2=True, layer_3=True, layer_4=True)
    panel.start()
    with pytest.raises(ValueError, match=r"is too small for 4. Received: hidden_units=\(8, 64, 64, 64\). Take fewer"):
        panel.wait(60)
    assert "is too small for 4" in read_status(panel)
    assert not panel.run_button.disabled
