"""Which networks the workflow starts with: a small one, then larger ones until one overfits.

The specs are points to start from, by kind of input and number of samples. What comes after them follows from the
curves, not from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec

FEW_SAMPLES = 1_000  # below it one hold-out of a fifth is a matter of luck, so the folds of a K-fold take turns
FOLDS = 4
HELD_OUT = 0.2
LARGE_IMAGE_SET = 10_000  # from it on a convnet takes minutes on two cores

# Of each kind of input, for so many samples or more: the batch size, then hidden units and epochs of the small network
# and of the larger ones.
ROWS = {
    "image": [
        (LARGE_IMAGE_SET, 128, ((16,), 5), ((512,), 25), ((512, 512), 30)),
        (0, 32, ((16,), 10), ((256,), 40), ((512, 512), 60), ((512, 512), 120)),
    ],
    "text": [
        (10_000, 512, ((4,), 5), ((16, 16), 20), ((64, 64), 20), ((64, 64), 40)),
        (0, 128, ((4,), 5), ((16, 16), 20), ((64, 64), 20), ((64, 64), 40)),
    ],
    "table": [
        (2_000, 128, ((8,), 20), ((64, 64), 100), ((256, 256), 150)),
        (0, 16, ((8,), 100), ((64, 64), 200), ((64, 64), 400), ((128, 128), 600)),
    ],
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The networks to try.

    Attributes
    ----------
    small : has so few units that it can hardly overfit; it shows whether anything can be learned
    ladder : larger and larger, then trained for longer; climbed until one overfits
    trials : how many changes step 7 tries
    architectures : whether another architecture may be among them; not where it would take minutes
    """

    small: ModelSpec
    ladder: tuple[ModelSpec, ...]
    trials: int = 4
    architectures: bool = True


def make_plan(problem: Problem, samples: int, seed: int = 0) -> Plan:
    """Return the networks to try for a problem, given the number of training samples.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> make_plan(find_problem("mnist"), samples=48_000).ladder[0].hidden_units
    (512,)
    """
    _, batch_size, *sizes = next(row for row in ROWS[problem.kind] if samples >= row[0])
    start = ModelSpec(optimizer="adam" if problem.kind == "table" else "rmsprop", batch_size=batch_size, seed=seed)
    small, *ladder = (start.replace(hidden_units=units, epochs=epochs) for units, epochs in sizes)
    is_slow = problem.kind == "image" and samples >= LARGE_IMAGE_SET
    return Plan(small=small, ladder=tuple(ladder), trials=3 if is_slow else 4, architectures=not is_slow)
