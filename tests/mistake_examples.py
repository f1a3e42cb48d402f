"""Hand-made models whose every answer is known, with their data: what goes to `find_mistakes`."""

import dataclasses

import keras
import numpy as np

import recipe
from recipe.core.dataset import Split
from recipe.core.problem import Problem, ProblemType
from recipe.core.reviews import Reviews
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
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
        x_train=Reviews.read(TRAIN, VOCABULARY),
        y_train=np.array([1, 0, 0], np.uint8),
        x_val=Reviews.read(texts, VOCABULARY),
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


def make_answers(name, yes, bias):
    """Digits of which the first few are a yes to every question, and a network that gives all the same answer."""
    split = recipe.hold_out(recipe.load(name, source="sample", rows=40))
    split = dataclasses.replace(split, y_val=np.zeros_like(split.y_val))
    split.y_val[:yes] = 1
    prepared = recipe.prepare(split)
    model = build_model(ModelSpec(architecture="linear"), prepared.problem)
    weights, zeros = model.get_weights()
    model.set_weights([0 * weights, zeros + bias])
    return model, prepared, split


def make_rows():
    """A table with three classes, whose columns are what the network says."""
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
    return model, recipe.prepare(split, encoding="raw"), split
