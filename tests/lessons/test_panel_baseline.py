"""Step 5's own panel says what the public functions say."""

import pytest

import recipe
from recipe.lessons.judging import small_spec, with_words
from recipe.lessons.s5_baseline import panel as baseline
from recipe.lessons.s5_baseline.contest import hold_contest
from recipe.lessons.s5_baseline.panel import SAMPLES, BaselinePanel, BaselineSettings


@pytest.fixture(scope="module")
def datasets():
    reviews = recipe.load("imdb", source="sample", rows=900)
    return with_words(reviews, 500), recipe.load("housing", source="sample", rows=300)


@pytest.fixture(scope="module")
def used(datasets):
    """A panel that has run."""
    panel = BaselinePanel(*datasets, trained_on=50)
    panel.run()
    yield panel
    panel.close()


def test_run_returns_what_the_public_functions_return(used, datasets):
    result = used.run(problem="imdb", samples=100, draw=2)
    expected = hold_contest(datasets[0], small_spec(datasets[0].problem), trained_on=50)
    assert result.power == expected.judge(100, seed=2)
    assert result.contest.power == expected.power
    assert used.result is result


def test_another_number_of_samples_trains_nothing(used, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network is trained")

    used.run(problem="imdb", samples=20)
    monkeypatch.setattr(baseline, "hold_contest", refuse)
    more = used.run(samples=200)
    assert (more.power.samples, used.run(samples=20, draw=5).power.samples) == (200, 20)
    assert used.run(draw=6).contest is more.contest


def test_more_samples_than_there_are_are_all_there_are(used):
    result = used.run(problem="housing", samples=2_000)
    assert result.power.samples == len(result.contest.y_val)


def test_change_of_a_control_recomputes_by_itself(used):
    used.run(problem="imdb", samples=20, draw=1)
    before = used.image.value
    used.controls["samples"].value = 200
    used.wait(timeout=60)
    assert used.result.power.samples == 200
    assert used.image.value != before
    assert "200" in used.status.value


def test_words_table_and_status_hold_the_numbers(used):
    result = used.run(problem="imdb", samples=100, draw=1)
    assert result.power.sentence in used.alt_text()
    drawn, everything = used.table()
    assert drawn["samples"] == 100
    assert drawn["model"] == round(result.power.model, 4)
    assert everything["samples"] == len(result.contest.y_val)
    shown = "shows" if result.power.beats_baseline else "does not show"
    assert f"This set of 100 {shown} that the model is better. Judged on all" in used.status.value
    assert len(used.figure().axes) == 2


def test_controls_offer_every_number_of_samples(used):
    assert [value for _, value in used.controls["samples"].options] == list(SAMPLES)
    assert set(used.controls) == set(BaselineSettings.names())


def test_a_problem_without_data_is_refused(used):
    with pytest.raises(ValueError, match=r"no such data. Received: problem='mnist'. It has: imdb, housing"):
        used.run(problem="mnist")
    assert "no such data" in used.status.value


def test_panel_without_datasets_loads_all_three(monkeypatch):
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    monkeypatch.setattr(baseline, "ROWS", {"mnist": 100, "imdb": 200, "housing": 100})
    panel = BaselinePanel()
    assert [dataset.problem.name for dataset in panel.datasets] == ["mnist", "imdb", "housing"]
    assert panel.datasets[1].problem.input_shape == (1_000,)
    panel.close()
