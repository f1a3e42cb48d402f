"""Answers to assignment 3 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

PROTOCOLS = """choices = {choices}


def choose(situation):
    if "million" in situation:
        return choices["many"]
    if "guess" in situation:
        return choices["some"]
    if "Only" in situation:
        return choices["few"]
    return choices["days" if "each day" in situation else "patients"]


trainings = {{"hold-out": 1, "iterated k-fold": work.folds * work.repeats}}
protocols = {{
    letter: [choose(told), trainings.get(choose(told).lower(), work.folds)] for letter, told in work.situations.items()
}}"""
RIGHT = {
    "many": "hold-out",
    "some": "K-fold",
    "few": "iterated K-fold",
    "patients": "groups",
    "days": "time order",
}
ERROR = "error = work.points / 100\n"
MISSES = 'off = work.reports[["p", "q", "r"]].sub(work.reports["truth"], axis=0)\n'

ANSWERS = {
    "protocols": [
        Answer(PROTOCOLS.format(choices=RIGHT | {"some": "iterated K-fold"}), 15),
        Answer(PROTOCOLS.format(choices={name: kind.lower() for name, kind in RIGHT.items()}), 15),
        Answer(PROTOCOLS.format(choices=RIGHT | {"patients": "K-fold"}), 7.5, "groups_split"),
        Answer(PROTOCOLS.format(choices=RIGHT | {"days": "iterated K-fold"}), 7.5, "future_in_training"),
        Answer(PROTOCOLS.format(choices=RIGHT | {"many": "K-fold"}), 7.5, "folds_for_millions"),
        Answer(PROTOCOLS.format(choices=RIGHT | {"some": "hold-out", "few": "hold-out"}), 0, "one_cut_for_few"),
        Answer(
            PROTOCOLS.format(choices=RIGHT).replace("work.folds * work.repeats", "2 * work.folds * work.repeats"),
            7.5,
            says="number of trainings",
        ),
    ],
    "cut": [
        Answer(
            """def cut(patient, ill):
    return list(model_selection.GroupKFold(5).split(patient, groups=patient))""",
            15,
        ),
        Answer(
            """def cut(patient, ill):
    parts = {}
    for kind in (True, False):
        for at, one in enumerate(np.unique(patient[ill == kind])):
            parts[one] = at % 5
    part = np.array([parts[one] for one in patient])
    return [(part != number, part == number) for number in range(5)]""",
            15,
        ),
        Answer(
            """def cut(patient, ill):
    return list(model_selection.StratifiedKFold(5, shuffle=True, random_state=0).split(patient, ill))""",
            3,
            "groups_split",
        ),
        Answer(
            """def cut(patient, ill):
    rows = np.arange(len(patient))
    return [(rows, val) for _, val in model_selection.GroupKFold(5).split(rows, groups=patient)]""",
            0,
            "judged_on_training",
        ),
        Answer(
            """def cut(patient, ill):
    return list(model_selection.GroupShuffleSplit(5, random_state=0).split(patient, groups=patient))""",
            7.5,
            says="exactly one validation part",
        ),
        Answer(
            """def cut(patient, ill):
    return list(model_selection.GroupShuffleSplit(1, random_state=0).split(patient, groups=patient))""",
            6,
            says="Five folds",
        ),
    ],
    "forward": [
        Answer(
            """def forward(day):
    edges = np.quantile(day, [0.4, 0.6, 0.8, 1])
    pairs = []
    for first, last in zip(edges, edges[1:]):
        pairs.append((np.flatnonzero(day <= first).tolist(), np.flatnonzero((day > first) & (day <= last)).tolist()))
    return pairs""",
            15,
        ),
        Answer(
            """def forward(day):
    rows = pd.Series(day).sort_values().index.to_numpy()
    size = len(rows) // 6
    return [(rows[max(0, at - 2 * size) : at], rows[at : at + size]) for at in (3 * size, 4 * size, 5 * size)]""",
            15,
        ),
        Answer(
            """def forward(day):
    return list(model_selection.KFold(3, shuffle=True, random_state=0).split(day))""",
            0,
            "future_in_training",
        ),
        Answer(
            """def forward(day):
    return list(model_selection.TimeSeriesSplit(3).split(day))""",
            4.5,
            "rows_are_no_days",
        ),
        Answer(
            """def forward(day):
    return list(model_selection.TimeSeriesSplit(3).split(np.sort(day)))""",
            4.5,
            "rows_are_no_days",
        ),
        Answer(
            """def forward(day):
    order = np.argsort(day)
    return [(order[: len(day) // 2], order[len(day) // 2 :])]""",
            7.5,
            says="three were asked for",
        ),
    ],
    "rows": [
        Answer(
            ERROR
            + """accuracy_rows = int(np.ceil(work.accuracy * (1 - work.accuracy) / error**2))
ill = int(np.ceil(work.recall * (1 - work.recall) / error**2))
recall_rows = round(ill / work.rate)""",
            10,
        ),
        Answer(
            """tried = np.arange(1, 2_000_000)
accuracy_rows = tried[100 * np.sqrt(work.accuracy * (1 - work.accuracy) / tried) <= work.points][0]
recall_rows = tried[100 * np.sqrt(work.recall * (1 - work.recall) / (tried * work.rate)) <= work.points][0]""",
            10,
        ),
        Answer(
            """accuracy_rows = work.accuracy * (1 - work.accuracy) / work.points**2
recall_rows = work.recall * (1 - work.recall) / work.points**2 / work.rate""",
            0,
            "points_as_fractions",
        ),
        Answer(
            ERROR
            + """accuracy_rows = work.accuracy * (1 - work.accuracy) / error
recall_rows = work.recall * (1 - work.recall) / error / work.rate""",
            0,
            "root_forgotten",
        ),
        Answer(
            ERROR
            + """accuracy_rows = work.accuracy * (1 - work.accuracy) / error**2
recall_rows = work.recall * (1 - work.recall) / error**2""",
            5,
            "all_rows_for_the_rare",
        ),
        Answer(
            "accuracy_rows = 50  # a large sample, as the book has it\nrecall_rows = 50",
            0,
            says="another standard error",
        ),
    ],
    "copies": [
        Answer(
            """def number_copies(measured):
    return np.unique(measured, axis=0, return_inverse=True)[1].ravel()""",
            10,
        ),
        Answer(
            """def number_copies(measured):
    seen = {}
    return [seen.setdefault(tuple(row), len(seen)) for row in measured.tolist()]""",
            10,
        ),
        Answer(
            """def number_copies(measured):
    return np.unique(measured[:, 0], return_inverse=True)[1]""",
            2,
            "one_column_for_the_row",
        ),
        Answer(
            """def number_copies(measured):
    return np.unique(measured.sum(axis=1), return_inverse=True)[1]""",
            2,
            "one_column_for_the_row",
        ),
        Answer(
            """def number_copies(measured):
    return np.arange(len(measured))""",
            2,
            says="different numbers",
        ),
        Answer(
            """def number_copies(measured):
    return np.unique(measured, axis=0)""",
            0,
            says="one number for each row",
        ),
    ],
    "reports": [
        Answer(
            MISSES + "misses = off.pow(2).mean().pow(0.5)\nprotocol = misses.idxmin()",
            10,
        ),
        Answer(
            """from sklearn.metrics import mean_squared_error

table = work.reports
misses = {name: round(mean_squared_error(table["truth"], table[name]) ** 0.5, 3) for name in table.columns[:3]}
protocol = sorted(misses, key=misses.get)[0]""",
            10,
        ),
        Answer(
            MISSES
            + 'misses = off.pow(2).mean().pow(0.5).to_dict()\nprotocol = work.reports[["p", "q", "r"]].std().idxmin()',
            4,
            "steady_is_true",
        ),
        Answer(
            MISSES
            + 'misses = off.pow(2).mean().pow(0.5).to_dict()\nprotocol = work.reports[["p", "q", "r"]].mean().idxmin()',
            4,
            "steady_is_true",
        ),
        Answer(
            MISSES + "misses = off.pow(2).mean().pow(0.5).to_dict()\nprotocol = off.mean().abs().idxmin()",
            4,
            "luck_cancels_out",
        ),
        Answer(
            MISSES + "misses = off.mean().to_dict()\nprotocol = off.mean().abs().idxmin()",
            1,
            "luck_cancels_out",
        ),
    ],
    "inside": [
        Answer(
            """from sklearn.preprocessing import StandardScaler

pipeline = make_pipeline(StandardScaler(), SelectKBest(k=20), LogisticRegression(C=0.1))
folds = model_selection.StratifiedKFold(10, shuffle=True, random_state=0)
honest = model_selection.cross_val_score(pipeline, work.traces, work.healed, cv=folds).mean()""",
            10,
        ),
        Answer(
            """from sklearn.pipeline import Pipeline

pipeline = Pipeline([("pick", SelectKBest(k=20)), ("model", LogisticRegression())])
right = []
for train, val in model_selection.StratifiedKFold(5).split(work.traces, work.healed):
    pick = SelectKBest(k=20).fit(work.traces[train], work.healed[train])
    model = LogisticRegression().fit(pick.transform(work.traces[train]), work.healed[train])
    right.append(model.score(pick.transform(work.traces[val]), work.healed[val]))
honest = np.mean(right)""",
            10,
        ),
        Answer(
            """pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
picked = SelectKBest(k=20).fit_transform(work.traces, work.healed)
honest = model_selection.cross_val_score(LogisticRegression(), picked, work.healed, cv=5).mean()""",
            2,
            "columns_picked_before_the_cut",
        ),
        Answer(
            """pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
honest = pipeline.fit(work.traces, work.healed).score(work.traces, work.healed)""",
            2,
            "columns_picked_before_the_cut",
        ),
        Answer(
            """pipeline = LogisticRegression()
picked = SelectKBest(k=20).fit_transform(work.traces, work.healed)
honest = model_selection.cross_val_score(pipeline, picked, work.healed, cv=5).mean()""",
            0,
            says="two steps or more",
        ),
        Answer(
            """pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
honest = model_selection.cross_val_score(pipeline, work.traces, work.healed, cv=5)""",
            0,
            says="from 0 to 1",
        ),
    ],
    "models": [
        Answer(
            """chosen = work.models.sort_values("dev").index[-1]
reported = work.models["test"][chosen]""",
            5,
        ),
        Answer(
            """at = np.argmax(work.models["dev"].to_numpy())
chosen, reported = work.models.index[at], work.models["test"].to_numpy()[at]""",
            5,
        ),
        Answer(
            """chosen = work.models["test"].idxmax()
reported = work.models["test"].max()""",
            0,
            "test_set_for_choosing",
        ),
        Answer(
            """chosen = work.models["dev"].idxmax()
reported = work.models["dev"].max()""",
            2,
            "dev_score_reported",
        ),
        Answer(
            """chosen = work.models["dev"].idxmax()
reported = work.models["test"].max()""",
            1,
            says="The model is right",
        ),
        Answer(
            """chosen = work.models["dev"].idxmax()
reported = 100 * work.models.loc[chosen, "test"]""",
            0,
            says="from 0 to 1",
        ),
    ],
}
