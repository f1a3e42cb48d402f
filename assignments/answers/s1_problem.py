"""Answers to assignment 1 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

READ = """import re

found = {name: re.search(r"(\\d+) (hours|minutes) before", told) for name, told in work.columns.items()}
"""
LAYERS = """def choose(question):
    numbers = [int(number) for number in re.findall(r"\\d+", question)]
    if "several" in question:
        return {labels}
    if "numbered" in question:
        return {classes}
    if question.startswith("Will"):
        return {yes}
    return {amount}


import re

last_layers = {{letter: choose(question) for letter, question in work.questions.items()}}"""
RIGHT = {
    "labels": '(numbers[0], "sigmoid")',
    "classes": '(numbers[-1], "softmax")',
    "yes": '(1, "sigmoid")',
    "amount": "(1, None)",
}
FLOORS = """late = work.days["late"]
floors = {}
for name in ("a", "b"):
    cells = work.days.groupby(["storm", name])["late"].mean()
"""

ANSWERS = {
    "inputs": [
        Answer(READ + 'inputs = {name: float(at[1]) for name, at in found.items() if at and at[2] == "hours"}', 10),
        Answer(
            """inputs = {}
for name, told in work.columns.items():
    words = told.split()
    if "hours" in words:
        inputs[name] = np.int64(words[words.index("hours") - 1])""",
            10,
        ),
        Answer(
            READ
            + 'inputs = {name: int(at[1]) / (60 if at[2] == "minutes" else 1) for name, at in found.items() if at}',
            3,
            "known_too_late",
        ),
        Answer(
            READ + "inputs = {name: int(at[1]) if at else 0 for name, at in found.items()}", 0, "target_among_inputs"
        ),
        Answer(
            READ + 'inputs = {name: int(at[1]) if at else 0 for name, at in found.items() if name != "delay"}',
            0,
            "known_too_late",
        ),
        Answer(
            READ + 'inputs = {name: int(at[1]) for name, at in found.items() if at and at[2] == "hours"}\n'
            "inputs.pop(min(inputs, key=inputs.get))",
            2,
            says="more columns",
        ),
    ],
    "leak": [
        Answer(
            """from scipy.stats import spearmanr

values = {name: spearmanr(work.sensors[name], work.sensors["delay"])[0] for name in work.sensors if name != "delay"}
leak = max(values, key=lambda name: abs(values[name]))
alike = abs(values[leak])""",
            10,
        ),
        Answer(
            """ranks = work.sensors.rank()
square = np.corrcoef(ranks.to_numpy().T)[:-1, -1] ** 2
leak = ranks.columns[square.argmax()]
alike = np.array([-np.sqrt(square.max())])""",
            10,
        ),
        Answer(
            """correlations = work.sensors.corr()["delay"].drop("delay")
leak = correlations.abs().idxmax()
alike = correlations[leak]""",
            0,
            "straight_lines_only",
        ),
        Answer(
            """correlations = work.sensors.corr(method="spearman")["delay"].drop("delay")
leak = correlations.idxmax()
alike = correlations.max()""",
            0,
            "straight_lines_only",
        ),
        Answer(
            """leak = work.sensors.corr(method="spearman")["delay"].drop("delay").abs().idxmax()
alike = work.sensors[leak].corr(work.sensors["delay"])""",
            2,
            "straight_lines_only",
        ),
        Answer('leak = "delay"\nalike = 1.0', 0, says="leak is one of"),
    ],
    "last_layers": [
        Answer(LAYERS.format(**RIGHT | {"yes": '(2, "softmax")'}), 15),
        Answer(LAYERS.format(**RIGHT | {"amount": '[np.int64(1), "linear"]'}), 15),
        Answer(LAYERS.format(**RIGHT | {"labels": '(numbers[0], "softmax")'}), 7.5, "softmax_for_labels"),
        Answer(LAYERS.format(**RIGHT | {"classes": "(1, None)"}), 7.5, "names_as_quantity"),
        Answer(
            LAYERS.format(**RIGHT | {"amount": '(numbers[-1] if numbers else 100, "softmax")'}),
            0,
            "quantity_as_classes",
        ),
        Answer(LAYERS.format(**RIGHT | {"amount": '(1, "sigmoid")'}), 0, "sigmoid_for_quantity"),
    ],
    "split_off": [
        Answer(
            """def split_off(log):
    kept = log.dropna(subset=["delay"])
    return kept[work.allowed].to_numpy(), kept["delay"].to_numpy().tolist()""",
            15,
        ),
        Answer(
            """def split_off(log):
    log = log.copy()
    others = [name for name in log if name not in work.allowed and name != "delay"]
    log = log.drop(columns=others)[~np.isnan(log.delay)].reset_index(drop=True)
    target = log.pop("delay")
    return log, target.to_frame()""",
            15,
        ),
        Answer(
            """def split_off(log):
    kept = log.dropna(subset=["delay"])
    return kept, kept["delay"]""",
            3,
            "target_among_inputs",
        ),
        Answer(
            """def split_off(log):
    return log[work.allowed], log["delay"].fillna(0)""",
            6,
            "target_filled_in",
        ),
        Answer(
            """def split_off(log):
    kept = log[[*work.allowed, "delay"]].dropna()
    return kept[work.allowed], kept["delay"]""",
            7.5,
            "rows_lost_for_gaps",
        ),
        Answer(
            """places = [work.log.columns.get_loc(name) for name in work.allowed]  # read off the table


def split_off(log):
    kept = log[log["delay"].notna()]
    return kept.iloc[:, places], kept["delay"]""",
            3,
            "columns_by_position",
        ),
    ],
    "guess": [
        Answer(
            """guess = np.percentile(work.delays, 50)
guess_error = abs(work.delays - guess).mean()""",
            10,
        ),
        Answer(
            """tried = np.linspace(0, 30, 301)
errors = [np.abs(work.delays - number).mean() for number in tried]
guess, guess_error = tried[np.argmin(errors)], min(errors)""",
            10,
        ),
        Answer(
            """guess = work.delays.mean()
guess_error = np.abs(work.delays - guess).mean()""",
            4,
            "mean_for_absolute_error",
        ),
        Answer(
            """guess = 0
guess_error = work.delays.mean()""",
            2,
            "timetable_as_guess",
        ),
        Answer(
            """guess = np.median(work.delays)
guess_error = np.sqrt(np.mean((work.delays - guess) ** 2))""",
            3,
            "squares_for_absolute_error",
        ),
        Answer(
            """guess = np.median(work.delays)
guess_error = np.mean(work.delays - guess)""",
            2,
            says="something else than guess_error",
        ),
    ],
    "floors": [
        Answer(
            FLOORS
            + """    sizes = work.days.groupby(["storm", name]).size()
    floors[name] = (np.minimum(cells, 1 - cells) * sizes).sum() / len(late)
worth = "a" if floors["a"] < floors["b"] else "b\"""",
            10,
        ),
        Answer(
            """from sklearn.tree import DecisionTreeClassifier

floors = {}
for name in ("a", "b"):
    x = work.days[["storm", name]]
    floors[name] = 1 - DecisionTreeClassifier().fit(x, work.days["late"]).score(x, work.days["late"])
worth = sorted(floors, key=floors.get)[0]""",
            10,
        ),
        Answer('floors = {"a": 0.0, "b": 0.0}\nworth = "a"', 0, "floor_is_zero"),
        Answer(
            """share = work.days["late"].mean()
floors = {name: min(share, 1 - share) for name in ("a", "b")}
worth = "b\"""",
            1,
            "guess_as_floor",
        ),
        Answer(
            FLOORS + "    floors[name] = np.minimum(cells, 1 - cells).mean()\nworth = min(floors, key=floors.get)",
            3,
            "cells_weigh_alike",
        ),
        Answer(
            """floors = {}
for name in ("a", "b"):
    late = work.days.groupby(["storm", name])["late"].transform("mean")
    floors[name] = np.minimum(late, 1 - late).mean()
worth = work.days[["a", "b"]].corrwith(work.days["late"]).abs().idxmax()""",
            4,
            "alone_is_not_together",
        ),
    ],
    "moved": [
        Answer(
            """shares = {}
for name in work.last_year:
    last, this = work.last_year[name], work.this_year[name]
    shares[name] = 1 - this.between(last.min(), last.max()).mean()
moved = max(shares, key=shares.get)
outside = shares[moved]""",
            10,
        ),
        Answer(
            """moved = (work.this_year.std() / work.last_year.std()).idxmax()
lowest, highest = np.percentile(work.last_year[moved], [0, 100])
outside = np.mean([not lowest <= value <= highest for value in work.this_year[moved]])""",
            10,
        ),
        Answer(
            """apart = (work.this_year.mean() - work.last_year.mean()).abs()
moved = apart.idxmax()
outside = (work.this_year[moved] > work.last_year[moved].max()).mean()""",
            0,
            "means_tell_it_all",
        ),
        Answer(
            """apart = ((work.this_year.mean() - work.last_year.mean()) / work.last_year.std()).abs()
moved = apart.idxmax()
outside = (work.this_year[moved] > work.last_year[moved].max()).mean()""",
            0,
            "means_tell_it_all",
        ),
        Answer(
            """moved = (work.this_year.std() / work.last_year.std()).idxmax()
outside = (work.this_year[moved] > work.last_year[moved].max()).mean()""",
            2,
            says="below or above",
        ),
        Answer(
            """moved = (work.this_year.std() / work.last_year.std()).idxmax()
outside = 45.2""",
            0,
            says="from 0 to 1",
        ),
    ],
    "teams": [
        Answer(
            """table = work.teams
times_guess = table["validation"] / table["guess"]
honest = table[table["shuffled_validation"] > 0.9 * table["guess"]]
leaky = next(name for name in table.index if name not in honest.index)
learned = (honest["validation"] / honest["guess"]).idxmin()""",
            10,
        ),
        Answer(
            """times_guess, learned, leaky = {}, None, None
for name, row in work.teams.iterrows():
    times_guess[name] = round(row["validation"] / row["guess"], 2)
    if row["shuffled_validation"] < row["guess"] * 0.8:
        leaky = name
    elif times_guess[name] < 0.9:
        learned = name""",
            10,
        ),
        Answer(
            """times_guess = (work.teams["validation"] / work.teams["guess"]).to_dict()
learned = work.teams["validation"].idxmin()
leaky = work.teams["shuffled_validation"].idxmin()""",
            3,
            "best_number_wins",
        ),
        Answer(
            """times_guess = (work.teams["validation"] / work.teams["guess"]).to_dict()
learned = work.teams["training"].idxmin()
leaky = work.teams["shuffled_validation"].idxmin()""",
            3,
            "training_error_tells",
        ),
        Answer(
            """times_guess = work.teams["validation"].to_dict()
learned = work.teams["validation"].idxmin()
leaky = work.teams["shuffled_validation"].idxmax()""",
            0,
            says="divided by the guess's",
        ),
        Answer(
            """multiples = work.teams.div(work.teams["guess"], axis=0)
times_guess = multiples["validation"].to_dict()
learned = multiples["validation"].drop(multiples["shuffled_validation"].idxmin()).idxmin()
leaky = multiples["shuffled_validation"].idxmax()""",
            5,
            says="Who learned is right",
        ),
    ],
}
