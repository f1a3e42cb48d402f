"""Reads names and numbers out of answers, whatever form they came in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recipe.teach.exercises import Verdict, object_to


def refuse_name(what: str, value: object, names: Iterable[str]) -> Verdict | None:
    """Return the verdict on an answer that is none of these names; None where it is one.

    Examples
    --------
    >>> refuse_name("colour", "red", ["red", "blue"])
    >>> refuse_name("colour", 3, ["red", "blue"]).message
    'colour is one of red, blue. Received: 3.'
    """
    names = list(names)
    if isinstance(value, str) and value in names:
        return None
    return object_to(f"{what} is one of {', '.join(names)}. Received: {repr(value)[:80]}.")


def as_number(value: object) -> float | None:
    """Return a finite number, be it an int, a float or an array of one; None for everything else.

    Examples
    --------
    >>> as_number(3), as_number(np.array([0.5])), as_number("3"), as_number(True), as_number(float("nan"))
    (3.0, 0.5, None, None, None)
    """
    if isinstance(value, str | bool):
        return None
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None
    return float(array.reshape(-1)[0]) if array.size == 1 and np.isfinite(array).all() else None


def as_numbers(value: object, names: tuple[str, ...]) -> dict[str, float] | None:
    """Return a dictionary (or a Series) with a number for each of the names, and for nothing else; None for others.

    Examples
    --------
    >>> as_numbers({"a": 1, "b": 2.5}, ("a", "b")), as_numbers({"a": 1}, ("a", "b")), as_numbers([1, 2], ("a", "b"))
    ({'a': 1.0, 'b': 2.5}, None, None)
    """
    told = value.to_dict() if hasattr(value, "to_dict") else value
    if not isinstance(told, dict) or sorted(map(str, told)) != sorted(names):
        return None
    numbers = {str(name): as_number(one) for name, one in told.items()}
    return None if None in numbers.values() else numbers


def is_near(got: float, right: float, tolerance: float) -> bool:
    """Tell whether a number lies within an absolute tolerance of another one."""
    return abs(got - right) <= tolerance
