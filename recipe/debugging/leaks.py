"""Columns of a table that give the target away: a copy of it under another name, or what is known only afterwards."""

from __future__ import annotations

import numpy as np

from recipe.core.problem import ProblemType

LOOKED_AT = 2_000  # training rows: enough to tell a copy from a good predictor
MOST_COLUMNS = 500
LEAST_ROWS = 40
ALL_BUT_SURE = 0.995  # balanced accuracy that one column alone reaches on rows that it was not fitted on
ALL_BUT_EQUAL = 0.9999  # rank correlation of one column with a quantity


def find_target_copies(x: np.ndarray, y: np.ndarray, kind: ProblemType, *, seed: int = 0) -> tuple[int, ...]:
    """Return the numbers of the columns from which the target can be told almost without fail, each of them alone.

    Labels: a small decision tree of that column alone, fitted on two thirds of the rows and judged on the third, three
    times, has a balanced accuracy of 99.5 % on average. Quantities: the column ranks the rows as the target does.
    So clear a predictor is hardly ever a discovery; mostly it is the target under another name, or became known after
    it.

    Parameters
    ----------
    x : (n, columns), a raw table; NaN where a value is missing, which may be what gives the target away
    y : (n,) or (n, outputs), labels or quantities
    """
    from scipy.stats import spearmanr
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    if len(x) < LEAST_ROWS or x.shape[1] > MOST_COLUMNS:
        return ()
    rows = np.random.default_rng(seed).permutation(len(x))[:LOOKED_AT]
    x, targets = x[rows], y[rows].reshape(len(rows), -1)
    found = []
    for column in range(x.shape[1]):
        known = ~np.isnan(x[:, column])
        values = np.where(known, x[:, column], np.nanmin(x[:, column], initial=0.0) - 1)[:, None]  # (n, 1)
        for target in targets.T:
            if not kind.is_classification:
                enough = known.sum() >= LEAST_ROWS and np.ptp(values[known]) > 0 and np.ptp(target[known]) > 0
                sure = enough and abs(spearmanr(values[known, 0], target[known]).statistic) > ALL_BUT_EQUAL
            elif np.unique(target, return_counts=True)[1].min() < 3 or len(np.unique(target)) < 2:
                continue  # too few of a class to be judged on
            else:
                leaves = 3 * len(np.unique(target)) + 3
                tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=seed)
                sure = cross_val_score(tree, values, target, cv=3, scoring="balanced_accuracy").mean() > ALL_BUT_SURE
            if sure:
                found.append(column)
                break
    return tuple(found)
