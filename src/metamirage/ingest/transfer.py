"""What every source of files shares: how it fails, asks again, and shows how far it is."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("metamirage.download")

ATTEMPTS = 3
# Doubled after each failure: long enough for a router to come back, short enough to watch.
PAUSE_SECONDS = 2.0
# A silent connection is given up after this long.
TIMEOUT_SECONDS = 60
# Often enough to see that it moves, seldom enough for a log file.
PROGRESS_SECONDS = 5.0

CHECK_NETWORK = "Check the address and the network"
MAKE_ROOM = "Make room and run the same command again: it goes on where it stopped"
ASK_PUBLISHER = "Do not use it; if its publisher changed it, correct the registry entry"


class SourceError(Exception):
    """A source does not give what the registry asks of it.

    Parameters
    ----------
    problem
        What went wrong, without the value.
    value
        What was found instead, or the words of the program that failed.
    advice
        What to do about it, besides taking the files from elsewhere.
    """

    def __init__(self, problem: str, value: str = "", *, advice: str = CHECK_NETWORK) -> None:
        self.problem, self.value, self.advice = problem, value, advice
        super().__init__(f"{problem} ({value})" if value else problem)


class TransientError(SourceError):
    """A failure that may pass: the network, or a busy server."""


class DamagedError(SourceError):
    """A repository on this disk whose content is incomplete or not what its names say."""


def with_retries[T](step: Callable[[], T]) -> T:
    """Run a step again, a few times, as long as it fails with `TransientError`.

    Tenacity would be no shorter with this message.

    Raises
    ------
    TransientError
        The last one.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return step()
        except TransientError as exc:
            pause = PAUSE_SECONDS * 2 ** (attempt - 1)
            log.warning("%s; attempt %d of %d in %g s", exc, attempt + 1, ATTEMPTS, pause)
            time.sleep(pause)
    return step()


class Progress:
    """Progress lines for terminal and log file, at most one every few seconds.

    Parameters
    ----------
    label
        Start of every line.
    """

    def __init__(self, label: str) -> None:
        self._label, self._last = label, time.monotonic()

    def tell(self, text: str) -> None:
        """Write a line, unless the last one is only just past."""
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            log.info("%s: %s", self._label, text)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
