"""The claims of the lessons: every comparison that their prose makes, as a function that can be run again.

A claim has a name, the sentence that it backs, and a function of (source, seed). The seed draws the data and the
networks anew, so that a claim says more than that a notebook's own numbers can be repeated. A cell of prose names what
it rests on in its metadata: ``"claims": ["wider_fits_better"]``. `tools/measure_claims.py` runs them and writes
docs/claims.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Outcome = tuple[Mapping[str, float], bool]  # the numbers, and whether the claim holds


@dataclass(frozen=True)
class Claim:
    """One comparison of a lesson.

    Attributes
    ----------
    lesson : the name of the notebook, such as ``"06"``
    sentence : what is claimed, without reference to a dataset's particular numbers
    run : takes a source of data and a seed, and returns the numbers and whether the claim holds
    sources : where it is claimed: on the ``"real"`` data, on a ``"sample"``, on both, or on data that is ``"made up"``
    """

    name: str
    lesson: str
    sentence: str
    run: Callable[[str, int], Outcome]
    sources: tuple[str, ...]


CLAIMS: dict[str, Claim] = {}


def claim(
    lesson: str, sentence: str, *, sources: tuple[str, ...] = ("real", "sample")
) -> Callable[[Callable[[str, int], Outcome]], Callable[[str, int], Outcome]]:
    """Register the function below as a claim, under its own name."""

    def register(run: Callable[[str, int], Outcome]) -> Callable[[str, int], Outcome]:
        if run.__name__ in CLAIMS:
            raise ValueError(f"Two claims have one name. Received: {run.__name__!r}.")
        CLAIMS[run.__name__] = Claim(run.__name__, lesson, sentence, run, sources)
        return run

    return register


def all_claims() -> dict[str, Claim]:
    """Import every lesson's claims and return them by name, in the order of the lessons."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(CLAIMS.items(), key=lambda item: item[1].lesson))
