"""Epoch after epoch on the compiled engine, for one model or for several side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from recipe.convolutions import make_cpu_twin
from recipe.engine import Program
from recipe.members import Member, Progress
from recipe.models import BUILDING, build_model, fixed_seed, make_targets
from recipe.problems import Problem
from recipe.spec import ModelSpec
from recipe.strengths import Strengths, read_from, strengths_of, without_strengths


class Loop:
    """Trains its members together, an epoch at a call of `advance`; `finish` writes the weights into the models."""

    def __init__(self, members: Sequence[Member], *, shuffle: bool = True) -> None:
        first = members[0]
        self.members, self.shuffle = members, shuffle
        self.progress = [Progress() for _ in members]
        self.patience = first.spec.patience
        self._generators = [np.random.default_rng(member.spec.seed) for member in members]
        self._sizes = [len(member.prepared.y_train) for member in members]
        steps = [-(-size // first.spec.batch_size) for size in self._sizes]
        places = np.arange(max(steps) * first.spec.batch_size).reshape(max(steps), -1)
        self._valid = _stack([(places < size).astype(np.float32) for size in self._sizes])
        key = without_strengths(first.spec).replace(seed=0, epochs=1, patience=None, learning_rate=None)
        self._program, self._run = _compile_for(
            key, first.prepared.problem, first.prepared.input_scale, len(members) > 1, min(steps) < max(steps)
        )
        self._data = _stack([_device_data(member) for member in members])
        self.read_models()
        self._best = self._state

    def read_models(self) -> None:
        """Take the state from the models, at the start or after a callback changed one."""
        self._state = _stack([_state_of(member.model) for member in self.members])

    def write_models(self) -> None:
        """Write the present state into the models."""
        self._write(self._state)

    def advance(self) -> list[dict[str, float]]:
        """Train one epoch and return each member's logs; a member that stopped early is carried along, unrecorded."""
        order = self._draw_order()
        # Two threads must not trace one model at the same time; once it is compiled, the lock costs nothing.
        with self._program.lock:
            self._state, numbers = self._run(self._state, self._data, order, self._valid)
        table = np.asarray(numbers).reshape(len(self.members), -1).tolist()
        logs_each = [dict(zip(self._program.log_names, row, strict=True)) for row in table]
        improved = [
            progress.record(logs_one, self.patience) if progress.stopped is None else False
            for progress, logs_one in zip(self.progress, logs_each, strict=True)
        ]
        if self.patience is not None and any(improved):
            self._best = self._keep(improved)
        return logs_each

    def finish(self) -> None:
        """Write the weights of the best epoch where early stopping was asked for, else of the last one."""
        self._write(self._state if self.patience is None else self._best)

    def _keep(self, improved: list[bool]) -> Any:
        """Return the best state, with the members that improved taken from the present one."""
        if all(improved):
            return self._state
        mask = np.array(improved)
        choose = lambda new, old: jnp.where(mask.reshape(-1, *[1] * (new.ndim - 1)), new, old)  # noqa: E731
        return jax.tree.map(choose, self._state, self._best)

    def _write(self, state: Any) -> None:
        several = len(self.members) > 1
        state = jax.tree.map(np.asarray, state) if several else state  # slicing on the device would compile each shape
        for number, member in enumerate(self.members):
            one = jax.tree.map(lambda value, n=number: value[n], state) if several else state
            for variables, values in zip(_variables_of(member.model), one, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)

    def _draw_order(self) -> np.ndarray:
        """Return the rows of every batch, int32 (steps, batch_size), or (members, steps, batch_size) for several."""
        order = np.zeros((len(self.members), self._valid.shape[-2] * self._valid.shape[-1]), np.int32)
        for row, size, generator in zip(order, self._sizes, self._generators, strict=True):
            row[:size] = generator.permutation(size) if self.shuffle else np.arange(size)
        return order.reshape(self._valid.shape)


@lru_cache(maxsize=32)
def _compile_for(
    spec: ModelSpec, problem: Problem, input_scale: float, several: bool, uneven: bool
) -> tuple[Program, Callable]:
    """Return the program of a spec, compiled at its first call and then kept: a second training starts at once."""
    strengths = Strengths()
    with BUILDING, fixed_seed(spec.seed):  # a copy draws seeds, too: none of them may be missing to somebody else
        model = build_model(spec, problem)
        if jax.default_backend() == "cpu" and spec.architecture == "convnet":
            twin = make_cpu_twin(model)
            twin.compile(optimizer=model.optimizer, loss=model.loss)
            model = twin
        model = read_from(model, strengths)
    program = Program(
        spec=spec,
        problem=problem,
        model=model,
        input_scale=input_scale,
        strengths=strengths,
        some_steps_empty=uneven,
        lock=threading.Lock(),
    )
    return program, jax.jit(jax.vmap(program.epoch) if several else program.epoch)


def _device_data(member: Member) -> dict[str, np.ndarray]:
    """Return a member's arrays; training rows are measured on as many as validation has, so neither side costs more."""
    prepared, problem = member.prepared, member.prepared.problem
    measured = min(len(prepared.y_train), len(prepared.y_val))
    return {
        "x_train": prepared.x_train,
        "y_train": make_targets(member.spec, problem, prepared.y_train),
        "x_val": prepared.x_val,
        "y_val": make_targets(member.spec, problem, prepared.y_val),
        "train_weight": np.ones(measured, np.float32),
        "val_weight": np.ones(len(prepared.y_val), np.float32),
        "strengths": strengths_of(member.spec),
    }


def _stack(trees: list[Any]) -> Any:
    """Return the one tree on the device, or several stacked along a new first axis, padded with zeros to one size."""
    if len(trees) == 1:
        return jax.tree.map(jnp.asarray, trees[0])
    return jax.tree.map(lambda *leaves: jnp.asarray(_pad_and_stack(leaves)), *trees)


def _pad_and_stack(leaves: tuple[Any, ...]) -> np.ndarray:
    """Stack arrays that may differ by rows: (n, ...), (n - 1, ...) -> (2, n, ...). Padding weighs nothing."""
    arrays = [np.asarray(leaf) for leaf in leaves]
    rows = max((array.shape[0] for array in arrays if array.ndim), default=0)
    padded = [
        np.pad(array, [(0, rows - len(array))] + [(0, 0)] * (array.ndim - 1)) if array.ndim else array
        for array in arrays
    ]
    return np.stack(padded)


def _variables_of(model: keras.Model) -> tuple[list, list, list]:
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables


def _state_of(model: keras.Model) -> tuple[list, list, list]:
    return tuple([variable.value for variable in variables] for variables in _variables_of(model))
