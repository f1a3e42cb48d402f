"""What a model gets wrong: hand-made models whose every answer is known, and real small ones."""

import dataclasses

import keras
import numpy as np
import pytest

import recipe
from recipe.core.dataset import Split
from recipe.core.problem import Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.data.texts import read_texts
from recipe.debugging.mistakes import find_mistakes
from recipe.engine.models import build_model

VOCABULARY = ("", "the", "film", "good", "bad", "dull")
TRAIN = ["the good film", "the bad film", "the film the dull"]
PULL = {"good": 2.0, "bad": -3.0, "dull": -1.5}  # what each word adds to the log-odds of "positive"


def make_images(problem="mnist", labels=(3, 1, 4, 1, 5), shape=(2, 5)):
    """Images whose pixel at the place of a class is its probability, in 255 parts: the model below reads it off."""
    problem = dataclasses.replace(find_problem(problem), input_shape=shape)
    labels = np.array(labels, np.uint8)
    x = np.zeros((len(labels), 10), np.uint8)
    x[np.arange(len(labels)), (3, 7, 4, 7, 9)] = (255, 204, 255, 153, 255)
    x[[1, 3], 1] = (51, 102)
    x = x.reshape(-1, *shape)
    split = Split(problem=problem, source="sample", x_train=x, y_train=labels, x_val=x, y_val=labels, protocol="")
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten()])
    return model, recipe.prepare(split), split


def make_reviews(texts, labels):
    """Reviews, and a network that adds up what each of its words pulls."""
    problem = dataclasses.replace(find_problem("imdb"), num_words=len(VOCABULARY), input_shape=(len(VOCABULARY),))
    split = Split(
        problem=problem,
        source="sample",
        x_train=read_texts(TRAIN, VOCABULARY),
        y_train=np.array([1, 0, 0], np.uint8),
        x_val=read_texts(texts, VOCABULARY),
        y_val=np.array(labels, np.uint8),
        protocol="",
        vocabulary=VOCABULARY,
    )
    model = build_model(ModelSpec(architecture="linear"), problem)
    model.set_weights([np.array([[PULL.get(word, 0.0)] for word in VOCABULARY]), np.zeros(1)])
    return model, recipe.prepare(split), split


def make_houses(problem="housing", errors=(0.5, -2.0, 0.0, 1.0)):
    """Districts of California and a network that says what the income column holds, in hundred thousand dollars."""
    dataset = recipe.load(problem, source="sample", rows=100)
    split = recipe.hold_out(dataset)
    problem = split.problem
    truth = split.y_val.reshape(len(split.y_val), -1)[: len(errors), 0] / problem.target_scale[0]
    x = split.x_val[: len(errors)].copy()
    x[:, 2] = truth + errors  # this column is read and said again
    split = dataclasses.replace(split, x_val=x, y_val=split.y_val[: len(errors)])
    prepared = recipe.prepare(split, encoding="raw")
    model = build_model(ModelSpec(architecture="linear"), problem)
    weights = np.zeros((problem.input_shape[0], problem.outputs))
    weights[2, 0] = 1.0
    model.set_weights([weights, np.zeros(problem.outputs)])
    return model, prepared, split


def test_find_mistakes_returns_the_wrong_images_with_the_surest_first():
    found = find_mistakes(*make_images())
    assert (found.wrong, found.sentence) == (3, "3 of 5 held-out images are wrong (60.0%).")
    assert found.worst.tolist() == [4, 1, 3]  # the right answer has a probability of 0, 0.2 and 0.4
    assert found.truth.tolist() == [3, 1, 4, 1, 5]
    assert found.outputs[1, [1, 7]].tolist() == pytest.approx([0.2, 0.8])
    assert found.inputs[4].reshape(-1).tolist() == [0] * 9 + [255]
    assert find_mistakes(*make_images(), count=1).worst.tolist() == [4]
    told = found.to_frame().reset_index().to_numpy().tolist()
    assert told == [[4, "5", "9, > 99 %"], [1, "1", "7, 80 %"], [3, "1", "7, 60 %"]]


def test_find_mistakes_says_so_where_there_is_none():
    found = find_mistakes(*make_images(labels=(3, 7, 4, 7, 9)))
    assert (found.wrong, len(found.worst)) == (0, 0)
    assert found.sentence == "Not a single mistake in 5 held-out images."


def test_find_mistakes_judges_rows_from_all_over_the_part():
    model, _, split = make_images()
    many = dataclasses.replace(split, x_val=np.tile(split.x_val, (800, 1, 1)), y_val=np.tile(split.y_val, 800))
    found = find_mistakes(model, recipe.prepare(many), many)
    assert (len(found.rows), found.rows[0], found.rows[-1]) == (2_000, 0, 3_999)


@pytest.mark.parametrize(("name", "wrong"), [("mnist_five", 1), ("mnist_multilabel", 4)])
def test_find_mistakes_of_yes_or_no_answers(name, wrong):
    dataset = recipe.load(name, source="sample", rows=40)
    split = recipe.hold_out(dataset)
    split = dataclasses.replace(split, y_val=np.zeros_like(split.y_val))
    split.y_val[:wrong] = 1
    prepared = recipe.prepare(split)
    model = build_model(ModelSpec(architecture="linear"), prepared.problem)
    weights, bias = model.get_weights()
    model.set_weights([0 * weights, bias - 2.0])  # it never says yes: a probability of 0.12 everywhere
    found = find_mistakes(model, prepared, split)
    assert found.wrong == wrong
    assert sorted(found.rows[found.worst]) == list(range(wrong))
    assert found.outputs == pytest.approx(np.full(found.outputs.shape, 1 / (1 + np.exp(2.0))), abs=1e-6)
    no = "not a 5" if name == "mnist_five" else "not even"
    assert found.describe(found.worst[0])[1] == f"{no}, 88 %"


def test_find_mistakes_returns_the_words_of_the_wrong_reviews():
    found = find_mistakes(*make_reviews(["good dull film", "the good", "bad good bad"], [0, 1, 1]))
    assert found.wrong == 2
    assert found.texts == ("bad good bad", "good dull film")
    assert found.to_frame()["text"].tolist() == list(found.texts)


@pytest.mark.parametrize("name", ["housing", "housing_fraction", "housing_vector"])
def test_find_mistakes_of_quantities_has_signed_errors_and_the_columns_of_the_worst_rows(name):
    model, prepared, split = make_houses(name)
    if name == "housing_fraction":
        model.layers[-1].activation = keras.activations.linear
    found = find_mistakes(model, prepared, split, count=2)
    assert found.errors.tolist() == pytest.approx([0.5, -2.0, 0.0, 1.0], abs=1e-4)
    assert found.worst.tolist() == [1, 3]
    frame = found.to_frame()
    assert frame.index.tolist() == [1, 3]
    assert frame["error"].tolist() == pytest.approx([-2.0, 1.0], abs=1e-4)
    assert frame["latitude"].tolist() == split.x_val[[1, 3], 1].tolist()
    assert list(frame.columns[-len(split.problem.feature_names) :]) == list(split.problem.feature_names)
    unit = "of the cap" if name == "housing_fraction" else "hundred thousand dollars"
    assert found.sentence == (f"Off by 0.88 {unit} on average over 4 held-out rows; at worst 2.00 too low, in row 1.")


def test_find_mistakes_of_a_table_with_classes_names_its_columns():
    problem = Problem(
        name="iris",
        question="Which of three?",
        type=ProblemType.MULTICLASS,
        outputs=3,
        output_names=("a", "b", "c"),
        input_shape=(3,),
        measure="accuracy",
        feature_names=("low", "middle", "high"),
    )
    x = np.array([[1.0, 0, 0], [0, 0.5, 0.5], [0.1, 0.2, 0.7]], np.float32)
    y = np.array([0, 2, 0])
    split = Split(problem=problem, source="local", x_train=x, y_train=y, x_val=x, y_val=y, protocol="")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    found = find_mistakes(model, recipe.prepare(split, encoding="raw"), split)
    assert found.sentence == "2 of 3 held-out rows are wrong (66.7%)."
    frame = found.to_frame()
    assert list(frame.columns) == ["truth", "prediction", "low", "middle", "high"]
    truth, prediction, *numbers = frame.loc[2]
    assert (truth, prediction, numbers) == ("a", "c, 70 %", pytest.approx([0.1, 0.2, 0.7]))


def test_find_mistakes_of_a_perfect_regression_says_so():
    model, prepared, split = make_houses(errors=(0.0, 0.0))
    prepared = dataclasses.replace(prepared, y_val=model.predict(prepared.inputs("val"), verbose=0)[:, 0])
    assert find_mistakes(model, prepared, split).sentence == "Not a single error in 2 held-out rows."


def test_find_mistakes_refuses_what_does_not_go_together():
    model, prepared, split = make_images()
    fewer = dataclasses.replace(split, y_val=split.y_val[:2])
    with pytest.raises(ValueError, match=r"another one than was prepared. Received: split of mnist with 2 validation"):
        find_mistakes(model, prepared, fewer)


def test_find_mistakes_refuses_a_model_that_diverged():
    model, prepared, split = make_houses()
    model.set_weights([np.full_like(model.get_weights()[0], np.nan), np.zeros(1)])
    with pytest.raises(
        ValueError, match=r"not finite. Received: model='.*', without a number for 4 of 4 samples. Take"
    ):
        find_mistakes(model, prepared, split)
