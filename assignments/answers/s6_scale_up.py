"""Answers to assignment 6 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

_IMPORTS = """from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

"""
_SMALL = "too_small = LogisticRegression().fit(work.x_train, work.y_train)\n"
_RIGHT = "right_size = SVC().fit(work.x_train, work.y_train)\n"
_LARGE = "too_large = DecisionTreeClassifier(random_state=0).fit(work.x_train, work.y_train)\n"

ANSWERS = {
    "best_epoch": [
        Answer("def best_epoch(train, val):\n    return val.index(min(val)) + 1", 10),
        Answer(
            """def best_epoch(train, val):
    best, at = float("inf"), None
    for epoch, loss in enumerate(val, start=1):
        if loss < best:
            best, at = loss, epoch
    return at""",
            10,
        ),
        Answer(
            """def best_epoch(train, val):
    smooth = np.convolve(np.pad(val, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    return np.argmin(smooth) + 1""",
            10,
        ),
        Answer("def best_epoch(train, val):\n    return int(np.argmin(train)) + 1", 0, "last_is_best"),
        Answer("def best_epoch(train, val):\n    return int(np.argmin(val))", 5, "counted_from_zero"),
        Answer(
            """def best_epoch(train, val):
    return next(epoch for epoch in range(1, len(val)) if val[epoch] > val[epoch - 1])""",
            2,
            "first_rise_stops",
        ),
        Answer("def best_epoch(train, val):\n    return min(val)", 0, says="number of an epoch"),
    ],
    "first_work": [
        Answer(
            """def first_work(reachable, train, val):
    parts = {"bias": train - reachable, "variance": val - train}
    return max(parts, key=parts.get)""",
            15,
        ),
        Answer(
            """def first_work(reachable, train, val):
    if val - train >= 0.06:
        return "variance"
    return "bias\"""",
            15,
        ),
        Answer(
            """def first_work(reachable, train, val):
    return "bias" if train > val - train else "variance\"""",
            4.5,
            "reachable_ignored",
        ),
        Answer(
            "def first_work(reachable, train, val):\n    return 'bias' if val > 0.05 else 'variance'",
            0,
            "only_validation",
        ),
        Answer(
            """def first_work(reachable, train, val):
    return "variance" if train - reachable > val - train else "bias\"""",
            0,
            says="subtract once more",
        ),
        Answer("def first_work(reachable, train, val):\n    return 'dropout'", 0, says="'bias' or 'variance'"),
    ],
    "remedies": [
        Answer(
            """remedies = {
    "bias": ["bigger network", "longer training", "another optimizer"],
    "variance": ["more data", "dropout", "L2", "another architecture"],
}""",
            10,
        ),
        Answer(
            """remedies = dict(
    bias={"bigger network", "longer training", "another optimizer", "another architecture"},
    variance={"more data", "dropout", "L2", "another architecture"},
)""",
            10,
        ),
        Answer(
            """remedies = {
    "bias": ["bigger network", "longer training", "another optimizer", "more data"],
    "variance": ["more data", "dropout", "L2", "another architecture"],
}""",
            3,
            "regularize_the_biased",
        ),
        Answer(
            """remedies = {
    "bias": ["another optimizer", "another architecture"],
    "variance": ["more data", "dropout", "L2", "bigger network", "longer training"],
}""",
            3,
            "bigger_against_variance",
        ),
        Answer('remedies = {"bias": ["bigger network"], "variance": ["dropout"]}', 5, says="Where does"),
        Answer('remedies = {"bias": ["coffee"], "variance": []}', 0, says="not in the list"),
    ],
    "parameters": [
        Answer(
            """model = keras.Sequential([keras.Input((work.layers[0],)), *map(keras.layers.Dense, work.layers[1:])])
parameters = model.count_params()""",
            10,
        ),
        Answer("parameters = sum((a + 1) * b for a, b in zip(work.layers, work.layers[1:]))", 10),
        Answer("parameters = sum(a * b for a, b in zip(work.layers, work.layers[1:]))", 5, "biases_forgotten"),
        Answer("parameters = sum(work.layers)", 0, says="counts the units"),
        Answer("parameters = np.prod(work.layers)", 0, says="inputs times units"),
        Answer(
            "parameters = sum(a * b for a, b in zip(work.layers, work.layers[1:])) + sum(work.layers)",
            0,
            says="The input is no layer",
        ),
    ],
    "sizes": [
        Answer(_IMPORTS + _SMALL + _RIGHT + _LARGE, 35),
        Answer(
            _IMPORTS
            + """too_small = MLPClassifier((1,), max_iter=300, random_state=0).fit(work.x_train, work.y_train)
right_size = SVC(C=3).fit(work.x_train, work.y_train).predict
nearest = lambda x: np.hypot(*(x[:, None] - work.x_train[None]).T).argmin(axis=0)
too_large = lambda x: work.y_train[nearest(x)]""",
            35,
        ),
        Answer(
            _IMPORTS
            + """def fit(*units, l2=0):  # the largest one is right as soon as it is regularized
    model = MLPClassifier(units, solver="lbfgs", alpha=l2, max_iter=500, random_state=0)
    return model.fit(work.x_train, work.y_train)


too_small, right_size, too_large = fit(2), fit(64, 64, l2=1), fit(64, 64)""",
            35,
        ),
        Answer(
            _IMPORTS + _SMALL + "right_size = DecisionTreeClassifier().fit(work.x_train, work.y_train)\n" + _LARGE,
            10.5,
            "by_heart_is_right",
        ),
        Answer(
            _IMPORTS + _SMALL + _RIGHT + "too_large = SVC(C=10).fit(work.x_train, work.y_train)", 10.5, "not_overfitted"
        ),
        Answer(
            _IMPORTS + _RIGHT + _LARGE + "too_small = SVC(C=0.5).fit(work.x_train, work.y_train)",
            10.5,
            "not_underfitted",
        ),
        Answer(
            _IMPORTS + _SMALL + _LARGE + "right_size = LogisticRegression(C=0.1).fit(work.x_train, work.y_train)",
            14,
            says="A fitting model comes closer",
        ),
    ],
    "gains": [
        Answer(
            """gaps, gains = {}, None
for name in "ab":
    team = getattr(work, f"team_{name}")
    gaps[name] = round(team["val"][-1] - team["train"][-1], 3)
gains = sorted(gaps, key=gaps.get)[-1]""",
            10,
        ),
        Answer(
            """teams = {"a": work.team_a, "b": work.team_b}
gaps = {name: float(np.subtract(team["val"], team["train"])[-1]) for name, team in teams.items()}
gains = "a" if gaps["a"] > gaps["b"] else "b\"""",
            10,
        ),
        Answer(
            """teams = {"a": work.team_a, "b": work.team_b}
gaps = {name: team["val"][-1] - team["train"][-1] for name, team in teams.items()}
gains = min(teams, key=lambda name: gaps[name])""",
            4,
            "lower_gains_more",
        ),
        Answer(
            """gaps = {"a": round(work.team_a["val"][4] - work.team_a["train"][4], 2)}
gaps["b"] = round(work.team_b["val"][4] - work.team_b["train"][4], 2)
gains = "b" if gaps["b"] > gaps["a"] else "a\"""",
            10,
        ),
        Answer("gaps = {'a': 0.1, 'b': 0.1}\ngains = 'a'", 0, says="at 1,600 samples"),
        Answer(
            """teams = {"a": work.team_a, "b": work.team_b}
gaps = {name: team["val"][0] - team["train"][0] for name, team in teams.items()}
gains = max(gaps, key=gaps.get)""",
            0,
            says="at 1,600 samples",
        ),
        Answer("gaps = 0.2\ngains = 'a'", 0, says="a dictionary"),
    ],
}
