"""Step 3: how much to hold out, and which protocol the number of samples asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGE = 1_000_000  # samples from which on a fixed share is far more than judging needs


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many samples to learn from, to choose by, and to report from once, at the end.

    Attributes
    ----------
    train, dev, test : numbers of samples; they add up to all there are
    reason : the rule, and where it is from
    """

    train: int
    dev: int
    test: int
    reason: str

    @property
    def shares(self) -> tuple[float, float, float]:
        """The three parts as shares of all samples."""
        total = self.train + self.dev + self.test
        return self.train / total, self.dev / total, self.test / total


@dataclass(frozen=True, kw_only=True)
class ProtocolAdvice:
    """Which protocol to take, and why.

    Attributes
    ----------
    protocol : ``"hold-out"``, ``"K-fold"``, ``"iterated K-fold"``, or ``"hold-out in time"``
    code : the call that does it
    reason : why, with the numbers
    standard_error : of an accuracy measured by hold-out here: what luck alone does to it
    """

    protocol: str
    code: str
    reason: str
    standard_error: float

    @property
    def sentence(self) -> str:
        """The advice in words."""
        return f"Take {self.protocol}: {self.reason}"


def recommend_sizes(samples: int) -> Sizes:
    """Return how many samples to train on, to choose by (dev) and to test on.

    60/20/20 up to a million samples, 99.5/0.25/0.25 above: a dev set need not grow with the data, it must only be
    large enough to tell two models apart. Both are rules of thumb from A. Ng's course Improving Deep Neural Networks
    (week 1, train/dev/test sets), which moves from the one to the other by degrees: it gives 98/1/1 at a million.

    Raises
    ------
    ValueError
        If there are fewer than 5 samples.

    Examples
    --------
    >>> recommend_sizes(60_000).dev, recommend_sizes(10_000_000).dev
    (12000, 25000)
    """
    if samples < 5:
        raise ValueError(f"Fewer than 5 samples cannot be shared out by 60/20/20. Received: samples={samples}.")
    small = samples <= LARGE
    held_out = round(samples * (0.2 if small else 0.0025))
    shares = "60 / 20 / 20 %" if small else "99.5 / 0.25 / 0.25 %"
    where = "up to" if small else "above"
    reason = (
        f"{shares}: the rule of thumb for {where} {LARGE:,} samples (A. Ng, Improving Deep Neural Networks, week 1)."
    )
    return Sizes(train=samples - 2 * held_out, dev=held_out, test=held_out, reason=reason)


def standard_error(accuracy: float, samples: int) -> float:
    """Return by how much luck moves an accuracy that is measured on so many samples (one standard deviation).

    Each sample is right or wrong, so the number of right ones is binomial.

    Examples
    --------
    >>> round(standard_error(0.9, 900), 4)
    0.01
    """
    if not 0 <= accuracy <= 1 or samples < 1:
        raise ValueError(
            f"An accuracy lies in [0, 1] and is measured on 1 sample or more. Received: accuracy={accuracy}, "
            f"samples={samples}."
        )
    return math.sqrt(accuracy * (1 - accuracy) / samples)


def recommend_protocol(
    samples: int,
    *,
    wanted: float = 0.01,
    accuracy: float = 0.9,
    test_size: float = 0.2,
    ordered: bool = False,
    grouped: bool = False,
) -> ProtocolAdvice:
    """Say which protocol suits a number of samples.

    Hold-out while its validation part is large enough; K-fold when it is not, since then every sample is judged on
    once; iterated K-fold when even all samples together are few. Large enough is what makes the standard error of an
    accuracy as small as wanted. The order of the three is that of F. Chollet, Deep Learning with Python; the place
    where one gives way to the next is this kit's, from the binomial distribution.

    Parameters
    ----------
    samples : samples that are not test set
    wanted : standard error that is small enough, as a fraction: 0.01 is one point
    accuracy : roughly what is expected; for an error of quantities leave it
    test_size : what hold-out would keep for validation
    ordered : whether the samples have a time, and the model will be asked about later ones
    grouped : whether samples belong together: one person's, one place's, copies

    Examples
    --------
    >>> [recommend_protocol(n).protocol for n in (480, 1_437, 60_000)]
    ['iterated K-fold', 'K-fold', 'hold-out']
    """
    if samples < 4 or not wanted > 0:
        raise ValueError(
            f"A protocol needs 4 samples and a wanted error above 0. Received: samples={samples}, wanted={wanted}."
        )
    held_out = max(1, round(test_size * samples))
    error, all_error = standard_error(accuracy, held_out), standard_error(accuracy, samples)
    luck = f"an accuracy near {accuracy:.0%} measured on {held_out:,} samples moves by {100 * error:.1f} points by luck"
    groups = ", groups=groups" if grouped else ""
    if ordered:
        code, name, why = "hold_out_latest(dataset, times)", "hold-out in time", "the model will be asked about later"
    elif error <= wanted:
        code, name, why = f"hold_out(dataset{groups})", "hold-out", f"{luck}, which is little enough"
    elif all_error <= wanted:
        code, name = f"k_fold(dataset, folds=4{groups})", "K-fold"
        why = f"{luck}; on all {samples:,}, each judged once, by {100 * all_error:.1f}"
    else:
        code, name = f"k_fold(dataset, folds=4, repeats=5{groups})", "iterated K-fold"
        why = f"{luck}, and even on all {samples:,} by {100 * all_error:.1f}: at least leave nothing to the shuffling"
    together = " Keep each group whole." if grouped and not ordered else ""
    return ProtocolAdvice(protocol=name, code=code, reason=f"{why}.{together}", standard_error=error)
