"""What a check of a pipeline answers: passed, failed or not applicable, with its number and the likely cause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    value : the number that decided, None where there is none

    Examples
    --------
    >>> check = Check(name="initial loss", status=Status.PASSED, found="2.31.", expected="ln 10 = 2.30.", value=2.31)
    >>> check.passed, check.sentence
    (True, 'initial loss: passed. 2.31. Expected: ln 10 = 2.30.')
    """

    name: str
    status: Status
    found: str
    expected: str = ""
    cause: str = ""
    value: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the check was made and found nothing wrong."""
        return self.status is Status.PASSED

    @property
    def failed(self) -> bool:
        """Whether the check found something wrong."""
        return self.status is Status.FAILED

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        expected = f"Expected: {self.expected}" if self.expected else ""
        return " ".join(filter(None, (f"{self.name}: {self.status}.", self.found, expected, self.cause)))
