"""The page of a class: `recipe class-report`. One file, which asks no other host for anything."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from recipe.figures import BLUE, INK, ORANGE, blank_figure, finish, to_base64
from recipe.teach.class_report import (
    FEW,
    NOT_ATTEMPTED,
    OUTCOMES,
    PARTLY,
    PAUSE,
    RIGHT,
    WAITS,
    WRONG,
    ClassReport,
    describe_class,
)

SHAPES = {RIGHT: "●", PARTLY: "◐", WRONG: "✕", NOT_ATTEMPTED: "–", WAITS: "?"}  # told apart without colour
LOOKS = {  # of the bars: colour and hatching
    RIGHT: (BLUE, ""),
    PARTLY: ("#A6D1EC", "//"),
    WRONG: (ORANGE, "xx"),
    NOT_ATTEMPTED: ("white", ""),
    WAITS: ("#DDDDDD", ".."),
}


def render_page(report: ClassReport) -> str:
    """Return the page as HTML."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recipe.teach", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = _write_number
    environment.filters["percent"] = lambda value: "unknown" if math.isnan(value) else f"{100 * value:.0f} %"
    environment.filters["name"] = lambda name: name.replace("_", " ")
    return environment.get_template("class_report.html.jinja").render(
        report=report,
        sections=[_collect(report, name) for name in report.assignments],
        shapes=SHAPES,
        few=FEW,
        pause=round(PAUSE.total_seconds() / 60),
        outcomes=OUTCOMES,
    )


def _write_number(value: float, digits: int = 1, unknown: str = "unknown") -> str:
    """Write a number with a true minus; whole numbers without digits behind the point."""
    if math.isnan(value):
        return unknown
    text = f"{value:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if digits == 1 and "." in text else text).replace("-", "−")


def _collect(report: ClassReport, name: str) -> dict[str, object]:
    """Return what one assignment's part of the page shows."""
    scores, items, ideas = report.scores(name), report.items(name), report.misconceptions(name)
    numbers = {idea: f"M{at}" for at, idea in enumerate(ideas.index, 1)}
    tables = {value: report.pivot(name, value) for value in ("outcome", "points", "misconception", "max_points")}
    cells = {
        student: [
            {
                "exercise": exercise,
                "outcome": tables["outcome"].loc[student, exercise],
                "points": tables["points"].loc[student, exercise],
                "idea": numbers.get(tables["misconception"].loc[student, exercise], ""),
            }
            for exercise in items.index
            if isinstance(tables["outcome"].loc[student, exercise], str)
        ]
        for student in scores.index
    }
    known = scores["minutes"].dropna()
    return {
        "name": name,
        "sentences": describe_class(report, name),
        "scores": scores.reset_index().to_dict("records"),
        "items": items.reset_index().to_dict("records"),
        "most": tables["max_points"].max().to_dict(),
        "ideas": ideas.reset_index().to_dict("records"),
        "numbers": numbers,
        "cells": cells,
        "has_proofs": scores["process"].any(),
        "alpha": report.alpha(name),
        "missing": report.missing(name),
        "minutes": {"known": len(known), "median": known.median(), "most": known.max()},
        "flags": report.flags[report.flags["assignment"] == name].sort_values(["student", "kind"]).to_dict("records"),
        "figures": [_draw_grades(scores["percent"].dropna()), _draw_outcomes(items)],
    }


def _draw_grades(percent: pd.Series) -> dict[str, str]:
    """Draw how many have how many percent of the points that are marked."""
    edges = np.arange(0, 101, 10)
    counts, _ = np.histogram(percent.clip(0, 100), edges)
    figure = blank_figure((7.6, 2.9))
    axes = figure.subplots()
    bars = axes.bar(edges[:-1], counts, width=9.4, align="edge", color=BLUE)
    axes.bar_label(bars, [str(count) if count else "" for count in counts], color=INK, padding=1)
    axes.set(xticks=edges, xlabel="percent of the points", ylabel="students", xlim=(-1, 101))
    axes.set_ylim(0, max(1, counts.max()) * 1.18)
    axes.yaxis.get_major_locator().set_params(integer=True)
    finish(axes, "Grades")
    told = [f"{low} to {low + 10} %: {count}" for low, count in zip(edges, counts, strict=False) if count]
    return {"picture": to_base64(figure), "alt": f"Students by percent of the points. {'; '.join(told) or 'None yet'}."}


def _draw_outcomes(items: pd.DataFrame) -> dict[str, str]:
    """Draw for each exercise how many answers were right, partly right, wrong, or none."""
    figure = blank_figure((7.6, 1.3 + 0.38 * len(items)))
    axes = figure.subplots()
    before = np.zeros(len(items))
    for outcome in OUTCOMES:
        colour, hatch = LOOKS[outcome]
        counts = items[outcome].to_numpy(float)
        if not counts.any():
            continue
        bars = axes.barh(items.index, counts, 0.72, before, color=colour, hatch=hatch, edgecolor=INK, label=outcome)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
        texts = [f"{count:.0f}" if count else "" for count in counts]
        for text in axes.bar_label(bars, texts, label_type="center", color=INK, fontsize="small"):
            if text.get_text():
                text.set_bbox(box)
        before += counts
    axes.invert_yaxis()
    axes.set_xlim(0, max(1, before.max()))
    axes.set_xlabel("students")
    finish(axes, "")
    figure.legend(loc="outside upper left", ncols=len(OUTCOMES), frameon=False, fontsize="small")
    told = [
        f"{name}: " + ", ".join(f"{row[outcome]} {outcome}" for outcome in OUTCOMES if row[outcome])
        for name, row in items.iterrows()
    ]
    return {"picture": to_base64(figure), "alt": f"Answers to each exercise. {'; '.join(told)}."}
