"""What a check of a pipeline answers, and the report of all of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from html import escape


class Status(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, kw_only=True)
class Check:
    """The outcome of one check.

    Attributes
    ----------
    name : of the check, such as ``"initial loss"``
    status : passed, failed or not applicable
    found : what was seen, in a sentence with its numbers; where not applicable, why
    expected : what a sound pipeline shows, in a sentence; empty where not applicable
    cause : the likely cause and the way out, where it failed; else empty

    Examples
    --------
    >>> check = Check(name="initial loss", status=Status.PASSED, found="2.31.", expected="ln 10 = 2.30.")
    >>> check.passed, check.sentence
    (True, 'initial loss: passed. 2.31.')
    """

    name: str
    status: Status
    found: str
    expected: str = ""
    cause: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check was made and found nothing wrong."""
        return self.status is Status.PASSED

    @property
    def failed(self) -> bool:
        """Whether the check found something wrong."""
        return self.status is Status.FAILED

    @property
    def text(self) -> str:
        """What was found; where it failed, what was expected and the cause as well."""
        return " ".join(filter(None, (self.found, self.failed and f"Expected: {self.expected}", self.cause)))

    @property
    def sentence(self) -> str:
        """The name, the outcome and the text."""
        return f"{self.name}: {self.status}. {self.text}"

    __str__ = sentence.fget


class NotApplicable(Exception):
    """A check cannot be made here; the message says why."""


@contextmanager
def refusals(fact: str) -> Iterator[None]:
    """Turn what Keras refuses inside into the reason why a check cannot be made."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of losses and shapes: a check says it better
            yield
    except NotApplicable:
        raise
    except Exception as error:
        raise NotApplicable(f"{fact}: {last_line(error)}") from error


def last_line(error: Exception) -> str:
    r"""Return what an error says in the end, without the arguments that Keras lists below it.

    Examples
    --------
    >>> last_line(ValueError("Exception encountered.\n\nToo wide.\n\nArguments received by Dense.call():\n  x=1"))
    'Too wide.'
    """
    text = re.sub(r"\x1b\[\d*m", "", str(error)).split("Arguments received by")[0].strip()
    return (text or type(error).__name__).splitlines()[-1].strip()[:300]


def judge(ok: bool, *, found: str, expected: str, cause: str) -> Check:
    """Return a check that passed or failed, still without a name; the cause is kept where it failed."""
    status = Status.PASSED if ok else Status.FAILED
    return Check(name="", status=status, found=found, expected=expected, cause="" if ok else cause)


_MARKS = {Status.PASSED: "+", Status.FAILED: "!", Status.NOT_APPLICABLE: "-"}


@dataclass(frozen=True, kw_only=True)
class PipelineReport:
    """What the checks of a pipeline found.

    Attributes
    ----------
    checks : in the order in which they were made
    note : what was done otherwise than usual, in a sentence
    """

    checks: tuple[Check, ...]
    note: str = ""

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that found something wrong."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def count(self) -> str:
        """How many failed, and how many could not be made, in words."""
        left = sum(check.status is Status.NOT_APPLICABLE for check in self.checks)
        made, failed = len(self.checks) - left, len(self.failed)
        words = f"{failed} of {made} checks failed." if failed else f"All {made} checks passed."
        words = words if made else "No check could be made."
        words += f" ({left} not applicable.)" if left else ""
        words += " So many could not be made that this proves little." if 3 * left > len(self.checks) > 2 else ""
        return f"{words} {self.note}".rstrip()

    def __getitem__(self, name: str) -> Check:
        """Return the check of that name."""
        made = {check.name: check for check in self.checks}
        if name not in made:
            raise KeyError(f"That check was not made. Received: {name!r}. Made: {', '.join(made)}.")
        return made[name]

    def __str__(self) -> str:
        width = max((len(check.name) for check in self.checks), default=0)
        lines = [f"{_MARKS[check.status]} {check.name:<{width}}  {check.text}" for check in self.checks]
        return "\n".join([*lines, self.count])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><td>{_MARKS[check.status]} {check.status}</td><th scope='row' {left}>{escape(check.name)}</th>"
            f"<td {left}>{escape(check.text)}</td></tr>"
            for check in self.checks
        )
        head = f"<tr><th>outcome</th><th {left}>check</th><th {left}>found</th></tr>"
        return f"<table><caption>{escape(self.count)}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"
