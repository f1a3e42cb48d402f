"""Step 8: short trainings of copies of the model, each of which a sound pipeline must pass."""

from __future__ import annotations

import contextlib
import math

import numpy as np

from recipe.core.problem import ProblemType
from recipe.debugging.bench import (
    BATCH,
    LONGEST,
    STEPS,
    STRETCHES,
    Bench,
    NotApplicable,
    Outcome,
    judge,
    short_path,
)
from recipe.debugging.checks import Check

LEARNED = 0.05  # of the first loss: a smaller fall is no learning
TOO_LOW = 0.03  # of the lowest rate at which the loss falls well: ten times slower is only slow
BATCH_STRETCHES = 24  # of 20 steps
HALF = 0.5
BATCH_LEFT = 0.3  # of the loss of a constant answer, after learning a batch by heart
ANSWER_LEFT = 0.5  # of the same, where the answer stands among the inputs
CHANCE = 1.3  # by so much over the root of the number of rows a model may be better by chance


def check_can_be_trained(bench: Bench) -> Check:
    """Keras makes one training step on the data as they are."""
    fact, way_out = _why_refused(bench) if bench.refusal else ("Keras makes a training step on these data.", "")
    return judge(
        not bench.refusal,
        found=fact,
        expected="a step of training without an error.",
        cause=f"{way_out}\nKeras says: {bench.refusal}",
    )


def _why_refused(bench: Bench) -> tuple[str, str]:
    """Return why Keras cannot train the model, in plain words, and the way out."""
    model, y, embedding, has_loss = bench.model, bench.y_train, bench.embedding, bench.loss is not None
    reads = tuple(bench.model.input_shape[1:]) if model.built and getattr(model, "inputs", None) else None
    sample, columns = bench.x_train.shape[1:], bench.target_columns
    if not has_loss or model.optimizer is None:
        return "The model is not compiled.", "Call model.compile(optimizer=..., loss=...) first."
    if bench.unpaired:
        return bench.unpaired, "Drop a row from inputs and targets alike."
    if embedding is not None and bench.x_train.max() >= embedding.input_dim:
        return (
            f"The highest word number is {bench.x_train.max():g}, and the embedding knows those below "
            f"{embedding.input_dim}.",
            f"Give the embedding input_dim={int(bench.x_train.max()) + 1}, or cut rarer words off.",
        )
    if reads and (len(reads) != len(sample) or any(a not in (None, b) for a, b in zip(reads, sample, strict=True))):
        return (
            f"The model reads samples of shape {reads}, and these have the shape {sample}.",
            f"Begin the model with keras.Input({sample}), or bring the samples into that shape.",
        )
    if bench.validated and bench.y_val.reshape(len(bench.y_val), -1).shape[1] != columns:
        return (
            f"The targets of training and validation have different forms: {y.shape} and {bench.y_val.shape}.",
            "Encode both in the same way.",
        )
    with contextlib.suppress(NotApplicable):
        shape = bench.copy.output_shape[1:]
        if len(shape) > max(1, y.ndim - 1):
            return (
                f"For a sample the model puts out numbers of shape {shape}, and its target is of shape "
                f"{y.shape[1:] or (1,)}: an axis too many.",
                "A Flatten layer (or a pooling, or return_sequences=False) before the last layers is missing.",
            )
        if bench.loss_name == "categorical_crossentropy" and columns == 1:
            return (
                f"The labels are whole numbers, and the loss wants {bench.outputs} numbers, one-hot.",
                'Compile with loss="sparse_categorical_crossentropy", or take keras.utils.to_categorical(y).',
            )
        if bench.loss_name == "sparse_categorical_crossentropy" and columns > 1:
            return (
                f"The labels are one-hot rows of {columns} numbers, and the loss wants whole numbers.",
                'Compile with loss="categorical_crossentropy", or take y.argmax(axis=1).',
            )
        if columns != bench.outputs:
            return (
                f"A target has {columns} numbers, and the network puts out {bench.outputs}.",
                "Give the last layer as many units as a target has numbers, or take the loss for such targets.",
            )
    return "Keras stops with an error at the first step.", "Its message, and the shapes after each layer, say where."


def check_rate(bench: Bench) -> Check:
    """The learning rate against a range of others."""
    sweep, used = bench.sweep, bench.used_rate
    falls, best = sweep.falls, max(sweep.falls, key=sweep.falls.get)
    if not falls[best] > LEARNED * abs(sweep.first_loss):
        raise NotApplicable(
            f"no rate from {min(falls):.0e} to {max(falls):.0e} lowers the loss: look at the other checks"
        )
    lowest, highest = sweep.good_rates[0], sweep.good_rates[-1]
    too_high, too_low = used > highest, False
    if used < TOO_LOW * lowest:  # some networks learn from a few samples at a rate that looks slow on all of them
        outcome, constant = _learn_batch(bench, used, HALF)
        too_low = outcome.best > HALF * constant
    shown = f"falls by {falls[used]:.3g}" if falls[used] > 0 else "does not fall"
    return judge(
        not (too_low or too_high),
        found=f"In {STEPS * STRETCHES} steps the loss {shown} at the rate used, {used:.0e}, and by {falls[best]:.3g} "
        f"at {best:.0e}.",
        expected=f"a rate not above {highest:.0e}, and not far below {lowest:.0e}, from where on the loss falls well.",
        cause=f"The rate is too {'high' if too_high else 'low'}. Take about {sweep.advised_rate:.0e}.",
        value=used / lowest if too_low else used / highest,
    )


def check_one_batch(bench: Bench) -> Check:
    """A sound model learns 32 samples by heart."""
    for rate in _fast_rates(bench):
        outcome, constant = _learn_batch(bench, rate, BATCH_LEFT)
        if outcome.best <= BATCH_LEFT * constant:
            break
    rows = min(BATCH, len(bench.arrays[0]))
    return judge(
        outcome.best <= BATCH_LEFT * constant,
        found=f"After {outcome.steps} steps on the same {rows} samples their loss is {outcome.best:.3g}.",
        expected=f"at most {BATCH_LEFT:g} times that of a constant answer, {constant:.3g}.",
        cause="A model that cannot learn a batch by heart learns nothing else: dead or frozen layers, a wrong last "
        "activation or loss, too strong dropout or penalties, or a network without capacity.",
        value=outcome.best,
    )


def _fast_rates(bench: Bench) -> tuple[float, ...]:
    """Return the fastest rate, and the one to try where it throws the weights too far."""
    return tuple(dict.fromkeys((bench.sweep.fastest_rate, bench.sweep.advised_rate)))


def _learn_batch(bench: Bench, rate: float, share: float) -> tuple[Outcome, float]:
    """Train on one batch until its loss is this share of a constant answer's; return that training and that loss."""
    batch = [part[:BATCH] for part in bench.arrays[:2]]
    constant = bench.loss_of_constant(batch[1])
    # The batch stands there as often as there were rows: arrays of other sizes would be compiled for anew.
    filled = [np.resize(part, old.shape) for part, old in zip(batch * 2, bench.arrays, strict=True)]
    options = {"rate": rate, "epochs": BATCH_STRETCHES, "enough": share * constant, "shuffle": False}
    return bench.train(f"one batch at {rate:g}", *filled, **options), constant


def check_weights_move(bench: Bench) -> Check:
    """Every trainable variable changes."""
    outcome, before = bench.true, bench.draw_anew().trainable_variables
    names = [short_path(variable) for variable in before]
    pairs = zip(names, before, outcome.weights, strict=True)
    still = [name for name, old, new in pairs if np.array_equal(np.array(old), new)]
    return judge(
        not still,
        found=f"{len(still)} of {len(names)} trainable variables are the same after {outcome.steps} steps"
        + (f": {', '.join(still[:3])}." if still else "."),
        expected="that every one of them moves.",
        cause="No gradient arrives there: dead units before it, a loss that does not depend on the output, or a part "
        "of the network that the output does not see.",
        value=float(len(still)),
    )


def check_output_as_input(bench: Bench) -> Check:
    """With the answer written into the inputs, a sound pipeline finds it."""
    bench.check_runnable()
    x, y, x_val, y_val = bench.arrays
    coded, coded_val = _write_answer(bench, x, y), _write_answer(bench, x_val, y_val)
    enough = ANSWER_LEFT * bench.constant_loss
    for rate in _fast_rates(bench):
        options = {"rate": rate, "epochs": LONGEST, "enough": enough}
        outcome = bench.train(f"output as input at {rate:g}", coded, y, coded_val, y_val, **options)
        if outcome.best <= enough:
            break
    return _judge_learning(
        bench,
        outcome.best <= enough,
        found=f"With the answer in half of the inputs the validation loss is {outcome.best:.3g} after "
        f"{outcome.steps} steps.",
        expected=f"at most {ANSWER_LEFT:g} times that of a constant answer, {bench.constant_loss:.3g}.",
        cause="Even a given answer is not found: the way from input to loss is broken. Check shapes, last layer, loss "
        "and frozen or dead layers before the data.",
        value=outcome.best,
    )


def check_zero_input(bench: Bench) -> Check:
    """A model that sees nothing does worse."""
    x, y, x_val, _ = bench.arrays
    true, steps = bench.true.best, bench.true.steps
    blind = min(_train_as_long(bench, "zeros", np.zeros_like(x), y, np.zeros_like(x_val)), bench.constant_loss)
    return _judge_learning(
        bench,
        true < _better(bench) * blind,
        found=f"After {steps} steps the best validation loss is {true:.3g}; without seeing the inputs {blind:.3g}.",
        expected=f"below {_better(bench):.2f} times that of a model that sees zeros or answers with a constant.",
        cause="The inputs do not help: they do not belong to their targets (rows that do not match, mixed axes), they "
        "carry no signal, or they do not reach the output.",
        value=true / blind if blind else math.inf,
    )


def check_shuffled_labels(bench: Bench) -> Check:
    """True labels teach more than shuffled ones, and shuffled ones teach nothing."""
    x, y, x_val, _ = bench.arrays
    true, steps = bench.true.best, bench.true.steps
    shuffled = y[np.random.default_rng(bench.seed + 1).permutation(len(y))]
    wrong = _train_as_long(bench, "shuffled", x, shuffled, x_val)
    learns_noise = wrong < (1 - max(0.1, 2 * CHANCE / math.sqrt(len(bench.arrays[3])))) * bench.constant_loss
    return _judge_learning(
        bench,
        true < _better(bench) * min(wrong, bench.constant_loss) and not learns_noise,
        found=f"After {steps} steps the best validation loss is {true:.3g} with true labels "
        f"and {wrong:.3g} with shuffled ones.",
        expected=f"a loss below {_better(bench):.2f} times that with shuffled labels, which teach no more than a "
        f"constant answer ({bench.constant_loss:.3g}).",
        cause="The judgement does not depend on the labels."
        if learns_noise
        else "Labels help no more than shuffled ones: the rows of inputs and targets do not match (one was shuffled "
        "or sorted without the other), or the axes mixed.",
        value=true / wrong if wrong else math.inf,
    )


def _judge_learning(bench: Bench, ok: bool, **words: object) -> Check:
    """Judge whether a short training got anywhere, unless the network is one that needs a longer one to begin."""
    if not ok and bench.is_recurrent:
        raise NotApplicable(f"{STEPS * LONGEST} steps are too few for a recurrent network to tell on these data")
    return judge(ok, **words)


def _train_as_long(bench: Bench, name: str, x: np.ndarray, y: np.ndarray, x_val: np.ndarray) -> float:
    """Return the best validation loss after as many steps as on the data as they are."""
    epochs = len(bench.true.losses)
    return bench.train(name, x, y, x_val, bench.arrays[3], rate=bench.good_rate, epochs=epochs).best


def _better(bench: Bench) -> float:
    """Return the share of a blind model's loss that a model must stay below: on few rows chance does much."""
    return 1 - max(0.05, CHANCE / math.sqrt(len(bench.arrays[3])))


def _write_answer(bench: Bench, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a copy of the inputs with the answer in the first half of each sample's numbers.

    A class or a label fills its own piece of that half with a high number; a quantity stands in all of it, at the
    inputs' scale. Words become one that stands for the answer.
    """
    flat = x.reshape(len(x), -1).copy()
    half = max(1, flat.shape[1] // 2)
    source, targets = bench.arrays[:2]
    if flat.dtype.kind == "i":
        flat[:, :half] = 1 + _number_answers(bench, y)[:, None]
    elif bench.type.is_classification:
        labels = _one_column_a_label(bench, y)  # (n, labels)
        if half < labels.shape[1]:
            raise NotApplicable(f"{flat.shape[1]} inputs have no room for {labels.shape[1]} classes")
        low, high = float(source.min()), float(source.mean() + 2 * source.std())
        pieces = np.linspace(0, half, labels.shape[1] + 1).astype(int)
        flat[:, :half] = np.repeat(np.where(labels, high, low), np.diff(pieces), axis=1)
    else:
        center, deviation = targets.mean(axis=0), targets.std(axis=0) + 1e-12
        columns = ((y - center) / deviation * source.std() + source.mean()).astype(flat.dtype)
        flat[:, :half] = np.tile(columns, (1, -(-half // columns.shape[1])))[:, :half]
    return flat.reshape(x.shape)


def _one_column_a_label(bench: Bench, y: np.ndarray) -> np.ndarray:
    """Return whether each class or label is true, bool (n, labels)."""
    return y > 0.5 if y.shape[1] > 1 else y == np.arange(max(2, bench.outputs))


def _number_answers(bench: Bench, y: np.ndarray) -> np.ndarray:
    """Return a whole number for each sample: its class or labels, or which fifth of the quantities it is in."""
    if bench.type.is_classification:
        labels = _one_column_a_label(bench, y)
        powers = 2 ** np.arange(labels.shape[1])
        return labels @ powers if bench.type is ProblemType.MULTILABEL else labels.argmax(axis=1)
    return np.searchsorted(np.quantile(bench.arrays[1][:, 0], (0.2, 0.4, 0.6, 0.8)), y[:, 0])
