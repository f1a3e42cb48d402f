"""A pipeline on the bench: its data, its model on loan, and short trainings of it, each made once and then kept."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.core.run import EpochReport
from recipe.debugging.checks import NotApplicable, last_line, refusals
from recipe.debugging.loan import LINEAR, Call, Loan, activation_of, find_last, inner_layers, listen
from recipe.engine.first_weights import build_optimizer
from recipe.engine.loop import train_models
from recipe.engine.members import Job, row_losses

ROWS, VAL_ROWS = 2_000, 500  # that are trained and judged on at most
AT_ONCE = 250  # rows that are sent through the network outside of trainings: each other number is compiled anew
BATCH, STEPS = 32, 20  # of one stretch of training, after which it is judged
STRETCHES, LONGEST = 3, 9
FARTHEST = 4  # powers of ten between the learning rate used and others that are tried
LEARNED = 0.05  # of the first loss: a smaller fall is no learning
WELL_CHOSEN = 0.25  # of the fall of the loss at the best rate
ENOUGH = 0.8  # of a constant answer's loss, at which a training has clearly learned something
CHANCE = 1.3  # by so much over the root of the number of rows a model may be better by chance
CANNOT_RUN = "the model cannot be run on these data"


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A short training from fresh weights.

    Attributes
    ----------
    rate : of learning
    losses, val_losses : without penalties, in inference mode, after each stretch of 20 steps
    weights : the trainable variables after the last step
    """

    rate: float
    losses: tuple[float, ...]
    val_losses: tuple[float, ...]
    weights: list[np.ndarray]

    @property
    def best(self) -> float:
        """The lowest validation loss: a short training may overfit, too."""
        return min((loss for loss in self.val_losses if math.isfinite(loss)), default=math.inf)

    @property
    def steps(self) -> int:
        """How many updates were made."""
        return STEPS * len(self.losses)


@dataclass(frozen=True, kw_only=True)
class RateSweep:
    """How far a short training gets at learning rates from far too low to far too high, from the same first weights.

    Attributes
    ----------
    courses : of each rate, in rising order, the training loss after each stretch; infinite where it diverged
    first_loss : the same before the first step
    """

    courses: Mapping[float, tuple[float, ...]]
    first_loss: float

    @property
    def falls(self) -> dict[float, float]:
        """By how much the loss fell at each rate; minus infinity where it diverged."""
        return {rate: self.first_loss - course[-1] for rate, course in self.courses.items()}

    @property
    def learned(self) -> bool:
        """Whether the loss fell at any of the rates by more than chance."""
        return max(self.falls.values()) > LEARNED * abs(self.first_loss)

    @property
    def fastest_rate(self) -> float:
        """The rate at which the loss was lowest on the way: what is reached at the end may be chance."""
        return min(self.courses, key=lambda rate: sum(self.courses[rate]))

    @property
    def good_rates(self) -> tuple[float, ...]:
        """The rates at which the loss fell at least by a quarter of what it fell at best, in rising order."""
        best = max(self.falls.values())
        return tuple(rate for rate, fall in self.falls.items() if fall >= WELL_CHOSEN * best)

    @property
    def advised_rate(self) -> float:
        """The next good rate below the fastest one: there the loss still falls well, and nothing explodes."""
        return max((rate for rate in self.good_rates if rate < self.fastest_rate), default=self.fastest_rate)


class Bench:
    """A compiled model and its data, as `check_pipeline` takes them.

    What is made of them is made when it is first asked for, and then kept.
    """

    def __init__(
        self,
        model: keras.Model,
        x_train: np.ndarray,
        y_train: np.ndarray,
        x_val: np.ndarray | None = None,
        y_val: np.ndarray | None = None,
        *,
        problem: Problem | ProblemType | None = None,
        fit: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(model, keras.Model):
            raise TypeError(f"Only a Keras model can be checked. Received: model, {type(model).__name__}.")
        self.fit_options = dict(fit or {})
        if x_val is None and y_val is None and self.fit_options.get("validation_data") is not None:
            x_val, y_val, *_ = self.fit_options["validation_data"]
        if (x_val is None) != (y_val is None):
            raise ValueError("Validation needs inputs and targets. Received: x_val or y_val alone. Give both, or none.")
        self.model, self.seed, self.validated = model, seed, x_val is not None
        # That of the only output, where it stands in a dict or a list; and whether it takes outputs without activation.
        self.loss = next(iter(keras.tree.flatten(getattr(model, "loss", None))), None)
        self.from_logits = bool(getattr(self.loss, "from_logits", False))
        structure = x_train if _is_several(model, x_train) else None
        self.parts = {
            name: _as_array(name, part, side_by_side=structure is not None and name[0] == "x")
            for name, part in {"x_train": x_train, "y_train": y_train, "x_val": x_val, "y_val": y_val}.items()
            if part is not None
        }
        self.whole = self.parts["x_train"], self.parts["y_train"]  # in the order in which they came
        self.cut_off = 0.0 if self.validated else float(self.fit_options.get("validation_split") or 0.0)
        if self.cut_off:  # without shuffling, as `fit` does
            cut, self.validated = math.floor(len(self.whole[0]) * (1 - self.cut_off)), True
            for name, part in zip("xy", self.whole, strict=True):
                self.parts |= {f"{name}_train": part[:cut], f"{name}_val": part[cut:]}
        self.x_train, self.y_train = self.parts["x_train"], self.parts["y_train"]
        self.x_val, self.y_val = self.parts.get("x_val"), self.parts.get("y_val")
        self.given, self._trained = problem, {}
        self.loan = Loan(model, structure, self.as_read(self.x_train[:1]), seed)

    # The data.

    @property
    def unpaired(self) -> str:
        """Which part has not one target for each input, in a sentence; empty where all have."""
        parts = [("training", self.x_train, self.y_train)]
        parts += [("validation", self.x_val, self.y_val)] if self.validated else []
        wrong = [(name, len(x), len(y)) for name, x, y in parts if len(x) != len(y)]
        return " ".join(f"The {name} part has {x:,} inputs and {y:,} targets." for name, x, y in wrong)

    @cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """At most 2,000 training and 500 validation rows, drawn at random: x, y, x_val, y_val.

        Where the end of the rows would be cut off for validation, these are drawn from all: in which order the rows
        stand is asked elsewhere. The inputs have the dtype that the network reads, the targets the rank of its outputs.
        """
        if self.unpaired:
            raise NotApplicable(self.unpaired)
        rng, whole = np.random.default_rng(self.seed), self.whole
        order = rng.permutation(len(whole[0]))
        if self.validated and not self.cut_off:
            val, order_val = (self.x_val, self.y_val), rng.permutation(len(self.x_val))
        else:
            val, (order_val, order) = whole, np.split(order, [len(order) // 5])
        drawn = []
        for (x, y), rows in ((whole, order[:ROWS]), (val, order_val[:VAL_ROWS])):
            targets = y if y.ndim > 1 else y[:, None]
            drawn += [self.as_read(x[rows]), targets[rows].astype(np.float32)]
        return tuple(drawn)

    def as_read(self, x: np.ndarray) -> np.ndarray:
        """Return inputs in the dtype that the network reads: whole numbers where it looks words up."""
        return x.astype(np.int32 if self.reads_words else np.float32)

    @cached_property
    def embeddings(self) -> list[keras.layers.Embedding]:
        """The layers that look words up."""
        return [layer for layer in inner_layers(self.model) if isinstance(layer, keras.layers.Embedding)]

    @cached_property
    def reads_words(self) -> bool:
        """Whether every input is the number of a word."""
        inputs = (getattr(self.model, "inputs", None) if self.model.built else None) or []
        if len(inputs) == 1 and "int" in str(inputs[0].dtype):
            return True
        return bool(self.embeddings) and len(inputs) < 2 and bool((self.x_train == np.round(self.x_train)).all())

    @cached_property
    def bad_numbers(self) -> dict[str, int]:
        """How many numbers of each part are not finite; a part without any is left out."""
        counts = {name: int((~np.isfinite(part)).sum()) for name, part in self.parts.items()}
        return {name: count for name, count in counts.items() if count}

    @property
    def has_shares(self) -> bool:
        """Whether a target holds the shares of several classes, as soft labels do, instead of one class."""
        return are_shares(self.y_train) and not np.array_equal(self.y_train, np.round(self.y_train))

    @property
    def target_columns(self) -> int:
        """How many numbers a target has; a sequence of class numbers counts as one."""
        is_sequence = (
            self.y_train.ndim > 1 and "sparse" in self.loss_name and self.y_train.ndim < len(self.output_shape)
        )
        return int(self.y_train.shape[-1]) if self.y_train.ndim > 1 and not is_sequence else 1

    # What the model is made of.

    @cached_property
    def heard(self) -> tuple[list[Call], object]:
        """What each layer was given and gave, on some rows and with the weights that the model came with."""
        model = self.loan.as_it_is()
        with refusals(CANNOT_RUN):
            return listen(model, self.as_read(self.x_train[:AT_ONCE]))

    @property
    def first_read(self) -> np.ndarray:
        """What the first layer with weights reads, behind layers that scale, on at most 250 rows."""
        for layer, inputs, _ in self.heard[0]:
            kind = type(layer).__name__
            if isinstance(layer, keras.layers.Embedding):
                raise NotApplicable("the inputs are numbers of words, which an embedding looks up")
            if kind in ("BatchNormalization", "LayerNormalization", "GroupNormalization"):
                raise NotApplicable("the first layer normalises what it reads")
            if kind != "Normalization" and layer.weights and not inner_layers(layer):
                return keras.ops.convert_to_numpy(inputs)
        raise NotApplicable("no layer has weights that read the inputs")

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether the model has a layer that goes through its inputs step by step."""
        return any(hasattr(layer, "return_sequences") for layer in inner_layers(self.model))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of what the model puts out, the rows first."""
        return tuple(self.heard[1].shape)

    @property
    def outputs(self) -> int:
        """How many numbers the network puts out for a sample, along the last axis."""
        return int(self.output_shape[-1])

    @cached_property
    def last_activation(self) -> str:
        """The name of the activation that puts out, "linear" where there is none."""
        layer, outputs = find_last(*self.heard), keras.ops.convert_to_numpy(self.heard[1])
        if layer is None and outputs.min() >= 0 and outputs.max() <= 1:  # a function outside all layers: as it looks
            return "softmax" if outputs.shape[-1] > 1 and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3) else "sigmoid"
        if layer is None or (activation_of(layer) == LINEAR and not hasattr(layer, "activation")):
            kind = "function outside of all layers" if layer is None else type(layer).__name__
            raise NotApplicable(f"the last layer is a {kind}, and what it puts out cannot be read")
        return activation_of(layer)

    @property
    def seen_by_loss(self) -> str:
        """The activation that the loss sees, its own included."""
        if not self.from_logits or self.last_activation != LINEAR:
            return self.last_activation
        return "sigmoid" if "binary" in self.loss_name else "softmax"

    # What is asked.

    @cached_property
    def type(self) -> ProblemType:
        """The type of problem: as it was given, else as targets, last layer and loss look."""
        given = getattr(self.given, "type", self.given)
        if given:
            return given
        try:
            seen = self.seen_by_loss
        except NotApplicable:
            seen = ""
        return guess_type(self.y_train, self.outputs, self.loss_name, seen)

    @property
    def known_targets(self) -> np.ndarray:
        """All targets that are numbers, flat, of both parts."""
        targets = np.concatenate([self.parts[name].ravel() for name in ("y_train", "y_val") if name in self.parts])
        return targets[np.isfinite(targets)]

    @cached_property
    def loss_name(self) -> str:
        """The name of the loss, as Keras writes it out in full: "mse" and MeanSquaredError() are one."""
        loss = keras.losses.get(self.loss)
        name = getattr(loss, "__name__", "") or type(loss).__name__
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()

    @property
    def has_own_loss(self) -> bool:
        """Whether the loss is one of the user's own, of which nothing is known."""
        return not (isinstance(self.loss, str) or str(getattr(self.loss, "__module__", "")).startswith("keras."))

    @property
    def used_rate(self) -> float:
        """The learning rate that the model is compiled with."""
        return float(self.model.optimizer.learning_rate)

    # Losses.

    def mean_loss(self, y: np.ndarray, outputs: np.ndarray) -> float:
        """Return the loss of outputs, without penalties; y has their rank."""
        with refusals("the loss cannot be computed"):
            losses = row_losses(self.loss, y, outputs.astype(np.float32))
        return float(keras.ops.convert_to_numpy(losses).mean())

    def first_loss(self, rows: int = VAL_ROWS, *, draw: int = 0) -> float:
        """Return the loss of fresh weights on the first training rows, in inference mode."""
        self.check_runnable()
        x, y = (part[:rows] for part in self.arrays[:2])
        with refusals(CANNOT_RUN):
            model, pieces = self._start_anew(draw), range(0, len(x), AT_ONCE)
            outputs = [keras.ops.convert_to_numpy(model(x[n : n + AT_ONCE], training=False)) for n in pieces]
        return self.mean_loss(y, np.concatenate(outputs))

    @cached_property
    def constant_loss(self) -> float:
        """The validation loss of the answer that, of all that are the same for every sample, suits these rows best."""
        return self.loss_of_constant(self.arrays[3])

    def loss_of_constant(self, y: np.ndarray) -> float:
        """Return the lowest loss that one output for all of these rows can have."""
        if self.type is ProblemType.MULTICLASS and self.target_columns == 1:
            counts = np.bincount(y.astype(int).ravel(), minlength=self.outputs)
            return self._lowest_loss(y, counts[: self.outputs] / y.size)
        answers = [y.mean(axis=0)]
        if self.type is not ProblemType.MULTICLASS:  # medians of shares need not add up to 1
            answers.append(np.median(y, axis=0))
        answers += [np.full(y.shape[1:], answer) for answer in (-1.0, 1.0) if "hinge" in self.loss_name]
        return self._lowest_loss(y, *answers)

    def _lowest_loss(self, y: np.ndarray, *answers: np.ndarray) -> float:
        """Return the lowest loss of one of these answers; probabilities become logits where the loss takes them."""
        if self.from_logits:
            certain = [np.clip(answer, 1e-7, 1 - 1e-7) for answer in answers]
            answers = [np.log(each / (1 - each) if "binary" in self.loss_name else each) for each in certain]
        return min(self.mean_loss(y, np.broadcast_to(each, (len(y), *self.output_shape[1:]))) for each in answers)

    def loss_left(self, share: float, y: np.ndarray | None = None) -> float:
        """Return the loss where this share is left of what a constant answer has above the best possible loss.

        That is 0 of labels, but not of fractions behind a cross-entropy, nor of a smoothed or an own loss.
        """
        y = self.arrays[3] if y is None else y
        constant, best = self.loss_of_constant(y), 0.0
        if y.shape[1:] == self.output_shape[1:] and "hinge" not in self.loss_name:  # the targets themselves as answers
            smoothed = getattr(self.loss, "label_smoothing", 0.0) if self.type.is_classification else 0.0
            best = self._lowest_loss(y, y + smoothed * (1 / max(2, y.shape[-1]) - y))
        return best + share * (constant - best) if best < constant else share * constant

    @property
    def better(self) -> float:
        """The share of a blind model's loss that a model must stay below: on few rows chance does much."""
        return 1 - max(0.05, CHANCE / math.sqrt(len(self.arrays[3])))

    # Trainings.

    @property
    def slow_to_begin(self) -> bool:
        """Whether this is a recurrent network that has learned nothing at any rate: they often need many more steps."""
        return self.is_recurrent and not self.sweep.learned

    def check_runnable(self) -> None:
        """Raise NotApplicable where nothing can be computed."""
        if self.bad_numbers:
            raise NotApplicable("some numbers are not finite, and every loss would be the same: not a number")
        if len(self.arrays[0]) < 2:
            raise NotApplicable("there are too few samples")
        if self.refusal:
            raise NotApplicable('the model cannot make a training step on these data: see "can be trained"')

    @cached_property
    def refusal(self) -> str:
        """What Keras says last where the model cannot make one training step on its data; empty where it can."""
        if not getattr(self.model, "compiled", False) or self.loss is None or self.model.optimizer is None:
            return "You must call compile() before using the model."
        if self.unpaired:
            return f"Make sure all arrays contain the same number of samples. {self.unpaired}"
        try:
            with refusals(""):
                model = self.loan.draw_anew()
                model.compile(optimizer="sgd", loss=self.loss)
                for x, y in ((self.x_train, self.y_train), (self.x_val, self.y_val))[: 1 + self.validated]:
                    few, targets = self.as_read(x[:AT_ONCE]), y[:AT_ONCE]
                    model.compute_loss(x=few, y=targets, y_pred=model(few, training=x is self.x_train))
                if type(self.model).__module__.split(".")[0] != "keras":  # own code may run, and not in a compiled step
                    model.train_on_batch(self.as_read(self.x_train[:BATCH]), self.y_train[:BATCH])
        except NotApplicable as why:
            return last_line(why.__cause__ or why)
        if self.wrong_word is not None:
            return f"indices = {self.wrong_word:g} is not in [0, {self.embeddings[0].input_dim}). (JAX: a loss of NaN.)"
        return ""

    @property
    def wrong_word(self) -> float | None:
        """A word number that the embedding does not know, if there is one."""
        if not (self.reads_words and len(self.embeddings) == 1):
            return None
        low, high = self.x_train.min(), self.x_train.max()
        return low if low < 0 else high if high >= self.embeddings[0].input_dim else None

    @cached_property
    def _trainee(self) -> tuple[keras.Model, list[np.ndarray]]:
        """The model that is trained again and again, and its variables and its optimizer's as they are at the start."""
        optimizer = self.model.optimizer
        model = self.compile_anew(type(optimizer).from_config(optimizer.get_config() | {"learning_rate": 0.001}))
        return model, [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]

    def compile_anew(self, optimizer: keras.optimizers.Optimizer) -> keras.Model:
        """Return the model with fresh weights, compiled with its loss and this optimizer."""
        model = self.loan.draw_anew()
        if not model.trainable_variables:
            raise NotApplicable("no weight can be trained")
        build_optimizer(optimizer, model.trainable_variables)
        with refusals("the model cannot be compiled anew"):
            model.compile(optimizer=optimizer, loss=self.loss)
        return model

    def _start_anew(self, draw: int = 0) -> keras.Model:
        model, start = self._trainee
        for variable, value in zip((*model.variables, *model.optimizer.variables), start, strict=True):
            variable.assign(value)
        if draw:
            self.loan.draw_anew(draw=draw)  # into the same variables
        return model

    def train(
        self, name: str, *arrays: np.ndarray, rate: float, enough: float = -np.inf, draw: int = 0, **options: object
    ) -> Outcome:
        """Train from fresh weights and keep the outcome under its name and rate.

        Parameters
        ----------
        arrays : x, y, x_val, y_val; arrays of the same sizes as `arrays` need no compilation of their own
        enough : a validation loss at which it ends
        draw : number of the first weights
        options : as for `fit`; an epoch is a stretch of 20 steps, after which it is judged
        """
        name = f"{name} at {rate:g}"
        if name in self._trained:
            return self._trained[name]
        self.check_runnable()
        model, ended = self._start_anew(draw), threading.Event()
        model.optimizer.learning_rate = rate

        def look(report: EpochReport) -> None:
            loss = report.logs["val_data_loss"]
            # After a stretch alone a loss may be low by the luck of the first weights.
            if (loss <= enough and report.epoch + 1 >= STRETCHES) or not math.isfinite(loss):
                ended.set()

        history = self.fit(model, *arrays, on_epoch=look, stop=ended, **options)
        self._trained[name] = Outcome(
            rate=rate,
            losses=tuple(history["data_loss"]),
            val_losses=tuple(history["val_data_loss"]),
            weights=[np.array(variable) for variable in model.trainable_variables],
        )
        return self._trained[name]

    def fit(self, model: keras.Model, *arrays: np.ndarray, **options: object) -> dict[str, list[float]]:
        """Train a model from where it stands, and return the history: an epoch is 20 full batches of 32.

        Parameters
        ----------
        arrays : x, y, x_val, y_val
        options : of `recipe.engine.members.Job`, besides ``on_epoch`` and ``stop`` of `train_models`
        """
        parts = dict(zip(("x", "y", "x_val", "y_val"), arrays, strict=True))
        listeners = {name: options.pop(name, None) for name in ("on_epoch", "stop")}
        job = Job(model=model, seed=self.seed, **parts, **{"batch_size": BATCH, "steps_per_epoch": STEPS} | options)
        with refusals(CANNOT_RUN):
            (progress,) = train_models([job], **listeners)
        if progress.stopped == "interrupted":
            raise KeyboardInterrupt
        return progress.history

    @cached_property
    def true(self) -> Outcome:
        """The training on the data as they are, at the best of the rates that were tried."""
        return min(self.tried, key=lambda outcome: outcome.best)

    @cached_property
    def tried(self) -> list[Outcome]:
        """Trainings on the data as they are, at three rates or until one is clearly better than blind.

        What the data hold must not depend on a rate that is merely slow.
        """
        if self.slow_to_begin:
            return [self.train("rate", *self.arrays, rate=self.used_rate, epochs=STRETCHES)]  # made by the sweep
        enough = self.loss_left(min(ENOUGH, 0.9 * self.better))
        outcomes = []
        sweep = self.sweep
        # The rate used where it is a good one: so that one fault shows only once.
        used = [rate for rate in (self.used_rate,) if rate in sweep.good_rates]
        for rate in dict.fromkeys((*used, sweep.advised_rate, sweep.fastest_rate)):
            outcomes.append(self.train("true", *self.arrays, rate=rate, epochs=LONGEST, enough=enough))
            if outcomes[-1].best <= enough:
                break
        return outcomes

    @cached_property
    def sweep(self) -> RateSweep:
        """A short training at each of a range of learning rates around the one used.

        From it downwards and then upwards, each way until the loss falls clearly less than at the best rate so far:
        beyond that it falls less still.
        """
        self.check_runnable()
        # Before the first step on as many rows as the engine measures afterwards.
        first, courses, best = self.first_loss(min(map(len, self.arrays))), {}, 0.0
        for powers in (range(0, -FARTHEST - 1, -1), range(1, FARTHEST + 1)):
            for power in powers:
                rate = self.used_rate * 10.0**power
                losses = self.train("rate", *self.arrays, rate=rate, epochs=STRETCHES).losses
                is_whole = len(losses) == STRETCHES and math.isfinite(losses[-1])
                courses[rate] = losses if is_whole else (math.inf,) * STRETCHES
                fall = first - courses[rate][-1]
                best = max(best, fall)
                if best > 0 and fall < WELL_CHOSEN * best:
                    break
        return RateSweep(courses=dict(sorted(courses.items())), first_loss=first)


def guess_type(y: np.ndarray, outputs: int, loss: str, activation: str = "") -> ProblemType:
    """Say what type of problem targets belong to, where the loss and the last activation do not say otherwise.

    A missing target does not turn classes into quantities. Targets of several columns that are no 0 and 1, and any
    behind a loss for counts, are quantities; fractions are bounded ones where the model ends so.
    """
    known = y[np.isfinite(y)]
    whole, values = bool((known == np.round(known)).all()), set(np.unique(known)[:3].tolist())
    is_fraction = known.size and known.min() >= 0 and known.max() <= 1
    ends_bounded = activation == "sigmoid" or "crossentropy" in loss
    quantity = ProblemType.BOUNDED_REGRESSION if is_fraction and ends_bounded else ProblemType.REGRESSION
    if are_shares(y) and ("categorical" in loss or "kl_divergence" in loss):
        return ProblemType.MULTICLASS
    if not whole or loss == "poisson" or (values == {-1, 1} and activation in ("tanh", LINEAR) and "hinge" not in loss):
        return quantity
    if "sparse" in loss:
        return ProblemType.MULTICLASS
    if y.ndim > 1 and y.shape[-1] > 1:
        if not values <= {0, 1}:
            return quantity
        return ProblemType.MULTICLASS if (np.nansum(y, axis=-1) == 1).all() else ProblemType.MULTILABEL
    if outputs > 1 or ("categorical_crossentropy" in loss and len(values) > 2):
        return ProblemType.MULTICLASS
    return ProblemType.BINARY if len(values) <= 2 or "binary" in loss or "hinge" in loss else quantity


def are_shares(y: np.ndarray) -> bool:
    """Say whether the columns of targets are shares of a whole: one-hot labels, or fractions that add up to 1."""
    return y.ndim > 1 and y.shape[-1] > 1 and np.nanmin(y) >= 0 and np.allclose(np.nansum(y, axis=-1), 1)


def _is_several(model: keras.Model, x: object) -> bool:
    """Say whether the inputs are several arrays, as Keras takes them: a dict or a list, one for each input."""
    inputs = getattr(model, "inputs", None) or ()
    arrays = isinstance(x, list | tuple) and len(x) and all(hasattr(part, "shape") for part in x)
    return isinstance(x, dict) or bool(arrays and (len(x) == len(inputs) or (not inputs and x[0].ndim > 1)))


def _as_array(name: str, part: object, *, side_by_side: bool = False) -> np.ndarray:
    """Return a part as an array; several inputs flat and side by side, (n, all their numbers)."""
    if side_by_side:
        columns = [np.asarray(each) for each in keras.tree.flatten(part)]
        part = np.concatenate([each.reshape(len(each), -1) for each in columns], axis=1)
    elif isinstance(part, dict) and len(part) == 1:
        (part,) = part.values()
    array = np.asarray(part)
    if array.dtype.kind not in "buif" or array.ndim == 0:
        raise TypeError(f"The data must be numbers. Received: {name}, an array of {array.dtype}. Encode it first.")
    if not len(array):
        raise ValueError(f"There is nothing to check. Received: {name}, empty. Give at least a few samples.")
    return array
