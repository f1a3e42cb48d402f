"""The door to the engine: it trains compiled Keras models epoch after epoch, one alone or several side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import keras
import numpy as np

from recipe.core.run import EpochReport
from recipe.engine.bags import suits_bags
from recipe.engine.batches import Feed
from recipe.engine.compile_cache import use_compile_cache
from recipe.engine.epoch import program_for
from recipe.engine.first_weights import build_optimizer, draw_again, fixed_seed
from recipe.engine.fitting import fit
from recipe.engine.interruption import interruptible
from recipe.engine.members import Job, Progress, State, Wish
from recipe.engine.twins import signature

# Side by side wins while a matrix product is too small to keep a core busy: of 64-64-1, four networks take 1/2.2 of the
# processor's time of four in turn, sixteen 1/2.4; of 128-128-1 four take nearly as long (1/1.1).
SIDE_BY_SIDE_WEIGHTS = 20_000
SIDE_BY_SIDE_BYTES = 64_000_000


def train_models(
    jobs: Sequence[Job],
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Progress]:
    """Train compiled Keras models: small ones of the same kind side by side, in one program, others one by one.

    An epoch is one XLA program. Plain `model.fit` trains what needs more: with callbacks, by a training step of its
    own, on a backend other than JAX.

    Parameters
    ----------
    callbacks : Keras callbacks, which `model.fit` calls
    on_epoch : called with an `EpochReport` after every epoch, in this thread; its `member` counts the jobs
    stop : once set, from any thread, training ends with the epoch that is under way

    Yields
    ------
    Progress, one for each job in its order, as soon as it is known; after a stop or Ctrl-C, those that were begun. The
    models then hold the weights of the last epoch or, with patience, of the best one
    """
    compiled = _can_compile(jobs, callbacks)
    use_compile_cache()
    for job in jobs:  # what `fit` would build at its first batch
        if not job.model.built:
            with fixed_seed(job.seed):
                job.model(job.as_read(job.x[:1]))
        if not job.model.optimizer.built:
            build_optimizer(job.model.optimizer, job.model.trainable_variables)
    train = _train_together if compiled else partial(fit, callbacks=callbacks)
    members = list(enumerate(jobs))
    for group in [members] if compiled and _suit_each_other(jobs) else [[one] for one in members]:
        progress = [Progress(job=job, member=member, on_epoch=on_epoch) for member, job in group]
        with interruptible(stop) as wish:
            train(progress, wish)
        yield from progress
        if any(one.stopped in {"asked", "interrupted"} for one in progress):
            return


def _train_together(progress: Sequence[Progress], wish: Wish) -> None:
    """Train on the compiled engine, one program for all jobs; one that stopped early is carried along, unrecorded."""
    jobs = [one.job for one in progress]
    first = jobs[0]

    # The data go to the device once, in their small dtype: with several jobs along a new first axis.
    as_bags = len(jobs) == 1 and jax.default_backend() == "cpu" and suits_bags(first)
    most_measured = max(sum(job.measured_rows) for job in jobs)
    feeds = [Feed(job, most_measured=most_measured, as_bags=as_bags) for job in jobs]
    data = jax.device_put(_stack([feed.data for feed in feeds]))
    uneven = len({job.steps for job in jobs}) > 1
    program = program_for(first, several=len(jobs) > 1, uneven=uneven, as_bags=as_bags)
    state = best = jax.device_put(_stack([_begin(job) for job in jobs]))

    for _ in range(first.epochs):
        # Handed over as NumPy has them: the call of the program converts them faster than one call for each.
        batches = _stack([feed.draw() for feed in feeds])
        with program.lock:  # once the program is compiled, the lock costs nothing
            state, numbers = program.run(state, data, batches)

        improved = np.zeros(len(jobs), bool)
        for number, row in enumerate(np.asarray(numbers).reshape(len(jobs), -1).tolist()):
            if progress[number].stopped is None:
                improved[number] = progress[number].record(dict(zip(program.names, row, strict=True)))
        if first.patience is not None:
            best = _choose(improved, state, best)
        why = wish()
        for one in progress:
            one.heed(why)
        if all(one.stopped for one in progress):
            break

    _hand_over(progress, state if first.patience is None else best)


def _can_compile(jobs: Sequence[Job], callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Say whether nothing happens between batches that only `fit` would do."""
    own_step = any(type(job.model).train_step is not keras.Model.train_step for job in jobs)
    # What fills up the last batch weighs nothing in the loss, but a batch's own mean would count it in.
    filled_up = [job.model for job in jobs if not job.steps_per_epoch and len(job.x) % job.batch_size]
    takes_means = any(variable.name == "moving_mean" for model in filled_up for variable in model.variables)
    return keras.config.backend() == "jax" and not (callbacks or own_step or takes_means)


def _suit_each_other(jobs: Sequence[Job]) -> bool:
    """Say whether training the jobs side by side is possible, and faster than in turn."""
    model, together = jobs[0].model, len(jobs) * jobs[0].x.nbytes
    if len(jobs) < 2 or model.count_params() > SIDE_BY_SIDE_WEIGHTS or together > SIDE_BY_SIDE_BYTES:
        return False
    convolves = any(len(variable.shape) > 2 for variable in model.variables)
    looks_up = any(isinstance(layer, keras.layers.Embedding) for layer in model.layers)
    kinds = {signature(each) for each in {job.model for job in jobs}}
    settings = {
        (job.x.shape[1:], job.x.dtype, job.y.shape[1:], job.input_scale, job.batch_size, job.epochs, job.patience)
        for job in jobs
    }
    return len(kinds) == len(settings) == 1 and not convolves and not looks_up


def _stack(trees: list[Any]) -> Any:
    """Return the one tree, or several stacked along a new first axis, padded with zeros to one size."""
    return trees[0] if len(trees) == 1 else jax.tree.map(_pad_and_stack, *trees)


def _pad_and_stack(*leaves: Any) -> np.ndarray:
    """Stack arrays that may differ by rows: (n, ...), (n - 1, ...) -> (2, n, ...). Padding weighs nothing."""
    arrays = [np.asarray(leaf) for leaf in leaves]
    whole = np.zeros((len(arrays), *max(array.shape for array in arrays)), arrays[0].dtype)
    for number, array in enumerate(arrays):
        whole[number, *map(slice, array.shape)] = array
    return whole


def _choose(improved: np.ndarray, state: Any, best: Any) -> Any:
    """Return the best state, with the members that improved taken from the present one."""
    if improved.all() or not improved.any():
        return state if improved.all() else best
    choose = lambda new, old: np.where(improved.reshape(-1, *[1] * (new.ndim - 1)), new, old)  # noqa: E731
    return jax.tree.map(choose, state, best)  # NumPy chooses without compiling


def _begin(job: Job) -> State:
    """Return the state that a job begins with: its model's, or one with first weights of its own."""
    if not job.own_weights:
        return jax.tree.map(lambda variable: variable.value, _variables(job.model))
    return *draw_again(job.model, job.seed), [variable.value for variable in job.model.optimizer.variables]


def _hand_over(progress: Sequence[Progress], state: State) -> None:
    """Give each job its end: write it into the model, or keep it beside one that is shared."""
    several = len(progress) > 1
    if several:  # slicing on the device would compile each shape
        state = jax.tree.map(np.asarray, state)
    for number, one in enumerate(progress):
        own = jax.tree.map(lambda values: values[number], state) if several else state  # noqa: B023
        if one.job.own_weights:
            one.state = own
        else:
            write_state(one.job.model, own)


def write_state(model: keras.Model, state: State) -> keras.Model:
    """Write a state into a model of its kind, and return the model."""
    for variable, value in zip(jax.tree.leaves(_variables(model)), jax.tree.leaves(state), strict=True):
        variable.assign(value)
    return model


def _variables(model: keras.Model) -> tuple[list, list, list]:
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables
