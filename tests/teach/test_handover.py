"""What is handed over of objects that stay in the kernel."""

from __future__ import annotations

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from recipe.teach.handover import from_json, hand_over, to_json


def test_hand_over_of_a_pipeline_with_an_encoder_carries_its_predictions() -> None:
    """An encoder has a class among its parameters, its dtype, which is no array, though it looks like one."""
    rows = np.array([["red"], ["blue"], ["red"]])
    model = make_pipeline(ColumnTransformer([("colour", OneHotEncoder(), [0])]), Ridge()).fit(rows, [1.0, 2.0, 1.0])

    handed = from_json(to_json(hand_over(model, [(rows,)])))

    assert handed.error == ""
    assert handed.made_of["steps"] == ["ColumnTransformer", "Ridge"]
    np.testing.assert_allclose(handed.outputs[0], model.predict(rows))
