"""The table of last layers, row by row, and the problems that stand on it."""

import dataclasses
import json
import re

import pytest

from recipe.core.measures import MEASURES
from recipe.core.problem import LAST_LAYERS, LastLayer, Problem, ProblemType
from recipe.data.problems import HOUSING_FEATURES, PROBLEMS, find_problem

# The table as a book prints it: type, activation, losses that fit. For classes, that of integer labels comes first.
TABLE = [
    (ProblemType.BINARY, "sigmoid", ("binary_crossentropy",)),
    (ProblemType.MULTICLASS, "softmax", ("sparse_categorical_crossentropy", "categorical_crossentropy")),
    (ProblemType.MULTILABEL, "sigmoid", ("binary_crossentropy",)),
    (ProblemType.REGRESSION, None, ("mse",)),
    (ProblemType.BOUNDED_REGRESSION, "sigmoid", ("mse", "binary_crossentropy")),
]


@pytest.mark.parametrize(("kind", "activation", "losses"), TABLE, ids=[row[0].name for row in TABLE])
def test_last_layers_holds_the_row(kind, activation, losses):
    assert LAST_LAYERS[kind] == LastLayer(activation=activation, losses=losses)
    assert LAST_LAYERS[kind].loss == losses[0]


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_problem_is_consistent(problem):
    assert PROBLEMS[problem.name] is problem
    assert Problem.from_dict(json.loads(json.dumps(problem.to_dict()))) == problem
    assert problem.question.endswith(("?", ".)"))
    names = 2 if problem.type is ProblemType.BINARY else problem.outputs  # a yes and a no share one output
    assert len(problem.output_names) == len(set(problem.output_names)) == names
    assert problem.type in MEASURES[problem.measure].types
    assert len(problem.target_scale) in {1, problem.outputs}
    assert min(problem.target_scale) > 0
    assert bool(problem.target_unit) is not problem.type.is_classification
    assert problem.input_shape == ((problem.num_words,) if problem.num_words else problem.input_shape)
    assert bool(problem.num_words) is (problem.kind == "text")


@pytest.mark.parametrize("name", ["minst", None])
def test_find_problem_refuses_an_unknown_name_and_lists_the_known_ones(name):
    message = f"There is no problem of that name. Received: name={name!r}. Choose from {', '.join(PROBLEMS)}."
    with pytest.raises(ValueError, match=re.escape(message)):
        find_problem(name)


def test_column_names_are_numbers_where_a_table_has_no_names():
    table = dataclasses.replace(PROBLEMS["housing"], feature_names=(), input_shape=(3,))
    assert table.column_names == ("column 1", "column 2", "column 3")
    assert PROBLEMS["housing"].column_names == HOUSING_FEATURES
    assert PROBLEMS["mnist"].column_names == PROBLEMS["imdb"].column_names == ()
