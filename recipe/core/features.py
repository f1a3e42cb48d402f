"""Step 4: new columns from old ones. Little data cannot tell a network what a person knows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One column divided by another, as a new column.

    Attributes
    ----------
    name : of the new column
    over, under : names of the columns above and below the line

    Examples
    --------
    >>> print(Ratio(name="rooms_per_household", over="total_rooms", under="households"))
    rooms_per_household = total_rooms / households
    """

    name: str
    over: str
    under: str

    def __str__(self) -> str:
        return f"{self.name} = {self.over} / {self.under}"


# The totals of a district say how large it is. What a house there is like stands in their ratios.
HOUSING_RATIOS = (
    Ratio(name="rooms_per_household", over="total_rooms", under="households"),
    Ratio(name="bedrooms_per_room", over="total_bedrooms", under="total_rooms"),
    Ratio(name="people_per_household", over="population", under="households"),
)


def add_ratios(x: np.ndarray, ratios: Sequence[Ratio], names: Sequence[str]) -> np.ndarray:
    """Append a column for each ratio.

    Parameters
    ----------
    x : float array of shape (n, features)
    ratios : which columns to divide by which
    names : of the columns of `x`

    Returns
    -------
    np.ndarray of shape (n, features + ratios), in the dtype of `x`

    Raises
    ------
    ValueError
        If a ratio names a column that is not there, or divides by a column that is 0 somewhere.

    Examples
    --------
    >>> half = Ratio(name="a_per_b", over="a", under="b")
    >>> add_ratios(np.array([[1.0, 2.0], [9.0, 3.0]]), [half], ["a", "b"]).tolist()
    [[1.0, 2.0, 0.5], [9.0, 3.0, 3.0]]
    """
    columns = [x]
    for over, under in ratio_places(ratios, names):
        if zeros := int((x[:, under] == 0).sum()):
            raise ValueError(
                f"{zeros} of {len(x):,} values of {names[under]} are 0, and nothing can be divided by it. Received: "
                f"a ratio of {names[over]} to {names[under]}. Drop these samples, or the ratio."
            )
        columns.append((x[:, over] / x[:, under])[:, None])
    return np.concatenate(columns, axis=1, dtype=x.dtype)


def ratio_places(ratios: Sequence[Ratio], names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return the column numbers above and below the line of each ratio.

    Raises
    ------
    ValueError
        If a ratio names a column that is not there.
    """
    for ratio in ratios:
        if missing := [name for name in (ratio.over, ratio.under) if name not in names]:
            raise ValueError(
                f"There is no column {missing[0]!r} to make {ratio.name} from. Received: ratio={str(ratio)!r}. "
                f"Columns: {', '.join(names) or 'none, this data is no table'}."
            )
    return tuple((names.index(ratio.over), names.index(ratio.under)) for ratio in ratios)
