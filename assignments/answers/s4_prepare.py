"""Answers to assignment 4 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

# What a student reads off the table by eye, found here for each world: marker and column, branch, unit and column.
LOOK = """numbers = work.stock.drop(columns="branch")
counts = {name: numbers[name].value_counts() for name in numbers}
extreme = [name for name in numbers if numbers[name].min() < 0 or numbers[name].max() > 20_000_000]
marked = extreme[0]
marker = counts[marked].index[0]
medians = numbers.mask(numbers == marker).groupby(work.stock["branch"]).median()
times = (medians / medians.median()).stack()
branch, mixed = np.log(times).abs().idxmax()
factor = 1_000 if times[branch, mixed] > 1 else 0.001


"""
PIPELINE = """numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
columns = ColumnTransformer(
    [("numbers", numbers, ["age", "distance", "weight"]), ("make", {encoder}, ["make"])]
)
model = make_pipeline(columns, {model}).fit(work.bikes, work.prices)"""
ERRORS = """def judge(rows, *steps):
    model = make_pipeline(*steps, LinearRegression())
    scores = cross_val_score(model, rows[["income"]], rows["paid"], cv=5, scoring="neg_mean_absolute_error")
    return -scores.mean()


errors = {
    "drop": judge(work.survey.dropna(), "passthrough"),
    "median": judge(work.survey, SimpleImputer(strategy="median")),
    "indicator": judge(work.survey, SimpleImputer(strategy="median", add_indicator=True)),
}
"""
OFF = """expected = StandardScaler().fit(work.raw_train).transform(work.raw_val)
off = {name: float(np.mean(np.abs(rows - expected))) for name, rows in work.prepared.items()}
"""

ANSWERS = {
    "pixels": [
        Answer(
            """def to_input(images):
    rows = np.asarray(images, dtype="float32") / np.float32(work.levels)
    return np.array([image.ravel() for image in rows])""",
            10,
        ),
        Answer(
            """def to_input(images):
    return np.reshape(images.astype("float32"), (-1, 64)) * (1 / work.levels)""",
            10,
        ),
        Answer(
            """def to_input(images):
    return images.reshape(len(images), -1).astype("float32")""",
            2,
            "raw_pixels",
        ),
        Answer(
            """def to_input(images):
    return images.reshape(len(images), -1).astype("float32") / 255""",
            3,
            "always_255",
        ),
        Answer(
            """def to_input(images):
    return (images / images.max()).reshape(len(images), -1).astype("float32")""",
            4,
            "scaled_by_own_maximum",
        ),
        Answer(
            """def to_input(images):
    return (images // work.levels).reshape(len(images), -1).astype("float32")""",
            0,
            "whole_numbers_cut",
        ),
    ],
    "scaling": [
        Answer(
            """def standardize(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std == 0] = 1
    return (train - mean) / std, (new - mean) / std""",
            15,
        ),
        Answer(
            """def standardize(train, new):
    table, mean, std = pd.DataFrame(train), pd.DataFrame(train).mean(), pd.DataFrame(train).std()
    return [(part - mean) / (std + 1e-12) for part in (table, pd.DataFrame(new))]""",
            15,
        ),
        Answer(
            """def standardize(train, new):
    return StandardScaler().fit_transform(train), StandardScaler().fit_transform(new)""",
            3,
            "own_statistics",
        ),
        Answer(
            """def standardize(train, new):
    scaler = StandardScaler().fit(np.concatenate([train, new]))
    return scaler.transform(train), scaler.transform(new)""",
            3,
            "statistics_of_all",
        ),
        Answer(
            """def standardize(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (train - mean) / std, (new - mean) / std""",
            10.5,
            says="deviation is 0",
        ),
        Answer(
            """def standardize(train, new):
    mean, std = train.mean(), train.std()
    return (train - mean) / std, (new - mean) / std""",
            0,
            says="Mean 0 and deviation 1",
        ),
    ],
    "cleaning": [
        Answer(
            LOOK
            + """def clean(stock):
    mended = stock.replace({marked: {marker: np.nan}})
    wrong = mended["branch"] == branch
    mended[mixed] = np.where(wrong, mended[mixed] / factor, mended[mixed])
    return mended""",
            15,
        ),
        Answer(
            LOOK
            + """def clean(stock):
    mended = stock.copy()
    limits = {"weight": (5, 100), "distance": (100, 20_000), "battery": (100, 2_000)}
    low, high = limits[marked]
    mended[marked] = mended[marked].where(mended[marked].between(low, high))
    for row, value in mended[mixed].items():
        if stock.branch[row] == branch:
            mended.loc[row, mixed] = value * 1_000 if value < 1 else value / 1_000
    return mended""",
            15,
        ),
        Answer(
            LOOK
            + """def clean(stock):
    return stock.replace({marked: {marker: np.nan}})""",
            7.5,
            "mixed_units",
        ),
        Answer(
            LOOK
            + """def clean(stock):
    mended = stock.copy()
    mended.loc[mended["branch"] == branch, mixed] /= factor
    return mended""",
            7.5,
            "marker_as_number",
        ),
        Answer(
            LOOK
            + """def clean(stock):
    mended = stock.replace({marked: {marker: np.nan}})
    mended.loc[mended["branch"] == branch, mixed] /= factor
    return mended.dropna()""",
            3,
            "gaps_thrown_away",
        ),
        Answer("def clean(stock):\n    return stock.copy()", 0, "marker_as_number"),
    ],
    "pricing": [
        Answer(
            """from sklearn.ensemble import RandomForestRegressor

numbers = SimpleImputer(strategy="mean", add_indicator=True)
makes = OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False)
columns = ColumnTransformer([("make", makes, ["make"])], remainder=numbers)
model = make_pipeline(columns, RandomForestRegressor(50, random_state=0)).fit(work.bikes, work.prices)""",
            20,
        ),
        Answer(
            """from sklearn.neighbors import KNeighborsRegressor

"""
            + PIPELINE.format(encoder='OneHotEncoder(handle_unknown="ignore")', model="KNeighborsRegressor(8)"),
            20,
        ),
        Answer(
            PIPELINE.format(encoder="OneHotEncoder()", model="Ridge()"), 0, "category_unforeseen", "unknown categories"
        ),
        Answer(
            """from sklearn.preprocessing import OrdinalEncoder

"""
            + PIPELINE.format(
                encoder='OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)', model="Ridge()"
            ),
            6,
            "categories_as_order",
        ),
        Answer(PIPELINE.format(encoder='"drop"', model="Ridge()"), 6, "category_left_out"),
        Answer(
            """from sklearn.dummy import DummyRegressor

model = make_pipeline(DummyRegressor(strategy="median")).fit(work.bikes, work.prices)""",
            6,
            "category_left_out",
        ),
    ],
    "words": [
        Answer(
            """def to_rows(reports, new_reports):
    vocabulary = list({word: None for text in reports for word in text.split()})
    parts = [[[int(word in text.split()) for word in vocabulary] for text in part] for part in (reports, new_reports)]
    return np.array(parts[0]), np.array(parts[1])""",
            10,
        ),
        Answer(
            """from sklearn.preprocessing import MultiLabelBinarizer


def to_rows(reports, new_reports):
    known = {word for text in reports for word in text.split()}
    binarizer = MultiLabelBinarizer().fit([text.split() for text in reports])
    new = binarizer.transform([known & set(text.split()) for text in new_reports])
    return binarizer.transform([text.split() for text in reports]).astype("float32"), pd.DataFrame(new)""",
            10,
        ),
        Answer(
            """def to_rows(reports, new_reports):
    vectorizer = CountVectorizer(binary=True).fit(reports + new_reports)
    return vectorizer.transform(reports).toarray(), vectorizer.transform(new_reports).toarray()""",
            3,
            "vocabulary_of_all",
        ),
        Answer(
            """def to_rows(reports, new_reports):
    vectorizer = CountVectorizer(binary=True)
    return vectorizer.fit_transform(reports).toarray(), vectorizer.fit_transform(new_reports).toarray()""",
            2,
            "two_vocabularies",
        ),
        Answer(
            """def to_rows(reports, new_reports):
    vectorizer = CountVectorizer()
    return vectorizer.fit_transform(reports).toarray(), vectorizer.transform(new_reports).toarray()""",
            5,
            says="however often",
        ),
        Answer(
            """def to_rows(reports, new_reports):
    vectorizer = CountVectorizer(binary=True)
    return vectorizer.fit_transform(reports), vectorizer.transform(new_reports)""",
            0,
            says="not sparse",
        ),
    ],
    "gaps": [
        Answer(ERRORS + 'way = "indicator" if errors["indicator"] < errors["median"] else "median"', 10),
        Answer(
            """from sklearn.model_selection import KFold

folds = KFold(5, shuffle=True, random_state=3)
table = work.survey.fillna({"income": work.survey["income"].median()}).assign(gap=work.survey["income"].isna())
columns = {"median": ["income"], "indicator": ["income", "gap"]}
errors = {}
for name, chosen in columns.items():
    scores = cross_val_score(
        LinearRegression(), table[chosen], table["paid"], cv=folds, scoring="neg_mean_absolute_error"
    )
    errors[name] = -scores.mean()
way = min(errors, key=errors.get)
known = table[~table["gap"]]
errors["drop"] = -cross_val_score(
    LinearRegression(), known[["income"]], known["paid"], cv=folds, scoring="neg_mean_absolute_error"
).mean()""",
            10,
        ),
        Answer(ERRORS + "way = min(errors, key=errors.get)", 4, "rows_that_vanish"),
        Answer(ERRORS + 'way = "median"  # the simplest', 4, says="one is lower"),
        Answer(
            ERRORS + 'errors = {name: error / work.survey["paid"].mean() for name, error in errors.items()}\n'
            'way = "indicator"',
            0,
            says="another one",
        ),
        Answer(
            ERRORS + 'errors["drop"] = np.inf\nway = "indicator"',
            0,
            says="number of dollars",
        ),
    ],
    "colleagues": [
        Answer(OFF + "right = min(off, key=off.get)", 10),
        Answer(
            """mean, std = work.raw_train.mean(axis=0), work.raw_train.std(axis=0, ddof=1)
off = pd.Series({name: np.abs((work.raw_val - mean) / std - rows).mean() for name, rows in work.prepared.items()})
right = off.idxmin()""",
            10,
        ),
        Answer(
            OFF + "right = min(work.prepared, key=lambda name: np.abs(work.prepared[name].mean(axis=0)).sum())",
            3,
            "zero_means_are_right",
        ),
        Answer(OFF + "right = sorted(off, key=off.get)[1]", 3, "statistics_of_all"),
        Answer(
            """off = {name: float(np.abs(rows.mean(axis=0)).mean()) for name, rows in work.prepared.items()}
right = min(off, key=off.get)""",
            0,
            says="off is another one",
        ),
        Answer('off = {"p": 0, "q": 0, "r": 0}\nright = "p"', 0, says="off is another one"),
    ],
}
