"""Items behind BIG-bench scores: from the task definitions, checked against the scores.

Score files do not say how many items were evaluated. Three things do: the number of examples of
``task.json``; the cap of the evaluation (1,024 items for BIG-G, 1,000 for the others, shared among
the subtasks of a task); and the scores themselves, for a mean of n right-or-wrong items is a
multiple of 1/n. Definition and cap propose, the scores decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.ingest.bigbench.definitions import Definition
from metamirage.ingest.bigbench.metrics import COUNTED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Of BIG-G, and of the other families; a source says so of either, the scores decide.
CAPS = {True: (1024, 1000), False: (1000, 1024)}
# A smaller number of items than confirmed is believed if chance explains it this rarely.
MAX_CHANCE = 1e-4
MAX_DENOMINATOR = 1024
# Examples of the prompt are taken out of the items: up to the largest number of shots.
MAX_LEFT_OUT = 5
# Partial credit in halves, thirds, … twelfths of an item is recognised as such.
MAX_PARTS = 12
# Of one item. Published scores are double precision, so multiples are exact to far less.
TOLERANCE = 1e-6

CONFIRMED = "task.json"
FEWER = "task.json less prompt examples"
UNCHECKED = "task.json, no metric to check it"
FINER = "task.json, scores finer than items"
COMMON = "smallest common denominator"
OTHER = "smallest common denominator, unlike task.json"
OF_SHOTS = "smallest denominator of these shots"
OF_MODEL = "smallest denominator of this model"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Part:
    """Rows whose scores share one number of items.

    Parameters
    ----------
    rows
        Positions in the table.
    values
        Their scores under the metrics that count, distinct, within [0, 1].
    """

    rows: IntArray
    values: FloatArray


Count = tuple[int, str]


def count_items(
    scores: pd.DataFrame, definitions: Mapping[tuple[str, str], Definition]
) -> pd.DataFrame:
    """Find the number of items behind every score.

    Parameters
    ----------
    scores
        Columns task, subtask, metric, family, network, model, n_shots and score; any index. The
        models of one network, in all their runs, count as asked the same items until their scores
        say otherwise.
    definitions
        By (task, subtask).

    Returns
    -------
    pandas.DataFrame
        ``n_samples`` (float, NaN where unknown) and ``n_samples_source``, same index.
    """
    n_subtasks = scores.groupby("task")["subtask"].nunique()
    groups = scores.groupby(["task", "subtask", "network"], sort=True).indices
    places = cast("dict[tuple[str, str, str], IntArray]", groups)
    splitter = _Splitter(scores)
    n_samples = np.full(len(scores), np.nan)
    source = np.full(len(scores), UNKNOWN, dtype=object)
    siblings: dict[tuple[str, str], int] = {}
    # The network with most scores first: it tells the others of its task what to expect.
    for place, rows in sorted(places.items(), key=lambda item: -len(item[1])):
        task, subtask, network = place
        found = definitions.get((task, subtask))
        caps = CAPS[network.startswith("BIG-G")]
        if found and found.n_examples:
            counts = _counts(rows, splitter, _bases(found.n_examples, caps, int(n_subtasks[task])))
        else:
            counts = _undefined(rows, splitter, _bases(siblings.get((task, subtask), 0), caps, 1))
            siblings.setdefault((task, subtask), max(n for _, (n, _) in counts))
        for part, (n, how) in counts:
            n_samples[part.rows] = n if n else np.nan
            source[part.rows] = how
    return pd.DataFrame(
        {"n_samples": n_samples, "n_samples_source": source.astype(str)}, index=scores.index
    )


def _bases(n_examples: int, caps: Sequence[int], n_subtasks: int) -> list[int]:
    """Numbers of items that definition and cap propose, the most likely first."""
    if not n_examples:
        return []
    capped = [min(n_examples, cap // n_subtasks) for cap in caps]
    # A task may have been evaluated whole in spite of the cap.
    return [n for n in dict.fromkeys([*capped, n_examples]) if n > 0]


class _Splitter:
    """Splits rows of one task into parts: all of them, one a shot count, one a model and shots."""

    def __init__(self, scores: pd.DataFrame) -> None:
        value = scores["score"].to_numpy(float)
        # 1.78 is no share of items, whatever their number.
        within = (value >= 0) & (value <= 1)
        self.value = value
        self.counted = scores["metric"].isin(COUNTED).to_numpy() & within
        self.metric = scores.groupby("metric").ngroup().to_numpy()
        self.within = within
        shots = scores["n_shots"].to_numpy(float)
        # Missing shots are one level of their own.
        self.shots = np.where(np.isnan(shots), -1, shots)
        self.model = scores.groupby(["family", "model"]).ngroup().to_numpy()

    def counting(self, rows: IntArray) -> NDArray[np.bool_]:
        """Mark the rows whose scores tell the number of items; the same shape as ``rows``."""
        counted = self.counted[rows]
        if counted.any():
            return counted
        # ASSUME: a task's own metric in [0, 1] is a share of items if its scores have a common
        # denominator; scores that are no such shares hardly ever do.
        return np.isin(
            self.metric[rows], [m for m in np.unique(self.metric[rows]) if self._is_share(rows, m)]
        )

    def _is_share(self, rows: IntArray, metric: int) -> bool:
        own = rows[self.metric[rows] == metric]
        values = np.unique(self.value[own])
        return bool(self.within[own].all()) and _denominator(values, MAX_DENOMINATOR) > 1

    def split(self, rows: IntArray, by: str) -> list[Part]:
        """Split ``rows`` by nothing, ``shots`` or ``model``."""
        tells = self.counting(rows)
        labels = {
            "": np.zeros(len(rows)),
            "shots": self.shots[rows],
            "model": self.model[rows] * 1000.0 + self.shots[rows],
        }[by]
        return [
            Part(rows[here], np.unique(self.value[rows[here & tells]]))
            for here in (labels == label for label in np.unique(labels))
        ]


SPLITS = ("", "shots", "model")
_DENOMINATOR_OF = {"shots": OF_SHOTS, "model": OF_MODEL}


def _counts(rows: IntArray, splitter: _Splitter, bases: Sequence[int]) -> list[tuple[Part, Count]]:
    (whole,) = splitter.split(rows, "")
    if whole.values.size == 0:
        return [(whole, (bases[0], UNCHECKED) if bases else (0, UNKNOWN))]
    for by in SPLITS:
        parts = splitter.split(rows, by)
        counts = [_confirmed(part, bases) for part in parts]
        if all(counts):
            return [(p, count) for p, count in zip(parts, counts, strict=True) if count]
    # Partial credit makes the common denominator larger than the number of items, and a selection
    # of the items makes it smaller; a task may also show neither.
    common = _denominator(whole.values, min(max(bases, default=MAX_DENOMINATOR), MAX_DENOMINATOR))
    if common:
        return [(whole, (common, OTHER) if common > 1 else (0, UNKNOWN))]
    for by in ("", "shots"):
        parts = splitter.split(rows, by)
        finer = [_finer(part, bases) for part in parts]
        if all(finer):
            return [(p, count) for p, count in zip(parts, finer, strict=True) if count]
    return _by_denominator(rows, splitter, bases)


def _undefined(
    rows: IntArray, splitter: _Splitter, bases: Sequence[int]
) -> list[tuple[Part, Count]]:
    """Count without a definition: what a sibling's scores said takes its place."""
    names = {how: COMMON for how in (CONFIRMED, FEWER, UNCHECKED, OTHER)} | {FINER: UNKNOWN}
    return [
        (part, (n if how != FINER else 0, names.get(how, how)))
        for part, (n, how) in _counts(rows, splitter, bases)
    ]


def _confirmed(part: Part, bases: Sequence[int]) -> Count | None:
    """Take the first proposal of which all scores are multiples."""
    for left_out, base in product(range(MAX_LEFT_OUT + 1), bases):
        n = base - left_out
        if n > 0 and _admits(part.values, n):
            q = _denominator(part.values, n)
            inner = np.count_nonzero((part.values > 0) & (part.values < 1))
            if 2 * q <= n and (q / n) ** inner < MAX_CHANCE:
                return q, OTHER
            return n, FEWER if left_out else CONFIRMED
    return None


def _finer(part: Part, bases: Sequence[int]) -> Count | None:
    """Recognise partial credit: multiples of a half, third, … of one item."""
    for left_out, base, n_parts in product(range(MAX_LEFT_OUT + 1), bases, range(2, MAX_PARTS + 1)):
        n = base - left_out
        if n > 0 and _admits(part.values, n * n_parts):
            return n, FINER
    return None


def _by_denominator(
    rows: IntArray, splitter: _Splitter, bases: Sequence[int]
) -> list[tuple[Part, Count]]:
    for by in ("shots", "model"):
        parts = splitter.split(rows, by)
        own = [_denominator(part.values, MAX_DENOMINATOR) for part in parts]
        if all(own):
            return _harmonised(parts, own, bases, how=_DENOMINATOR_OF[by])
    if np.count_nonzero(own) * 2 < len(own):
        (whole,) = splitter.split(rows, "")
        return [(whole, (bases[0], FINER) if bases else (0, UNKNOWN))]
    return _harmonised(parts, own, bases, how=OF_MODEL)


def _harmonised(
    parts: Sequence[Part], own: Sequence[int], bases: Sequence[int], *, how: str
) -> list[tuple[Part, Count]]:
    """Give each part the proposal, or the largest number of its siblings, whose multiples it holds.

    A few scores often share a divisor of the true number; their siblings know better.
    """
    siblings = sorted({n for n in own if n > 1}, reverse=True)
    counts = []
    for part, n in zip(parts, own, strict=True):
        shared = next((s for s in siblings if _admits(part.values, s)), n)
        # Scores of 0 and 1 alone say nothing about the number of items.
        fallback = (shared, how) if shared > 1 else (0, UNKNOWN)
        counts.append((part, _confirmed(part, bases) or fallback))
    return counts


def _admits(values: FloatArray, n: int) -> bool:
    items = values * n
    return bool((np.abs(items - np.rint(items)) <= TOLERANCE).all())


def _denominator(values: FloatArray, limit: int) -> int:
    """Smallest q up to the limit of which all values are multiples of 1/q, or 0."""
    if values.size == 0:
        return 1
    q = np.arange(1, limit + 1)
    items = values[:, None] * q
    admitted = (np.abs(items - np.rint(items)) <= TOLERANCE).all(axis=0)
    return int(q[admitted][0]) if admitted.any() else 0
