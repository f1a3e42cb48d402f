"""A learner's progress: what counts as begun, done, beaten and overfitted, in words, in a file and in the panel."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from tuning_examples import make_run
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal
from recipe.lessons.questions import Choice, Prediction, Question
from recipe.lessons.s6_scale_up import questions
from recipe.teach.progress import LESSONS, chance, collect_progress

SPEC = ModelSpec(hidden_units=(4,), epochs=8)
TURNED = {"data_loss": [0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02]}
TURNED |= {"val_data_loss": [0.6, 0.5, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9]}
TURNED |= {name: [0.9] * 8 for name in ("accuracy", "val_accuracy")}


def _lesson(name="s6_scale_up"):
    return next(one for one in collect_progress().lessons if one.lesson == name)


def _answer_all():
    for one in vars(questions).values():
        if isinstance(one, Prediction):
            one.predict("a", 0.5)
        elif isinstance(one, Question):
            one.check(one.right if isinstance(one, Choice) else one.value)


def test_progress_of_an_empty_journal_has_begun_nothing():
    progress = collect_progress()
    assert {one.state for one in progress.lessons} == {"not begun"}
    assert (progress.predictions, progress.problems, progress.looks, progress.runs) == ((), (), (), 0)
    assert math.isnan(progress.brier)
    assert "Lessons: 0 of 9 done, 0 begun." in str(progress)


def test_lesson_is_done_once_all_is_answered_right_and_predicted():
    questions.next_step.check("a")
    assert (_lesson().state, _lesson().answered, _lesson().right) == ("begun", 1, 0)
    _answer_all()
    lesson = _lesson()
    assert (lesson.state, lesson.answered) == ("done", lesson.asked)
    assert _lesson("s1_problem").state == "not begun"


def test_first_try_counts_the_first_answer_and_no_predictions():
    questions.next_step.check("a")
    questions.next_step.check("c")
    questions.stop_by.check("b")
    questions.turn.check("b")
    assert (_lesson().first_try, _lesson().right) == (1, 3)


def test_predictions_are_scored_by_the_last_one_kept_and_put_in_order_of_confidence():
    questions.turn.predict("a", 0.99)
    questions.turn.predict("b", 0.9)
    questions.bigger.predict("b", 0.9)
    questions.draws.predict("c", 0.5)
    progress = collect_progress()
    assert progress.brier == pytest.approx((0.1**2 + 0.9**2 + 0.5**2) / 3)
    table = progress.calibration
    assert table["confidence"].tolist() == [0.5, 0.9]
    assert table["share"].tolist() == [1.0, 0.5]
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


@pytest.mark.parametrize(
    ("problem", "score", "baseline", "samples", "beaten"),
    [
        ("mnist", 0.9, 0.1, 100, True),
        ("mnist", 0.2, 0.1, 20, False),  # four of twenty where two were to be expected
        ("housing", 0.4, 0.9, 100, True),
        ("housing", 0.85, 0.9, 100, False),
        ("mnist_five", 0.9, 0.1, 100, None),  # an F1 score alone does not say how many fives there were
    ],
)
def test_baseline_is_beaten_where_chance_does_not_explain_it(problem, score, baseline, samples, beaten):
    run = make_run(SPEC, data="d", problem=problem, score=score, baseline=baseline, val_samples=samples)
    default_journal().record(run)
    (found,) = collect_progress().problems
    assert (found.problem, found.source, found.beaten) == (problem, "sample", beaten)
    assert (found.score, found.baseline) == (score, baseline)


def test_luckiest_of_many_runs_does_not_beat_the_baseline():
    lucky = make_run(SPEC, data="d", score=0.2, baseline=0.1, val_samples=60)
    assert 0.01 < chance(lucky) < 0.05
    default_journal().record(lucky)
    assert collect_progress().problems[0].beaten
    for seed in range(9):
        default_journal().record(make_run(SPEC.replace(seed=seed), data="d", score=0.1, baseline=0.1, val_samples=60))
    assert not collect_progress().problems[0].beaten


def test_overfitting_is_shown_by_a_run_whose_validation_loss_turned():
    default_journal().record(make_run(SPEC, data="d", score=0.9))
    assert not collect_progress().problems[0].overfitted
    default_journal().record(make_run(SPEC, data="d", history=TURNED))
    assert collect_progress().problems[0].overfitted
    assert "Overfitting shown: mnist (sample)." in str(collect_progress())


def test_minutes_of_work_leave_out_breaks():
    began = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    for minute in (0, 10, 120, 125):
        time = (began + timedelta(minutes=minute)).isoformat()
        default_journal().record(make_run(SPEC, data="d", time=time, seconds=60.0))
    progress = collect_progress()
    assert (progress.runs, progress.training_minutes) == (4, 4.0)
    assert progress.working_minutes == pytest.approx(11 + 6)


def test_looks_are_counted_for_each_test_set():
    for test in ("ab", "ab", "cd"):
        default_journal().note_look(test)
    assert sorted(collect_progress().looks) == [1, 2]
    assert "Test sets: 2 opened, 3 looks in all, the most at one: 2." in str(collect_progress())


# The command.


def _recipe(*arguments):
    return CliRunner().invoke(app, ["progress", *map(str, arguments)])


def test_command_says_it_in_words_in_json_and_in_a_file(tmp_path):
    _answer_all()
    assert _recipe().stdout == f"{collect_progress()}\n"
    values = json.loads(_recipe("--json").stdout)
    assert (values["format"], len(values["lessons"]), values["brier"] is None) == ("recipe-progress/1", 9, False)
    done = _recipe("--export", tmp_path / "mine.json", "--student", "ada")
    assert "Written" in done.stderr
    assert json.loads((tmp_path / "mine.json").read_text(encoding="utf-8")) == values | {"student": "ada"}


def test_command_says_that_the_journal_is_off(monkeypatch):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    done = _recipe()
    assert (done.exit_code, "The journal is off." in done.stderr) == (2, True)


# The panel.


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("show", "rows"), [("lessons", 9), ("predictions", 1), ("problems", 2)])
def test_panel_draws_and_says_what_the_journal_holds(show, rows):
    from recipe.teach.progress_panel import ProgressPanel

    _answer_all()
    for problem in ("mnist", "mnist_five"):
        default_journal().record(make_run(SPEC, data="d", problem=problem, baseline=0.1))
    panel = ProgressPanel()
    panel.run(show=show)
    assert len(panel.table()) == rows
    assert panel.figure().axes
    assert panel.alt_text().startswith(show.capitalize())
    assert "1 of 9 done" in panel.status.value
    assert "Baselines beaten beyond chance: mnist (sample)." in panel.notes.value
    assert panel.line() == ("ProgressPanel()" if show == "lessons" else f"ProgressPanel(show='{show}')")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("show", ["lessons", "predictions", "problems"])
def test_panel_of_an_empty_journal_says_so(show):
    from recipe.teach.progress_panel import ProgressPanel

    panel = ProgressPanel(show=show)
    panel.run()
    assert panel.figure().axes
    assert show == "lessons" or panel.alt_text() == f"Nothing to be drawn yet: no {show}."


def test_lessons_are_all_that_ask_something():
    from pathlib import Path

    import recipe.lessons

    folder = Path(recipe.lessons.__file__).parent
    assert list(LESSONS) == [path.parent.name for path in sorted(folder.glob("s*/questions.py"))]
