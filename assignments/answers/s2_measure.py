"""Answers to assignment 2 beside the reference: other valid ones, then wrong ones, each with what it stands for."""

from recipe.teach.play import Answer

ANSWERS = {
    "measure": [
        Answer('measure = "recall"', 10),
        Answer('measure = "f1"', 10),
        Answer('measure = "accuracy"', 0, "accuracy_for_rare"),
        Answer('measure = "mae"', 0, "regression_measure"),
        Answer('measure = "ROC AUC"', 5, "area_for_the_top"),
        Answer('measure = "speed"', 0, says="Choose one of"),
    ],
    "count": [
        Answer(
            """def count(smuggled, opened):
    tn, fp, fn, tp = metrics.confusion_matrix(smuggled, opened).ravel()
    return {"tp": tp, "fp": fp, "fn": fn, "tn": tn}""",
            15,
        ),
        Answer(
            """def count(smuggled, opened):
    pairs = list(zip(smuggled.tolist(), opened.tolist()))
    cells = {"tp": (True, True), "fp": (False, True), "fn": (True, False), "tn": (False, False)}
    return {name: pairs.count(cell) for name, cell in cells.items()}""",
            15,
        ),
        Answer(
            """def count(smuggled, opened):
    tn, fn, fp, tp = metrics.confusion_matrix(smuggled, opened).ravel()
    return {"tp": tp, "fp": fp, "fn": fn, "tn": tn}""",
            4.5,
            "misses_and_alarms_swapped",
        ),
        Answer(
            """def count(smuggled, opened):
    tn, fp, fn, tp = metrics.confusion_matrix(smuggled, opened, normalize="all").ravel()
    return {"tp": tp, "fp": fp, "fn": fn, "tn": tn}""",
            7.5,
            says="shares",
        ),
        Answer(
            """def count(smuggled, opened):
    hits = int(np.sum(smuggled & opened))
    return {"tp": hits, "fp": int(opened.sum()), "fn": int(smuggled.sum()), "tn": int((~opened).sum())}""",
            3,
            says="look at fp, fn, tn",
        ),
        Answer(
            "def count(smuggled, opened):\n    return metrics.confusion_matrix(smuggled, opened)", 0, says="dictionary"
        ),
    ],
    "guess_cost": [
        Answer("guess_cost = min(work.price * work.smuggled.mean(), (~work.smuggled).mean())", 15),
        Answer(
            """dummy = [np.zeros_like(work.smuggled), np.ones_like(work.smuggled)]
guess_cost = min(np.where(work.smuggled, work.price * ~guess, guess).mean() for guess in dummy)""",
            15,
        ),
        Answer("guess_cost = round(work.price * np.count_nonzero(work.smuggled) / work.smuggled.size, 2)", 15),
        Answer(
            "guess_cost = max(work.price * work.smuggled.mean(), (~work.smuggled).mean())", 7.5, says="not the cheapest"
        ),
        Answer(
            "guess_cost = (work.price * work.smuggled.mean() + (~work.smuggled).mean()) / 2", 4.5, "coin_as_baseline"
        ),
        Answer("guess_cost = work.smuggled.mean()", 4.5, says="costs its price"),
        Answer("guess_cost = work.price * work.smuggled.sum()", 0, says="mean over the parcels"),
    ],
    "threshold": [
        Answer(
            """grid = np.arange(0.005, 1, 0.005)
costs = [np.where(work.smuggled, work.price * (work.probability <= at), work.probability > at).mean() for at in grid]
threshold = grid[np.argmin(costs)]""",
            25,
        ),
        Answer("threshold = 1 / (work.price + 1) + 0.002  # a little above, to be on the safe side", 25),
        Answer("threshold = 0.5", 0, "half_is_no_law"),
        Answer("threshold = work.price / (1 + work.price)", 0, "prices_swapped"),
        Answer("threshold = 0.003  # miss next to nothing", 7.5, "one_never_misses"),
        Answer("threshold = 0.4  # a little below the half", 7.5, "half_is_no_law"),
    ],
    "scanner": [
        Answer(
            """opened = int(work.capacity * len(work.smuggled))
frame = pd.DataFrame({"smuggled": work.smuggled, "a": work.scan_a, "b": work.scan_b})
found = {name: int(frame.nlargest(opened, name)["smuggled"].sum()) for name in "ab"}
scanner = max(found, key=found.get)""",
            15,
        ),
        Answer(
            """found = {}
for name, scan in {"a": work.scan_a, "b": work.scan_b}.items():
    at = np.quantile(scan, 1 - work.capacity)
    found[name] = np.sum(work.smuggled[scan > at])
scanner = "a" if found["a"] > found["b"] else "b\"""",
            15,
        ),
        Answer(
            """opened = int(work.capacity * len(work.smuggled))
found = {n: int(work.smuggled[np.argsort(-s)[:opened]].sum()) for n, s in {"a": work.scan_a, "b": work.scan_b}.items()}
areas = {n: metrics.roc_auc_score(work.smuggled, s) for n, s in {"a": work.scan_a, "b": work.scan_b}.items()}
scanner = max(areas, key=areas.get)""",
            6,
            "area_for_the_top",
        ),
        Answer(
            """found = {"a": 40, "b": 30}
scanner = "a\"""",
            0,
            says="other numbers",
        ),
        Answer(
            """scans = {"a": work.scan_a, "b": work.scan_b}
found = {name: int(work.smuggled[np.argsort(scan)[:80]].sum()) for name, scan in scans.items()}
scanner = max(found, key=found.get)""",
            0,
            says="other numbers",
        ),
        Answer('found = None\nscanner = "b"', 0, says="no found yet"),
    ],
    "tagger": [
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)])
tagger.compile(optimizer="adam", loss=keras.losses.BinaryCrossentropy(from_logits=True))""",
            10,
        ),
        Answer(
            """inputs = keras.Input((20,))
heads = [keras.layers.Dense(1, activation="sigmoid")(inputs) for _ in range(3)]  # one for each kind of goods
tagger = keras.Model(inputs, keras.layers.Concatenate()(heads))
tagger.compile(optimizer="sgd", loss="binary_focal_crossentropy")""",
            10,
        ),
        Answer(
            """class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8, activation="relu")
        self.labels = keras.layers.Dense(3)

    def call(self, x):
        return keras.ops.sigmoid(self.labels(self.hidden(x)))


def dear_misses(y_true, y_pred):
    p = keras.ops.clip(y_pred, 1e-6, 1 - 1e-6)
    return -keras.ops.mean(5 * y_true * keras.ops.log(p) + (1 - y_true) * keras.ops.log(1 - p), axis=-1)


tagger = Net()
tagger.compile("adam", loss=dear_misses)""",
            10,
        ),
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(3)])
tagger.compile(loss="binary_crossentropy")""",
            2,
            says="or else a logit",
        ),
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
tagger.compile(loss="binary_crossentropy")""",
            0,
            "softmax_for_labels",
        ),
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(3, activation="sigmoid")])
tagger.compile(loss="categorical_crossentropy")""",
            4,
            "loss_of_one_class",
        ),
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
tagger.compile(loss="binary_crossentropy")""",
            0,
            says="three labels",
        ),
        Answer(
            """tagger = keras.Sequential([keras.layers.Dense(3, activation="sigmoid")])
tagger.compile(loss=keras.losses.mean_squared_error)""",
            4,
            says="not the loss",
        ),
    ],
}
