"""The lines of a program that load a problem's data; that whole programs run is tested with the engine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from recipe.data.load import load
from recipe.data.problems import PROBLEMS, find_problem, loading_code


@pytest.mark.parametrize("rows", [None, 300])
@pytest.mark.parametrize("name", PROBLEMS)
def test_loading_code_of_the_sample_gives_what_load_gives(name, rows):
    import recipe

    data = load(name, source="sample", rows=rows)
    names = {"recipe": recipe, "np": np}
    exec(loading_code(data.problem, "sample", rows), names)
    np.testing.assert_array_equal(names["y"], data.y_train)
    assert len(names["x"]) == len(data.x_train)


def test_loading_code_knows_a_sample_by_its_size():
    assert "recipe.load" in loading_code(load("mnist_five", source="sample").problem)
    assert "recipe.load" in loading_code(load("imdb", source="sample").problem)


def test_loading_code_reads_arrays_of_ones_own_where_the_kit_has_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((3, 8)))
    np.save("y.npy", np.zeros(3))
    names = {"np": np}
    exec(loading_code(dataclasses.replace(find_problem("housing"), name="my_houses")), names)
    assert names["x"].shape == (3, 8)
