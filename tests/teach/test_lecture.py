"""The simulated lecture: what waits come to where they are known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from lecture import Lecture


def test_simulate_lets_a_learner_alone_wait_for_the_work_and_no_longer():
    first, later = Lecture(learners=1, cores=2, first=3.0, later=[0.5], think=10.0).simulate()
    assert first == pytest.approx([3.0])
    assert later[:-1] == pytest.approx(0.5)


def test_simulate_shares_the_cores_in_equal_parts():
    first, later = Lecture(learners=10, cores=2, first=4.0, later=[1.0], arrive=1e-6, think=1e-9).simulate()
    assert first == pytest.approx(20.0, rel=1e-3)  # ten times four seconds on two cores
    assert np.median(later) == pytest.approx(5.0, rel=0.01)


def test_simulate_counts_who_still_waits_in_the_end():
    first, later = Lecture(learners=50, cores=1, first=20.0, later=[1.0], arrive=1e-6).simulate()
    assert len(first) == 50
    assert first.min() == pytest.approx(300.0)
    assert len(later) == 0
