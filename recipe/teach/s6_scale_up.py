"""Assignment 6, bias and variance: a botanist's poisonous berries, which grow within a ring that is a little off.

In each student's world the ring lies elsewhere, the share of wrong labels, the errors of the projects, the layers of
the network and which of two teams gains from more data are others. No line tells berries apart, and no model can be
better than the wrong labels let it be.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.handover import Handed

LESSON = "06_scale_up_until_it_overfits"
ROWS, HIDDEN_ROWS = 240, 4_000


class Berries:
    """Berries by size and colour, whether they are poisonous, and other people's projects.

    Attributes
    ----------
    center, radius : of the ring within which berries are poisonous
    wrong : share of wrong labels: the error that no model can undercut
    layers : units of a network's layers, the input first
    gains : the team, ``"a"`` or ``"b"``, whose network more data would help most
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.center, self.radius = rng.uniform(-0.3, 0.3, 2), rng.uniform(0.95, 1.1)
        self.wrong = rng.uniform(0.1, 0.14)
        self.layers = [int(rng.integers(8, 30)), *(int(one) for one in rng.choice([16, 24, 32, 48, 64], 2)), 1]
        self.gains = str(rng.choice(["a", "b"]))
        train, val = self._pick(rng, ROWS), self._pick(rng, ROWS)
        self.given = {
            "x_train": train["x"],
            "y_train": train["y"],
            "x_val": val["x"],
            "y_val": val["y"],
            "wrong": round(self.wrong, 3),
            "layers": self.layers,
            "curves": self._curves(rng, 4),
            "projects": self._projects(rng, 4),
            **self._teams(rng),
        }

    def _pick(self, rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        x = rng.normal(size=(rows, 2))
        truth = np.hypot(*(x - self.center).T) < self.radius
        return {"x": x.astype("float32"), "y": (truth ^ (rng.random(rows) < self.wrong)).astype("int64")}

    def _curves(self, rng: np.random.Generator, number: int) -> list[dict[str, list[float]]]:
        """Return training and validation losses of some trainings, an epoch each."""
        curves = []
        for _ in range(number):
            epochs, turn = np.arange(1, 31), rng.uniform(6, 18)
            train = 0.1 + rng.uniform(0.5, 0.8) * np.exp(-epochs / rng.uniform(6, 10))
            val = 0.35 + 0.3 * np.abs(np.log(epochs / turn)) ** 1.6 + 0.012 * rng.normal(size=30)
            curves.append({"train": train.round(4).tolist(), "val": val.round(4).tolist()})
        return curves

    def _projects(self, rng: np.random.Generator, number: int) -> list[dict[str, float]]:
        """Return errors of some projects in which one part, bias or variance, is at least twice the other."""
        projects = []
        for at, case in enumerate(np.resize(("bias", "variance", "variance", "bias"), number)):
            small, large = rng.uniform(0.01, 0.04), rng.uniform(0.09, 0.15)
            # Half of the high variances go with a high error that nobody can undercut: the training error alone, or the
            # validation error alone, does not tell the case.
            floor = rng.uniform(0.15, 0.3) if at % 4 == 1 else rng.uniform(0, 0.02)
            bias, variance = (large, small) if case == "bias" else (small, large)
            errors = {"reachable": floor, "train": floor + bias, "val": floor + bias + variance}
            projects.append({name: round(float(error), 3) for name, error in errors.items()} | {"case": str(case)})
        return projects

    def _teams(self, rng: np.random.Generator) -> dict[str, dict[str, list[float]]]:
        """Return the errors of two teams' networks by the number of training samples."""
        n = np.array([100, 200, 400, 800, 1_600])
        noise = rng.normal(0, 0.002, (4, 5))
        flat = {"train": 0.18 - 0.6 / n + noise[0], "val": 0.185 + 0.9 / n + noise[1]}  # they have met: bias
        steep = {"train": 0.02 + 0 * n + np.abs(noise[2]), "val": 0.02 + 7.2 / np.sqrt(n) / 1.05 + noise[3]}
        teams = {"a": steep, "b": flat} if self.gains == "a" else {"a": flat, "b": steep}
        return {f"team_{name}": {part: one[part].round(3).tolist() for part in one} for name, one in teams.items()} | {
            "samples": n.tolist()
        }

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return `x` float32 (rows, 2), `y` int (rows,), 40 `curves` and 40 `projects`."""
        return {**self._pick(rng, HIDDEN_ROWS), "curves": self._curves(rng, 40), "projects": self._projects(rng, 40)}


ASSIGNMENT = Assignment(
    LESSON,
    Berries,
    {
        "last_is_best": Misconception(
            "The last epoch is best for the training loss. What is best for new samples the validation loss says.",
            f"{LESSON}#turn-read",
        ),
        "first_rise_stops": Misconception(
            "A validation loss is noisy: that it rose once does not mean that it has turned.", f"{LESSON}#seeds-read"
        ),
        "counted_from_zero": Misconception(
            "Python counts from 0. People count epochs from 1, and so was it asked.", f"{LESSON}#turn-read"
        ),
        "reachable_ignored": Misconception(
            "An error is high only beside what could be reached: avoidable bias is the training error *minus* that.",
            f"{LESSON}#three-errors",
        ),
        "only_validation": Misconception(
            "The validation error alone says that something is wrong, and not what: both of its parts are in it.",
            f"{LESSON}#three-errors",
        ),
        "regularize_the_biased": Misconception(
            "Regularization and more data lower variance. A network that is too small they make no better.",
            f"{LESSON}#first-read",
        ),
        "bigger_against_variance": Misconception(
            "A bigger network and a longer training fit the training samples better: that is the cure of bias.",
            f"{LESSON}#first-read",
        ),
        "biases_forgotten": Misconception(
            "Each unit has a bias beside its weights: one number more a unit.", f"{LESSON}#first-why"
        ),
        "not_overfitted": Misconception(
            "A network that overfits knows its own samples nearly by heart, wrong labels and all. This one does not.",
            f"{LESSON}#two-read",
        ),
        "not_underfitted": Misconception(
            "A model that underfits is clearly wrong on its own training samples, too.", f"{LESSON}#two-read"
        ),
        "by_heart_is_right": Misconception(
            "The fewest errors on the training part are no merit: it was wrong labels that were learned by heart.",
            f"{LESSON}#two-read",
        ),
        "lower_gains_more": Misconception(
            "Who is better now is one question, who gains from more data another: look at the gap between the curves.",
            "deeper/learning_curves#header",
        ),
    },
)


def _try_epoch(world: Berries, data: dict) -> dict[str, list[tuple]]:
    return {"best_epoch": [(curve["train"], curve["val"]) for curve in data["curves"]]}


@ASSIGNMENT.exercise(points=10, asks=("best_epoch",), tries=_try_epoch)
def best_epoch(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """The epoch, from 1, of the lowest validation loss of each given curve, or one as good."""
    return judge_epochs(answer, world.given["curves"])


def judge_epochs(answer: SimpleNamespace, curves: list[dict]) -> Verdict | None:
    """Compare best epochs: an epoch is as good as the lowest one where noise may have chosen between them."""
    epochs, losses = answer.best_epoch.outputs, [np.array(curve["val"]) for curve in curves]
    for got, val in zip(epochs, losses, strict=True):
        if not isinstance(got, int | float) or not 0 <= got <= len(val) or got != int(got):
            return object_to(f"best_epoch returns the number of an epoch, 1 to {len(val)}. Received: {got!r}.")
    lowest = [int(np.argmin(val)) + 1 for val in losses]
    from_zero = all(got == right - 1 for got, right in zip(epochs, lowest, strict=True))
    # A minimum of smoothed losses may be one epoch earlier in all of a few curves, and is right: forty tell them apart.
    if from_zero and len(curves) > 10:
        return ASSIGNMENT.wrong("counted_from_zero", share=0.5)
    for got, val, right in zip(epochs, losses, lowest, strict=True):
        if got >= 1 and _excess(val, int(got)) <= 0.03:
            continue
        if from_zero:
            return ASSIGNMENT.wrong("counted_from_zero", share=0.5)
        if got == len(val):
            return ASSIGNMENT.wrong("last_is_best")
        if got == 1 + int(np.argmax(np.diff(val) > 0)):
            return ASSIGNMENT.wrong("first_rise_stops", share=0.2)
        return object_to(f"Of one curve the lowest validation loss is in epoch {right}. Received: {got:g}.")


def _excess(val: np.ndarray, epoch: int) -> float:
    """Return how far above the lowest loss an epoch is: by itself or as a mean of three epochs, whichever is less."""
    smooth = np.convolve(np.pad(val, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    return min(float(curve[epoch - 1] - curve.min()) for curve in (val, smooth))


def _try_case(world: Berries, data: dict) -> dict[str, list[tuple]]:
    return {"first_work": [(one["reachable"], one["train"], one["val"]) for one in data["projects"]]}


@ASSIGNMENT.exercise(points=15, asks=("first_work",), tries=_try_case)
def first_work(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """The larger of avoidable bias and variance, for each given project."""
    return judge_cases(answer, world.given["projects"])


def judge_cases(answer: SimpleNamespace, projects: list[dict]) -> Verdict | None:
    """Compare what is to be worked on first."""
    outputs = answer.first_work.outputs
    if odd := [got for got in outputs if got not in ("bias", "variance")]:
        return object_to(f"first_work returns 'bias' or 'variance'. Received: {odd[0]!r}.")
    if all(got == one["case"] for got, one in zip(outputs, projects, strict=True)):
        return None
    if len(set(outputs)) == 1:
        return ASSIGNMENT.wrong("only_validation", f"Every project is answered by {outputs[0]!r}.")
    by_train = ["bias" if one["train"] > one["val"] - one["train"] else "variance" for one in projects]
    if outputs == tuple(by_train):
        return ASSIGNMENT.wrong("reachable_ignored", share=0.3)
    got, one = next((got, one) for got, one in zip(outputs, projects, strict=True) if got != one["case"])
    errors = f"reachable {one['reachable']:g}, training {one['train']:g}, validation {one['val']:g}"
    return object_to(f"For {errors} the answer was {got!r}: subtract once more.")


BIAS = {"bigger network", "longer training"}
VARIANCE = {"more data", "dropout", "L2"}
EITHER = {"another architecture", "another optimizer"}  # the second lowers bias, and may change both


@ASSIGNMENT.exercise(points=10, asks=("remedies",))
def remedies(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """What lowers which of the two."""
    got = answer.remedies
    if not isinstance(got, dict) or set(got) != {"bias", "variance"}:
        return object_to("remedies is a dictionary with the keys 'bias' and 'variance'.")
    try:
        sets = {name: {str(one).strip() for one in words} for name, words in got.items()}
    except TypeError:
        return object_to("For each key, give a list of remedies.")
    known = BIAS | VARIANCE | EITHER
    if strange := sorted((sets["bias"] | sets["variance"]) - known):
        return object_to(f"{strange[0]!r} is not in the list.")
    if sets["bias"] & VARIANCE:
        return ASSIGNMENT.wrong("regularize_the_biased", share=0.3)
    if sets["variance"] & BIAS:
        return ASSIGNMENT.wrong("bigger_against_variance", share=0.3)
    if missing := sorted(known - sets["bias"] - sets["variance"]):
        return object_to(f"Where does {missing[0]!r} belong?", share=0.5)


@ASSIGNMENT.exercise(points=10, asks=("parameters",))
def parameters(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """Weights and biases of a dense network."""
    pairs = list(zip(world.layers, world.layers[1:], strict=False))
    weights, biases = sum(a * b for a, b in pairs), sum(world.layers[1:])
    if not isinstance(answer.parameters, int | float):
        return object_to("parameters is a number.")
    if answer.parameters == weights + biases:
        return None
    if answer.parameters == weights:
        return ASSIGNMENT.wrong("biases_forgotten", share=0.5)
    if answer.parameters == sum(world.layers):
        return object_to("That counts the units. Between two layers there is a weight for each pair of units.")
    return object_to("Count for each layer: inputs times units, and a bias a unit. The input is no layer.")


def read_labels(handed: object, rows: int, at: int = 0) -> np.ndarray | None:
    """Return what a function or a model said of `rows` samples, at its try `at`, as 0 or 1; None where it cannot be."""
    output = handed.outputs[at] if isinstance(handed, Handed) and len(handed.outputs) > at else None
    if isinstance(output, list):
        output = np.array(output)
    if not isinstance(output, np.ndarray) or output.dtype.kind not in "biuf" or not np.isfinite(output).all():
        return None
    if output.shape == (rows, 2):  # softmax of two classes
        return output.argmax(axis=1)
    return (output.reshape(-1) > 0.5).astype(int) if output.size == rows else None


def _try_sizes(world: Berries, data: dict) -> dict[str, list[tuple]]:
    x = data["x"] if "x" in data else data["x_val"]
    return {name: [(world.given["x_train"],), (x,)] for name in SIZES}


SIZES = ("too_small", "right_size", "too_large")
BY_HEART = 0.04  # whoever errs less on the own samples has learned most of their wrong labels, a tenth of all at least


@ASSIGNMENT.exercise(points=35, asks=SIZES, tries=_try_sizes)
def sizes(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """Errors on the training part: large, more than next to none, and next to none."""
    y, errors = world.given["y_train"], {}
    for name in SIZES:
        if (labels := read_labels(getattr(answer, name), ROWS)) is None:
            return object_to(f"{name} is a model, or a function, that returns a number for each of {ROWS} berries.")
        errors[name] = float(np.mean(labels != y))
    if errors["too_small"] < world.wrong + 0.1:
        return ASSIGNMENT.wrong(
            "not_underfitted", f"too_small errs on {errors['too_small']:.0%} of its own samples.", 0.3
        )
    if errors["too_large"] > BY_HEART:
        return ASSIGNMENT.wrong(
            "not_overfitted", f"too_large errs on {errors['too_large']:.0%} of its own samples.", 0.3
        )
    if errors["right_size"] <= BY_HEART:
        return ASSIGNMENT.wrong(
            "by_heart_is_right", f"right_size errs on {errors['right_size']:.0%} of its own samples.", 0.3
        )


@ASSIGNMENT.exercise(points=10, asks=("gaps", "gains"))
def gains(answer: SimpleNamespace, world: Berries) -> Verdict | None:
    """The gap of each team at the largest number of samples, and who gains from more of them."""
    right = {name: world.given[f"team_{name}"]["val"][-1] - world.given[f"team_{name}"]["train"][-1] for name in "ab"}
    if not isinstance(answer.gaps, dict) or set(answer.gaps) != {"a", "b"}:
        return object_to("gaps is a dictionary with a number for 'a' and one for 'b'.")
    if not all(isinstance(gap, int | float) for gap in answer.gaps.values()):
        return object_to("The gaps are numbers.")
    # They may be rounded to hundredths; one of them is nearly 0, and by noise may be below.
    if any(abs(abs(answer.gaps[name]) - abs(right[name])) > 0.0055 for name in right):
        return object_to("The gap is the validation error minus the training error, at 1,600 samples.")
    if answer.gains not in right:
        return object_to(f"gains is 'a' or 'b'. Received: {answer.gains!r}.", share=0.3)
    if answer.gains != world.gains:
        return ASSIGNMENT.wrong("lower_gains_more", share=0.4)
