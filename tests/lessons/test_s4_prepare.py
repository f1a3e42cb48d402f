"""Lesson 4: a trial keeps what the network read and how training went; its figure and its panel show that."""

import numpy as np
import pytest

import recipe
from recipe.lessons.few import draw_few
from recipe.lessons.s4_prepare import panel as panel_module
from recipe.lessons.s4_prepare.panel import NETWORKS, PreparePanel, inputs_of

pytestmark = pytest.mark.usefixtures("undrawn")

NAMES = ("mnist", "imdb", "housing")


def test_inputs_of_are_what_the_network_reads():
    digits, reviews, houses = (draw_few(recipe.load(name, "sample", rows=400), 60) for name in NAMES)
    pixels = inputs_of(recipe.prepare(digits))["pixels"]
    assert (pixels.min(), pixels.max()) == (0, 1)
    assert set(inputs_of(recipe.prepare(reviews))["words that occur"]) == {1}
    columns = inputs_of(recipe.prepare(houses))
    assert list(columns) == list(houses.problem.feature_names)
    assert all(abs(values.mean()) < 1e-3 for values in columns.values())


# The panel.


@pytest.fixture(scope="module")
def datasets():
    return [recipe.load(name, source="sample", rows=1_000) for name in ("housing", "mnist", "imdb")]


@pytest.fixture(scope="module", autouse=True)
def short_trainings():
    """Two epochs show what the panel does as well as sixty do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panel_module, "NETWORKS", {name: spec.replace(epochs=2) for name, spec in NETWORKS.items()})
        yield


@pytest.fixture
def panel(datasets):
    return PreparePanel(*datasets, rows=50)


def test_panel_run_trains_on_what_prepare_returns(panel):
    trial, *_ = panel.run(problem="imdb", encoding="tfidf", seed=3)
    prepared = recipe.prepare(draw_few(panel.dataset, 50, test_size=0.25, seed=3), encoding="tfidf")
    spec = panel_module.NETWORKS[prepared.problem.kind].replace(seed=3)
    expected = recipe.train(spec, prepared, journal=None)
    for name, values in expected.history.items():
        np.testing.assert_allclose(trial.run.history[name], values, rtol=1e-4, err_msg=name)


def test_panel_keeps_earlier_runs_of_the_problem_the_latest_first_and_each_once(panel, monkeypatch):
    monkeypatch.setattr(panel_module, "REMEMBERED", 1)
    raw, scaled = (panel.run(encoding=encoding)[0].name for encoding in ("raw", "scale"))
    assert [trial.name for trial in panel.run(encoding="raw")] == [raw, scaled]
    assert [trial.name for trial in panel.run(encoding="normalize")][1:] == [raw]
    assert len(panel.run(problem="mnist")) == 1


def test_panel_offers_what_suits_the_inputs_of_the_problem_and_names_its_source(panel):
    def offered():
        return [name for _, name in panel.controls["encoding"].options]

    assert offered() == ["raw", "scale", "scale_signed", "normalize"]
    assert "housing: an embedded sample, not the real data" in panel.source_label.value
    panel.controls["problem"].value = "imdb"
    panel.wait(timeout=60)
    assert offered() == ["multi_hot", "tfidf"]
    assert "imdb: an embedded sample" in panel.source_label.value
    assert "housing" not in panel.source_label.value


def prepared_as(panel):
    """What the panel trained on last."""
    split = draw_few(panel.dataset, 50, test_size=0.25, seed=0)
    return recipe.prepare(split, encoding=panel.settings.encoding)


def test_panel_table_words_and_figure_hold_the_scores(panel):
    panel.run()
    trial, earlier = panel.run(encoding="normalize")
    table = panel.table()
    assert table["validation"].tolist() == [trial.run.score, earlier.run.score]
    assert table["5 % above"][1] > 1_000 > 5 > table["5 % above"][0]
    words, rival = panel.alt_text(), trial.rival
    assert f"Validation mean absolute error {trial.run.score:.3g} hundred thousand dollars" in words
    assert f"the {rival.value:.3g} of the rival, {rival.name}. Before, raw (50, seed 0):" in words
    assert table["rival"][0] == rival.value == recipe.compute_baseline(prepared_as(panel)).rival.value
    above, below = panel.figure().subfigs
    (measure,) = [axes for axes in above.axes if "absolute error" in axes.get_title(loc="left")]
    assert trial.run.history["val_mae"] in [list(line.get_ydata()) for line in measure.get_lines()]
    assert [label.get_text() for label in below.axes[0].get_yticklabels()] == list(trial.inputs)
