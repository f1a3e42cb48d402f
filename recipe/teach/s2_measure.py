"""Assignment 2, a measure of success: a customs office that can open few of the parcels that pass it.

In each student's world the rate of smuggled parcels, the price of a missed one and the day's capacity are others, and
so is which of two scanners is called A. Scanner 1 gives true probabilities. The better ranking overall is always that
of the scanner that finds less at the top of its list.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to

LESSON = "02_choose_a_measure_of_success"
ROWS = 8_000  # parcels that a student gets: at 2 % there are 160 smuggled ones among them
HIDDEN_ROWS = 100_000  # the cost of a threshold has a standard error of 2 % there


class CustomsOffice:
    """Parcels, whether something is smuggled in them, and how three scanners score them.

    Attributes
    ----------
    rate : of smuggled parcels, 0.01 to 0.03
    price : of a missed one, in the price of a parcel opened in vain
    capacity : share of the parcels that can be opened
    sharp : the name of the scanner, ``"a"`` or ``"b"``, that finds more at the top
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rate = rng.uniform(0.015, 0.03)
        self.price = int(rng.choice([10, 15, 20, 25]))
        self.capacity = 0.01
        self.sharp = str(rng.choice(["a", "b"]))
        self.given = {**self.draw(rng, ROWS), "price": self.price, "capacity": self.capacity}

    def draw(self, rng: np.random.Generator, rows: int = HIDDEN_ROWS) -> dict[str, np.ndarray]:
        """Return `smuggled`, bool (rows,), and scores, float (rows,): `probability`, `scan_a` and `scan_b`."""
        # A Beta law with this mean: probabilities that are true, for each parcel is smuggled with its own.
        probability = rng.beta(0.12, 0.12 * (1 / self.rate - 1), rows)
        smuggled = rng.random(rows) < probability
        # One scanner is certain of half of the smuggled parcels and blind to the rest; the other one leans to all.
        certain = rng.normal(size=rows) + 6 * (smuggled & (rng.random(rows) < 0.5))
        leaning = rng.normal(size=rows) + 2.2 * smuggled
        scans = {"a": certain, "b": leaning} if self.sharp == "a" else {"a": leaning, "b": certain}
        return {"smuggled": smuggled, "probability": probability, "scan_a": scans["a"], "scan_b": scans["b"]}


ASSIGNMENT = Assignment(
    LESSON,
    CustomsOffice,
    {
        "accuracy_for_rare": Misconception(
            "Where a yes is rare, opening no parcel at all is right nearly always: accuracy hardly sees the parcels "
            "that the office is there for.",
            f"{LESSON}#counts-why",
        ),
        "regression_measure": Misconception(
            "That measures how far a quantity is off. Here the answer is yes or no.", f"{LESSON}#accuracy-why"
        ),
        "misses_and_alarms_swapped": Misconception(
            "False positives and false negatives are swapped: a false positive is an innocent parcel that is opened.",
            f"{LESSON}#counts-why",
        ),
        "half_is_no_law": Misconception(
            "0.5 is the cheapest threshold only where both mistakes cost the same.", f"{LESSON}#cost-read"
        ),
        "prices_swapped": Misconception(
            "The prices are swapped: with a dear miss the threshold falls, so that fewer are missed.",
            f"{LESSON}#cost-why",
        ),
        "one_never_misses": Misconception(
            "To miss nothing is one goal, and not the one that was asked for: every parcel opened in vain costs, too.",
            f"{LESSON}#threshold-read",
        ),
        "coin_as_baseline": Misconception(
            "A coin is no baseline: the best guess that does not look at a parcel says the same to every one.",
            f"{LESSON}#accuracy-read",
        ),
        "area_for_the_top": Misconception(
            "The area under the ROC curve judges the whole ranking. Only the first parcels of the list are opened.",
            f"{LESSON}#panel-read",
        ),
        "softmax_for_labels": Misconception(
            "Softmax makes the outputs add up to one, as if a parcel could hold only one kind of goods. Labels that go "
            "together want a sigmoid each.",
            "05_beat_a_baseline#table-why",
        ),
        "loss_of_one_class": Misconception(
            "Categorical cross-entropy counts one right class a parcel. Labels that go together want a binary one.",
            "05_beat_a_baseline#table-why",
        ),
    },
)
GOOD_MEASURES = {"average precision", "recall", "f1", "precision", "cost"}
OPEN_TO_ALL = {"accuracy", "roc auc"}
PROBABILITIES = (1e-4, 1e-2, 0.5, 0.7, 0.9)  # from a wrong answer to a right one, where the label is a yes
LOGITS = (-8.0, -4.0, 0.0, 1.0, 2.0)


@ASSIGNMENT.exercise(points=10, asks=("measure",))
def measure(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """Any measure that sees the rare class."""
    said = str(answer.measure).lower().replace("_", " ")
    if said in {"mse", "mae", "rmse"}:
        return ASSIGNMENT.wrong("regression_measure")
    if said == "accuracy":
        return ASSIGNMENT.wrong("accuracy_for_rare")
    if said == "roc auc":
        return ASSIGNMENT.wrong("area_for_the_top", share=0.5)
    if said not in GOOD_MEASURES:
        known = ", ".join(sorted(GOOD_MEASURES | OPEN_TO_ALL | {"mae"}))
        return object_to(f"Choose one of: {known}. Received: {answer.measure!r}.")


def _count(smuggled: np.ndarray, opened: np.ndarray) -> dict[str, int]:
    return {
        "tp": int((smuggled & opened).sum()),
        "fp": int((~smuggled & opened).sum()),
        "fn": int((smuggled & ~opened).sum()),
        "tn": int((~smuggled & ~opened).sum()),
    }


def _try_count(world: CustomsOffice, data: dict) -> dict[str, list[tuple]]:
    return {"count": [(data["smuggled"], data["probability"] > threshold) for threshold in (0.05, 0.3)]}


@ASSIGNMENT.exercise(points=15, asks=("count",), tries=_try_count)
def count(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """Counts of the four cases on the given parcels."""
    return judge_count(answer, world, world.given)


def judge_count(answer: SimpleNamespace, world: CustomsOffice, data: dict) -> Verdict | None:
    """Compare the counts on any data."""
    for (smuggled, opened), got in zip(_try_count(world, data)["count"], answer.count.outputs, strict=True):
        right = _count(smuggled, opened)
        if not isinstance(got, dict) or set(got) != set(right):
            return object_to(f"count returns a dictionary with tp, fp, fn and tn. Received: {got!r}.")
        if got == right:
            continue
        if got == right | {"fp": right["fn"], "fn": right["fp"]}:
            return ASSIGNMENT.wrong("misses_and_alarms_swapped", share=0.3)
        if abs(sum(got.values()) - 1) < 1e-6:
            return object_to("These are shares. Count the parcels.", share=0.5)
        off = ", ".join(name for name in right if got[name] != right[name])
        return object_to(f"Not all four are right: look at {off} once more.", share=0.2)


def price_of(smuggled: np.ndarray, opened: np.ndarray, price: float) -> float:
    """The mean cost a parcel."""
    return float(np.mean(price * (smuggled & ~opened) + (~smuggled & opened)))


@ASSIGNMENT.exercise(points=15, asks=("guess_cost",))
def guess_cost(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """The cheaper of "open none" and "open all"."""
    smuggled = world.given["smuggled"]
    none, every = (price_of(smuggled, np.full(ROWS, said), world.price) for said in (False, True))
    try:
        got = float(answer.guess_cost)
    except (TypeError, ValueError):
        return object_to("guess_cost is a number: the mean cost of a parcel.")
    if abs(got - min(none, every)) <= 0.0055:  # so it may be rounded to two decimals
        return None
    if abs(got - max(none, every)) <= 1e-3:
        return object_to("This guess is not the cheapest one that looks at no parcel.", share=0.5)
    if abs(got - (none + every) / 2) <= 0.05 * (none + every):
        return ASSIGNMENT.wrong("coin_as_baseline", share=0.3)
    if abs(got - min(none, every) / world.price) <= 1e-3:
        return object_to("A missed parcel costs its price, not 1.", share=0.3)
    return object_to("Neither opening none nor opening all costs that. Take the mean over the parcels.")


@ASSIGNMENT.exercise(points=25, asks=("threshold",))
def threshold(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """A number between 0 and 1; how cheap it is, the hidden draw decides."""
    if not isinstance(answer.threshold, int | float):
        return object_to(f"threshold is a number. Received: {answer.threshold!r}.")
    if not 0 < answer.threshold < 1:
        return object_to("A threshold for probabilities lies between 0 and 1.")
    if answer.threshold == 0.5:
        return ASSIGNMENT.wrong("half_is_no_law")


@ASSIGNMENT.exercise(points=15, asks=("found", "scanner"))
def scanner(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """How many smuggled parcels each scanner finds within the capacity, and which one to buy."""
    opened = round(world.capacity * ROWS)
    right = {
        name: int(world.given["smuggled"][np.argsort(-world.given[f"scan_{name}"])[:opened]].sum()) for name in "ab"
    }
    if str(answer.scanner) not in right:
        return object_to(f"scanner is 'a' or 'b'. Received: {str(answer.scanner)[:100]!r}.")
    if not isinstance(answer.found, dict) or set(answer.found) != set(right):
        return object_to("found is a dictionary with a number for 'a' and one for 'b'.")
    if not all(isinstance(number, int | float) for number in answer.found.values()):
        return object_to("found is a dictionary with a number for 'a' and one for 'b'.")
    if any(not abs(answer.found[name] - right[name]) <= 1 for name in right):
        return object_to(f"Of {opened} opened parcels, the first of each scanner's list, found has other numbers.")
    if answer.scanner != world.sharp:
        return ASSIGNMENT.wrong("area_for_the_top", share=0.4)


def _try_tagger(world: CustomsOffice, data: dict) -> dict[str, list[tuple]]:
    # Large inputs: outputs that are no probabilities leave the interval from 0 to 1.
    x = np.random.default_rng(0).normal(0, 10, (50, 20)).astype("float32")
    labels = [np.full((1, 3), label, "float32") for label in (1, 0)]
    wrong_to_right = [*PROBABILITIES, *LOGITS, *(1 - one for one in PROBABILITIES), *(-one for one in LOGITS)]
    outputs = [np.full((1, 3), one, "float32") for one in wrong_to_right]
    return {"tagger": [(x,)], "tagger.loss": list(zip(np.repeat(labels, 10, axis=0), outputs, strict=True))}


def _read_loss(losses: list[float]) -> list[bool]:
    """Tell whether a loss is a cross-entropy of yes and no for probabilities, and whether for logits, by what it says.

    From a wrong answer to a right one it falls all the way, for both labels. At its wrong end it goes by the logarithm
    of a probability: squares, absolute values and hinges do not.
    """
    with np.errstate(invalid="ignore"):  # probabilities outside of 0 to 1 make it infinite, or no number
        falls = -np.diff(np.reshape(losses, (2, 2, 5)))  # label, probabilities or logits, step
    first, second = falls[..., 0], falls[..., 1]
    is_logarithm = [first[:, 0] > 0.06 * second[:, 0], np.abs(first[:, 1] - second[:, 1]) < 0.5 * second[:, 1]]
    is_falling = (falls > 0).all(axis=2)
    return [bool((is_falling[:, at] & is_logarithm[at]).all()) for at in (0, 1)]


@ASSIGNMENT.exercise(points=10, asks=("tagger",), tries=_try_tagger)
def tagger(answer: SimpleNamespace, world: CustomsOffice) -> Verdict | None:
    """A compiled network whose outputs and loss suit several labels a parcel, whatever layers it is made of."""
    made_of = getattr(answer.tagger, "made_of", {})
    if getattr(answer.tagger, "kind", "") != "model" or made_of["loss"] == "none_type":
        return object_to("tagger is a compiled keras model.")
    said, loss = answer.tagger.outputs[0], made_of["loss"]
    if not isinstance(said, np.ndarray) or said.shape[1:] != (3,):
        return object_to("There are three labels a parcel: let one output hold three numbers for each.")
    if np.allclose(said.sum(axis=1), 1):
        return ASSIGNMENT.wrong("softmax_for_labels")
    if "categorical" in loss:
        return ASSIGNMENT.wrong("loss_of_one_class", share=0.4)
    if np.size(made_of.get("losses")) != 20:
        return object_to(f"{loss} cannot compare three labels with the three outputs of a parcel.", share=0.4)
    of_probabilities, of_logits = _read_loss(made_of["losses"])
    if not of_probabilities and not of_logits:
        return object_to(f"{loss} is not the loss that yes and no are trained by.", share=0.4)
    are_probabilities = bool(((said >= 0) & (said <= 1)).all())
    if not (of_probabilities if are_probabilities else of_logits):
        return object_to("Each output is to be a probability; or else a logit, and the loss has to know it.", share=0.2)
