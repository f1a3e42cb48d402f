"""Lesson 8 cites the rates of false alarms from the page that `make checks` writes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_lesson_cites_the_false_alarms_as_they_are_published():
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    unseen = page.split("## False alarms")[1]
    sound = re.search(r"(\d+) sound pipelines", unseen)[1]
    alarms = sum(map(int, re.findall(r"\((\d+)\)", unseen.split("They failed on:")[1])))
    broken, share = re.search(r"(\d+) broken pipelines of \d+ kinds: the right check fails in (\d+)%", page).groups()
    lesson = (ROOT / "notebooks" / "08_debug_the_pipeline.ipynb").read_text(encoding="utf-8")
    assert share == "100"
    assert f"alarms, sound, broken = {alarms}, {sound}, {broken}  # cited from docs/checks.md" in lesson
