"""Answers to assignment 7 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

_NETWORK = """from keras import layers, regularizers


def make_network(dropout, l2):
    def dense():
        return layers.Dense(32, activation="relu", kernel_regularizer=regularizers.{penalty})

    model = keras.Sequential([keras.Input((300,)), {hidden}, layers.Dense(1){behind}])
    model.compile(optimizer="adam", loss="mse")
    return model"""
_HIDDEN = "dense(), layers.Dropout(dropout), dense(), layers.Dropout(dropout)"
_SCORES = """scores = {name: np.mean(model(work.x_choose) == work.y_choose) for name, model in work.candidates.items()}
chosen = max(scores, key=scores.get)
"""

ANSWERS = {
    "early": [
        Answer(
            """def stop_early(losses, patience):
    waited, best, kept = 0, np.inf, None
    for epoch, loss in enumerate(losses, start=1):
        if loss < best:
            waited, best, kept = 0, loss, epoch
        else:
            waited += 1
            if waited == patience:
                return epoch, kept
    return len(losses), kept""",
            15,
        ),
        Answer(
            """def stop_early(losses, patience):
    for epoch in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:epoch])) + 1
        if epoch - best == patience:
            return np.array([epoch, best])
    return np.array([len(losses), best])""",
            15,
        ),
        Answer(
            """def stop_early(losses, patience):
    for epoch in range(1, len(losses) + 1):
        if epoch - int(np.argmin(losses[:epoch])) - 1 == patience:
            break
    return epoch, int(np.argmin(losses)) + 1""",
            6,
            "best_of_all_epochs",
        ),
        Answer(
            """def stop_early(losses, patience):
    for epoch in range(1, len(losses) + 1):
        if epoch - int(np.argmin(losses[:epoch])) - 1 == patience:
            break
    return epoch, epoch""",
            6,
            "last_weights_kept",
        ),
        Answer(
            """def stop_early(losses, patience):
    for epoch in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:epoch])) + 1
        if epoch - best > patience:
            break
    return epoch, best""",
            6,
            "patience_off_by_one",
        ),
        Answer("def stop_early(losses, patience):\n    return min(losses)", 0, says="two epochs"),
    ],
    "fair": [
        Answer(
            """runs = pd.DataFrame(work.runs).T
left = runs["val_loss"] - runs["penalty"]
data_losses = left.to_dict()
best_run = left.idxmin()""",
            15,
        ),
        Answer(
            """data_losses = {}
for name in work.runs:
    data_losses[name] = round(work.runs[name]["val_loss"] - work.runs[name]["penalty"], 3)
best_run = sorted(data_losses, key=lambda name: data_losses[name])[0]""",
            15,
        ),
        Answer(
            """data_losses = {name: run["val_loss"] for name, run in work.runs.items()}
best_run = min(data_losses, key=data_losses.get)""",
            0,
            "val_loss_across_penalties",
        ),
        Answer(
            """data_losses = {name: run["val_loss"] + run["penalty"] for name, run in work.runs.items()}
best_run = min(data_losses, key=data_losses.get)""",
            0,
            "penalty_counted_twice",
        ),
        Answer(
            """data_losses = {name: run["val_loss"] - run["penalty"] for name, run in work.runs.items()}
best_run = min(work.runs, key=lambda name: work.runs[name]["val_loss"])""",
            7.5,
            "val_loss_across_penalties",
        ),
        Answer(
            """data_losses = {name: run["val_loss"] - run["penalty"] for name, run in work.runs.items()}
best_run = max(data_losses, key=data_losses.get)""",
            7.5,
            says="lowest of them",
        ),
    ],
    "network": [
        Answer(
            """class Net(keras.Model):
    def __init__(self, dropout, l2):
        super().__init__()
        penalty = {"activation": "relu", "kernel_regularizer": lambda w: l2 * keras.ops.sum(w**2)}
        self.first, self.second = (keras.layers.Dense(32, **penalty) for _ in range(2))
        self.last, self.dropout = keras.layers.Dense(1), keras.layers.Dropout(dropout)

    def call(self, x, training=False):
        for layer in (self.first, self.second):
            x = layer(x)
            if training:
                x = self.dropout(x, training=True)
        return self.last(x)


def make_network(dropout, l2):
    model = Net(dropout, l2)
    model.compile(optimizer="adam", loss="mse")
    return model""",
            15,
        ),
        Answer(
            """def make_network(dropout, l2):
    penalty = keras.regularizers.L1L2(l2=l2)
    x = inputs = keras.Input((300,))
    for units in (64, 16):
        x = keras.layers.Dense(units, kernel_regularizer=penalty)(x)
        x = keras.layers.Activation("relu")(x)
        x = keras.layers.Dropout(dropout)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile(loss="mae")
    return model""",
            15,
        ),
        Answer(
            _NETWORK.format(penalty="L2(l2)", hidden=_HIDDEN, behind=", layers.Dropout(dropout)"),
            4.5,
            "dropout_behind_the_output",
        ),
        Answer(
            _NETWORK.format(penalty="L2(l2)", hidden=_HIDDEN.replace("(dropout)", "(1 - dropout)"), behind=""),
            6,
            "rate_kept_not_dropped",
        ),
        Answer(_NETWORK.format(penalty="L1(l2)", hidden=_HIDDEN, behind=""), 7.5, "l1_for_l2"),
        Answer(
            _NETWORK.format(penalty="L2(l2)", hidden="dense(), dense(), layers.Dropout(dropout)", behind=""),
            3,
            says="Behind each hidden layer",
        ),
    ],
    "tuned": [
        Answer(
            """from sklearn.linear_model import RidgeCV

predict = RidgeCV(alphas=np.geomspace(0.1, 1000, 30)).fit(work.x_train, work.y_train).predict""",
            20,
        ),
        Answer(
            """from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(Ridge(), {"alpha": [1, 3, 10, 30, 100, 300]}, scoring="neg_mean_squared_error")
model = search.fit(work.x_train, work.y_train)


def predict(x):
    return model.predict(x)""",
            20,
        ),
        Answer(
            """from sklearn.linear_model import LinearRegression

predict = LinearRegression().fit(work.x_train, work.y_train).predict""",
            4,
            "no_penalty",
        ),
        Answer(
            """from sklearn.linear_model import Ridge

models = [Ridge(alpha).fit(work.x_train, work.y_train) for alpha in (0.01, 1, 30, 100, 1000)]
predict = max(models, key=lambda model: model.score(work.x_train, work.y_train)).predict""",
            4,
            "no_penalty",
        ),
        Answer(
            """from sklearn.linear_model import Ridge

predict = Ridge(1_000_000).fit(work.x_train, work.y_train).predict""",
            8,
            "penalty_too_large",
        ),
        Answer("def predict(x):\n    return work.y_val.mean()", 0, says="a number for each pane"),
    ],
    "optimism": [
        Answer(
            """def flattery(trials, samples, accuracy):
    rng = np.random.default_rng(1)
    right = rng.random((500, trials, samples)) < accuracy
    return right.mean(axis=2).max(axis=1).mean() - accuracy""",
            10,
        ),
        Answer(
            """from scipy import stats


def flattery(trials, samples, accuracy):
    counts = np.arange(samples + 1)
    below = stats.binom.cdf(counts, samples, accuracy) ** trials  # of the best one
    return np.sum(1 - below[:-1]) / samples - accuracy""",
            10,
        ),
        Answer("def flattery(trials, samples, accuracy):\n    return 0.0", 0, "best_is_no_estimate"),
        Answer(
            "def flattery(trials, samples, accuracy):\n    return np.sqrt(accuracy * (1 - accuracy) / samples)",
            3,
            "standard_error_is_not_maximum",
        ),
        Answer(
            """def flattery(trials, samples, accuracy):
    rng = np.random.default_rng(1)
    return rng.binomial(samples, accuracy, size=(2000, trials)).max(axis=1).mean() / samples""",
            4,
            says="the best score itself",
        ),
        Answer(
            """def flattery(trials, samples, accuracy):
    rng = np.random.default_rng(1)
    return rng.binomial(samples, accuracy, size=(2000, trials)).max(axis=1).mean() - accuracy""",
            0,
            says="another amount",
        ),
    ],
    "final": [
        Answer(
            _SCORES
            + """x_test, y_test = test.open()
test_accuracy = (work.candidates[chosen](x_test) == y_test).mean()""",
            15,
        ),
        Answer(
            """from sklearn.metrics import accuracy_score

best = 0
for name, model in work.candidates.items():
    score = accuracy_score(work.y_choose, model(work.x_choose))
    if score > best:
        best, chosen = score, name
x, y = test.open()
test_accuracy = round(accuracy_score(y, work.candidates[chosen](x)), 3)""",
            15,
        ),
        Answer(
            """scores = {}
for name, model in work.candidates.items():
    x_test, y_test = test.open()
    scores[name] = np.mean(model(x_test) == y_test)
chosen = max(scores, key=scores.get)
test_accuracy = scores[chosen]""",
            3,
            "test_for_tuning",
        ),
        Answer(_SCORES + "test_accuracy = scores[chosen]", 6, "validation_reported"),
        Answer(_SCORES + "test_accuracy = 0.99", 4.5, says="still sealed"),
        Answer(
            _SCORES + "chosen = min(scores, key=scores.get)\nx_test, y_test = test.open()\n"
            "test_accuracy = np.mean(work.candidates[chosen](x_test) == y_test)",
            3,
            says="Another candidate",
        ),
    ],
}
