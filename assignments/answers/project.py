"""Answers to the capstone beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

SHEET = """known = {known}
words = {{"kilograms": "linear", "litres": "squared", "canker": "rare", "varieties": "grades"}}
sheet = {{}}
for letter, question in work.questions.items():
    sheet[letter] = known[next(kind for word, kind in words.items() if word in question)]"""
RIGHT = {
    "linear": ("regression", "MAE"),
    "squared": ("regression", "RMSE"),
    "rare": ("binary classification", "average precision"),
    "grades": ("multiclass classification", "accuracy"),
}
NEW = 'group = "farm" if "for farms" in work.use else "team"\n'
CORRELATIONS = 'correlations = work.table[[*work.measured, "kg"]].corr()["kg"].drop("kg")\n'
PIPELINE = """numbers = [name for name in work.measured if name != leak]
table = work.table.drop_duplicates()
prepare = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
    (OneHotEncoder(handle_unknown="ignore"), ["variety"]),
)
"""
LEAK = 'leak = work.table[work.measured].corrwith(work.table["kg"]).abs().idxmax()\n'
FIT = 'model.fit(table.drop(columns="kg"), table["kg"])'
CHOOSE = "chosen = work.val_errors.mean().idxmin()\nerrors = work.test_errors[chosen]\n"

ANSWERS = {
    "sheet": [
        Answer(SHEET.format(known=RIGHT | {"rare": ("binary classification", "F1")}), 10),
        Answer(
            SHEET.format(
                known={kind: [word.lower() for word in pair] for kind, pair in RIGHT.items()}
                | {"squared": ["Regression", "mse"]}
            ),
            10,
        ),
        Answer(SHEET.format(known=RIGHT | {"rare": ("binary classification", "accuracy")}), 5, "accuracy_for_rare"),
        Answer(SHEET.format(known=RIGHT | {"squared": ("regression", "MAE")}), 5, "linear_for_squared"),
        Answer(SHEET.format(known=RIGHT | {"grades": ("regression", "MAE")}), 5, "classes_as_numbers"),
        Answer('sheet = dict.fromkeys("abcd", ("regression", "MSE"))', 0, "classes_as_numbers"),
    ],
    "look": [
        Answer(
            NEW + "copies = len(work.table) - len(work.table.drop_duplicates())\ngroups = len(set(work.table[group]))",
            10,
        ),
        Answer(
            NEW + 'copies = len(work.table) - work.table["tag"].nunique()\ngroups = work.table.groupby(group).ngroups',
            10,
        ),
        Answer(NEW + "copies = work.table.duplicated().sum()\ngroups = len(work.table)", 5, "rows_as_samples"),
        Answer(
            """copies = work.table.duplicated().sum()
groups = work.table["team" if "for farms" in work.use else "farm"].nunique()""",
            5,
            says="what the model is for",
        ),
        Answer(
            NEW + "copies = work.table.duplicated(keep=False).sum()\ngroups = work.table[group].nunique()",
            7,
            says="it stays",
        ),
        Answer(
            NEW + 'copies = work.table["variety"].duplicated().sum()\ngroups = work.table[group].nunique()',
            5,
            says="equal in every column",
        ),
    ],
    "columns": [
        Answer(
            CORRELATIONS + 'leave_out = ["tag", correlations.abs().idxmax(), "farm", "team"]',
            15,
        ),
        Answer(
            """table = work.table.drop_duplicates()
correlations = {}
for name in work.measured:
    filled = table[name].notna()
    correlations[name] = abs(np.corrcoef(table.loc[filled, name], table.loc[filled, "kg"])[0, 1])
leave_out = {"tag"} | {name for name, size in correlations.items() if size > 0.9}""",
            15,
        ),
        Answer(CORRELATIONS + 'leave_out = ["tag", correlations.idxmax()]', 3, "leak_kept"),
        Answer(
            CORRELATIONS + 'leave_out = ["tag", *correlations[correlations.abs() > 0.4].index]',
            6,
            "strong_is_no_leak",
        ),
        Answer(CORRELATIONS + "leave_out = [correlations.abs().idxmax()]", 9, "id_as_input"),
        Answer(
            CORRELATIONS
            + 'leave_out = ["tag", correlations.abs().idxmax()]\ncorrelations = dict.fromkeys(work.measured, 0.99)',
            6,
            says="correlations with 'kg' are not",
        ),
    ],
    "protocol": [
        Answer(
            NEW
            + """
def split(table):
    cuts = model_selection.GroupShuffleSplit(4, test_size=0.25, random_state=0)
    return list(cuts.split(table, groups=table[group]))""",
            15,
        ),
        Answer(
            NEW
            + """
def split(table):
    own = table.drop_duplicates()
    part = own[group].rank(method="dense") % 3
    return [(own.index[part != k].tolist(), own.index[part == k].tolist()) for k in range(3)]""",
            15,
        ),
        Answer(
            """def split(table):
    return list(model_selection.KFold(5, shuffle=True, random_state=0).split(table))""",
            3,
            "groups_split",
        ),
        Answer(
            """def split(table):
    other = "team" if "for farms" in work.use else "farm"
    return list(model_selection.GroupKFold(5).split(table, groups=table[other]))""",
            3,
            "groups_split",
        ),
        Answer(
            NEW
            + """
def split(table):
    rows = np.arange(len(table))
    return [(rows, val) for _, val in model_selection.GroupKFold(5).split(table, groups=table[group])]""",
            0,
            "judged_on_training",
        ),
        Answer(
            NEW
            + """
def split(table):
    return list(model_selection.GroupShuffleSplit(1, random_state=0).split(table, groups=table[group]))""",
            9,
            says="three different ones",
        ),
    ],
    "baseline": [
        Answer(
            """kg = work.table["kg"].to_numpy()
guess_error = metrics.mean_absolute_error(
    kg[work.val_rows], np.full(len(work.val_rows), np.median(kg[work.train_rows]))
)""",
            10,
        ),
        Answer(
            """from sklearn.dummy import DummyRegressor

train, val = work.table.iloc[work.train_rows], work.table.iloc[work.val_rows]
guess = DummyRegressor(strategy="median").fit(train[work.measured], train["kg"])
guess_error = round(np.abs(guess.predict(val[work.measured]) - val["kg"]).mean(), 3)""",
            10,
        ),
        Answer(
            """kg = work.table["kg"].to_numpy()
guess_error = np.abs(kg[work.val_rows] - kg[work.train_rows].mean()).mean()""",
            4,
            "mean_for_mae",
        ),
        Answer(
            """kg = work.table["kg"].to_numpy()[work.val_rows]
guess_error = np.abs(kg - np.median(kg)).mean()""",
            4,
            "baseline_from_validation",
        ),
        Answer(
            """kg = work.table["kg"].to_numpy()[work.train_rows]
guess_error = np.abs(kg - np.median(kg)).mean()""",
            4,
            "training_error_reported",
        ),
        Answer('guess_error = work.table["kg"].median()', 0, says="none of the usual guesses"),
    ],
    "model": [
        Answer(
            LEAK + PIPELINE + "model = make_pipeline(prepare, RidgeCV(np.geomspace(0.1, 100, 7)))\n" + FIT,
            20,
        ),
        Answer(
            LEAK
            + """from sklearn.ensemble import HistGradientBoostingRegressor

numbers = [name for name in work.measured if name != leak]
prepare = make_column_transformer(
    ("passthrough", numbers), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["variety"])
)
pipeline = make_pipeline(prepare, HistGradientBoostingRegressor(loss="absolute_error", max_iter=60))
folds = model_selection.GroupKFold(3)
search = model_selection.GridSearchCV(
    pipeline, {"histgradientboostingregressor__max_leaf_nodes": [4, 8]}, cv=folds, scoring="neg_mean_absolute_error"
)
table = work.table.drop_duplicates()
group = "farm" if "for farms" in work.use else "team"
model = search.fit(table.drop(columns="kg"), table["kg"], groups=table[group])""",
            20,
        ),
        Answer(
            "leak = None  # all columns: the more, the better\n"
            + PIPELINE
            + "model = make_pipeline(prepare, Ridge())\n"
            + FIT,
            2,
            "leak_in_model",
        ),
        Answer(
            LEAK
            + PIPELINE.replace(", StandardScaler()", "")
            + "from sklearn.neighbors import KNeighborsRegressor\n\n"
            + "model = make_pipeline(prepare, KNeighborsRegressor())\n"
            + FIT,
            4,
            "unscaled",
        ),
        Answer(
            LEAK + PIPELINE.replace('handle_unknown="ignore"', "") + "model = make_pipeline(prepare, Ridge())\n" + FIT,
            0,
            says="unknown categories",
        ),
        Answer(
            LEAK
            + PIPELINE
            + "from sklearn.dummy import DummyRegressor\n\n"
            + 'model = make_pipeline(prepare, DummyRegressor(strategy="median"))\n'
            + FIT,
            0,
            "no_better_than_guess",
        ),
    ],
    "final": [
        Answer(
            CHOOSE
            + """reported = errors.mean()
rng = np.random.default_rng(0)
means = rng.choice(errors.to_numpy(), (2000, len(errors))).mean(axis=1)
interval = np.quantile(means, [0.025, 0.975])""",
            10,
        ),
        Answer(
            """from scipy import stats

chosen = work.val_errors.columns[np.argmin(work.val_errors.to_numpy().mean(axis=0))]
errors = work.test_errors[chosen].to_numpy()
reported = round(errors.mean(), 2)
interval = stats.t.interval(0.95, len(errors) - 1, loc=errors.mean(), scale=stats.sem(errors))""",
            10,
        ),
        Answer(
            """chosen = work.test_errors.mean().idxmin()
errors = work.test_errors[chosen]
reported = errors.mean()
interval = [reported - 1.96 * errors.sem(), reported + 1.96 * errors.sem()]""",
            2,
            "test_for_tuning",
        ),
        Answer(
            """chosen = work.val_errors.mean().idxmin()
errors = work.val_errors[chosen]
reported = errors.mean()
interval = [reported - 1.96 * errors.sem(), reported + 1.96 * errors.sem()]""",
            3,
            "validation_reported",
        ),
        Answer(
            CHOOSE + "reported = errors.mean()\ninterval = [reported - 2 * errors.std(), reported + 2 * errors.std()]",
            5,
            "spread_for_error",
        ),
        Answer(
            CHOOSE + "reported = errors.mean()\ninterval = [reported - errors.sem(), reported + errors.sem()]",
            6,
            says="two standard errors",
        ),
    ],
}
