"""Work over many curves with threads: the compiled engine releases the interpreter's lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("metamirage")


def map_curves[Work, Result](
    function: Callable[[Work], Result], curves: Sequence[Work], *, threads: int, label: str
) -> list[Result]:
    """Apply a function to every curve, or group of curves, and report progress at each tenth.

    Parameters
    ----------
    function
        Must not depend on the order of the calls.
    curves
        Curves or groups of curves, any number.
    threads
        Calls at a time.
    label
        Stage named in the progress lines.
    """
    tenth = max(1, len(curves) // 10)
    results = []
    with ThreadPoolExecutor(threads) as pool:
        for done, result in enumerate(pool.map(function, curves), start=1):
            results.append(result)
            if done % tenth == 0 or done == len(curves):
                log.info("%s: %d of %d done", label, done, len(curves))
    return results
