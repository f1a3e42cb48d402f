"""What a model gets wrong: hand-made models whose every answer is known, and real small ones."""

import dataclasses

import keras
import numpy as np
import pytest
from mistake_examples import make_answers, make_houses, make_images, make_reviews, make_rows

import recipe
from recipe.debugging.mistakes import find_mistakes


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


@pytest.mark.parametrize(
    ("name", "wrong", "bias", "says"),
    [
        ("mnist_five", 1, -2.0, "not a 5, 88 %"),
        ("mnist_five", 1, -20.0, "not a 5, > 99 %"),  # never certain
        ("mnist_multilabel", 4, -2.0, "not even, 88 %"),
    ],
)
def test_find_mistakes_of_yes_or_no_answers(name, wrong, bias, says):
    found = find_mistakes(*make_answers(name, wrong, bias))
    assert found.wrong == wrong
    assert sorted(found.rows[found.worst]) == list(range(wrong))
    assert found.outputs == pytest.approx(np.full(found.outputs.shape, 1 / (1 + np.exp(-bias))), abs=1e-6)
    assert found.describe(found.worst[0])[1] == says


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
    found = find_mistakes(*make_rows())
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
