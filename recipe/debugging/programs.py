"""Step 8: a model's twin to experiment on, so that the model itself is never touched.

On JAX a training of many steps is one compiled program, shared by every model of the same configuration; on the other
backends the same steps go through `train_on_batch`.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from recipe.engine.first_weights import build_optimizer
from recipe.engine.models import fixed_seed
from recipe.engine.twins import copy_model, make_twin

State = tuple[list, list, list]  # trainable, other and optimizer variables, as arrays
Weights = tuple[list[np.ndarray], list[np.ndarray]]

SLICE = 500  # rows that are judged at once
KEPT = 8  # programs that stay compiled; each holds a copy of its model
_PROGRAMS: OrderedDict[str, Program] = OrderedDict()
_LOCK = threading.RLock()


def clone(model: keras.Model, shape: tuple[int, ...], seed: int = 0) -> keras.Model:
    """Return a built model of the same layers with weights of its own, drawn from the seed.

    Frozen variables are copied: a part that is not trained has its weights from somewhere else.
    """
    with fixed_seed(seed):
        twin = copy_model(model)
        if not twin.built:
            twin.build((None, *shape))
    if model.built:
        for new, old in zip(twin.variables, model.variables, strict=True):
            if not old.trainable:
                new.assign(old.value)
    return twin


def weights_of(model: keras.Model) -> Weights:
    """Return copies of the trainable and of the other variables."""
    return tuple(
        [_read(variable) for variable in group] for group in (model.trainable_variables, model.non_trainable_variables)
    )


def _read(values: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(values))


def row_losses(loss: Callable, y: Any, outputs: Any) -> Any:
    """Return the loss of each row, of shape (n,), in the backend's arrays; y has the rank of the outputs."""
    y, outputs = keras.ops.cast(y, "float32"), keras.ops.cast(outputs, "float32")
    each = loss.call(y, outputs) if isinstance(loss, keras.losses.Loss) else loss(y, outputs)
    return keras.ops.mean(keras.ops.reshape(each, (keras.ops.shape(outputs)[0], -1)), axis=-1)


class Program:
    """The computation of a model: it starts from any weights, and keeps none.

    Parameters
    ----------
    twin : a built copy of the model, the program's own
    loss : from the rows' targets and outputs to their losses
    optimizer : the program's own, with a constant learning rate
    """

    def __init__(self, twin: keras.Model, loss: Callable, optimizer: keras.optimizers.Optimizer) -> None:
        self.model, self.loss, self.optimizer = twin, loss, optimizer
        build_optimizer(optimizer, twin.trainable_variables)
        self._fresh = [_read(variable) for variable in optimizer.variables]
        self._rate = [variable.name for variable in optimizer.variables].index("learning_rate")
        self.lock = threading.RLock()

    def start(self, weights: Weights, rate: float) -> State:
        """Return the state before the first step."""
        optimizer = [*self._fresh]
        optimizer[self._rate] = np.asarray(rate, self._fresh[self._rate].dtype)
        return [*weights[0]], [*weights[1]], optimizer

    def train(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> tuple[State, np.ndarray]:
        """Take a step for each row of `order` (steps, batch_size); return the new state and each step's data loss."""
        raise NotImplementedError

    def judge(self, state: State, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each row in inference mode, without any penalty, and the outputs."""
        raise NotImplementedError

    def losses(self, state: State, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the loss of each row in inference mode, without any penalty."""
        return self.judge(state, x, y)[0]

    def gradient_sizes(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Return the root mean square of the gradient by each trainable variable, the mean over the batches."""
        raise NotImplementedError


class StepProgram(Program):
    """A batch at a time through Keras's own methods, on any backend."""

    def __init__(self, twin: keras.Model, loss: Callable, optimizer: keras.optimizers.Optimizer) -> None:
        super().__init__(twin, loss, optimizer)
        self._plain = copy_model(twin)

        def mean_loss(y: Any, outputs: Any) -> Any:
            return row_losses(loss, y, outputs)

        self._plain.compile(optimizer=keras.optimizers.SGD(1.0), loss=mean_loss)
        twin.compile(optimizer=optimizer, loss=mean_loss)

    def _write(self, model: keras.Model, state: State) -> None:
        groups = (model.trainable_variables, model.non_trainable_variables, self.optimizer.variables)
        for variables, values in zip(groups, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def train(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> tuple[State, np.ndarray]:
        """As said above; the losses hold the weight penalty, too."""
        with self.lock:
            self._write(self.model, state)
            losses = []
            for rows in order:
                self.model.reset_metrics()
                losses.append(float(self.model.train_on_batch(x[rows], y[rows])))
            optimizer = [_read(variable) for variable in self.optimizer.variables]
            return (*weights_of(self.model), optimizer), np.array(losses)

    def judge(self, state: State, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As said above."""
        with self.lock:
            self._write(self.model, state)
            outputs = self.model.predict_on_batch(x)
            return _read(row_losses(self.loss, y, outputs)), _read(outputs)

    def gradient_sizes(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> np.ndarray:
        """As said above, of one batch: plain gradient descent at a rate of 1 takes away exactly the gradient."""
        with self.lock:
            self._write(self._plain, (*state[:2], [_read(variable) for variable in self.optimizer.variables]))
            self._plain.train_on_batch(x[order[0]], y[order[0]])
            pairs = zip(state[0], self._plain.trainable_variables, strict=True)
            return np.array([np.sqrt(np.mean((old - _read(new)) ** 2)) for old, new in pairs])


class ScanProgram(Program):
    """All steps in one compiled program, on JAX."""

    def __init__(self, twin: keras.Model, loss: Callable, optimizer: keras.optimizers.Optimizer) -> None:
        import jax

        super().__init__(twin, loss, optimizer)
        self._train, self._compiled = jax.jit(self._run), jax.jit(self._judge)

    def train(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> tuple[State, np.ndarray]:
        """As said above."""
        with self.lock:
            state, (losses, _) = self._train(state, x, y, order)
            return tuple(state), np.asarray(losses)

    def judge(self, state: State, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As said above; always of the same number of rows, so that it is compiled once."""
        with self.lock:
            parts = []
            for start in range(0, len(x), SLICE):
                rows = np.minimum(np.arange(start, start + SLICE), len(x) - 1)
                parts.append(self._compiled(state[:2], x[rows], y[rows]))
            return tuple(np.concatenate(part)[: len(x)] for part in zip(*parts, strict=True))

    def gradient_sizes(self, state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> np.ndarray:
        """As said above; start it at a rate that is next to nothing."""
        with self.lock:
            return np.asarray(self._train(state, x, y, order)[1][1]).mean(axis=0)

    def _run(self, state: State, x: Any, y: Any, order: Any) -> tuple:
        import jax
        import jax.numpy as jnp

        def step(state: tuple, rows: Any) -> tuple:
            trainable, rest, optimizer = state
            slope = jax.value_and_grad(self._penalised, has_aux=True)
            ((_, (loss, rest)), gradients) = slope(trainable, rest, x[rows], y[rows])
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
            sizes = jnp.stack([jnp.sqrt(jnp.mean(gradient**2)) for gradient in gradients])
            return (trainable, rest, optimizer), (loss, sizes)

        return jax.lax.scan(step, tuple(state), order)

    def _penalised(self, trainable: list, rest: list, x: Any, y: Any) -> tuple:
        """Return the penalised loss of a batch, and the data loss and changed variables beside it."""
        outputs, rest, penalties = self.model.stateless_call(trainable, rest, x, training=True, return_losses=True)
        loss = row_losses(self.loss, y, outputs).mean()
        return loss + sum(penalties), (loss, rest)

    def _judge(self, weights: tuple, x: Any, y: Any) -> tuple:
        outputs = self.model.stateless_call(*weights, x, training=False)[0]
        return row_losses(self.loss, y, outputs), outputs


def program_for(model: keras.Model, shape: tuple[int, ...]) -> Program:
    """Return the program of a compiled model; one of the same layers, loss and optimizer is used again."""
    config = model.optimizer.get_config() | {"learning_rate": 0.001}
    key = _key(model, config, shape)
    with _LOCK:
        if key is None or key not in _PROGRAMS:
            kind = ScanProgram if keras.config.backend() == "jax" else StepProgram
            optimizer = type(model.optimizer).from_config(config)
            program = kind(_twin_for_cpu(clone(model, shape)), _loss_of(model), optimizer)
            if key is None:
                return program
            _PROGRAMS[key] = program
            while len(_PROGRAMS) > KEPT:
                _PROGRAMS.popitem(last=False)
        _PROGRAMS.move_to_end(key)
        return _PROGRAMS[key]


def _loss_of(model: keras.Model) -> Callable:
    return keras.losses.get(model.loss)


def _twin_for_cpu(twin: keras.Model) -> keras.Model:
    """Return a twin whose convolutions are fast inside a compiled loop on a CPU."""
    if keras.config.backend() != "jax" or not any(isinstance(layer, keras.layers.Conv2D) for layer in twin.layers):
        return twin
    import jax

    from recipe.engine.convolutions import exchange_convolution

    return make_twin(twin, exchange_convolution) if jax.default_backend() == "cpu" else twin


def _key(model: keras.Model, optimizer: dict, shape: Sequence[int]) -> str | None:
    """Return a text that is equal for models with the same computation, whatever their layers are called."""
    if not isinstance(model.loss, str) or not isinstance(model, keras.Sequential):
        return None
    parts = [type(model.optimizer).__name__, optimizer | {"name": ""}, model.loss, list(shape)]
    for layer in model.layers:
        parts.append([type(layer).__module__, type(layer).__name__, layer.get_config() | {"name": ""}])
    return json.dumps([keras.config.backend(), *parts], default=repr, sort_keys=True)
