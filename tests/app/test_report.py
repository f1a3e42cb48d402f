"""The report in HTML and the numbers in JSON: whole, true to the run, and without anything from outside."""

from __future__ import annotations

import json
import re

import pytest
from bs4 import BeautifulSoup

from recipe.app.report import render_html, render_json
from recipe.app.workflow import RecipeResult, run_recipe
from recipe.core.spec import ModelSpec
from recipe.search.plan import Plan

SPEC = ModelSpec(batch_size=16, hidden_units=(32,), optimizer="adam", epochs=30)
PLAN = Plan(small=SPEC.replace(hidden_units=(8,), epochs=20), ladder=(SPEC,), trials=1)


@pytest.fixture(scope="module")
def result(no_journal) -> RecipeResult:
    return run_recipe("housing", source="sample", rows=200, seed=5, plan=PLAN)


@pytest.fixture(scope="module")
def html(result) -> str:
    return render_html(result)


def _words(page: str) -> str:
    """What can be read in a page, with single blanks."""
    body = BeautifulSoup(page, "html.parser").body
    return " ".join(" ".join(body.strings).split())


def test_render_json_has_the_numbers_of_the_run_in_the_measures_unit(result):
    facts = json.loads(render_json(result))
    assert (facts["problem"], facts["source"], facts["seed"]) == ("housing", "sample", 5)
    assert (facts["measure"], facts["unit"]) == ("mae", "hundred thousand dollars")
    assert "not real prices" in facts["provenance"]
    assert facts["scores"]["final model"]["score"] == result.test.score < facts["scores"]["baseline"]["score"]
    assert facts["statistical_power"]["beats_baseline"] is (facts["statistical_power"]["p_value"] <= 0.05)
    assert (facts["looks_at_the_test_set"], facts["stopped_in"]) == (1, None)
    assert facts["versions"]["keras"]
    assert facts["overfitting_epoch"] == result.overfitting_epoch
    assert [trial["spec"] for trial in facts["trials"]] == [trial.run.spec.to_dict() for trial in result.trials]
    assert len(facts["trials"][0]["history"]["val_mae"]) == 20


def test_run_goes_on_after_a_model_that_diverged_and_its_json_has_null_for_what_is_no_number(no_journal):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    wild = SPEC.replace(optimizer="sgd", learning_rate=1e6, epochs=4)
    result = run_recipe("housing", source="sample", rows=200, plan=Plan(small=PLAN.small, ladder=(wild,), trials=0))
    facts = json.loads(render_json(result), parse_constant=refuse)
    assert (result.best.name, facts["trials"][1]["verdict"]) == ("small model", "diverged")
    assert None in facts["trials"][1]["history"]["val_data_loss"]
    assert "diverged" in render_html(result).lower()


def test_render_json_of_a_run_without_a_step_is_still_json():
    def interrupt(event: object) -> None:
        raise KeyboardInterrupt

    facts = json.loads(render_json(run_recipe("housing", source="sample", on_event=interrupt)))
    assert (facts["source"], facts["scores"], facts["stopped_in"]) == ("sample", {}, 1)


def test_render_html_is_one_page_for_screen_and_paper_with_nothing_from_outside(html):
    tags = BeautifulSoup(html, "html.parser").find_all()
    names = ("href", "xlink:href", "src", "srcset", "data", "poster", "action")
    links = [tag[name] for tag in tags for name in names if tag.has_attr(name)]
    assert {link.partition(",")[0] for link in links} == {"data:image/png;base64"}
    assert not {"script", "link", "iframe", "object", "embed"} & {tag.name for tag in tags}
    assert re.findall(r"https?:", html) == []
    assert re.findall(r"url\((?!#)|@import", html) == []
    assert len(html) < 1_000_000
    assert "@media print" in html
    assert '<html lang="en">' in html


def test_render_html_gives_every_figure_its_alternative_text(result, html):
    alternatives = [picture["alt"] for picture in BeautifulSoup(html, "html.parser").find_all("img")]
    assert all(len(alt) > 40 for alt in alternatives)
    assert len(set(alternatives)) == len(alternatives) == len(result.trials)


def test_render_html_shows_source_steps_and_scores(result, html):
    text = _words(html)
    assert "Source: sample." in text
    assert result.dataset.provenance in text
    for step in result.steps:
        assert step.title in text
        assert all(" ".join(sentence.split()) in text for sentence in step.sentences)
    assert all(f"{score:.4g}" in text for score in result.to_frame()["score"])
    assert "Interrupted" not in text
