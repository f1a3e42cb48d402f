"""The table of last layers, row by row, and the problems that stand on it."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import recipe
from recipe.core.measures import MEASURES
from recipe.core.problem import LAST_LAYERS, LastLayer, ProblemType
from recipe.core.spec import LAST_ACTIVATIONS, LOSSES
from recipe.data.problems import HOUSING_FEATURES, PROBLEMS, find_problem

PACKAGE = Path(recipe.__file__).parent

# The table as a book prints it: type, activation, losses that fit, the loss for integer labels.
TABLE = [
    (ProblemType.BINARY, "sigmoid", ("binary_crossentropy",), None),
    (ProblemType.MULTICLASS, "softmax", ("categorical_crossentropy",), "sparse_categorical_crossentropy"),
    (ProblemType.MULTILABEL, "sigmoid", ("binary_crossentropy",), None),
    (ProblemType.REGRESSION, None, ("mse",), None),
    (ProblemType.BOUNDED_REGRESSION, "sigmoid", ("mse", "binary_crossentropy"), None),
]


@pytest.mark.parametrize(("kind", "activation", "losses", "sparse"), TABLE, ids=[row[0].name for row in TABLE])
def test_last_layers_holds_the_row(kind, activation, losses, sparse):
    assert LAST_LAYERS[kind] == LastLayer(activation=activation, losses=losses, integer_label_loss=sparse)


def test_last_layers_has_one_row_for_each_type():
    assert list(LAST_LAYERS) == list(ProblemType) == [row[0] for row in TABLE]


def test_last_layer_loss_is_sparse_for_integer_labels_and_else_the_first():
    losses = [LAST_LAYERS[kind].loss for kind in ProblemType]
    sparse = "sparse_categorical_crossentropy"
    assert losses == ["binary_crossentropy", sparse, "binary_crossentropy", "mse", "mse"]


def test_last_layers_cannot_be_changed():
    with pytest.raises(TypeError, match="does not support item assignment"):
        LAST_LAYERS[ProblemType.BINARY] = LAST_LAYERS[ProblemType.REGRESSION]
    with pytest.raises(dataclasses.FrozenInstanceError):
        LAST_LAYERS[ProblemType.BINARY].activation = None
    with pytest.raises(TypeError, match="does not support item assignment"):
        PROBLEMS["mnist"] = PROBLEMS["imdb"]


def test_a_spec_can_ask_for_every_activation_and_loss_of_the_table():
    for row in LAST_LAYERS.values():
        assert (row.activation or "none") in LAST_ACTIVATIONS
        assert {*row.losses, row.loss} <= set(LOSSES)


def test_every_row_of_the_table_has_a_problem():
    assert {problem.type for problem in PROBLEMS.values()} == set(ProblemType)


@pytest.mark.parametrize("kind", ProblemType)
def test_is_classification_is_true_for_labels_alone(kind):
    labels = {ProblemType.BINARY, ProblemType.MULTICLASS, ProblemType.MULTILABEL}
    assert kind.is_classification is (kind in labels)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_problem_is_consistent(problem):
    assert PROBLEMS[problem.name] is problem
    assert problem.base in {"mnist", "imdb", "housing"}
    assert problem.question.endswith(("?", ".)"))
    names = 2 if problem.type is ProblemType.BINARY else problem.outputs  # a yes and a no share one output
    assert len(problem.output_names) == len(set(problem.output_names)) == names
    assert problem.type in MEASURES[problem.measure].types
    assert len(problem.target_scale) in {1, problem.outputs}
    assert min(problem.target_scale) > 0
    assert bool(problem.target_unit) is not problem.type.is_classification
    assert problem.input_shape == ((problem.num_words,) if problem.num_words else problem.input_shape)
    assert bool(problem.num_words) is (problem.base == "imdb")


def test_problems_have_the_shapes_of_their_data():
    shapes = {name: (problem.input_shape, problem.outputs) for name, problem in PROBLEMS.items()}
    tables = {"housing": ((8,), 1), "housing_fraction": ((8,), 1), "housing_vector": ((7,), 2)}
    images = {"mnist": ((28, 28), 10), "mnist_five": ((28, 28), 1), "mnist_multilabel": ((28, 28), 3)}
    assert shapes == {**images, "imdb": ((10_000,), 1), **tables}
    assert HOUSING_FEATURES[-1] == "median_income"  # the vector problem predicts the last feature


def test_find_problem_returns_the_problem():
    assert all(find_problem(name) is problem for name, problem in PROBLEMS.items())


@pytest.mark.parametrize("name", ["minst", "", None])
def test_find_problem_refuses_an_unknown_name_and_lists_the_known_ones(name):
    message = f"There is no problem of that name. Received: name={name!r}. Choose from {', '.join(PROBLEMS)}."
    with pytest.raises(ValueError, match=re.escape(message)):
        find_problem(name)


def _words_of_the_table() -> set[str]:
    """What only the table may say: activations and losses of a last layer that are no measure's name as well."""
    losses = {loss for row in LAST_LAYERS.values() for loss in (*row.losses, row.loss)}
    return (losses | {row.activation for row in LAST_LAYERS.values()}) - {None, *MEASURES}


def _asks_for_the_hidden_activation(node: ast.AST) -> bool:
    """`spec.activation in ("sigmoid", ...)` is about the hidden layers, which the table says nothing of."""
    return isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "activation"


def _strings(node: ast.AST) -> set[str]:
    if _asks_for_the_hidden_activation(node):
        return set()
    own = {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
    return own.union(*map(_strings, ast.iter_child_nodes(node)))


# The table; the choices that a spec allows; and what names choices that are wrong, or what each of them puts out.
NAMES_ONLY = {
    "problems/__init__.py",
    "spec.py",
    "debugging/faults.py",
    "checklist/last_layer.py",
    "studies/wrong_rows.py",
}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_other_module_repeats_the_table(path):
    if path.relative_to(PACKAGE).as_posix() in NAMES_ONLY:
        return
    assert _strings(ast.parse(path.read_text(encoding="utf-8"))) & _words_of_the_table() == set()


def test_strings_are_found_wherever_they_stand_but_in_a_question_about_hidden_layers():
    tree = ast.parse('x = {"softmax": f(last="sigmoid")} if spec.activation == "relu" else layer.loss == "mae"')
    assert _strings(tree) == {"softmax", "sigmoid", "mae"}


def test_no_template_repeats_the_table():
    words = re.compile("|".join(sorted(_words_of_the_table())))
    paths = [path for path in (PACKAGE / "templates").iterdir() if path.is_file()]
    assert {path.name: words.findall(path.read_text(encoding="utf-8")) for path in paths} == {
        path.name: [] for path in paths
    }
    assert "keras_program.py.jinja" in {path.name for path in paths}
