"""The judge's process: what it answers, and what becomes of checks that fail, hang or end it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipe.teach.handover import to_json
from recipe.teach.judge import PRACTICE_KEY, JudgeClient, read_key

ASSIGNMENT = "02_choose_a_measure_of_success"
CHECKS = Path(__file__).parents[2] / "assignments" / "hidden"


def ask(client: JudgeClient, exercise: str, **answer: object) -> object:
    return client.judge(exercise, [to_json(answer)] * 2)


def test_judge_client_gives_points_and_names_misconceptions() -> None:
    with JudgeClient(CHECKS) as client:
        exercises = client.open(ASSIGNMENT, "ada")
        assert exercises["measure"] == {"points": 10, "asks": ["measure"]}
        assert ask(client, "measure", measure="cost").share == 1
        assert ask(client, "threshold", threshold=0.5).misconception == "half_is_no_law"
        assert not ask(client, "threshold", threshold=None).attempted
        assert len(client.tries("count")) == 2


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "null", '{"other": 1}', '{"threshold": ' + "[" * 100_000, '{"__array__": "x"}', "1" * 9999],
)
def test_judge_gives_no_points_for_what_cannot_be_read(text: str) -> None:
    with JudgeClient(CHECKS) as client:
        client.open(ASSIGNMENT, "")
        verdict = client.judge("threshold", [text, text])
    assert (verdict.share, verdict.by_hand) == (0, False)
    assert "cannot be read" in verdict.message


@pytest.mark.parametrize("body", ["1 / 0", "import os; os._exit(3)", "while True: pass", "print('a line'); 1 / 0"])
def test_hidden_check_that_fails_leaves_it_to_a_person(body: str, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    (tmp_path / "s2_measure.py").write_text(f"def threshold(answer, world, draw):\n    {body}\n")
    with JudgeClient(tmp_path, seconds=10) as client:
        client.open(ASSIGNMENT, "")
        client.seconds = 1
        verdict = ask(client, "threshold", threshold=0.1)
        client.seconds = 10
        assert verdict.by_hand
        assert verdict.share == 0
        assert ask(client, "measure", measure="cost").share == 1, "the judge is there again"
    assert "the check of threshold failed" in capfd.readouterr().err


def test_judge_client_names_what_cannot_be_opened(tmp_path: Path) -> None:
    with JudgeClient(tmp_path) as client, pytest.raises(ValueError, match="no hidden checks"):
        client.open(ASSIGNMENT, "")
    with JudgeClient(None) as client, pytest.raises(ValueError, match="no such assignment"):
        client.open("17_no_such_thing", "")


def test_hidden_draw_depends_on_the_key() -> None:
    texts = []
    for key in ("one", "two", "one"):
        with JudgeClient(CHECKS, key) as client:
            client.open(ASSIGNMENT, "ada")
            texts.append(client.tries("count"))
    assert texts[0] == texts[2]
    assert texts[0][0] == texts[1][0], "what the student has is the same"
    assert texts[0][1] != texts[1][1]


def test_read_key_prefers_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_key(tmp_path) == PRACTICE_KEY
    (tmp_path / "course_key.txt").write_text("from the file\n")
    assert read_key(tmp_path) == "from the file"
    monkeypatch.setenv("RECIPE_COURSE_KEY", "from the environment")
    assert read_key(tmp_path) == "from the environment"
    assert json.dumps(read_key(None)) == '"from the environment"'
