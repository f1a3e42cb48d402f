"""Assignment 7, regularization, search and the final number: a factory that foresees the hardness of its glass.

In each student's world the sensors that matter, the noise, the penalties of the trainings and the quality of the
candidates are others. There are nearly as many sensors as samples, so that a model without a penalty learns the noise.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from recipe.core.dataset import SealedTest
from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.handover import Handed

LESSON = "07_regularize_and_tune"
# With half as many, cross-validation is so noisy that in one world of 200 it does no better than no penalty.
ROWS, SENSORS, HIDDEN_ROWS = 400, 300, 3_000
CANDIDATES, JUDGED = 6, 400  # models to choose from, and samples of each part to choose by


class Factory:
    """Panes of glass with 300 sensors each, their hardness, and what became of other people's trainings.

    Attributes
    ----------
    weights : of the sensors, float (300,): thirty of them matter
    noise : standard deviation of the hardness that no sensor tells
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.weights = np.zeros(SENSORS)
        self.weights[rng.permutation(SENSORS)[:30]] = rng.choice([-1, 1], 30) * rng.uniform(0.8, 1.1, 30)
        self.noise = rng.uniform(3.0, 3.4)
        train, val = self._panes(rng, ROWS), self._panes(rng, 200)
        self.given = {
            "x_train": train["x"],
            "y_train": train["y"],
            "x_val": val["x"],
            "y_val": val["y"],
            "runs": self._runs(rng),
            "examples": self._stops(rng, 3),
            **self._candidates(rng),
        }

    def _panes(self, rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        x = rng.normal(size=(rows, SENSORS))
        y = 10 + x @ self.weights + self.noise * rng.normal(size=rows)
        return {"x": x.astype("float32"), "y": y.astype("float32")}

    def _runs(self, rng: np.random.Generator) -> dict[str, dict[str, float]]:
        """Return what Keras says of four trainings at their end; the one with the lowest `val_loss` is not the best."""
        data_loss = rng.uniform(0.30, 0.34) + np.array([0.06, 0.03, 0.0, 0.09])  # nothing, little L2, L2, L1
        penalty = np.array([0.0, rng.uniform(0.05, 0.07), rng.uniform(0.16, 0.22), rng.uniform(0.25, 0.4)])
        names = np.array(["nothing", "L2 of 0.0003", "L2 of 0.003", "L1 of 0.001"])
        rows = [
            {"val_loss": round(float(a + b), 4), "penalty": round(float(b), 4)}
            for a, b in zip(data_loss, penalty, strict=True)
        ]
        order = rng.permutation(4)
        return {str(names[at]): rows[at] for at in order}

    def _stops(self, rng: np.random.Generator, number: int) -> list[dict[str, object]]:
        """Return losses of some trainings with a patience each, and what early stopping makes of them."""
        stops = []
        while len(stops) < number:
            epochs = np.arange(25)
            losses = (
                0.3 + 0.6 * np.exp(-epochs / rng.uniform(2, 5)) + 0.012 * np.maximum(0, epochs - rng.integers(6, 14))
            )
            losses = (losses + 0.02 * rng.normal(size=25)).round(3).tolist()
            patience = int(rng.integers(1, 4))
            # Keras restores the best epoch among those that it trained, which need not be the best of all.
            if stop_early(losses, patience)[0] < 25 and len(set(losses)) == 25:
                stops.append({"losses": losses, "patience": patience, "answer": list(stop_early(losses, patience))})
        return stops

    def _candidates(self, rng: np.random.Generator) -> dict[str, object]:
        """Return six models that were fitted by others, a training, a validation and a sealed test part."""
        parts = {name: self._panes(rng, JUDGED) for name in ("train", "val", "test")}
        labels = {name: (part["y"] > 10).astype(int) for name, part in parts.items()}
        lean = (
            rng.normal(size=(CANDIDATES, SENSORS))
            * np.linspace(0.27, 0.62, CANDIDATES)[rng.permutation(CANDIDATES), None]
        )
        weights = {letter: self.weights + lean[at] for at, letter in enumerate("abcdef")}
        return {
            "candidates": {letter: _make_candidate(one) for letter, one in weights.items()},
            "x_choose": parts["val"]["x"],
            "y_choose": labels["val"],
            "test": SealedTest(parts["test"]["x"], labels["test"]),
        }

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return `x` float32 (rows, 300), `y` float32 (rows,), 40 `examples` of early stopping, and `flatteries`."""
        flatteries = [
            (int(rng.integers(5, 60)), int(rng.choice([100, 200, 500])), 0.8 + 0.15 * rng.random()) for _ in range(3)
        ]
        return {**self._panes(rng, HIDDEN_ROWS), "examples": self._stops(rng, 40), "flatteries": flatteries}


def _make_candidate(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: (np.asarray(x) @ weights > 0).astype(int)


def stop_early(losses: list[float], patience: int) -> tuple[int, int]:
    """Return how many epochs are trained, and the best of them, both from 1, as Keras's `EarlyStopping` does."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch + 1, best + 1


ASSIGNMENT = Assignment(
    LESSON,
    Factory,
    {
        "best_of_all_epochs": Misconception(
            "What comes after the stop was never trained: the best epoch is the best of those before it.",
            f"{LESSON}#stop-read",
        ),
        "last_weights_kept": Misconception(
            "With `restore_best_weights` it is the best epoch whose weights come back, not the last.",
            f"{LESSON}#stop-read",
        ),
        "patience_off_by_one": Misconception(
            "A patience of 2 bears two epochs in a row without a new best loss: training ends after the second.",
            f"{LESSON}#stop-read",
        ),
        "val_loss_across_penalties": Misconception(
            "`val_loss` contains the penalty. Trainings with different penalties are compared by what is left of it.",
            f"{LESSON}#contains-read",
        ),
        "penalty_counted_twice": Misconception(
            "The penalty is in `val_loss` already: take it out, do not add it.", f"{LESSON}#contains-read"
        ),
        "dropout_behind_the_output": Misconception(
            "Dropout behind the last layer strikes the answer itself out. It belongs behind hidden layers.",
            f"{LESSON}#penalty-why",
        ),
        "rate_kept_not_dropped": Misconception(
            "Keras's rate is the share that is *dropped*, not the share that is kept.", f"{LESSON}#penalty-why"
        ),
        "l1_for_l2": Misconception(
            "L1 sums the weights' sizes, L2 their squares: they are two penalties.", f"{LESSON}#penalty-why"
        ),
        "no_penalty": Misconception(
            "With nearly as many weights as samples, a model learns the noise if it has no penalty, or one that the "
            "training error chose: that always likes the smallest.",
            f"{LESSON}#penalty-why",
        ),
        "penalty_too_large": Misconception(
            "A penalty can be too large: then the weights hardly leave zero, and bias is back.", f"{LESSON}#seeds-read"
        ),
        "best_is_no_estimate": Misconception(
            "The best of many scores flatters: it was chosen for its luck, too.", f"{LESSON}#optimism-read"
        ),
        "standard_error_is_not_maximum": Misconception(
            "A single network is off by one standard error. The best of many is further up, the more there are.",
            f"{LESSON}#optimism-read",
        ),
        "test_for_tuning": Misconception(
            "Who chooses by the test set has no test set any more: its best score flatters. Choose on the validation "
            "part, and open the test set once.",
            f"{LESSON}#look-read",
        ),
        "validation_reported": Misconception(
            "That is the score on the samples that the model was chosen by. What to report comes from the test set.",
            f"{LESSON}#look-read",
        ),
    },
)


def _try_stop(world: Factory, data: dict) -> dict[str, list[tuple]]:
    return {"stop_early": [(one["losses"], one["patience"]) for one in data["examples"]]}


@ASSIGNMENT.exercise(points=15, asks=("stop_early",), tries=_try_stop)
def early(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """Two epochs for each given training."""
    return judge_stops(answer, world.given["examples"])


def judge_stops(answer: SimpleNamespace, examples: list[dict]) -> Verdict | None:
    """Compare the last and the best epoch of some trainings."""
    outputs = []
    for got in answer.stop_early.outputs:
        pair = got.tolist() if isinstance(got, np.ndarray) else got
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(one, int | float) for one in pair):
            return object_to(f"stop_early returns two epochs: the last one, and the best one. Received: {got!r}.")
        outputs.append(tuple(pair))
    right = [tuple(one["answer"]) for one in examples]
    if outputs == right:
        return None
    stops = [(one["losses"], one["patience"]) for one in examples]
    if outputs == [(last, int(np.argmin(losses)) + 1) for (last, _), (losses, _) in zip(right, stops, strict=True)]:
        return ASSIGNMENT.wrong("best_of_all_epochs", share=0.4)
    if outputs == [(last, last) for last, _ in right]:
        return ASSIGNMENT.wrong("last_weights_kept", share=0.4)
    if any(outputs == [stop_early(losses, patience + shift) for losses, patience in stops] for shift in (-1, 1)):
        return ASSIGNMENT.wrong("patience_off_by_one", share=0.4)
    got, want, one = next(
        (got, want, one) for got, want, one in zip(outputs, right, examples, strict=True) if got != want
    )
    return object_to(
        f"With a patience of {one['patience']}, one training ends after {want[0]}, best {want[1]}; got {got}."
    )


@ASSIGNMENT.exercise(points=15, asks=("data_losses", "best_run"))
def fair(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """The loss without the penalty of each training, and which is the best."""
    runs = world.given["runs"]
    right = {name: one["val_loss"] - one["penalty"] for name, one in runs.items()}
    got = answer.data_losses
    if (
        not isinstance(got, dict)
        or set(got) != set(right)
        or not all(isinstance(one, int | float) for one in got.values())
    ):
        return object_to(f"data_losses is a dictionary with a number for each of {', '.join(right)}.")
    if any(abs(got[name] - right[name]) > 1e-3 for name in right):
        if all(abs(got[name] - runs[name]["val_loss"]) < 1e-3 for name in right):
            return ASSIGNMENT.wrong("val_loss_across_penalties")
        if all(abs(got[name] - right[name] - 2 * runs[name]["penalty"]) < 1e-3 for name in right):
            return ASSIGNMENT.wrong("penalty_counted_twice")
        return object_to("At least one of these is not the validation loss without its penalty.")
    if not isinstance(answer.best_run, str):
        return object_to("The losses are right. best_run is the name of a training.", 0.5)
    if answer.best_run != min(right, key=right.get):
        if answer.best_run == min(runs, key=lambda name: runs[name]["val_loss"]):
            return ASSIGNMENT.wrong("val_loss_across_penalties", share=0.5)
        return object_to("The losses are right. The best training is the one with the lowest of them.", 0.5)


def _try_network(world: Factory, data: dict) -> dict[str, list[tuple]]:
    return {"make_network": [(0.3, 0.002), (0.55, 0.01)], "make_network()": [(world.given["x_val"][:3],)]}


@ASSIGNMENT.exercise(points=15, asks=("make_network",), tries=_try_network)
def network(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """Two hidden layers with L2, dropout of the given rate behind each, and none behind the output."""
    for (rate, l2), model in zip(_try_network(world, {})["make_network"], answer.make_network.outputs, strict=True):
        if not isinstance(model, Handed) or model.kind != "model":
            return object_to("make_network returns a compiled Keras model.")
        if model.error:
            return object_to(f"The network fails on panes with {SENSORS} sensors: {model.error}")
        if verdict := _judge_network(model.made_of, rate, l2):
            return verdict


def _judge_network(made_of: dict, rate: float, l2: float) -> Verdict | None:
    layers = [layer for layer in made_of["layers"] if layer["class"] in ("Dense", "Dropout")]
    kinds = [layer["class"] for layer in layers]
    hidden = [layer for layer in layers if layer["class"] == "Dense"][:-1]
    if kinds and kinds[-1] == "Dropout":
        return ASSIGNMENT.wrong("dropout_behind_the_output", share=0.3)
    if len(hidden) != 2:
        found = ", ".join(layer["class"] for layer in made_of["layers"])
        return object_to(f"There are to be two hidden layers and an output, of Keras's class Dense. Received: {found}.")
    rates = [layer["rate"] for layer in layers if layer["class"] == "Dropout"]
    if len(rates) == 2 and all(abs(one - (1 - rate)) < 1e-6 for one in rates):
        return ASSIGNMENT.wrong("rate_kept_not_dropped", share=0.4)
    if kinds != ["Dense", "Dropout", "Dense", "Dropout", "Dense"] or any(abs(one - rate) > 1e-6 for one in rates):
        return object_to(
            f"Behind each hidden layer there is to be dropout of {rate:g}. Received: {kinds}, {rates}.", 0.2
        )
    if all(layer.get("l1", 0) > 1e-6 > layer.get("l2", 0) for layer in hidden):
        return ASSIGNMENT.wrong("l1_for_l2", share=0.5)
    if any(abs(layer.get("l2", 0) - l2) > 1e-6 for layer in hidden):
        return object_to(f"Each hidden layer is to have an L2 penalty of {l2:g} as its kernel_regularizer.", 0.5)


def _try_predict(world: Factory, data: dict) -> dict[str, list[tuple]]:
    return {"predict": [(data["x"] if "x" in data else data["x_val"],), (world.given["x_train"],)]}


@ASSIGNMENT.exercise(points=20, asks=("predict",), tries=_try_predict)
def tuned(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """A number a pane."""
    got = answer.predict.outputs[0]
    if not isinstance(got, np.ndarray) or got.size != len(world.given["y_val"]) or not np.isfinite(got).all():
        return object_to("predict returns a number for each pane.")


def _try_flattery(world: Factory, data: dict) -> dict[str, list[tuple]]:
    return {"flattery": data.get("flatteries", [(20, 200, 0.9)])}


@ASSIGNMENT.exercise(points=10, asks=("flattery",), tries=_try_flattery)
def optimism(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """By how much the best of twenty flatters on 200 samples."""
    return judge_flattery(answer, [(20, 200, 0.9)])


def judge_flattery(answer: SimpleNamespace, asked: list[tuple[int, int, float]]) -> Verdict | None:
    """Compare with a simulation of our own, which is as precise as 20,000 searches are."""
    rng = np.random.default_rng(0)
    for (trials, samples, accuracy), got in zip(asked, answer.flattery.outputs, strict=True):
        best = rng.binomial(samples, accuracy, size=(20_000, trials)).max(axis=1).mean() / samples
        error = np.sqrt(accuracy * (1 - accuracy) / samples)
        if not isinstance(got, int | float):
            return object_to(f"flattery returns a number. Received: {got!r}.")
        if abs(got - (best - accuracy)) <= 0.15 * (best - accuracy):
            continue
        if abs(got - best) <= 0.02:
            return object_to("That is the best score itself. By how much is it above the truth?", 0.4)
        if abs(got - error) <= 0.1 * error:
            return ASSIGNMENT.wrong("standard_error_is_not_maximum", share=0.3)
        if abs(got) <= 0.1 * error:
            return ASSIGNMENT.wrong("best_is_no_estimate")
        return object_to(f"For {trials} trials and {samples} samples the best flatters by another amount.")


@ASSIGNMENT.exercise(points=15, asks=("chosen", "test_accuracy", "test"))
def final(answer: SimpleNamespace, world: Factory) -> Verdict | None:
    """The candidate that is best in validation, and its accuracy on the test set, which is opened once."""
    y, score = world.given["y_choose"], {}
    for letter, candidate in world.given["candidates"].items():
        score[letter] = float(np.mean(candidate(world.given["x_choose"]) == y))
    if not isinstance(answer.chosen, str) or answer.chosen not in score:
        return object_to(f"chosen is one of {', '.join(score)}. Received: {str(answer.chosen)[:100]!r}.")
    if not isinstance(answer.test_accuracy, int | float):
        return object_to("test_accuracy is a number, from 0 to 1.")
    looks = getattr(answer.test, "made_of", {}).get("looks")
    if looks is None:
        return object_to("Leave the variable test as it is: the sealed test set.")
    if looks > 1:
        return ASSIGNMENT.wrong("test_for_tuning", f"The test set was opened {looks} times.", 0.2)
    if looks == 0 and abs(answer.test_accuracy - score[answer.chosen]) < 1e-6:
        return ASSIGNMENT.wrong("validation_reported", share=0.4)
    if looks == 0:
        return object_to("The test set is still sealed: open it for the model that you have chosen.", 0.3)
    if score[answer.chosen] < max(score.values()) - 1e-9:
        return object_to(f"Another candidate is better in validation than {answer.chosen!r}.", 0.2)
