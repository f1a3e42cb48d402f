"""Few samples to learn from, others to judge on."""

import numpy as np
import pytest

import recipe
from recipe.lessons.few import draw_few, predict_held_out


def test_draw_few_keeps_the_validation_part_whatever_the_rows():
    dataset = recipe.load("housing", source="sample", rows=400)
    few, many, every = (draw_few(dataset, rows, most=80, seed=1) for rows in (20, 200, None))
    assert (len(few.y_train), len(many.y_train), len(every.y_train), len(few.y_val)) == (20, 200, 240, 80)
    np.testing.assert_array_equal(few.x_val, every.x_val)
    np.testing.assert_array_equal(few.x_train, many.x_train[:20])
    assert len(draw_few(dataset).y_val) == 160
    with pytest.raises(ValueError, match=r"Of 320 samples 80 are held out .* Received: rows=241\. Take 240 or fewer"):
        draw_few(dataset, 241, most=80)


def test_predict_held_out_are_the_outputs_of_the_trained_network():
    split, spec = draw_few(recipe.load("mnist_five", source="sample", rows=200), 60), recipe.ModelSpec(epochs=1)
    prepared, outputs = predict_held_out(split, spec)
    expected = recipe.train(spec, prepared, journal=None).model.predict(prepared.inputs("val"), verbose=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
