"""The training panel, driven by Python and its widgets: runs, the journal, advice, guesses, tabs, the table of runs."""

from __future__ import annotations

import html
import re
import threading

import numpy as np
import pandas as pd
import pytest

import recipe
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.journal import default_journal
from recipe.steps.s6_scale_up import Verdict
from recipe.ui.runs import compare_runs
from recipe.ui.training import MOST_ADVICE, NOTHING_YET, TABS, TrainingPanel
from recipe.ui.training_settings import GUESSES, NETWORKS, NO_GUESS, TrainingSettings, can_read

SMALL = {"units_1": 8, "batch_size": 32, "epochs": 2}
SPECS = [
    ModelSpec(),
    ModelSpec(architecture="linear"),
    ModelSpec(hidden_units=(48, 3, 1000, 7), activation="tanh", dropout=0.123, l1=2e-7, l2=0.5, patience=7),
    ModelSpec(architecture="convnet", hidden_units=(16, 32), optimizer="sgd", learning_rate=0.0123),
    ModelSpec(hidden_units=(16, 16), batch_size=17, epochs=37, seed=42),
]


@pytest.fixture(scope="module")
def digits():
    """Two hundred digits of the sample."""
    return load("mnist", source="sample", rows=200)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Take the sample, and leave out what is slow and tested elsewhere: that Matplotlib renders a figure."""
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    monkeypatch.setattr("recipe.ui.panel.to_png", lambda figure, **more: b"\x89PNG of %d axes" % len(figure.axes))


@pytest.fixture
def panel(digits):
    """A panel of two hundred digits."""
    return TrainingPanel(digits, **SMALL)


def read_status(panel: TrainingPanel) -> str:
    """Return the status line without its markup."""
    return html.unescape(re.sub("<.*?>", "", panel.status.value))


# Runs.


def test_run_returns_the_run_and_shows_it(panel, digits):
    run = panel.run()
    prepared = recipe.prepare(recipe.hold_out(digits))
    assert run is panel.result
    assert run.history == recipe.train(panel.spec, prepared, journal=None).history
    assert read_status(panel).startswith("Done in ")
    assert panel.sentences[0] in read_status(panel)
    assert "units_1=8, batch_size=32, epochs=2" in read_status(panel)
    assert "Training curves on a sample over 2 epochs" in panel.alt_text()
    assert panel.table().index.tolist() == [1, 2]
    assert panel.table()["val_accuracy"].tolist() == run.history["val_accuracy"]
    assert panel.sentences[1] == recipe.diagnose_history(run).sentence
    assert panel.sentences[1] in html.unescape(panel.diagnosis.value)
    assert digits.problem.question in panel.source_label.value
    assert "Hold-out, 36 of 179 samples for validation." in panel.source_label.value


def test_runs_outlive_the_panel_and_are_those_of_the_same_data(panel, digits):
    panel.run()
    panel.run(epochs=3)
    other = TrainingPanel(digits, **SMALL)
    assert other.runs["epochs"].tolist() == [2, 3]
    assert TrainingPanel(load("mnist", source="sample", rows=150)).runs.empty


def test_panel_without_a_journal_keeps_its_own_runs(digits):
    panel = TrainingPanel(digits, journal=None, **SMALL)
    panel.run(epochs=1)
    panel.run(epochs=2)
    assert panel.runs["epochs"].tolist() == [1, 2]
    assert default_journal().runs() == []


def test_journal_that_cannot_be_written_costs_no_run(panel, monkeypatch):
    monkeypatch.setattr("recipe.journal.Journal.record", lambda *args, **more: 1 / 0)
    with pytest.warns(RuntimeWarning, match="not in the journal"):
        panel.run()
    assert len(panel.runs) == 1


def test_start_and_stop_keep_whole_epochs(panel):
    seen = threading.Event()
    panel.image.observe(lambda change: seen.set(), names="value")
    panel.settings = panel.settings.replace(epochs=100_000)
    panel.start()
    assert panel.controls["problem"].disabled
    assert seen.wait(60)
    assert "of 100000 epochs" in panel.image.tooltip or panel.result is not None
    panel.stop()
    panel.wait(60)
    assert not panel.controls["problem"].disabled
    assert panel.result.stopped == "asked"
    assert "Stopped after" in read_status(panel)
    assert {len(values) for values in panel.result.history.values()} == {panel.runs["epochs"][1]}
    assert panel.run(epochs=2).model is not None


def listen(panel, monkeypatch):
    """Every message from now on, with the words of the curves that it finds: none is left out that comes soon."""
    monkeypatch.setattr("recipe.ui.worker.SAY_SECONDS", 0.0)
    monkeypatch.setattr("recipe.ui.worker.REDRAW_SECONDS", 0.0)
    monkeypatch.setattr("recipe.ui.worker.REST", 0.0)
    monkeypatch.setattr("recipe.ui.trainer.SOON", 0.0)
    told = []
    panel.status.observe(lambda change: told.append((read_status(panel), panel.image.tooltip)), names="value")
    return told


def test_three_seeds_are_a_mean_of_three_runs_that_is_seen_under_way_with_the_time_that_is_left(panel, monkeypatch):
    told = listen(panel, monkeypatch)
    run = panel.run(seed=0, seeds=3)
    assert [one.spec.seed for one in run.members] == [0, 1, 2]
    assert run.score == pytest.approx(run.history["val_accuracy"][run.best_epoch])
    networks = [text for text, _ in told if text.startswith("Network")]
    assert networks[0].startswith("Network 1 of 3, epoch 1 of 2 (")
    assert networks[-1].startswith("Network 3 of 3, epoch 2 of 2, 0 s left (")
    assert any("over 1 of 2 epochs" in words for _, words in told)
    (under_way,) = (words for text, words in told if text.startswith("Fitting the rival"))
    assert panel.alt_text().startswith(f"{under_way} The rival is ")  # the last curves under way are those of the run
    assert "on average over 3 seeds" in read_status(panel)
    assert len(panel.runs) == 3


def test_message_says_at_most_where_training_may_stop_early(panel, monkeypatch):
    told = listen(panel, monkeypatch)
    panel.run(early_stopping=True)
    assert any(text.startswith("Epoch 2 of 2, at most 0 s left (") for text, _ in told)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Validation mean absolute error {score} hundred thousand dollars, training {train}: better than the"),
        ({"learning_rate": 1e-5}, "{score} hundred thousand dollars, training {train}: no better than the"),
        ({"optimizer": "sgd", "learning_rate": 100.0}, "There is no score: the loss is not finite."),
    ],
)
def test_status_puts_both_parts_beside_the_baseline(changes, words):
    panel = TrainingPanel(load("housing", source="sample", rows=200), **SMALL | {"epochs": 30, "batch_size": 8})
    run = panel.run(**changes)
    assert words.format(score=f"{run.score:.3g}", train=f"{run.train_score:.3g}") in read_status(panel)


def test_earlier_runs_stay_as_faint_curves(panel):
    panel.run()
    panel.run(epochs=3)
    assert "Behind them, faintly, the validation curves of 1 earlier run" in panel.alt_text()
    lines = [line for axes in panel.figure().axes for line in axes.get_lines() if line.get_alpha() == 0.55]
    assert [len(line.get_xdata()) for line in lines] == [2, 2]


@pytest.mark.parametrize("problem", ["imdb", "housing", "mnist_multilabel"])
def test_panel_changes_the_problem(problem):
    panel = TrainingPanel(rows=300, architecture="convnet", **SMALL)
    run = panel.run(problem=problem, architecture="mlp")
    assert run.problem.name == problem
    assert "an embedded sample, not the real data" in panel.source_label.value
    panel.show_tab("Mistakes")
    assert panel.mistakes_image.layout.display == "block"


def test_error_of_a_run_stands_in_the_status(panel, monkeypatch):
    monkeypatch.setattr("recipe.ui.training.train_live", lambda *args, **more: 1 / 0)
    panel.start()
    with pytest.raises(ZeroDivisionError):
        panel.wait(60)
    assert read_status(panel).startswith("This came to no result: the fault is the program's, not yours.")
    assert not panel.run_button.disabled


# Advice, the reachable error and guesses.


def test_apply_advice_changes_the_controls_and_trains_nothing(panel):
    run = panel.run()
    panel.settings = panel.settings.replace(activation="tanh")
    assert panel.advice == recipe.advise(run)
    lines = [line for line, *_ in panel.advice_lines]
    assert [line.layout.display for line in lines].count("flex") == MOST_ADVICE < len(panel.advice)
    panel.advice_lines[0][1].click()
    assert panel.spec == panel.advice[0].spec.replace(activation="tanh")  # on top of what the controls say
    assert panel.result is run
    assert f"Put into the controls: {panel.advice[0].title}" in read_status(panel)


def test_reachable_error_diagnoses_anew_and_holds_for_the_next_run(panel):
    run = panel.run()
    panel.controls["reachable"].value = 0.5
    assert panel.result is run
    assert "above the reachable 50 %" in panel.diagnosis.value
    panel.run(epochs=3, reachable=0.123)
    assert "the reachable 12 %" in panel.sentences[2]


def test_guess_is_judged_after_the_run(panel):
    last = panel.run(guess="it beats the last run")
    assert "There is no last run on this data that the guess could be held against." in read_status(panel)
    for epochs, guess in ((8, GUESSES[1]), (8, GUESSES[2]), (8, GUESSES[3]), (9, GUESSES[3]), (1, GUESSES[4])):
        run = panel.run(epochs=epochs, guess=guess)
        overfits, beats = recipe.diagnose_history(run).verdict is Verdict.OVERFITTING, run.score > last.score
        came = (beats if "beat" in guess else overfits) is not ("not" in guess)
        assert f"You guessed that {guess}: {'right' if came else 'wrong'}." in read_status(panel)
        assert panel.settings.guess == NO_GUESS
        last = run
    panel.run(epochs=9)
    assert "You guessed" not in read_status(panel)


# Tabs.


def test_tabs_show_mistakes_model_and_code_of_the_last_run(panel):
    notes = {"Mistakes": panel.mistakes_text, "Model": panel.model_text}
    for tab, note in notes.items():
        panel.show_tab(tab)
        assert note.value == NOTHING_YET
    panel.run()
    for tab in TABS:
        panel.show_tab(tab)
    assert "held-out images are wrong" in panel.mistakes_image.tooltip
    assert "610 parameters, learned from 143 samples" in panel.model_text.value  # 64 * 8 + 8 + 8 * 10 + 10
    assert "Total params:" in panel.model_text.value
    assert "1 run on this data (mnist), kept in the journal" in panel.runs_tab.note.value


@pytest.mark.parametrize("problem", ["mnist", "imdb", "housing"])
def test_program_of_the_code_tab_trains_on_the_samples_of_the_panel(problem):
    panel = TrainingPanel(problem=problem, rows=300, journal=None, **SMALL)
    run = panel.run()
    panel.show_tab("Code")
    note, program = re.fullmatch(r"(.*)<pre.*?>(.*)</pre></div>", panel.code_text.value, re.DOTALL).groups()
    found: dict = {}
    exec(html.unescape(program), found)
    split = recipe.hold_out(load(problem, source="sample", rows=300))
    np.testing.assert_allclose(np.ravel(found["y_val"]), split.y_val / split.problem.target_scale[0], rtol=1e-6)
    assert f"about {run.score:.3g} in epoch {run.best_epoch + 1}" in note
    measured = found["history"].history[f"val_{run.measure}"][run.best_epoch]
    assert measured == pytest.approx(run.score, abs=0.2 * max(1, run.baseline))


def test_mistakes_in_a_table_with_classes_are_a_table():
    frame = pd.DataFrame({"left": [0, 1] * 60, "age": [20, 40, 60] * 40})
    panel = TrainingPanel(recipe.from_table(frame, "left"), journal=None, **SMALL)
    panel.run()
    panel.show_tab("Mistakes")
    assert "aria-label='Worst mistakes'" in panel.mistakes_text.value
    assert re.search(r"<td>(yes|no|0|1)</td>\s*<td>(yes|no|0|1), \d\d %</td>", panel.mistakes_text.value)
    assert panel.mistakes_image.layout.display == "none"


def test_compare_and_use_runs_of_the_table(panel):
    first, second = panel.run(), panel.run(units_1=16, epochs=3)
    pair = compare_runs(panel.runs, 1, 2)
    assert pair.index.tolist() == ["hidden_units", "score", "train_score", "epochs", "seconds"]
    assert pair.loc["hidden_units"].tolist() == ["8", "16"]
    assert pair.loc["score"].tolist() == pytest.approx([first.score, second.score])
    panel.show_tab("Runs")
    panel.runs_tab.first.value, panel.runs_tab.second.value = 1, 2
    assert "<td>hidden_units</td>" in panel.runs_tab.comparison.value
    panel.runs_tab.second.value = 1
    assert panel.runs_tab.comparison.value == ""
    assert panel.runs_tab.load_button.click() is None
    assert panel.spec.hidden_units == (8,)
    assert "The controls say what run 1 was trained with." in read_status(panel)
    with pytest.raises(KeyError):
        panel.use_run(3)


@pytest.mark.parametrize(("problem", "order"), [("mnist", "descending"), ("housing", "ascending")])
def test_table_of_runs_has_the_best_first(problem, order):
    panel = TrainingPanel(load(problem, source="sample", rows=200), **SMALL)
    scores = [panel.run(epochs=epochs).score for epochs in (3, 1, 2)]
    panel.show_tab("Runs")
    chosen = [value for _, value in panel.runs_tab.first.options]
    assert [scores[number - 1] for number in chosen] == sorted(scores, reverse=order == "descending")
    assert f"<th aria-sort='{order}'><button type='button'>score<" in panel.runs_tab.table.value


def test_presentation_shows_the_last_run_beside_the_one_before(panel):
    panel.run()
    panel.run(units_1=16)
    usual = bytes(panel.image.value)
    panel.present_button.value = True
    assert "recipe-present" in panel.widget._dom_classes
    for name in ("A: dense 8", "B: dense 16"):
        assert name in panel.image.tooltip
    assert "earlier run" not in panel.image.tooltip
    panel.present_button.value = False
    assert "recipe-present" not in panel.widget._dom_classes
    assert bytes(panel.image.value) == usual


# Settings and controls.


@pytest.mark.parametrize("spec", SPECS)
def test_controls_show_any_spec_and_give_it_back(panel, spec):
    settings = TrainingSettings().with_spec(spec)
    assert settings.spec == spec
    assert TrainingSettings().read(settings.to_text()) == settings
    panel.spec = spec
    assert panel.spec == spec
    assert panel.controls["epochs"].label == str(spec.epochs)


def test_settings_switch_layers_and_penalties_off():
    settings = TrainingSettings(layer_1=False, layer_3=True, units_3=5, dropout=0.3, l2_on=True, l2=0.01)
    assert settings.spec == ModelSpec(hidden_units=(5,), l2=0.01)
    for architecture in ("mlp", "convnet"):
        assert TrainingSettings(architecture=architecture, layer_1=False).spec.architecture == "linear"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "imdb", "architecture": "convnet"}, r"A convnet needs images, and a sample of imdb has the shape"),
        ({"architecture": "embedding"}, r"An embedding network needs words, and mnist has none."),
        ({"dropout": 1.5}, r"dropout is out of range. Received: dropout=1.5."),
        ({"problem": "weather"}, r"The panel has no such problem. Received: problem='weather'. Choose from mnist,"),
    ],
)
def test_panel_refuses_what_does_not_go_together(changes, message):
    panel = TrainingPanel()
    with pytest.raises(ValueError, match=message):
        panel.settings = panel.settings.replace(**changes)


@pytest.mark.parametrize("changes", [{"hidden_units": (1, 2, 3, 4, 5)}, {"loss": "mse"}, {"last_activation": "tanh"}])
def test_with_spec_refuses_what_the_panel_has_no_control_for(changes):
    with pytest.raises(ValueError, match=r"no controls for that. Received: .*. Train it by recipe.train."):
        TrainingSettings().with_spec(ModelSpec(**changes))


def test_only_networks_that_suit_the_problem_are_offered():
    panel = TrainingPanel()
    for problem in PROBLEMS:
        panel.controls["problem"].value = problem
        offered = [value for _, value in panel.controls["architecture"].options]
        assert offered == [name for name in NETWORKS.values() if can_read(PROBLEMS[problem], name)]
        assert panel.settings.problem == problem


def test_switches_let_only_what_is_on_be_moved(panel):
    controls = panel.controls
    assert [controls[name].disabled for name in ("units_1", "units_2", "dropout")] == [False, True, True]
    controls["layer_2"].value = controls["dropout_on"].value = True
    assert (controls["units_2"].disabled, controls["dropout"].disabled) == (False, False)
    controls["architecture"].value = "linear"
    assert controls["layer_1"].disabled
    assert controls["units_1"].disabled


def test_every_control_has_a_label_of_its_own(panel):
    labels = [control.description for control in panel.controls.values()]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_pasted_line_says_what_it_would_in_a_cell(panel, digits):
    panel.settings_line.value = "TrainingPanel(digits, units_1=32)"
    assert panel.settings == TrainingPanel(digits, units_1=32).settings
    assert panel.line() == "TrainingPanel(data, units_1=32)"  # here no notebook has a name for the digits


def test_panel_of_a_dataset_offers_its_problem_alone(panel, digits):
    assert panel.controls["problem"].options == (("mnist", "mnist"),)
    assert panel.controls["rows"].disabled
    with pytest.raises(ValueError, match=r"no such problem. Received: problem='imdb'. Choose from mnist."):
        TrainingPanel(digits, problem="imdb")
