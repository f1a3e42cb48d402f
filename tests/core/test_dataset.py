"""The sealed test set: it shows nothing before it is opened, and counts every look."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from recipe.core.dataset import SealedTest


def test_sealed_test_counts_looks_and_shows_nothing():
    sealed = SealedTest(np.arange(6).reshape(3, 2), np.array([7, 8, 9]))
    assert (len(sealed), sealed.looks) == (3, 0)
    assert repr(sealed) == "SealedTest(3 samples, sealed, looks=0)"
    x, y = sealed.open()
    assert (x.shape, y.tolist(), sealed.looks) == ((3, 2), [7, 8, 9], 1)
    sealed.open()
    assert "looks=2" in repr(sealed)
    public = [name for name in dir(sealed) if not name.startswith("_")]
    assert public == ["fingerprint", "looks", "open"]
    with pytest.raises(AttributeError):
        sealed.looks = 0


def test_sealed_test_keeps_its_count_when_copied():
    sealed = SealedTest(np.ones((2, 2)), np.ones(2))
    sealed.open()
    assert copy.deepcopy(sealed).looks == pickle.loads(pickle.dumps(sealed)).looks == 1
