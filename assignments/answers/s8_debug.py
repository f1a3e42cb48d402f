"""Answers to assignment 8 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

_LOOK = """from sklearn.ensemble import RandomForestClassifier

judge = RandomForestClassifier(200, random_state=0).fit(work.x_clean, work.y_clean)


def agreement(x, y):
    return np.mean(judge.predict(x) == y)


def in_millimetres(x):
    mended = x.copy()
    for column in range(x.shape[1]):
        small = x[:, column] < work.x_clean[:, column].min() / 3
        mended[small, column] = x[small, column] * 25.4 if small.mean() > 0.1 else x[small, column]
    return mended


ways = {"turned": lambda x, y: (x, 1 - y), "units": lambda x, y: (in_millimetres(x), y)}
for steps in range(-5, 6):
    ways[f"by {steps}"] = lambda x, y, steps=steps: (x, np.roll(y, -steps))
if np.allclose(in_millimetres(work.x), work.x):
    del ways["units"]
    best = max(ways, key=lambda name: agreement(*ways[name](work.x, work.y)))
else:
    best = "units"
"""

ANSWERS = {
    "columns": [
        Answer(
            """def bad_columns(x):
    frame = pd.DataFrame(x).replace([np.inf, -np.inf], np.nan)
    return [name for name in frame if frame[name].isna().any() or frame[name].nunique() == 1]""",
            10,
        ),
        Answer(
            """def bad_columns(x):
    with np.errstate(invalid="ignore"):
        spread = x.std(axis=0)
    return np.where(~(spread > 1e-12))[0]""",
            10,
        ),
        Answer("def bad_columns(x):\n    return np.where(np.isnan(x).any(axis=0))[0]", 4, "only_missing_numbers"),
        Answer("def bad_columns(x):\n    return np.where(~np.isfinite(x).all(axis=1))[0]", 0, "rows_not_columns"),
        Answer("def bad_columns(x):\n    return np.where(~np.isfinite(x).all(axis=0))[0]", 4, "only_missing_numbers"),
        Answer("def bad_columns(x):\n    return list(range(x.shape[1]))", 0, says="are spoiled"),
        Answer("def bad_columns(x):\n    return (np.isfinite(x) & (x != x[0])).any(axis=0)", 0, says="not yes or no"),
    ],
    "shared": [
        Answer(
            """def count_shared(train, val):
    train = pd.DataFrame(train).drop_duplicates()
    return len(pd.DataFrame(val).merge(train))""",
            15,
        ),
        Answer(
            """def count_shared(train, val):
    return int((val[:, None] == train[None]).all(axis=2).any(axis=1).sum())""",
            15,
        ),
        Answer(
            "def count_shared(train, val):\n    return (train[: len(val)] == val[:60]).all(axis=1).sum()",
            3,
            "same_place_only",
        ),
        Answer("def count_shared(train, val):\n    return np.isin(val, train).sum()", 3, "values_not_rows"),
        Answer(
            "def count_shared(train, val):\n    return len(pd.DataFrame(val).merge(pd.DataFrame(train))) + 1",
            0,
            says="Counted",
        ),
        Answer("def count_shared(train, val):\n    return val", 0, says="returns a number"),
    ],
    "constant": [
        Answer("def ignores_input(outputs):\n    return bool(outputs.std(axis=0).max() < 1e-6)", 10),
        Answer("def ignores_input(outputs):\n    return all(np.allclose(row, outputs[0]) for row in outputs)", 10),
        Answer("def ignores_input(outputs):\n    return len({tuple(row) for row in outputs.round(6)}) == 1", 10),
        Answer("def ignores_input(outputs):\n    return bool((outputs == outputs[0]).all())", 4, "exactly_equal"),
        Answer(
            "def ignores_input(outputs):\n    return len(np.unique(outputs.round(2), axis=0)) < 20",
            2,
            "one_pair_is_enough",
        ),
        Answer("def ignores_input(outputs):\n    return bool(outputs.std(axis=0).max() > 1e-6)", 0, says="accused"),
        Answer("def ignores_input(outputs):\n    return outputs.std()", 0, says="True or False"),
    ],
    "batch": [
        Answer("def can_learn(losses):\n    return max(losses[-5:]) < 0.1 * losses[0]", 15),
        Answer("def can_learn(losses):\n    return bool(np.mean(losses[-10:]) / np.mean(losses[:3]) < 0.2)", 15),
        Answer("def can_learn(losses):\n    return losses[-1] < losses[0]", 4.5, "falling_is_enough"),
        Answer("def can_learn(losses):\n    return losses[-1] == 0", 4.5, "absolute_zero"),
        Answer("def can_learn(losses):\n    return losses[-1] > 0.1 * losses[0]", 4.5, says="are judged right"),
        Answer("def can_learn(losses):\n    return losses", 0, says="True or False"),
    ],
    "mended": [
        Answer(_LOOK + "mend = ways[best]", 25),
        Answer(
            _LOOK
            + """

def mend(x, y):
    x, y = ways[best](x, y)
    return pd.DataFrame(x), pd.Series(y)""",
            25,
        ),
        Answer("def mend(x, y):\n    return x, y", 0, "fault_not_found"),
        Answer("def mend(x, y):\n    return x[:80], y[:80]", 0, "fault_not_found"),
        Answer(
            _LOOK
            + """

def mend(x, y):
    x, y = ways[best](x, y)
    return x[5:-300], y[5:-300]""",
            10,
            "threw_rows_away",
        ),
        Answer("def mend(x, y):\n    return x", 0, says="two arrays"),
    ],
    "rates": [
        Answer(
            """sweep = pd.Series(work.sweep["losses"], index=work.sweep["rates"])
rate = sweep.idxmin()""",
            15,
        ),
        Answer(
            """losses, rates = np.array(work.sweep["losses"]), np.array(work.sweep["rates"])
rate = rates[np.nanargmin(losses)] / 2  # a little on the safe side""",
            15,
        ),
        Answer("rate = work.sweep['rates'][np.nanargmin(work.sweep['losses'])] / 10  # a common rule", 15),
        Answer("rate = min(work.sweep['rates'])", 3, "too_cautious"),
        Answer("rate = max(work.sweep['rates'])", 3, "behind_the_cliff"),
        Answer("rate = 1e-5", 3, "too_cautious"),
        Answer("rate = -0.1", 0, says="above 0"),
    ],
}
