"""Assignment 3, an evaluation protocol: a hospital whose recordings come several of a patient, and in no order.

In each student's world the situations, the sizes and the names of protocols and models are others. The most beautiful
number on a page is never the true one: neither the lowest report, nor the steadiest, nor the highest on the test set.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.reading import as_number, as_numbers, refuse_name

LESSON = "03_decide_on_an_evaluation_protocol"
FOLDS = 5  # that `cut` makes
STRETCHES = 3  # of time that `forward` judges on
SITUATIONS = {
    "hold-out": [
        "{n} million photographs of eyes, one of each patient. To train one network takes a day.",
        "{n} million lines of medical records, one of each patient. To train one network takes a week.",
    ],
    "K-fold": [
        "{n}00 blood samples, one of each patient. One model, trained in a minute, is compared with a guess.",
        "{n}00 scans of knees, one of each patient. One model, trained in two minutes, is compared with a guess.",
    ],
    "iterated K-fold": [
        "Only {n}0 patients, one row each. Two models, trained in a second, seem to be nearly equally good.",
        "Only {n}0 rare cases, one row each. Of two models, fitted in a moment, one is a little better, or is it luck?",
    ],
    "groups": [
        "{n},000 heartbeats, a hundred of each patient. The model is for patients who come to the hospital later.",
        "{n},000 photographs of moles, up to forty of each patient. The model is for new patients.",
    ],
    "time order": [
        "How many came to the emergency room on each day of {n} years. The model is to tell next month's numbers.",
        "How many beds were taken on each day of {n} years. The model is to tell next week's numbers.",
    ],
}


class Hospital:
    """Recordings of patients, reports of protocols, and models that were tried.

    Attributes
    ----------
    right : of each situation, a key of `SITUATIONS`
    roles : of each protocol in `reports`: ``"close"``, ``"noisy"`` or ``"leaky"``
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.folds, self.repeats = int(rng.integers(3, 10)), int(rng.integers(3, 10))
        kinds = [str(kind) for kind in rng.permutation(list(SITUATIONS))]
        self.right = dict(zip("abcde", kinds, strict=True))
        sizes = rng.integers(3, 10, 5)
        situations = {
            name: str(rng.choice(SITUATIONS[kind])).format(n=n)
            for (name, kind), n in zip(self.right.items(), sizes, strict=True)
        }
        self.given = {
            "situations": situations,
            "folds": self.folds,
            "repeats": self.repeats,
            **self.draw(rng),
            "accuracy": round(float(rng.uniform(0.75, 0.95)), 2),
            "recall": round(float(rng.uniform(0.6, 0.9)), 2),
            "rate": round(float(rng.uniform(0.01, 0.06)), 3),
            "points": float(rng.choice([0.5, 1.5, 2.0, 2.5])),
            "reports": self._make_reports(rng),
            "models": self._make_models(rng),
            "traces": rng.standard_normal((160, 8_000), "float32"),
            "healed": rng.permutation(np.repeat([0, 1], 80)),
        }

    def draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return new recordings.

        `patient` int (rows,) and `ill` bool (rows,): several recordings of each patient, in no order. `day` int
        (days,): on which day each of other rows was recorded, in no order. `measured` float (rows, 3): some rows are
        copies.
        """
        patients = int(rng.integers(95, 115))
        ids = rng.choice(np.arange(1_000, 10_000), patients, replace=False)
        patient = np.repeat(ids, rng.integers(4, 12, patients))
        is_ill = dict(zip(ids, rng.permutation(np.arange(patients) < patients // 2), strict=True))
        order = rng.permutation(len(patient))
        patient = patient[order]
        day = rng.permutation(np.cumsum(rng.integers(1, 4, int(rng.integers(200, 300)))))
        measured = rng.integers(1, 40, (250, 3)) / 4
        measured = np.concatenate([measured, measured[:60], measured[60:110, ::-1]])  # copies, and rows turned round
        return {
            "patient": patient,
            "ill": np.array([is_ill[one] for one in patient]),
            "day": day,
            "measured": measured[rng.permutation(len(measured))],
        }

    def _make_reports(self, rng: np.random.Generator) -> pd.DataFrame:
        """What three protocols reported on 20 data sets, and what was true: mean absolute errors in days."""

        def luck(deviation: float) -> np.ndarray:
            noise = rng.normal(size=20)
            return deviation * (noise - noise.mean()) / noise.std()

        truth = rng.uniform(0.55, 0.75) + luck(0.02)
        reports = {
            "close": truth + 0.015 + luck(rng.uniform(0.02, 0.03)),
            "noisy": truth + 0.002 + luck(rng.uniform(0.06, 0.09)),
            "leaky": truth.mean() - rng.uniform(0.2, 0.3) + luck(0.008),
        }
        names = [str(name) for name in rng.permutation(["p", "q", "r"])]
        self.roles = dict(zip(names, reports, strict=True))
        columns = {name: reports[role] for name, role in sorted(self.roles.items())}
        return pd.DataFrame(columns | {"truth": truth}).round(4)

    def _make_models(self, rng: np.random.Generator) -> pd.DataFrame:
        """Thirty models' accuracies on the dev set and on the test set: another one is ahead on each."""
        right = rng.binomial(200, 0.8, (30, 2)) / 200
        dev_winner, test_winner = rng.choice(30, 2, replace=False)
        right[[dev_winner, test_winner]] = rng.integers(155, 165, (2, 2)) / 200
        right[dev_winner, 0], right[test_winner, 1] = right.max(axis=0) + np.array([0.012, 0.008])  # never equal
        names = [f"m{number:02}" for number in range(1, 31)]
        return pd.DataFrame(right.round(3), index=names, columns=["dev", "test"])


ASSIGNMENT = Assignment(
    LESSON,
    Hospital,
    {
        "one_cut_for_few": Misconception(
            "With few samples one cut is a matter of luck: which ones are held out moves the score by more than what "
            "is to be seen.",
            f"{LESSON}#cuts-why",
        ),
        "folds_for_millions": Misconception(
            "Of millions of samples a small part held out is judged on sharply enough; folds would only multiply "
            "days of training.",
            f"{LESSON}#shares-why",
        ),
        "groups_split": Misconception(
            "The same patient stands on both sides, so that a model may shine by recognizing patients. Keep each "
            "patient whole.",
            f"{LESSON}#groups-read",
        ),
        "future_in_training": Misconception(
            "The training part holds days that come after those it is judged on. Nobody will know the future then.",
            f"{LESSON}#time-read",
        ),
        "rows_are_no_days": Misconception(
            "The rows are in no order of time, so the first rows are not the first days. Order them by day, and return "
            "the numbers of the rows.",
            f"{LESSON}#first-solution",
        ),
        "judged_on_training": Misconception(
            "A sample that is learned from must not be judged on: what was learned by heart looks like knowledge.",
            f"{LESSON}#one-why",
        ),
        "points_as_fractions": Misconception(
            "A point is one hundredth of an accuracy: 2 points are 0.02.", f"{LESSON}#error-why"
        ),
        "root_forgotten": Misconception(
            "The standard error falls with the root of n, so half of it takes four times as many samples.",
            f"{LESSON}#error-why",
        ),
        "all_rows_for_the_rare": Misconception(
            "A recall is counted on the ill alone. Of n recordings only a few are of the ill, so it takes many more.",
            f"{LESSON}#rare-solution",
        ),
        "one_column_for_the_row": Misconception(
            "Rows that differ got the same number. A copy is equal in every column, in its place.",
            f"{LESSON}#groups-read",
        ),
        "steady_is_true": Misconception(
            "What is steady may still be wrong: this protocol reports nearly the same each time, and far from the "
            "truth.",
            f"{LESSON}#rows-read",
        ),
        "luck_cancels_out": Misconception(
            "That is right on average over many data sets. You own one, and there a single report is far off.",
            f"{LESSON}#rows-read",
        ),
        "test_set_for_choosing": Misconception(
            "The model was chosen by its score on the test set, which is spent by that: the score is now too good.",
            f"{LESSON}#dev-read",
        ),
        "dev_score_reported": Misconception(
            "The best of thirty on the dev set was lucky there. The number to be reported is that of the test set.",
            f"{LESSON}#dev-read",
        ),
        "columns_picked_before_the_cut": Misconception(
            "The columns were picked by the answers of all rows, those of the validation part, too. Nothing can be "
            "learned here, and it looks as if. Pick them inside of each fold.",
            f"{LESSON}#time-read",
        ),
    },
)


def read_protocol(pair: object) -> tuple[str, int] | None:
    """Return a protocol, a key of `SITUATIONS`, and a number of trainings; None if it is no such pair."""
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
        return None
    known = {kind.lower().replace("-", " "): kind for kind in SITUATIONS}
    said, trainings = known.get(pair[0].lower().replace("-", " ").strip()), as_number(pair[1])
    return None if said is None or trainings is None else (said, round(trainings))


@ASSIGNMENT.exercise(points=15, asks=("protocols",))
def protocols(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Of each situation a protocol and the number of trainings."""
    form = f"protocols holds of each situation, 'a' to 'e', a pair: one of {', '.join(SITUATIONS)}, and a number."
    if not isinstance(answer.protocols, dict) or set(answer.protocols) != set(world.right):
        return object_to(form)
    if any(read_protocol(pair) is None for pair in answer.protocols.values()):
        return object_to(form)


def read_splits(value: object, rows: int) -> list[tuple[np.ndarray, np.ndarray]] | str:
    """Return pairs of row numbers, of training and validation; or in words why they are none.

    Arrays of yes and no, one a row, are turned into row numbers.
    """
    if not isinstance(value, list) or not value:
        return "The function returns a list of pairs: row numbers to train on, and to judge on."
    pairs = []
    for pair in value:
        if not isinstance(pair, list | np.ndarray) or len(pair) != 2:
            return "Each entry of the list is a pair: row numbers to train on, and to judge on."
        parts = [_read_rows(part, rows) for part in pair]
        if any(part is None for part in parts):
            return f"Each part holds numbers of rows, from 0 to {rows - 1}, and is not empty."
        pairs.append(tuple(parts))
    return pairs


def _read_rows(part: object, rows: int) -> np.ndarray | None:
    try:
        numbers = np.asarray(part)
        if numbers.dtype == bool:
            numbers = np.flatnonzero(numbers) if numbers.shape == (rows,) else np.array([])
        numbers = numbers.astype(float)
    except (TypeError, ValueError, OverflowError):
        return None
    if numbers.ndim != 1 or not len(numbers) or not np.isin(numbers, np.arange(rows)).all():
        return None
    return numbers.astype(int)


@ASSIGNMENT.exercise(points=15, asks=("cut",), tries=lambda world, data: {"cut": [(data["patient"], data["ill"])]})
def cut(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Folds of the recordings that are there."""
    return judge_cut(answer, world, world.given)


def judge_cut(answer: SimpleNamespace, world: Hospital, data: dict) -> Verdict | None:
    """Check the folds of any recordings: each judged once, no patient on both sides, ill and healthy in each."""
    outputs = getattr(answer.cut, "outputs", ())
    pairs = read_splits(outputs[0] if outputs else None, len(data["patient"]))
    if isinstance(pairs, str):
        return object_to(pairs)
    if any(np.isin(train, val).any() for train, val in pairs):
        return ASSIGNMENT.wrong("judged_on_training")
    if any(np.isin(data["patient"][train], data["patient"][val]).any() for train, val in pairs):
        return ASSIGNMENT.wrong("groups_split", share=0.2)
    judged = np.bincount(np.concatenate([val for _, val in pairs]), minlength=len(data["patient"]))
    if len(pairs) != FOLDS:
        return object_to(f"There are {len(pairs)} pairs. Five folds were asked for.", share=0.4)
    if (judged != 1).any():
        return object_to("Not every recording is in exactly one validation part.", share=0.5)
    if any(len(train) + len(val) < len(judged) for train, val in pairs):
        return object_to("Recordings that are not judged on are lost for training.", share=0.6)
    if any(data["ill"][val].all() or not data["ill"][val].any() for _, val in pairs):
        return object_to("In each validation part there must be ill and healthy patients.", share=0.6)
    return None


@ASSIGNMENT.exercise(points=15, asks=("forward",), tries=lambda world, data: {"forward": [(data["day"],)]})
def forward(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Splits in time order of the days that are there."""
    return judge_forward(answer, world, world.given)


def judge_forward(answer: SimpleNamespace, world: Hospital, data: dict) -> Verdict | None:
    """Check splits of any days: every training day lies before every validation day."""
    outputs, day = getattr(answer.forward, "outputs", ()), data["day"]
    pairs = read_splits(outputs[0] if outputs else None, len(day))
    if isinstance(pairs, str):
        return object_to(pairs)
    if any(np.isin(train, val).any() for train, val in pairs):
        return ASSIGNMENT.wrong("judged_on_training")
    if any(day[train].max() > day[val].min() for train, val in pairs):
        if all(train.max() < val.min() for train, val in pairs):
            return ASSIGNMENT.wrong("rows_are_no_days", share=0.3)
        return ASSIGNMENT.wrong("future_in_training")
    if len(pairs) < STRETCHES:
        return object_to("One stretch of time may be a lucky one: three were asked for.", share=0.5)
    if any(len(part) < 0.05 * len(day) for pair in pairs for part in pair):
        return object_to("A part holds less than a twentieth of the rows.", share=0.5)
    if any(np.isin(one[1], other[1]).any() for at, one in enumerate(pairs) for other in pairs[:at]):
        return object_to("A day is judged on in several stretches.", share=0.6)
    return None


@ASSIGNMENT.exercise(points=10, asks=("accuracy_rows", "recall_rows"))
def rows(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Two numbers of recordings."""
    got = [as_number(answer.accuracy_rows), as_number(answer.recall_rows)]
    if None in got or min(got) <= 0:
        return object_to("accuracy_rows and recall_rows are numbers of recordings.")


@ASSIGNMENT.exercise(
    points=10, asks=("number_copies",), tries=lambda world, data: {"number_copies": [(data["measured"],)]}
)
def copies(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Group numbers of the rows that are there."""
    return judge_copies(answer, world, world.given)


def judge_copies(answer: SimpleNamespace, world: Hospital, data: dict) -> Verdict | None:
    """Check that equal rows, and only they, have the same number (or text)."""
    outputs = getattr(answer.number_copies, "outputs", ())
    got = outputs[0] if outputs else None
    if isinstance(got, np.ndarray | pd.Series):
        got = got.tolist()
    if not isinstance(got, list) or len(got) != len(data["measured"]) or any(isinstance(one, list) for one in got):
        return object_to("number_copies returns one number for each row.")
    got = pd.factorize(np.asarray([str(one) for one in got], dtype=object))[0]
    right = pd.factorize(np.asarray([row.tobytes().hex() for row in data["measured"]], dtype=object))[0]
    pairs = pd.DataFrame({"got": got, "right": right})
    if (pairs.groupby("got")["right"].nunique() > 1).any():
        return ASSIGNMENT.wrong("one_column_for_the_row", share=0.2)
    if (pairs.groupby("right")["got"].nunique() > 1).any():
        return object_to("Some rows are copies of each other, and have different numbers.", share=0.2)
    return None


@ASSIGNMENT.exercise(points=10, asks=("misses", "protocol"))
def reports(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """Of each protocol by how much it misses the truth, and the one to take."""
    if as_numbers(answer.misses, ("p", "q", "r")) is None:
        return object_to("misses is a dictionary with a number for each of 'p', 'q' and 'r'.")
    return refuse_name("protocol", answer.protocol, "pqr")


@ASSIGNMENT.exercise(points=10, asks=("pipeline", "honest"))
def inside(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """A pipeline that picks columns and classifies, and its accuracy in cross-validation."""
    steps = getattr(answer.pipeline, "made_of", {}).get("steps", [])
    if getattr(answer.pipeline, "kind", "") != "estimator" or len(steps) < 2:
        return object_to("pipeline is a scikit-learn pipeline of two steps or more: it picks columns, and classifies.")
    honest = as_number(answer.honest)
    if honest is None or not 0 <= honest <= 1:
        return object_to("honest is an accuracy, from 0 to 1.")


@ASSIGNMENT.exercise(points=5, asks=("chosen", "reported"))
def models(answer: SimpleNamespace, world: Hospital) -> Verdict | None:
    """The name of a model, and an accuracy."""
    if verdict := refuse_name("chosen", answer.chosen, world.given["models"].index):
        return verdict
    reported = as_number(answer.reported)
    if reported is None or not 0 <= reported <= 1:
        return object_to("reported is an accuracy, from 0 to 1.")
