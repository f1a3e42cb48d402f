"""The questions of the lessons: what they answer, what is kept of predictions, and what each lesson asks."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import ipywidgets as widgets
import pytest

import recipe.lessons
from recipe.journal import default_journal
from recipe.lessons import deeper
from recipe.lessons.questions import Choice, Number, Outcome, Prediction, Question, score_predictions

ROOMS = [path.parent.name for path in sorted(Path(recipe.lessons.__file__).parent.glob("s*/questions.py"))]
LESSONS = [importlib.import_module(f"recipe.lessons.{room}.questions") for room in ROOMS]
DEEPER = [importlib.import_module(f"recipe.lessons.deeper.{one.name}") for one in pkgutil.iter_modules(deeper.__path__)]
QUESTIONS = [one for lesson in (*LESSONS, *DEEPER) for one in vars(lesson).values() if isinstance(one, Question)]


def _predict(claim="more_fits", right="b"):
    options = {"a": ("less", "No: it has more room."), "b": ("better", "Yes: it has more room.")}
    return Prediction(text="How does it fit?", tip="Think of room.", **options, right=right, claim=claim)


def _lesson(*questions):
    lesson = ModuleType("lesson")
    lesson.__dict__.update({f"question_{number}": one for number, one in enumerate(questions)})
    return lesson


def _show(question, monkeypatch):
    """Show a question as a notebook does; return its text and its buttons by name, with the answer and the status."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    question._ipython_display_()
    (answer, *_), buttons, status = (
        child if isinstance(child, widgets.HTML) else child.children for child in (shown[1].children[:3])
    )
    return shown[0]["text/markdown"], {button.description: button for button in buttons}, answer, status


def test_choice_says_of_each_wrong_option_why_it_is_wrong():
    question = _predict()
    assert question.check("b").outcome is Outcome.CORRECT
    assert question.check("a").outcome is Outcome.INCORRECT
    assert "No: it has more room." in str(question.check("a"))


def test_choice_refuses_a_letter_that_it_does_not_have():
    with pytest.raises(ValueError, match="Received: answer='c'"):
        _predict().check("c")


@pytest.mark.parametrize(("answer", "outcome"), [(21, "correct"), ("21.4", "correct"), (22, "incorrect")])
def test_number_takes_what_lies_within_the_tolerance(answer, outcome):
    question = Number(text="How many?", tip="Biases.", value=21, tolerance=0.5, reason="Counted.")
    assert question.check(answer).outcome == outcome


@pytest.mark.parametrize("answer", [None, "", "many"])
def test_number_that_is_none_is_not_attempted(answer):
    question = Number(text="How many?", tip="Biases.", value=21, tolerance=0.5, reason="Counted.")
    assert question.check(answer).outcome is Outcome.NOT_ATTEMPTED


def test_score_predictions_gives_the_brier_score_of_the_last_ones():
    asked = [_predict("right"), _predict("wrong"), _predict("never")]
    asked[0].predict("a", 0.99)
    asked[0].predict("b", 0.8)
    asked[1].predict("a", 0.6)
    told = str(score_predictions(_lesson(*asked)))
    assert f"{((0.8 - 1) ** 2 + 0.6**2) / 2:.3f}" in told
    assert "never" not in told


def test_score_predictions_without_any_is_not_attempted():
    assert score_predictions(_lesson(_predict("other"))).outcome is Outcome.NOT_ATTEMPTED


def test_answers_and_predictions_are_recorded_with_lesson_name_and_outcome():
    from recipe.lessons.s6_scale_up import questions

    questions.next_step.check("a")
    questions.next_step.check()  # not attempted
    questions.turn.predict("b", 0.8)
    checked, predicted = [entry["answer"] for entry in default_journal().entries()]
    assert checked.pop("time").endswith("+00:00")
    assert checked == {"question": "s6_scale_up.next_step", "answer": "a", "outcome": "incorrect"}
    assert (predicted["claim"], predicted["confidence"]) == ("accuracy_moves_little", 0.8)
    assert default_journal().runs() == []


def test_predictions_are_read_from_the_journal_that_another_kernel_wrote():
    _predict("elsewhere").predict("b", 0.9)
    entry = {"claim": "elsewhere", "answer": "a", "outcome": "incorrect", "confidence": 0.7}
    default_journal().note_answer(entry)
    assert "elsewhere: 70% sure, incorrect" in str(score_predictions(_lesson(_predict("elsewhere"))))


def test_predictions_are_kept_in_memory_where_the_journal_is_off_or_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    _predict("off").predict("b", 0.9)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECIPE_JOURNAL", str(tmp_path / "file" / "journal.log"))
    with pytest.warns(RuntimeWarning, match="The answer is not in the journal"):
        _predict("broken").predict("b", 0.9)
    told = str(score_predictions(_lesson(_predict("off"), _predict("broken"))))
    assert "off: 90% sure, correct" in told
    assert "broken: 90% sure, correct" in told


def test_predict_refuses_a_confidence_that_is_none():
    with pytest.raises(ValueError, match="Received: confidence=80"):
        _predict().predict("a", 80)


def test_question_shows_its_text_and_buttons_that_answer(monkeypatch):
    text, buttons, answer, status = _show(_predict("pressed"), monkeypatch)
    assert text.startswith("**Predict.** How does it fit?")
    buttons["Check"].click()
    assert "Not attempted" in status.value
    answer.value = "a"
    buttons["Check"].click()
    assert "Incorrect. No: it has more room." in status.value
    buttons["Keep"].click()
    assert "Kept: a, 50% sure" in status.value
    buttons["Hint"].click()
    assert "Think of room." in status.value
    buttons["Solution"].click()
    assert "b) better" in status.value


def test_question_for_a_number_takes_what_is_typed(monkeypatch):
    question = Number(text="How many?", tip="Biases.", value=21, tolerance=0, reason="Counted.")
    _, buttons, answer, status = _show(question, monkeypatch)
    answer.value = "21"
    buttons["Check"].click()
    assert "Correct. Counted." in status.value


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.__name__)
def test_lesson_asks_four_to_eight_questions_one_of_them_a_prediction(lesson):
    asked = [one for one in vars(lesson).values() if isinstance(one, Question)]
    assert 4 <= len(asked) <= 8
    assert any(isinstance(one, Prediction) for one in asked)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text[:30])
def test_question_of_a_lesson_is_answered_by_its_own_solution(question):
    right = question.right if isinstance(question, Choice) else question.value
    assert question.judge(right).outcome is Outcome.CORRECT
    assert question.name != question.text
    assert question.judge(right).text in str(question.solution())
    if isinstance(question, Choice):
        assert all(len(reason) > 15 for _, reason in question.options.values())
