"""Lesson 5: the power of a test beside simulated tests, and the panel that shows it."""

import pytest

import recipe
from recipe.lessons.few import draw_few, predict_held_out
from recipe.lessons.s5_baseline import panel as panel_module
from recipe.lessons.s5_baseline.panel import SAMPLES, SPEC, BaselinePanel

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def panel():
    reviews = recipe.load("imdb", source="sample", rows=900)
    panel = BaselinePanel(reviews, recipe.load("housing", source="sample", rows=300), trained_on=50)
    panel.run()
    return panel


def test_panel_run_returns_what_the_public_functions_return(panel):
    result = panel.run(problem="imdb", samples=2_000, draw=2)
    data, outputs = predict_held_out(draw_few(panel.datasets[0], 50), SPEC)
    expected = recipe.statistical_power(data.problem, data.y_val, outputs, recipe.compute_baseline(data))
    assert result.power.samples == len(data.y_val)  # no more are there
    assert result.power.model == pytest.approx(expected.model)
    assert result.power.p_value == pytest.approx(expected.p_value)
    assert panel.table()["samples"].tolist() == [len(data.y_val)] * 2


@pytest.mark.parametrize("problem", ["imdb", "housing"])
def test_panel_says_what_its_figure_shows(panel, problem):
    result = panel.run(problem=problem, samples=50, draw=3)
    assert result.power.samples == 50
    assert result.power.sentence in panel.alt_text()
    assert f"On all samples: {result.whole.sentence}" in panel.alt_text()
    first, second = (label.get_text() for label in panel.figure().axes[0].get_yticklabels()[::2])
    assert first == "50 samples:\nmodel" != second
    assert "50 validation samples" in panel.status.value
    rival = f"The rival, {result.rival.name}, has {result.rival.value:.3g}"
    assert rival in panel.alt_text()
    assert rival in panel.status.value
    assert panel.table()["rival"][1] == result.rival.value


def test_panel_recomputes_on_a_change_and_trains_nothing_anew(panel, monkeypatch):
    before = panel.run(problem="imdb", samples=20, draw=1)
    monkeypatch.setattr(panel_module, "predict_held_out", lambda *args: 1 / 0)
    picture = panel.image.value
    panel.controls["samples"].value = 200
    panel.wait(timeout=60)
    assert panel.result.power.samples == 200
    assert panel.result.whole == before.whole
    assert panel.image.value != picture
    assert [value for _, value in panel.controls["samples"].options] == list(SAMPLES)
