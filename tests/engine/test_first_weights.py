"""First weights drawn without a compilation a shape. That they are those of Keras, bit for bit, see test_codegen.py."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.engine.first_weights import draw_again
from recipe.engine.models import build_model


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("housing", ModelSpec(hidden_units=(5, 4), dropout=0.5, l2=0.1)),
        ("mnist", ModelSpec(architecture="convnet", hidden_units=(2, 3), dropout=0.5)),
        ("imdb", ModelSpec(architecture="embedding", hidden_units=(2,))),
    ],
)
def test_draw_again_gives_what_a_model_of_that_seed_begins_with(name, spec):
    first, other = (build_model(spec.replace(seed=seed), find_problem(name)) for seed in (0, 7))
    for values, variables in zip(
        draw_again(first, 7), (other.trainable_variables, other.non_trainable_variables), strict=True
    ):
        for value, variable in zip(values, variables, strict=True):
            np.testing.assert_array_equal(value, variable)
