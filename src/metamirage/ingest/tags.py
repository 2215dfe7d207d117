"""Tags: what each metric is, from the reviewed table ``config/metrics.csv``.

A metric is tagged per (task, metric) and never by its name alone: ``f1`` is a share of matching
tokens in one task and a ratio of thresholded counts in another.

Matching
--------
A row's benchmark, task and metric are names or shell patterns (``*``, ``?``, ``[..]``), case
matters. Of the rows that match, the most specific wins: benchmarks are compared first, then tasks,
then metrics, by the number of literal characters, a plain name before a pattern of equal length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.tag_rows import (
    COLUMNS,
    KEY,
    METRICS_FILE,
    REQUIRED,
    Row,
    as_csv,
    as_frame,
    duplicate_offences,
    name_of,
    number,
    number_offences,
    read_rows,
    row_offences,
    unknown_offences,
)

# A fraction above 1 is a defect (BIG-Bench publishes one 1.78); a typical score above 1.5, seen
# more than once, is a unit.
PERCENT_MEDIAN = 1.5
PERCENT_MIN_ABOVE_ONE = 2
# Real percent tables hold tasks below 1 % (reversed words in GPT-3: at most 0.48, mostly 0), so
# without a chance level to contradict them fractions must be many and typically large.
FRACTION_MIN_SCORES = 10
FRACTION_MEDIAN = 0.2
FRACTION_MAX = 0.5
# With guessing worth at least this many percent, nothing above 1 % cannot be a percentage.
FRACTION_MIN_CHANCE = 5.0

Key = tuple[str, str, str]


def read_metrics(path: str | Path) -> pd.DataFrame:
    """Read the table of metric tags and check it whole.

    Parameters
    ----------
    path
        UTF-8 CSV file with the columns ``COLUMNS``.

    Returns
    -------
    pandas.DataFrame
        One row per row of the file. ``lower``, ``upper`` and ``chance`` are floats in the unit of
        the source, missing where blank; all else is text.

    Raises
    ------
    InputError
        With one offence per faulty cell, row or column.
    """
    rows = read_rows(Path(path))
    offences = [
        offence
        for line, row in rows.items()
        for offence in row_offences(row, f"{path} line {line}")
    ]
    offences += duplicate_offences(rows, str(path))
    if offences:
        raise InputError(offences)
    return as_frame(list(rows.values()))


def tag_metrics(
    tidy: pd.DataFrame,
    metrics: pd.DataFrame,
    *,
    overrides: Sequence[Row] = (),
) -> pd.DataFrame:
    """Tag every (task, metric) of a benchmark.

    Parameters
    ----------
    tidy
        Scores under the tidy contract.
    metrics
        Table made by :func:`read_metrics`.
    overrides
        Rows of the benchmark's registry entry. ``task`` and ``metric`` are names or patterns, ``*``
        where absent; the columns given replace those of the row that ``metrics`` holds. Where it
        holds none, an override must give every column but ``benchmark``, the numbers and
        ``excluded``.

    Returns
    -------
    pandas.DataFrame
        The tags contract, sorted by benchmark, task and metric. ``chance`` is the median published
        ``low_score`` where one is published, else that of the table.

    Raises
    ------
    InputError
        For a (task, metric) without a row, or with two rows equally specific; for a faulty
        override; for scores that look like percent under a fraction's bounds, or the reverse.

    Notes
    -----
    A score outside [lower, upper] is no offence here: published tables hold some, and the tidy
    stage reports them.
    """
    patches = [_patch(row) for row in overrides]
    groups = {_key(names): group for names, group in tidy.groupby(list(KEY), sort=True)}
    faults = _patch_offences(patches, groups)
    if faults:
        raise InputError(faults)
    table = _cells(metrics)
    choices = {key: (_most_specific(table, key), _most_specific(patches, key)) for key in groups}
    rows = {key: _merged(key, *pair) for key, pair in choices.items()}
    unknown = [row for row in rows.values() if not row.keys() >= REQUIRED]
    # The rows to paste come first, for a report shows ten offences.
    offences = [_unknown_offence(unknown)] if unknown else []
    for key, (found, changes) in choices.items():
        offences += _tie_offences(found, key) + _tie_offences(changes, key)
        offences += number_offences(rows[key], f"tags of {','.join(key)}")
        offences += _scale_offences(rows[key], groups[key]["score"])
    if offences:
        raise InputError(offences)
    return as_frame([_with_chance(row, groups[key]["low_score"]) for key, row in rows.items()])


def _key(names: Hashable) -> Key:
    benchmark, task, metric = cast("Iterable[object]", names)
    return str(benchmark), str(task), str(metric)


def _patch(row: Row) -> dict[str, object]:
    """Spell out an override's pattern, and its values as a CSV cell would hold them."""
    return dict.fromkeys(KEY, "*") | {name: _as_cell(value) for name, value in row.items()}


def _as_cell(value: object) -> object:
    # YAML reads a bare yes or no as a truth value.
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def _patch_offences(patches: Sequence[Row], keys: Iterable[Key]) -> list[Offence]:
    offences = []
    for i, row in enumerate(patches, start=1):
        where = f"tag_overrides entry {i}"
        offences += unknown_offences(row, where) + row_offences(row, where)
        if not any(_matches(row, key) for key in keys):
            problem = "matches no metric of the benchmark"
            remedy = "Correct its task and metric, or drop it"
            offences.append(Offence(where, problem, name_of(row), remedy=remedy))
    return offences


def _cells(metrics: pd.DataFrame) -> list[Row]:
    """Turn the table back into rows, a missing number into a blank."""
    filled = metrics.astype(object).where(metrics.notna(), "")
    return cast("list[Row]", filled.to_dict("records"))


def _most_specific(rows: Iterable[Row], key: Key) -> list[Row]:
    """Find the matching rows of the highest rank: none, one, or a tie."""
    ranked = [(_rank(row), row) for row in rows if _matches(row, key)]
    best = max((rank for rank, _ in ranked), default=())
    return [row for rank, row in ranked if rank == best]


def _matches(row: Row, key: Key) -> bool:
    pairs = zip((str(row[name]) for name in KEY), key, strict=True)
    return all(pattern in (name, "*") or fnmatchcase(name, pattern) for pattern, name in pairs)


def _rank(row: Row) -> tuple[tuple[int, bool], ...]:
    """Count literal characters in the order of the key, plain names ahead of patterns."""
    return tuple(_literals(str(row[name])) for name in KEY)


def _literals(pattern: str) -> tuple[int, bool]:
    literal = re.sub(r"\[[^]]+\]|[*?]", "", pattern)
    return len(literal), literal == pattern


def _tie_offences(rows: Sequence[Row], key: Key) -> list[Offence]:
    if len(rows) < 2:
        return []
    names = " and ".join(repr(name_of(row)) for row in rows)
    remedy = "Make one more specific, or add a row for this metric"
    problem = f"rows {names} match {','.join(key)} equally well"
    return [Offence(METRICS_FILE, problem, "", "one most specific row", remedy)]


def _merged(key: Key, found: Sequence[Row], changes: Sequence[Row]) -> dict[str, object]:
    """Lay the override over the row of the table, under the plain names."""
    merged: dict[str, object] = {}
    for row in (*found[:1], *changes[:1]):
        merged |= row
    return merged | dict(zip(KEY, key, strict=True))


def _with_chance(row: Row, low_scores: pd.Series[float]) -> dict[str, object]:
    """Prefer the published level of guessing; subtasks publish their own, hence the median."""
    published = float(low_scores.median())
    return dict(row) if math.isnan(published) else {**row, "chance": published}


def _scale_offences(row: Row, scores: pd.Series[float]) -> list[Offence]:
    """Find percent under a fraction's upper bound, and fractions under a percentage's."""
    upper, chance = row.get("upper"), row.get("chance", "")
    if upper == 1.0 and _are_percent(scores):
        remedy = "Divide the scores by 100, or set lower, upper and chance in percent"
        return [_scale_offence(row, scores, "percent", remedy=remedy)]
    if upper == 100.0 and _are_fractions(scores, chance=number(chance)):
        remedy = "Multiply the scores by 100, or set lower, upper and chance as fractions"
        return [_scale_offence(row, scores, "fractions", remedy=remedy)]
    return []


def _scale_offence(row: Row, scores: pd.Series[float], unit: str, *, remedy: str) -> Offence:
    seen = f"{scores.min():g} to {scores.max():g}, median {scores.median():g}"
    allowed = f"scores up to {row['upper']:g}"
    return Offence(name_of(row), f"{len(scores)} scores look like {unit}", seen, allowed, remedy)


def _are_percent(scores: pd.Series[float]) -> bool:
    # Zeros say nothing about the unit, and hard tasks are mostly zeros.
    typical = scores[scores != 0].median()
    return bool(typical > PERCENT_MEDIAN and (scores > 1).sum() >= PERCENT_MIN_ABOVE_ONE)


def _are_fractions(scores: pd.Series[float], *, chance: float) -> bool:
    if scores.abs().max() > 1:
        return False
    if chance >= FRACTION_MIN_CHANCE:
        return bool(scores.max() > FRACTION_MEDIAN)
    many = len(scores) >= FRACTION_MIN_SCORES
    return bool(many and scores.median() > FRACTION_MEDIAN and scores.max() > FRACTION_MAX)


def _unknown_offence(rows: Sequence[Row]) -> Offence:
    """Report all of them in one offence, for the rows to paste must not be cut short."""
    names = "; ".join(f"{row['task']}, {row['metric']}" for row in rows)
    remedy = (
        "Add these rows, or the same under tag_overrides of the benchmark's registry entry:\n"
        f"{','.join(COLUMNS)}\n{as_csv(rows)}"
        "Fill the blanks (lower, upper, chance and excluded may stay blank) and put yes or no for"
        " unknown where it is known"
    )
    problem = f"no complete row for {len(rows)} (task, metric): {names}"
    return Offence(METRICS_FILE, problem, remedy=remedy)
