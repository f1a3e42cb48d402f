"""Step 8: short trainings of copies of the model, each of which a sound pipeline must pass."""

from __future__ import annotations

import numpy as np

from recipe.debugging.bench import BATCH, LONGEST, STEPS, STRETCHES, Bench, Outcome
from recipe.debugging.checks import Check, NotApplicable, judge
from recipe.debugging.loan import short_path

TOO_LOW = 0.03  # of the lowest rate at which the loss falls well: ten times slower is only slow
ON_ONE_BATCH = {"epochs": 24, "shuffle": False}  # stretches of 20 steps
BATCH_LEFT = 0.3  # of the loss of a constant answer, after learning a batch by heart
ANSWER_LEFT = 0.5  # of the same, where the answer stands among the inputs
CLEARLY = 0.25  # of the loss with shuffled labels
SHUFFLES = 3
TOO_FEW_STEPS = "so few steps are too few for a recurrent network to tell on these data"


def check_rate(bench: Bench) -> Check:
    """The learning rate against a range of others."""
    sweep, used = bench.sweep, bench.used_rate
    falls, best = sweep.falls, max(sweep.falls, key=sweep.falls.get)
    if not sweep.learned:
        raise NotApplicable(
            f"no rate from {min(falls):.0e} to {max(falls):.0e} lowers the loss: look at the other checks"
        )
    lowest, highest = sweep.good_rates[0], sweep.good_rates[-1]
    too_high, too_low = used > highest, False
    if used < TOO_LOW * lowest:  # some networks learn from a few samples at a rate that looks slow on all of them
        batch = _repeat_batch(bench)
        limit = bench.loss_left(0.5, bench.arrays[1][:BATCH])
        too_low = bench.train("one batch", *batch, rate=used, enough=limit, **ON_ONE_BATCH).best > limit
    shown = f"falls by {falls[used]:.3g}" if falls[used] > 0 else "does not fall"
    return judge(
        not (too_low or too_high),
        found=f"In {STEPS * STRETCHES} steps the loss {shown} at the rate used, {used:.0e}, and by {falls[best]:.3g} "
        f"at {best:.0e}.",
        expected=f"a rate not above {highest:.0e}, and not far below {lowest:.0e}, from where on the loss falls well.",
        cause=f"The rate is too {'high' if too_high else 'low'}. Take about {sweep.advised_rate:.0e}.",
    )


def check_one_batch(bench: Bench) -> Check:
    """A sound model learns 32 samples by heart."""
    y, batch = bench.arrays[1][:BATCH], _repeat_batch(bench)
    outcome, ok, limit = _train_until(bench, BATCH_LEFT, y, "one batch", *batch, **ON_ONE_BATCH)
    return _judge_learning(
        bench,
        ok,
        found=f"After {outcome.steps} steps on the same {len(y)} samples their loss is {outcome.best:.3g}.",
        expected=limit,
        cause="A model that cannot learn a batch by heart learns nothing else: dead or frozen layers, a wrong last "
        "activation or loss, too strong dropout or penalties, or a network without capacity.",
    )


def _train_until(
    bench: Bench, share: float, y: np.ndarray, name: str, *arrays: np.ndarray, **options: object
) -> tuple[Outcome, bool, str]:
    """Train until this share is left of a constant answer's loss on y; say whether it is, and the limit in words.

    At the fastest rate, and where that throws the weights too far at the one to try: the last one is returned. Where
    the network is slow to begin, the sweep has told no rate from another: then at the one used.
    """
    limit, constant = bench.loss_left(share, y), bench.loss_of_constant(y)
    rates = (bench.used_rate,) if bench.slow_to_begin else (bench.sweep.fastest_rate, bench.sweep.advised_rate)
    for rate in dict.fromkeys(rates):
        outcome = bench.train(name, *arrays, rate=rate, enough=limit, **options)
        if outcome.best <= limit:
            break
    words = f"{share:g} of what a constant answer, {constant:.3g}, has above the best possible loss"
    return outcome, outcome.best <= limit, f"at most {limit:.3g}, {words}."


def _repeat_batch(bench: Bench) -> list[np.ndarray]:
    """Return one batch for both parts, as often as there were rows: other sizes would be compiled for anew."""
    batch = [part[:BATCH] for part in bench.arrays[:2]]
    return [np.resize(part, old.shape) for part, old in zip(batch * 2, bench.arrays, strict=True)]


def check_weights_move(bench: Bench) -> Check:
    """Every trainable variable changes."""
    outcome, before = bench.true, bench.loan.draw_anew().trainable_variables
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
    )


def check_output_as_input(bench: Bench) -> Check:
    """With the answer written into the inputs, a sound pipeline finds it."""
    bench.check_runnable()
    _require_begun(bench)
    _, y, _, y_val = bench.arrays
    coded, coded_val = _write_answer(bench)
    parts = coded, y, coded_val, y_val
    outcome, ok, limit = _train_until(bench, ANSWER_LEFT, y_val, "output as input", *parts, epochs=LONGEST)
    return _judge_learning(
        bench,
        ok,
        found=f"With the answer in half of the inputs the validation loss is {outcome.best:.3g} after "
        f"{outcome.steps} steps.",
        expected=limit,
        cause="Even a given answer is not found: the way from input to loss is broken. Check shapes, last layer, loss "
        "and frozen or dead layers before the data.",
    )


def check_zero_input(bench: Bench) -> Check:
    """A model that sees nothing does worse."""
    _require_begun(bench)
    x, y, x_val, _ = bench.arrays
    true, steps = bench.true.best, bench.true.steps
    blind = min(_train_as_long(bench, "zeros", np.zeros_like(x), y, np.zeros_like(x_val)), bench.constant_loss)
    return _judge_learning(
        bench,
        true < blind - (bench.constant_loss - bench.loss_left(bench.better)),
        found=f"After {steps} steps the best validation loss is {true:.3g}; without seeing the inputs {blind:.3g}.",
        expected=f"below {bench.better:.2f} times that of a model that sees zeros or answers with a constant.",
        cause="The inputs do not help: they do not belong to their targets (rows that do not match, mixed axes), they "
        "carry no signal, or they do not reach the output.",
    )


def check_shuffled_labels(bench: Bench) -> Check:
    """True labels teach more than shuffled ones, and shuffled ones teach nothing."""
    if bench.x_train.shape == bench.y_train.shape and np.array_equal(bench.x_train, bench.y_train):
        raise NotApplicable("the inputs are what is predicted, and fresh weights already pass some of them on")
    _require_begun(bench)
    x, y, x_val, y_val = bench.arrays
    orders = [np.random.default_rng([bench.seed, number]).permutation(len(y)) for number in range(1, SHUFFLES + 1)]
    # Each from first weights of its own: by luck some know half of the labels before the first step.
    true, steps = bench.true.best, bench.true.steps
    losses = [_train_as_long(bench, f"shuffle {n}", x, y[order], x_val, draw=n) for n, order in enumerate(orders)]
    wrong, teaches, learns_noise = _compare_with_shuffled(bench, true, losses)
    # Outputs that grow with the inputs may be nearly right on their way: not in the end.
    if not (teaches or bench.is_recurrent):
        options, steps = {"rate": bench.true.rate, "epochs": LONGEST}, STEPS * LONGEST
        true = bench.train("true to the end", *bench.arrays, **options).val_losses[-1]
        losses = [
            bench.train(f"shuffle {n} to the end", x, y[order], x_val, y_val, draw=n, **options).val_losses[-1]
            for n, order in enumerate(orders)
        ]
        wrong, teaches, learns_noise = _compare_with_shuffled(bench, true, losses)
    return _judge_learning(
        bench,
        teaches,
        found=f"After {steps} steps the validation loss is {true:.3g} with true labels and {wrong:.3g} with shuffled "
        "ones.",
        expected=f"a loss well below that with shuffled labels, and below {bench.better:.2f} times that of a constant "
        f"answer ({bench.constant_loss:.3g}).",
        cause="The judgement does not depend on the labels."
        if learns_noise
        else "Labels help no more than shuffled ones: the rows of inputs and targets do not match (one was shuffled "
        "or sorted without the other), or the axes mixed.",
    )


def _compare_with_shuffled(bench: Bench, true: float, losses: list[float]) -> tuple[float, bool, bool]:
    """Return what shuffled labels reach, whether true ones teach more than that, and whether shuffled ones teach."""
    wrong = float(np.mean(sorted(losses)[:2]))  # the two better ones: chance, but for one that left labels in place
    margin = bench.constant_loss - bench.loss_left(bench.better)
    learns_noise = bool(np.median(losses) < bench.constant_loss - 2 * margin)
    lead = max(margin, bench.constant_loss - true) / 2  # shuffled labels must not teach half of what true ones do
    # Of clear groups fresh weights may by luck know half, whatever the labels.
    teaches = true < CLEARLY * wrong or (true < wrong - lead and not learns_noise)
    return wrong, teaches and true < bench.constant_loss - margin, learns_noise


def _judge_learning(bench: Bench, ok: bool, **words: object) -> Check:
    """Judge whether a short training got anywhere, unless the network is one that needs a longer one to begin."""
    if not ok and bench.is_recurrent:
        raise NotApplicable(TOO_FEW_STEPS)
    return judge(ok, **words)


def _require_begun(bench: Bench) -> None:
    """Raise NotApplicable, before long trainings that could tell nothing, where the network is slow to begin."""
    if bench.slow_to_begin:
        raise NotApplicable(TOO_FEW_STEPS)


def _train_as_long(bench: Bench, name: str, *arrays: np.ndarray, draw: int = 0) -> float:
    """Return the best validation loss at the rates and after as many steps as on the data as they are.

    At all of these rates, for the best of several trainings is better by chance alone.
    """
    arrays = *arrays, bench.arrays[3]
    return min(bench.train(name, *arrays, rate=one.rate, epochs=len(one.losses), draw=draw).best for one in bench.tried)


def _write_answer(bench: Bench) -> tuple[np.ndarray, np.ndarray]:
    """Return both parts' inputs with the answer in the first half of each sample's numbers.

    Its columns, one for each class, label or quantity, stand there again and again, at the inputs' scale. Words become
    one that stands for the answer: the class, or which fifth of the quantities it is in.
    """
    x, y = (np.concatenate([bench.arrays[n], bench.arrays[n + 2]]) for n in (0, 1))
    flat, rows = x.reshape(len(x), -1), len(bench.arrays[0])
    half, is_label = max(1, flat.shape[1] // 2), bench.type.is_classification
    if is_label and (y.ndim > 2 or (y.shape[1] > 1 and bench.target_columns == 1)):
        raise NotApplicable("a sample has a class for each of its steps or places")
    if flat.dtype.kind == "i":
        answers = y if is_label else np.digitize(y[:, :1], np.quantile(y[:, 0], (0.2, 0.4, 0.6, 0.8)))
        flat[:, :half] = 1 + np.unique(answers, axis=0, return_inverse=True)[1].reshape(-1, 1)
    else:
        columns = y == np.unique(y) if is_label and y.shape[1] == 1 else y.reshape(len(y), -1)
        if columns.shape[1] > half:
            raise NotApplicable(f"{flat.shape[1]} inputs have no room for {columns.shape[1]} numbers of a target")
        scaled = (columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-12)
        scaled = scaled * flat[:rows].std() + flat[:rows].mean()
        flat[:, :half] = np.tile(scaled, (1, -(-half // columns.shape[1])))[:, :half]
    return flat[:rows].reshape(-1, *x.shape[1:]), flat[rows:].reshape(-1, *x.shape[1:])
