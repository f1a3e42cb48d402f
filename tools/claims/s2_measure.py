"""What lesson 2 claims: of accuracy and rare classes, of thresholds, costs and weights, of measures and losses."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import recipe
from claims import Outcome, claim

SIXTH = 1 / 6  # where a yes becomes cheaper than a no, if a missed five costs five false positives
THRESHOLDS = np.arange(0.01, 1, 0.01)


@cache
def _halves(source: str, seed: int) -> tuple[np.ndarray, ...]:
    """Return images as rows from 0 to 1, and whether they are fives: of both halves."""
    digits = recipe.load("mnist", source=source, rows=12_000, seed=seed)
    x = digits.x_train.reshape(len(digits.x_train), -1).astype("float32") / digits.x_train.max()
    y = digits.y_train == 5
    return tuple(train_test_split(x, y, test_size=round(len(y) / 2), stratify=y, random_state=seed))


def _detector(pixels: int, loss: object, seed: int) -> object:
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((pixels,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=keras.optimizers.RMSprop(0.003), loss=loss)
    return model


def _costly(y_true: object, y_pred: object) -> object:
    from keras import ops

    p = ops.clip(y_pred, 1e-7, 1 - 1e-7)
    return -ops.mean(5 * y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=-1)


@cache
def _scores(source: str, seed: int, kind: str = "plain") -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return what a network says of the held-out half, and its logits: trained plainly, with weights, or by a loss."""
    x_train, x_val, y_train, _ = _halves(source, seed)
    model = _detector(x_train.shape[1], _costly if kind == "loss" else "binary_crossentropy", seed)
    class_weight = {0: 1, 1: 5} if kind == "weights" else None
    model.fit(x_train, y_train[:, None], batch_size=32, epochs=15, class_weight=class_weight, verbose=0)
    weights, bias = model.get_weights()
    return model.predict(x_val, verbose=0)[:, 0], (x_val @ weights[:, 0] + bias).astype(float)


def _cost(y: np.ndarray, is_yes: np.ndarray) -> float:
    return float(np.mean(5 * (y & ~is_yes) + (~y & is_yes)))


@claim(
    "02", "On reviews TF-IDF and logistic regression are right on 20 points more than a guess, over 10 standard errors."
)
def reviews_beat_the_guess(source: str, seed: int) -> Outcome:
    reviews = recipe.load("imdb", source=source, rows=5_000, seed=seed)
    texts = [" ".join(reviews.vocabulary[word] for word in review) for review in reviews.x_train]
    parts = train_test_split(texts, reviews.y_train, test_size=0.5, stratify=reviews.y_train, random_state=seed)
    x_train, x_val, y_train, y_val = parts
    accuracy = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(x_train, y_train).score(x_val, y_val)
    gain, error = accuracy - max(np.mean(y_val), 1 - np.mean(y_val)), np.sqrt(accuracy * (1 - accuracy) / len(y_val))
    return {"accuracy": accuracy, "gain": gain, "standard error": error}, gain > max(0.2, 10 * error)


@claim(
    "02",
    "'Never a 5' is right on nine images of ten; the network gains less than ten points, and finds half of the fives.",
)
def accuracy_hides_the_fives(source: str, seed: int) -> Outcome:
    y, said = _halves(source, seed)[3], _scores(source, seed)[0] > 0.5
    never, accuracy, recall = np.mean(~y), np.mean(said == y), np.mean(said[y])
    return {"never": never, "network": accuracy, "recall": recall}, (
        0.88 < never < 0.92 and 0 < accuracy - never < 0.1 and recall > 0.5
    )


@claim("02", "From a threshold of 0.5 to 0.2 recall rises by a point or more, and precision falls by five or more.")
def lower_threshold_trades(source: str, seed: int) -> Outcome:
    y, scores = _halves(source, seed)[3], _scores(source, seed)[0]
    found = {"recall": metrics.recall_score, "precision": metrics.precision_score}
    moves = {name: measure(y, scores > 0.2) - measure(y, scores > 0.5) for name, measure in found.items()}
    return moves, moves["recall"] >= 0.01 and moves["precision"] <= -0.05


@cache
def _chosen(source: str, seed: int) -> dict[str, float]:
    """Cut the held-out images in two ten times; each half chooses the cheapest threshold, the other judges it."""
    y, scores, rows = _halves(source, seed)[3], _scores(source, seed)[0], []
    halves = RepeatedStratifiedKFold(n_splits=2, n_repeats=10, random_state=seed)
    for choose, judge in halves.split(scores, y):
        costs = [_cost(y[choose], scores[choose] > threshold) for threshold in THRESHOLDS]
        chosen = THRESHOLDS[np.argmin(costs)]
        rows.append([chosen, min(costs), *(_cost(y[judge], scores[judge] > at) for at in (chosen, SIXTH, 0.5))])
    names = ("threshold", "where chosen", "on other images", "at 1/6", "at 0.5")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


@claim("02", "Judged on other images, the chosen threshold costs less than 0.5, on average over twenty halves.")
def chosen_threshold_saves(source: str, seed: int) -> Outcome:
    costs = _chosen(source, seed)
    return costs, costs["on other images"] < costs["at 0.5"]


@claim("02", "The chosen threshold costs more on other images than where it was chosen.")
def choice_flatters(source: str, seed: int) -> Outcome:
    costs = _chosen(source, seed)
    return {"where chosen": costs["where chosen"], "others": costs["on other images"]}, costs["where chosen"] < costs[
        "on other images"
    ]


@claim("02", "On other images the threshold of theory, 1/6, saves at least half of what the chosen one saves.")
def theory_saves_too(source: str, seed: int) -> Outcome:
    costs = _chosen(source, seed)
    chosen, theory = (costs["at 0.5"] - costs[name] for name in ("on other images", "at 1/6"))
    return {"chosen saves": chosen, "1/6 saves": theory}, theory >= chosen / 2


@claim(
    "02",
    "A class weight of 5 lifts recall at 0.5 by two points or more, and the cost, if at all, by a tenth at most; "
    "average precision moves by five points at most.",
)
def class_weights_move_the_threshold(source: str, seed: int) -> Outcome:
    y, numbers = _halves(source, seed)[3], {}
    for kind in ("plain", "weights"):
        scores = _scores(source, seed, kind)[0]
        numbers |= {f"cost, {kind}": _cost(y, scores > 0.5), f"recall, {kind}": metrics.recall_score(y, scores > 0.5)}
        numbers[f"AP, {kind}"] = metrics.average_precision_score(y, scores)
    finds_more = numbers["recall, weights"] >= numbers["recall, plain"] + 0.02
    is_no_dearer = numbers["cost, weights"] <= 1.1 * numbers["cost, plain"]
    return numbers, finds_more and is_no_dearer and abs(numbers["AP, weights"] - numbers["AP, plain"]) < 0.05


@claim("02", "With class weights the threshold 1/6 costs more than 0.5.")
def both_is_too_much(source: str, seed: int) -> Outcome:
    y, scores = _halves(source, seed)[3], _scores(source, seed, "weights")[0]
    half, sixth = _cost(y, scores > 0.5), _cost(y, scores > SIXTH)
    return {"at 0.5": half, "at 1/6": sixth}, sixth > half


@claim("02", "The loss with the cost in it gives the outputs of the class weights, to 0.01.")
def costly_loss_is_class_weight(source: str, seed: int) -> Outcome:
    apart = float(np.abs(_scores(source, seed, "loss")[0] - _scores(source, seed, "weights")[0]).max())
    return {"largest difference": apart}, apart < 0.01


@claim(
    "02",
    "With 2 % fives, not 10 %, precision at a threshold of 0.2 falls by ten points or more; recall and AUC stay, and "
    "accuracy moves by three points at most.",
)
def rare_yes_costs_precision(source: str, seed: int) -> Outcome:
    y, scores, numbers = _halves(source, seed)[3], _scores(source, seed)[0], {}
    measures = {
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "accuracy": metrics.accuracy_score,
    }
    for share in (0.1, 0.02):
        weights = np.where(y, share / y.mean(), (1 - share) / (1 - y.mean()))
        for name, measure in measures.items():
            numbers[f"{name}, {share:.0%}"] = measure(y, scores > 0.2, sample_weight=weights)
        numbers[f"AUC, {share:.0%}"] = metrics.roc_auc_score(y, scores, sample_weight=weights)
    moves = {name: numbers[f"{name}, 2%"] - numbers[f"{name}, 10%"] for name in (*measures, "AUC")}
    stay = max(abs(moves["recall"]), abs(moves["AUC"])) < 1e-9
    return numbers, stay and moves["precision"] <= -0.1 and abs(moves["accuracy"]) <= 0.03


@cache
def _houses(source: str, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the values of the held-out half, and how far a small network and two guesses are off."""
    import keras

    houses = recipe.load("housing", source=source, seed=seed)
    parts = train_test_split(houses.x_train, houses.y_train / 100_000, test_size=0.5, random_state=seed)
    x_train, x_val, y_train, y_val = parts
    scaler = StandardScaler().fit(x_train)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer="rmsprop", loss="mse")
    model.fit(scaler.transform(x_train), y_train, batch_size=32, epochs=15, verbose=0)
    network = model.predict(scaler.transform(x_val), verbose=0)[:, 0]
    return y_val, {"network": network - y_val, "median": np.median(y_train) - y_val, "mean": y_train.mean() - y_val}


@claim(
    "02",
    "Of fixed guesses the median has the lower MAE, the mean the lower RMSE; the network is below both by a quarter.",
)
def measure_decides_the_guess(source: str, seed: int) -> Outcome:
    mae = {f"MAE, {name}": float(np.abs(off).mean()) for name, off in _houses(source, seed)[1].items()}
    rmse = {f"RMSE, {name}": float(np.sqrt(np.square(off).mean())) for name, off in _houses(source, seed)[1].items()}
    guesses = mae["MAE, median"] < mae["MAE, mean"] and rmse["RMSE, mean"] < rmse["RMSE, median"]
    beats = mae["MAE, network"] < 0.75 * mae["MAE, median"] and rmse["RMSE, network"] < 0.75 * rmse["RMSE, mean"]
    return mae | rmse, guesses and beats


@claim("02", "One value times ten lets the MSE grow at least five times as much, in per cent, as the MAE.")
def one_outlier_moves_the_square(source: str, seed: int) -> Outcome:
    y, off = _houses(source, seed)[0], _houses(source, seed)[1]["network"]
    house, wrong = np.argsort(y)[len(y) // 2], off.copy()
    wrong[house] -= 9 * y[house]
    mae, mse = np.abs(wrong).mean() / np.abs(off).mean() - 1, np.square(wrong).mean() / np.square(off).mean() - 1
    return {"MAE": float(mae), "MSE": float(mse)}, mse >= 5 * mae


@claim("02", "The accuracy has a slope of exactly 0 at 98 of 100 places, the loss at none.")
def accuracy_is_a_staircase(source: str, seed: int) -> Outcome:
    y, logits = _halves(source, seed)[3], _scores(source, seed)[1]

    def both(shift: float) -> np.ndarray:
        z = logits + shift
        return np.array([np.mean((z > 0) == y), np.mean(np.logaddexp(0, z) - y * z)])

    shifts = np.random.default_rng(seed).uniform(-1, 1, 1_000)
    accuracy, loss = np.mean([both(shift + 1e-7) == both(shift - 1e-7) for shift in shifts], axis=0)
    return {"accuracy": accuracy, "loss": loss}, accuracy >= 0.98 and loss == 0


@claim("02", "With the error rate as its loss no weight of the network moves.")
def error_rate_teaches_nothing(source: str, seed: int) -> Outcome:
    from keras import ops

    x_train, _, y_train, _ = _halves(source, seed)
    model = _detector(
        x_train.shape[1], lambda y, p: ops.mean(ops.cast(ops.not_equal(p > 0.5, y > 0.5), "float32"), axis=-1), seed
    )
    before = model.get_weights()
    model.fit(x_train, y_train[:, None].astype("float32"), batch_size=32, epochs=1, verbose=0)
    moved = max(float(np.abs(new - old).max()) for new, old in zip(model.get_weights(), before, strict=True))
    return {"largest change": moved}, moved == 0


@cache
def _curves(source: str, seed: int) -> dict[str, np.ndarray]:
    """Return validation loss and F1 of five networks over 30 epochs, each (5, 30)."""
    fives = recipe.load("mnist_five", source=source, rows=12_000, seed=seed)
    halves = recipe.prepare(recipe.hold_out(fives, test_size=0.5, seed=seed))
    spec = recipe.ModelSpec(architecture="linear", learning_rate=0.003, batch_size=32, epochs=30)
    runs = recipe.train_seeds(spec, halves, range(10 * seed, 10 * seed + 5), journal=None)
    return {key: np.array([run.history[key] for run in runs]) for key in ("val_data_loss", "val_f1")}


def _at(source: str, seed: int, key: str) -> dict[str, float]:
    return {f"{key}, epoch {epoch}": float(_curves(source, seed)[key][:, epoch - 1].mean()) for epoch in (1, 15, 30)}


@claim("02", "From epoch 1 to 15 the validation loss falls and F1 rises, on average over five networks.")
def loss_stands_in(source: str, seed: int) -> Outcome:
    loss, f1 = (_at(source, seed, key) for key in ("val_data_loss", "val_f1"))
    return loss | f1, np.diff(list(loss.values()))[0] < 0 < np.diff(list(f1.values()))[0]


@claim(
    "02",
    "On the real digits F1 moves by three points at most from epoch 15 to 30, while the loss rises.",
    sources=("real",),
)
def late_epochs_leave_f1(source: str, seed: int) -> Outcome:
    f1, loss = _at(source, seed, "val_f1"), _at(source, seed, "val_data_loss")
    rises = np.diff(list(loss.values()))[1] > 0
    return f1 | loss, bool(rises and abs(np.diff(list(f1.values()))[1]) <= 0.03)


@claim("02", "The mean F1 of batches of 16 differs from the F1 of all by three points or more.")
def f1_is_no_mean_of_batches(source: str, seed: int) -> Outcome:
    y, scores = _halves(source, seed)[3], _scores(source, seed)[0]
    whole = len(y) // 16 * 16
    batches = np.split(np.arange(whole), whole // 16)
    each = np.mean([metrics.f1_score(y[rows], scores[rows] > 0.5, zero_division=0) for rows in batches])
    f1 = metrics.f1_score(y[:whole], scores[:whole] > 0.5)
    return {"batches": float(each), "all": float(f1)}, abs(each - f1) >= 0.03
