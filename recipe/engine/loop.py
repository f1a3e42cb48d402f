"""Epoch after epoch on the compiled engine, for one model or for several side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import keras
import numpy as np

from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.engine.bags import read_bags, suits_bags
from recipe.engine.batches import Feed, count_measured
from recipe.engine.convolutions import exchange_convolution
from recipe.engine.epoch import Program
from recipe.engine.members import Member, Progress
from recipe.engine.models import assemble
from recipe.engine.strengths import Strengths, without_strengths
from recipe.engine.twins import exchange_by


class Loop:
    """Trains its members together, an epoch at a call of `advance`; `finish` writes the weights into the models."""

    def __init__(self, members: Sequence[Member], *, shuffle: bool = True) -> None:
        first = members[0]
        self.members = members
        self.progress = [Progress() for _ in members]
        self.patience = first.spec.patience
        as_bags = len(members) == 1 and suits_bags(first.prepared) and jax.default_backend() == "cpu"
        most = max(sum(count_measured(member)) for member in members)
        self._feeds = [Feed(member, most_measured=most, shuffle=shuffle, as_bags=as_bags) for member in members]
        steps = [feed.steps for feed in self._feeds]
        key = without_strengths(first.spec).replace(seed=0, epochs=1, patience=None, learning_rate=None)
        kind = {"several": len(members) > 1, "uneven": min(steps) < max(steps), "as_bags": as_bags}
        self._program, self._run = _compile_for(key, first.prepared.problem, first.prepared.input_scale, **kind)
        self._data = _stack([feed.data for feed in self._feeds])
        self._weight = _stack([feed.weight for feed in self._feeds])
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
        # Handed over as NumPy has them: the call of the program converts them faster than one call for each.
        batches = _stack_arrays([feed.draw() for feed in self._feeds]) | {"weight": self._weight}
        # Two threads must not trace one model at the same time; once it is compiled, the lock costs nothing.
        with self._program.lock:
            self._state, numbers = self._run(self._state, self._data, batches)
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
        mask = np.array(improved)  # NumPy chooses without compiling
        choose = lambda new, old: np.where(mask.reshape(-1, *[1] * (new.ndim - 1)), new, old)  # noqa: E731
        return jax.tree.map(choose, self._state, self._best)

    def _write(self, state: Any) -> None:
        several = len(self.members) > 1
        state = jax.tree.map(np.asarray, state) if several else state  # slicing on the device would compile each shape
        for number, member in enumerate(self.members):
            one = jax.tree.map(lambda value, n=number: value[n], state) if several else state
            for variables, values in zip(_variables_of(member.model), one, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)


@lru_cache(maxsize=32)
def _compile_for(
    spec: ModelSpec, problem: Problem, input_scale: float, *, several: bool, uneven: bool, as_bags: bool
) -> tuple[Program, Callable]:
    """Return the program of a spec, compiled at its first call and then kept: a second training starts at once."""
    strengths = Strengths()
    on_cpu = jax.default_backend() == "cpu"
    exchange = exchange_by(strengths.exchange, *([exchange_convolution] if on_cpu else []))
    read = read_bags if as_bags else list
    model = assemble(spec, problem, lambda layers: [exchange(layer) for layer in read(layers)])
    strengths.take_penalties(model)
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


def _stack(trees: list[Any]) -> Any:
    """Return what `_stack_arrays` does, on the device: put there, for `jnp.asarray` compiles a copy for each shape."""
    return jax.device_put(_stack_arrays(trees))


def _stack_arrays(trees: list[Any]) -> Any:
    """Return the one tree, or several stacked along a new first axis, padded with zeros to one size."""
    return trees[0] if len(trees) == 1 else jax.tree.map(lambda *leaves: _pad_and_stack(leaves), *trees)


def _pad_and_stack(leaves: tuple[Any, ...]) -> np.ndarray:
    """Stack arrays that may differ by rows: (n, ...), (n - 1, ...) -> (2, n, ...). Padding weighs nothing."""
    arrays = [np.asarray(leaf) for leaf in leaves]
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    rows = max(len(array) for array in arrays)
    padded = [np.pad(array, [(0, rows - len(array))] + [(0, 0)] * (array.ndim - 1)) for array in arrays]
    return np.stack(padded)


def _variables_of(model: keras.Model) -> tuple[list, list, list]:
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables


def _state_of(model: keras.Model) -> tuple[list, list, list]:
    return tuple([variable.value for variable in variables] for variables in _variables_of(model))
