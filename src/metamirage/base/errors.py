"""One clear report for bad input: where, what, what is allowed, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Ten rows show the pattern of a fault; the total says how far it goes.
MAX_SHOWN = 10


@dataclass(frozen=True)
class Offence:
    """One fault in an input.

    Parameters
    ----------
    where
        File, and the row or field in it, as a person would look it up.
    problem
        What is wrong, without the value.
    value
        The offending value, as found.
    allowed
        What would have been accepted.
    remedy
        What the reader should do now, as a sentence without its full stop, or as a question.
    """

    where: str
    problem: str
    value: object = ""
    allowed: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        value = f" ({self.value!r})" if self.value != "" else ""
        allowed = f" Allowed: {self.allowed}." if self.allowed else ""
        stop = "" if self.remedy.endswith("?") else "."
        remedy = f" {self.remedy}{stop}" if self.remedy else ""
        return f"{self.where}: {self.problem}{value}.{allowed}{remedy}"


class InputError(Exception):
    """Bad input, reported whole: every offence that was found, not the first.

    Parameters
    ----------
    offences
        At least one; the message shows the first ten and counts the rest.
    """

    def __init__(self, offences: Iterable[Offence]) -> None:
        self.offences = tuple(offences)
        super().__init__(self._text())

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Offence, ...]]]:
        # Without this a worker process would unpickle the message in place of the offences.
        return (type(self), (self.offences,))

    def _text(self) -> str:
        n = len(self.offences)
        head = "1 problem" if n == 1 else f"{n} problems"
        lines = [f"  {offence}" for offence in self.offences[:MAX_SHOWN]]
        if n > MAX_SHOWN:
            lines.append(f"  … and {n - MAX_SHOWN} more of {n}")
        return "\n".join([f"{head} in the input; nothing was written:", *lines])
