"""A pipeline on the bench: its data, copies of its model, and short trainings of them, each made once and then kept.

A model of Keras's own plain layers is copied. Any other one is trained as it is, since no configuration holds all of
it: its weights are kept first, and put back by `Bench.put_back`.
"""

from __future__ import annotations

import math
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.core.run import EpochReport
from recipe.debugging.checks import Check, Status

if TYPE_CHECKING:
    import keras

ROWS, VAL_ROWS = 2_000, 500  # that are trained and judged on at most
BATCH, STEPS = 32, 20  # of one stretch of training, after which it is judged
STRETCHES, LONGEST = 3, 9
AROUND = tuple(10.0**power for power in range(-4, 5))  # learning rates that are tried, times the one used
WELL_CHOSEN = 0.25  # of the fall of the loss at the best rate
CANNOT_RUN = "the model cannot be run on these data"


class NotApplicable(Exception):
    """A check cannot be made here; the message says why."""

    @property
    def sentence(self) -> str:
        """The message, written as a sentence."""
        text = str(self)
        return f"{text[0].upper()}{text[1:].rstrip('.')}."


@contextmanager
def refusals(fact: str) -> Iterator[None]:
    """Turn what Keras refuses inside into the reason why a check cannot be made."""
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # of losses: a check says it better
            yield
    except NotApplicable:
        raise
    except Exception as error:
        raise NotApplicable(f"{fact}: {last_line(error)}") from error


def last_line(error: Exception) -> str:
    """Return what an error says in the end, without the arguments that Keras lists below it.

    Examples
    --------
    >>> last_line(ValueError("Exception encountered.\n\nToo wide.\n\nArguments received by Dense.call():\n  x=1"))
    'Too wide.'
    """
    text = re.sub(r"\x1b\[\d*m", "", str(error)).split("Arguments received by")[0].strip()
    return (text or type(error).__name__).splitlines()[-1].strip()[:300]


def judge(ok: bool, *, found: str, expected: str, cause: str, value: float | None = None) -> Check:
    """Return a check that passed or failed, still without a name; the cause is kept where it failed."""
    status = Status.PASSED if ok else Status.FAILED
    return Check(name="", status=status, found=found, expected=expected, cause="" if ok else cause, value=value)


def short_path(variable: keras.Variable) -> str:
    """Return the name of a variable with its layer's, such as ``"dense/kernel"``."""
    return "/".join(variable.path.split("/")[-2:])


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A short training from fresh weights.

    Attributes
    ----------
    losses, val_losses : without penalties, in inference mode, after each stretch of 20 steps
    weights : the trainable variables after the last step
    """

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
        seed: int = 0,
    ) -> None:
        _check_model(model, x_train)
        if (x_val is None) != (y_val is None):
            raise ValueError("Validation needs inputs and targets. Received: x_val or y_val alone. Give both, or none.")
        self.model, self.seed, self.validated = model, seed, x_val is not None
        parts = {"x_train": x_train, "y_train": y_train, "x_val": x_val, "y_val": y_val}
        self.parts = {name: _as_array(name, part) for name, part in parts.items() if part is not None}
        self.x_train, self.y_train, self.x_val, self.y_val = map(self.parts.get, parts)
        self._given, self._trained = problem, {}
        self.shuffled: set[str] = set()

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

        The inputs have the dtype that the network reads, the targets the rank of its outputs.
        """
        if self.unpaired:
            raise NotApplicable(self.unpaired)
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(self.x_train))
        if self.validated:
            x_val, y_val, order_val = self.x_val, self.y_val, rng.permutation(len(self.x_val))
        else:
            x_val, y_val, (order_val, order) = self.x_train, self.y_train, np.split(order, [len(order) // 5])
        drawn = []
        for x, y, rows in ((self.x_train, self.y_train, order[:ROWS]), (x_val, y_val, order_val[:VAL_ROWS])):
            targets = y if y.ndim > 1 else y[:, None]
            drawn += [self.as_read(x[rows]), targets[rows].astype(np.float32)]
        return tuple(drawn)

    def as_read(self, x: np.ndarray) -> np.ndarray:
        """Return inputs in the dtype that the network reads: whole numbers where it looks words up."""
        inputs = getattr(self.model, "inputs", None) if self.model.built else None  # a subclassed model has none
        words = self.embedding is not None or "int" in str(inputs[0].dtype if inputs else "")
        return x.astype(np.int32 if words else np.float32)

    @cached_property
    def embedding(self) -> keras.layers.Embedding | None:
        """The layer that looks the inputs up, if the first one does."""
        import keras

        layers = [layer for layer in self.model.layers if type(layer).__name__ != "InputLayer"]
        return layers[0] if layers and isinstance(layers[0], keras.layers.Embedding) else None

    @cached_property
    def bad_numbers(self) -> dict[str, int]:
        """How many numbers of each part are not finite; a part without any is left out."""
        counts = {name: int((~np.isfinite(part)).sum()) for name, part in self.parts.items()}
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether a layer reads its input step by step: such a network learns slowly at first."""
        return any(hasattr(layer, "return_sequences") for layer in _inner_layers(self.model))

    @property
    def target_columns(self) -> int:
        """How many numbers a target has."""
        return int(self.y_train.shape[-1]) if self.y_train.ndim > 1 else 1

    # What is asked.

    @cached_property
    def type(self) -> ProblemType:
        """The type of problem: as it was given, else as the targets look."""
        given = getattr(self._given, "type", self._given)
        return given or guess_type(self.y_train, self.outputs, self.loss_name)

    @property
    def wanted_outputs(self) -> int:
        """How many numbers the problem asks for."""
        if isinstance(self._given, Problem):
            return self._given.outputs
        # Of integer classes there are as many as the network has outputs.
        is_sparse = self.type is ProblemType.MULTICLASS and self.target_columns == 1
        return self.outputs if is_sparse else self.target_columns

    @cached_property
    def outputs(self) -> int:
        """How many numbers the network puts out for a sample."""
        return int(self.copy.output_shape[-1])

    @property
    def loss(self) -> object:
        """The loss as `compile` took it, that of the only output where it stands in a dict or a list."""
        loss = getattr(self.model, "loss", None)
        return next(iter(loss.values() if isinstance(loss, dict) else loss)) if isinstance(loss, dict | list) else loss

    @cached_property
    def loss_name(self) -> str:
        """The name of the loss, as Keras writes it out in full: "mse" and MeanSquaredError() are one."""
        import keras

        loss = keras.losses.get(self.loss)
        name = getattr(loss, "__name__", "") or type(loss).__name__
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")

    @property
    def has_own_loss(self) -> bool:
        """Whether the loss is one of the user's own, of which nothing is known."""
        return not (isinstance(self.loss, str) or str(getattr(self.loss, "__module__", "")).startswith("keras."))

    @property
    def from_logits(self) -> bool:
        """Whether the loss takes the outputs before their activation."""
        config = self.loss.get_config() if hasattr(self.loss, "get_config") else {}
        return bool(config.get("from_logits", False))

    @property
    def used_rate(self) -> float:
        """The learning rate that the model is compiled with."""
        return float(self.model.optimizer.learning_rate)

    # The model with other weights.

    @cached_property
    def _is_copied(self) -> bool:
        """Whether a copy through the configuration is the same model: Keras's own layers with none inside them."""
        from recipe.engine.twins import is_plain

        try:
            return is_plain(self.model) and not any(map(_inner_layers, self.model.layers))
        except Exception:
            return False

    @cached_property
    def _ends(self) -> tuple:
        """The symbolic input and output of the model itself."""
        import keras

        if self.model.built and getattr(self.model, "inputs", None):
            return self.model.inputs[0], self.model.outputs[0]
        with refusals("the model cannot read the inputs"):
            first = keras.Input(self.x_train.shape[1:], dtype=self.as_read(self.x_train[:1]).dtype.name)
            return first, self.model(first)

    @cached_property
    def _kept(self) -> list[tuple[keras.Variable, np.ndarray]]:
        """The variables of the model itself, with what they held before anything was drawn."""
        return [(variable, np.array(variable)) for variable in self.model.variables]

    def put_back(self) -> None:
        """Give the model the weights and the state back that it came with."""
        for variable, value in self.__dict__.get("_kept", ()):
            variable.assign(value)

    @property
    def copy(self) -> keras.Model:
        """A model with the weights that it has now (fresh ones where it is not built yet)."""
        if self._is_copied:
            return self._copied
        return self._stand_in()

    @cached_property
    def _copied(self) -> keras.Model:
        copy = self.draw_anew()
        if self.model.built:
            copy.set_weights(self.model.get_weights())
        return copy

    def _stand_in(self) -> keras.Model:
        """Return the model's own layers as they came, in a model that can be compiled without touching theirs."""
        import keras

        stand_in = keras.Model(*self._ends)  # first of all, for it builds what is not built yet
        for variable, value in self._kept:
            variable.assign(value)
        return stand_in

    def draw_anew(self, *, frozen_too: bool = False) -> keras.Model:
        """Return the model with weights drawn from the seed.

        Those of frozen layers are the model's own, unless they are asked for, too: a part that is not trained has its
        weights from somewhere else.
        """
        from recipe.engine.models import fixed_seed
        from recipe.engine.twins import copy_model

        if not self._is_copied:
            return self._redraw(frozen_too)
        with refusals("the model cannot be copied"), fixed_seed(self.seed):
            copy = copy_model(self.model)
            if not copy.built:
                copy.build((None, *self.x_train.shape[1:]))
        if self.model.built and not frozen_too:
            for new, old in zip(copy.variables, self.model.variables, strict=True):
                if not old.trainable:
                    new.assign(old.value)
        return copy

    def _redraw(self, frozen_too: bool) -> keras.Model:
        """Draw the weights of the model itself by its layers' initializers; shuffle those that keep none."""
        stand_in, rng = self._stand_in(), np.random.default_rng(self.seed)
        found = {}
        for layer in (self.model, *_inner_layers(self.model)):  # the innermost comes last, and knows best
            for variable in layer.variables:
                names = (f"{variable.name}_initializer", f"{variable.name.removesuffix('_kernel')}_initializer")
                own = next(filter(None, (getattr(layer, name, None) for name in names)), None)
                found[variable.path] = own or found.get(variable.path)
        for variable, value in self._kept:
            draw = found.get(variable.path)
            if not (variable.trainable or (frozen_too and draw)):
                continue
            if draw is None:
                self.shuffled.add(short_path(variable))
                variable.assign(rng.permutation(value.ravel()).reshape(value.shape))
            else:
                variable.assign(_with_seed(draw, int(rng.integers(2**31)))(value.shape, variable.dtype))
        return stand_in

    # Losses.

    def mean_loss(self, y: np.ndarray, outputs: np.ndarray) -> float:
        """Return the loss of outputs, without penalties; y has their rank."""
        import keras

        from recipe.engine.members import row_losses

        with refusals("the loss cannot be computed"):
            losses = row_losses(self.loss, y, outputs.astype(np.float32))
        return float(keras.ops.convert_to_numpy(losses).mean())

    def first_loss(self, rows: int = VAL_ROWS) -> float:
        """Return the loss of fresh weights on the first training rows, in inference mode."""
        import keras

        self.check_runnable()
        x, y = (part[:rows] for part in self.arrays[:2])
        with refusals(CANNOT_RUN):
            outputs = keras.ops.convert_to_numpy(self._start_anew()(x, training=False))
        return self.mean_loss(y, outputs)

    @cached_property
    def constant_loss(self) -> float:
        """The validation loss of the answer that, of all that are the same for every sample, suits these rows best."""
        return self.loss_of_constant(self.arrays[3])

    def loss_of_constant(self, y: np.ndarray) -> float:
        """Return the lowest loss that one output for all of these rows can have."""
        if self.type is ProblemType.MULTICLASS:
            counts = np.bincount(y[:, 0].astype(int), minlength=self.outputs) if y.shape[1] == 1 else y.sum(axis=0)
            middle = (counts[: self.outputs] + 1e-3) / (counts[: self.outputs] + 1e-3).sum()
            middle = np.log(middle) if self.from_logits else middle
        else:
            middle = y.mean(axis=0)
            if self.type.is_classification and self.from_logits:
                middle = np.log((middle + 1e-3) / (1 - middle + 1e-3))
        answers = [middle] if self.type.is_classification else [middle, np.median(y, axis=0)]
        return min(self.mean_loss(y, np.broadcast_to(each, (len(y), self.outputs))) for each in answers)

    # Trainings.

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
            with warnings.catch_warnings(action="ignore"):
                model = self.draw_anew()
                model.compile(optimizer="sgd", loss=self.loss)
                for x, y in ((self.x_train, self.y_train), (self.x_val, self.y_val))[: 1 + self.validated]:
                    few, targets = self.as_read(x[:BATCH]), y[:BATCH]
                    model.compute_loss(x=few, y=targets, y_pred=model(few, training=x is self.x_train))
                if not self._is_copied:  # code of the user's own may run by itself, and not in a compiled step
                    model.train_on_batch(self.as_read(self.x_train[:BATCH]), self.y_train[:BATCH])
        except Exception as error:
            return last_line(error)
        numbers = self.embedding and (self.x_train.min(), self.x_train.max(), self.embedding.input_dim)
        if numbers and (numbers[0] < 0 or numbers[1] >= numbers[2]):
            return f"indices = {numbers[1]:g} is not in [0, {numbers[2]}). (On JAX: no error, and a loss of NaN.)"
        return ""

    @cached_property
    def _trainee(self) -> tuple[keras.Model, list[np.ndarray]]:
        """The copy that is trained again and again, and its variables and its optimizer's as they are at the start."""
        optimizer = self.model.optimizer
        copy = self.compile_anew(type(optimizer).from_config(optimizer.get_config() | {"learning_rate": 0.001}))
        return copy, [np.array(variable) for variable in (*copy.variables, *copy.optimizer.variables)]

    def compile_anew(self, optimizer: keras.optimizers.Optimizer) -> keras.Model:
        """Return a copy with fresh weights, compiled with the model's loss and this optimizer."""
        from recipe.engine.first_weights import build_optimizer

        copy = self.draw_anew()
        if not copy.trainable_variables:
            raise NotApplicable("no weight can be trained")
        build_optimizer(optimizer, copy.trainable_variables)
        with refusals("the model cannot be compiled anew"):
            copy.compile(optimizer=optimizer, loss=self.loss)
        return copy

    def _start_anew(self) -> keras.Model:
        model, start = self._trainee
        for variable, value in zip((*model.variables, *model.optimizer.variables), start, strict=True):
            variable.assign(value)
        return model

    def train(self, name: str, *arrays: np.ndarray, rate: float, enough: float = -np.inf, **options: object) -> Outcome:
        """Train from fresh weights and keep the outcome under its name.

        Parameters
        ----------
        arrays : x, y, x_val, y_val; arrays of the same sizes as `arrays` need no compilation of their own
        enough : a validation loss at which it ends
        options : as for `fit`; an epoch is a stretch of 20 steps, after which it is judged
        """
        if name in self._trained:
            return self._trained[name]
        self.check_runnable()
        model, ended = self._start_anew(), threading.Event()
        model.optimizer.learning_rate = rate

        def look(report: EpochReport) -> None:
            loss = report.logs["val_data_loss"]
            if loss <= enough or not math.isfinite(loss):
                ended.set()

        history = self.fit(model, *arrays, on_epoch=look, stop=ended, **options)
        self._trained[name] = Outcome(
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
        from recipe.engine.loop import train_models
        from recipe.engine.members import Job

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
        """The training on the data as they are, until it is clearly better than a constant answer."""
        return self.train("true", *self.arrays, rate=self.good_rate, epochs=LONGEST, enough=0.8 * self.constant_loss)

    @cached_property
    def good_rate(self) -> float:
        """The rate used where it is a good one, else the advised one: so that one fault shows only once."""
        return self.used_rate if self.used_rate in self.sweep.good_rates else self.sweep.advised_rate

    @cached_property
    def sweep(self) -> RateSweep:
        """A short training at each of a range of learning rates around the one used."""
        self.check_runnable()
        courses = {}
        for rate in (self.used_rate * factor for factor in AROUND):
            losses = self.train(f"rate {rate:g}", *self.arrays, rate=rate, epochs=STRETCHES).losses
            is_whole = len(losses) == STRETCHES and math.isfinite(losses[-1])
            courses[rate] = losses if is_whole else (math.inf,) * STRETCHES
        # Before the first step on as many rows as the engine measures afterwards.
        return RateSweep(courses=courses, first_loss=self.first_loss(min(map(len, self.arrays))))


def guess_type(y: np.ndarray, outputs: int, loss: str) -> ProblemType:
    """Say what type of problem targets belong to."""
    whole = y.dtype.kind in "bui" or bool(np.isfinite(y).all() and (y == np.round(y)).all())
    if y.ndim > 1 and y.shape[-1] > 1:
        if not whole or not np.isin(y, (0, 1)).all():
            return ProblemType.REGRESSION
        return ProblemType.MULTICLASS if (y.sum(axis=-1) == 1).all() else ProblemType.MULTILABEL
    few = len(np.unique(y[:5_000])) <= 2
    if whole and outputs > 1:
        return ProblemType.MULTICLASS
    return ProblemType.BINARY if whole and (few or "binary" in loss) else ProblemType.REGRESSION


def _inner_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return all layers inside one, at any depth: `layers` of a model does not go into cells and wrappers."""
    return list(layer._flatten_layers(include_self=False))


def _with_seed(draw: object, seed: int) -> object:
    """Return an initializer like this one with another seed; a function is returned itself."""
    config = draw.get_config() if hasattr(draw, "get_config") else {}
    return type(draw).from_config(config | {"seed": seed}) if "seed" in config else draw


def _check_model(model: object, x: object) -> None:
    import keras

    if not isinstance(model, keras.Model):
        raise TypeError(f"Only a Keras model can be checked. Received: model, {type(model).__name__}.")
    inputs, outputs = (len(getattr(model, name, None) or [0]) for name in ("inputs", "outputs"))
    if max(inputs, outputs) > 1 or isinstance(x, dict):
        raise ValueError(
            f"A model with one input and one output can be checked. Received: model {model.name!r}, inputs: {inputs}, "
            f"outputs: {outputs}. Check the outputs one by one: keras.Model(model.inputs, model.outputs[0]), "
            "compiled with its own loss; put several inputs side by side in one array."
        )


def _as_array(name: str, part: object) -> np.ndarray:
    array = np.asarray(part)
    if array.dtype.kind not in "buif" or array.ndim == 0:
        raise TypeError(f"The data must be numbers. Received: {name}, an array of {array.dtype}. Encode it first.")
    if not len(array):
        raise ValueError(f"There is nothing to check. Received: {name}, empty. Give at least a few samples.")
    return array
