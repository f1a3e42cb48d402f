"""The rival: which simple model it is, and that it is judged as a network is."""

import pytest

import recipe
from recipe.core.measures import MEASURES
from recipe.data.load import load
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare


@pytest.mark.parametrize(
    ("name", "model", "least"),
    [
        ("mnist", "logistic regression", 0.9),
        ("imdb", "TF-IDF and logistic regression", 0.8),
        ("housing", "gradient boosting", 0.5),
        ("mnist_multilabel", "logistic regression", 0.8),
        ("housing_vector", "gradient boosting", 0.1),
        ("housing_fraction", "gradient boosting", 0.1),
    ],
)
def test_rival_is_a_simple_model_judged_as_a_network_is(name, model, least):
    prepared = prepare(hold_out(load(name, source="sample")))
    baseline = recipe.compute_baseline(prepared)
    rival = baseline.rival
    measure = MEASURES[prepared.problem.measure]
    assert rival.name == model
    assert rival.value == measure.compute(prepared.problem, prepared.y_val, rival.outputs)
    if measure.higher_is_better:
        assert rival.value > least
    else:
        assert rival.value < (1 - least) * baseline.value
