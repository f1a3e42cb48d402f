"""Answers to assignment 5 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

_NETWORK = """def fit():
    keras.utils.set_random_seed(1)
    {scale}
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1{end})])
    model.compile(optimizer="adam", loss="mae")
    model.fit(z, t, epochs={epochs}, batch_size=32, verbose=0)
    return lambda x: {back}


predict = fit()"""
_SCALE = """mean, std, top = work.x_train.mean(axis=0), work.x_train.std(axis=0), work.y_train.mean()
    z, t = (work.x_train - mean) / std, work.y_train / top"""

GUESS = "guess = {}\nguess_error = np.abs(work.y_val - guess).mean()"

ANSWERS = {
    "guess_error": [
        Answer(
            """from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_absolute_error

dummy = DummyRegressor(strategy="median").fit(work.x_train, work.y_train)
guess = float(dummy.predict(work.x_val[:1])[0])
guess_error = mean_absolute_error(work.y_val, dummy.predict(work.x_val))""",
            10,
        ),
        Answer(
            """guess = round(float(np.quantile(work.y_train, 0.5)), 2)
guess_error = round(float(np.mean(np.abs(work.y_val - guess))), 2)""",
            10,
        ),
        Answer(GUESS.format("work.y_train.mean()"), 4, "mean_for_mae"),
        Answer(GUESS.format("np.median(work.y_val)"), 4, "baseline_from_validation"),
        Answer(
            "guess = np.median(work.y_train)\nguess_error = np.abs(work.y_train - guess).mean()",
            4,
            "training_error_reported",
        ),
        Answer(GUESS.format("(work.y_train.min() + work.y_train.max()) / 2"), 0, says="none of the usual"),
    ],
    "ends": [
        Answer(
            """ends = {
    "litres": (1, "linear", "mae"),
    "leak": (1, "sigmoid", "binary_crossentropy"),
    "kind": (work.classes, "softmax", "sparse_categorical_crossentropy"),
    "devices": (work.tags, "sigmoid", "binary_crossentropy"),
}""",
            20,
        ),
        Answer(
            """ends = dict(
    litres=[1, "", "mean_squared_error"],
    leak=[1, "Sigmoid", "binary crossentropy"],
    kind=[work.classes, "softmax", "sparse_categorical_crossentropy"],
    devices=[work.tags, "sigmoid", "binary_crossentropy"],
)""",
            20,
        ),
        Answer(
            """ends = {
    "litres": (1, None, "MeanSquaredError"),
    "leak": (2, "softmax", "sparse_categorical_crossentropy"),
    "kind": (work.classes, "softmax", "SparseCategoricalCrossentropy"),
    "devices": (work.tags, "sigmoid", "BinaryCrossentropy"),
}""",
            20,
        ),
        Answer(
            """ends = {
    "litres": (1, None, "mse"),
    "leak": (1, "sigmoid", "binary_crossentropy"),
    "kind": (work.classes, "softmax", "sparse_categorical_crossentropy"),
    "devices": (work.tags, "softmax", "categorical_crossentropy"),
}""",
            15,
            "softmax_for_labels",
        ),
        Answer(
            """ends = {
    "litres": (1, "sigmoid", "mse"),
    "leak": (1, "sigmoid", "mse"),
    "kind": (work.classes, "softmax", "mse"),
    "devices": (work.tags, "sigmoid", "mse"),
}""",
            0,
            "bounded_output",
        ),
        Answer(
            """ends = {
    "litres": (1, None, "mse"),
    "leak": (1, "sigmoid", "binary_crossentropy"),
    "kind": (work.classes, "softmax", "categorical_crossentropy"),
    "devices": (work.tags, "sigmoid", "binary_crossentropy"),
}""",
            15,
            "one_hot_mixed_up",
        ),
        Answer(
            """ends = {
    "litres": (1, None, "mse"),
    "leak": (1, "sigmoid", "mse"),
    "kind": (work.classes, "softmax", "sparse_categorical_crossentropy"),
    "devices": (work.tags, "sigmoid", "mse"),
}""",
            10,
            "regression_loss_for_classes",
        ),
    ],
    "predict": [
        Answer(
            """class Net(keras.Model):  # takes houses as they are, and says litres
    def __init__(self):
        super().__init__()
        self.scale = keras.layers.Normalization()
        self.scale.adapt(work.x_train)
        self.hidden, self.out = keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)

    def call(self, x):
        return work.y_train.mean() * self.out(self.hidden(self.scale(x)))


keras.utils.set_random_seed(1)
predict = Net()
predict.compile(optimizer="adam", loss=lambda y, said: keras.ops.abs(y - said) / 100)
predict.fit(work.x_train, work.y_train, epochs=40, batch_size=32, verbose=0)""",
            25,
        ),
        Answer(
            """from sklearn.ensemble import HistGradientBoostingRegressor

model = HistGradientBoostingRegressor(loss="absolute_error", random_state=0).fit(work.x_train, work.y_train)
predict = model.predict""",
            25,
        ),
        Answer(
            _NETWORK.format(
                scale="z, t = work.x_train, work.y_train",
                end=', activation="sigmoid"',
                epochs=5,
                back="model.predict(x, verbose=0)",
            ),
            0,
            "unscaled",
        ),
        Answer(
            _NETWORK.format(scale=_SCALE, end="", epochs=40, back="model.predict((x - mean) / std, verbose=0)"),
            0,
            "unscaled",
        ),
        Answer("def predict(x):\n    return np.full(len(x), np.median(work.y_train))", 0, "no_better_than_guess"),
        Answer("def predict(x):\n    return work.y_val", 0, says="no numbers"),
    ],
    "interval": [
        Answer(
            """rng = np.random.default_rng(0)
gain = work.errors_guess - work.errors_model
means = [rng.choice(gain, len(gain)).mean() for _ in range(2_000)]
interval = np.quantile(means, [0.025, 0.975])
is_beyond_chance = bool(interval[0] > 0)""",
            15,
        ),
        Answer(
            """from scipy import stats

gain = work.errors_guess - work.errors_model
interval = stats.t.interval(0.95, len(gain) - 1, gain.mean(), stats.sem(gain))
is_beyond_chance = True""",
            15,
        ),
        Answer(
            """difference = work.errors_guess.mean() - work.errors_model.mean()
error = np.sqrt(work.errors_guess.var() / 80 + work.errors_model.var() / 80)
interval = (difference - 2 * error, difference + 2 * error)
is_beyond_chance = interval[0] > 0""",
            4.5,
            "unpaired",
        ),
        Answer(
            """gain = work.errors_guess - work.errors_model
interval = (gain.mean() - 2 * gain.std(), gain.mean() + 2 * gain.std())
is_beyond_chance = False""",
            3,
            "spread_for_error",
        ),
        Answer(
            """gain = work.errors_guess - work.errors_model
error = gain.std() / np.sqrt(len(gain))
interval = (gain.mean() - 2 * error, gain.mean() + 2 * error)
is_beyond_chance = False""",
            7.5,
            says="what does that say",
        ),
        Answer("interval = (0, 1)\nis_beyond_chance = True", 0, says="holds the mean gain"),
    ],
    "name_case": [
        Answer(
            """def name_case(losses, guess):
    last = np.mean(losses[-3:])
    if not np.isfinite(last) or last > 1.5 * guess:
        return "rate too high"
    return "learns" if last < 0.9 * guess else "no better than the guess\"""",
            10,
        ),
        Answer(
            """def name_case(losses, guess):
    losses = np.nan_to_num(losses, nan=1e9)
    if losses.max() > 1e6 or losses[-1] > 2 * losses.min():
        return "rate too high"
    return "learns" if losses.min() < 0.85 * guess else "no better than the guess\"""",
            10,
        ),
        Answer(
            """def name_case(losses, guess):
    return "learns" if losses[-1] < losses[0] else "rate too high\"""",
            0,
            says="was called",
        ),
        Answer('def name_case(losses, guess):\n    return "learns"', 0, says="was called 'learns'"),
        Answer("def name_case(losses, guess):\n    return losses[-1] < guess", 0, says="returns one of"),
        Answer(
            """def name_case(losses, guess):
    return "rate too high" if losses[0] > guess else "learns\"""",
            0,
            says="was called",
        ),
    ],
    "fresh_loss": [
        Answer(
            """fresh_loss = -np.log(1 / len(work.shares))
guess_loss = sum(-share * np.log(share) for share in work.shares)""",
            10,
        ),
        Answer(
            """from scipy import stats

fresh_loss = stats.entropy(np.ones(len(work.shares)))
guess_loss = stats.entropy(work.shares)""",
            10,
        ),
        Answer("fresh_loss = np.log(2)\nguess_loss = np.log(2)", 0, "guess_is_one_half"),
        Answer(
            "fresh_loss = np.log(len(work.shares))\nguess_loss = 1 - work.shares.max()", 5, says="the shares themselves"
        ),
        Answer(
            """fresh_loss = np.log10(len(work.shares))
guess_loss = -np.sum(work.shares * np.log10(work.shares))""",
            0,
            says="natural one",
        ),
        Answer(
            """guess_loss = np.log(len(work.shares))
fresh_loss = -np.sum(work.shares * np.log(work.shares))""",
            0,
            says="another loss",
        ),
    ],
}
