"""Defects of BIG-bench scores that only the whole table shows.

Nothing is changed or dropped here: every finding says what was seen and that the scores were kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from metamirage.ingest.bigbench.items import FINER, OF_MODEL, OF_SHOTS, OTHER, UNKNOWN
from metamirage.ingest.bigbench.metrics import COUNTED, OWN_SCALE
from metamirage.ingest.reading import Issue

# Below this many items one item moves a score by 2 % or more.
FEW_ITEMS = 50
# Equal shares of right items at two sizes are no rarity; this many at once are.
MIN_EQUAL_COUNTED = 3
# A family or model is missing from a task if at least this share of the tasks has it.
USUAL = 0.5
KEPT = "kept as published"

Finding = tuple[Issue, int]


def find_defects(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find the defects of a whole BIG-bench table.

    Parameters
    ----------
    scores
        Tidy table with the columns that the reader adds.

    Yields
    ------
    (Issue, int)
        A finding and the number of scores concerned.
    """
    checks: tuple[Callable[[pd.DataFrame], Iterator[Finding]], ...] = (
        _all_zero,
        _few_items,
        _unsuited_items,
        _differing_items,
        _own_metrics,
        _equal_at_two_sizes,
        _equal_at_two_temperatures,
        _missing_models,
    )
    yield from chain.from_iterable(check(scores) for check in checks)


def _place(task: object, subtask: object) -> str:
    return f"{task}:{subtask}" if subtask else f"{task}"


def _all_zero(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find tasks and subtasks whose preferred score is zero for every model and shot count."""
    judged = scores[scores["is_preferred"].fillna(False)]
    for (task, subtask), group in judged.groupby(["task", "subtask"], sort=True):
        if (group["score"] == 0).all():
            detail = "the preferred score is zero for every model"
            action = f"{KEPT}; the curves are constant"
            yield Issue("all scores zero", _place(task, subtask), detail, action), len(group)


def _few_items(scores: pd.DataFrame) -> Iterator[Finding]:
    few = scores[(scores["n_samples"] < FEW_ITEMS).fillna(False)]
    for (task, subtask), group in few.groupby(["task", "subtask"], sort=True):
        low, high = group["n_samples"].min(), group["n_samples"].max()
        number = f"{low}" if low == high else f"{low} to {high}"
        yield Issue("few items", _place(task, subtask), f"{number} items", KEPT), len(group)


_UNSUITED = {
    FINER: (
        "items not 0 or 1",
        "the scores are finer than one item: items earn parts of a point",
        f"{KEPT}; n_samples is the number of items",
    ),
    UNKNOWN: (
        "number of items unknown",
        "no task definition, and no common denominator of the scores up to 1024",
        f"{KEPT}; n_samples is missing",
    ),
}


def _unsuited_items(scores: pd.DataFrame) -> Iterator[Finding]:
    for source, (kind, detail, action) in _UNSUITED.items():
        found = scores[scores["n_samples_source"] == source]
        for (task, subtask), group in found.groupby(["task", "subtask"], sort=True):
            yield Issue(kind, _place(task, subtask), detail, action), len(group)


def _differing_items(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find tasks in which models, shots or networks were given other items than the rest."""
    suspect = scores[scores["n_samples_source"].isin([OTHER, OF_MODEL, OF_SHOTS])]
    for (task, subtask), rows in suspect.groupby(["task", "subtask"], sort=True):
        group = scores[(scores["task"] == task) & (scores["subtask"] == subtask)]
        by_network = group.groupby("network")["n_samples"].agg(["min", "max"])
        numbers = ", ".join(
            f"{name} {low}" if low == high else f"{name} {low} to {high}"
            for name, low, high in by_network.itertuples()
        )
        detail = f"numbers of items that the definition does not explain: {numbers}"
        action = f"{KEPT}; each score has its own n_samples"
        yield Issue("differing items", _place(task, subtask), detail, action), len(rows)


def _own_metrics(scores: pd.DataFrame) -> Iterator[Finding]:
    own = scores[scores["scale"] == OWN_SCALE]
    for (task, metric), group in own.groupby(["task", "metric"], sort=True):
        detail = "no metric of the BIG-bench API: its scale and class are known to its task alone"
        action = "kept; out of the tests unless config/metrics.csv tags it"
        yield Issue("task-specific metric", f"{task}, {metric}", detail, action), len(group)


def _equal_at_two_sizes(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find models of one family with the same scores throughout a task, other than 0 and 1.

    Shares of right items coincide by chance, so either a graded score must be among the equal
    ones, or several shares.
    """
    cell = ["task", "family", "n_shots"]
    marks = pd.util.hash_pandas_object(scores[["subtask", "metric", "score"]], index=False)
    telling, graded = _telling(scores), _graded(scores)
    frame = scores[[*cell, "model"]].assign(mark=marks, telling=telling, graded=graded)
    runs = frame.groupby([*cell, "model"], dropna=False, sort=True)[["mark", "telling", "graded"]]
    # A sum of hashes names a set of scores, whatever its order.
    sums = runs.sum().assign(n=runs.size()).reset_index()
    enough = (sums["graded"] > 0) | (sums["telling"] >= MIN_EQUAL_COUNTED)
    same = sums[enough].groupby([*cell, "mark", "n"], dropna=False, sort=True)
    pairs = same.agg(models=("model", " and ".join), k=("model", "size")).query("k > 1")
    for (task, family), found in pairs.reset_index().groupby(["task", "family"], sort=True):
        shots = ", ".join(_shots(n) for n in found["n_shots"])
        models = "; ".join(dict.fromkeys(found["models"]))
        detail = f"{models} have equal scores ({shots})"
        where = f"{task}, {family}"
        yield Issue("equal at two sizes", where, detail, KEPT), int((found["n"] * found["k"]).sum())


def _telling(scores: pd.DataFrame) -> pd.Series[bool]:
    """Mark scores whose equality is no matter of a floor or ceiling."""
    return ~scores["score"].isin([0.0, 1.0, 100.0])


def _graded(scores: pd.DataFrame) -> pd.Series[bool]:
    """Mark telling scores that are no share of right items."""
    return _telling(scores) & (scores["scale"] != OWN_SCALE) & ~scores["metric"].isin(COUNTED)


def _shots(n: Any) -> str:
    return "shots not stated" if pd.isna(n) else f"{n}-shot"


def _equal_at_two_temperatures(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find scores that one network has at several temperatures: published twice, not replicated.

    Equal shares of right items count where a metric has nothing but equal scores.
    """
    runs = scores[scores["family"] != scores["network"]]
    cell = ["task", "subtask", "metric", "network", "model", "n_shots"]
    paired = runs[runs.duplicated(cell, keep=False) & _telling(runs)]
    equal = paired.duplicated([*cell, "score"], keep=False)
    throughout = equal.groupby([paired["task"], paired["metric"], paired["network"]])
    copies = paired[equal & (_graded(paired) | throughout.transform("all"))]
    for (network, task), group in copies.groupby(["network", "task"], sort=True):
        families = sorted(set(group["family"]))
        if len(group) < MIN_EQUAL_COUNTED * len(families):
            continue
        metrics = ", ".join(sorted(set(group["metric"])))
        detail = f"{' and '.join(families)} are one network and have equal scores in {metrics}"
        action = "kept; the column network marks them as one"
        yield Issue("equal at two temperatures", f"{task}, {network}", detail, action), len(group)


def _missing_models(scores: pd.DataFrame) -> Iterator[Finding]:
    """Find tasks without a family, or with part of its sizes, that most tasks have."""
    has = scores.groupby(["task", "family", "model"]).size().unstack("task", fill_value=0) > 0
    usual = has[has.mean(axis=1) >= USUAL]
    for task in usual.columns:
        absent = usual.index[~usual[task].to_numpy(bool)]
        for family in dict.fromkeys(absent.get_level_values("family")):
            names = [model for found, model in absent if found == family]
            n_usual = int(np.count_nonzero(usual.index.get_level_values("family") == family))
            kind = "family missing" if len(names) == n_usual else "models missing"
            detail = f"{len(names)} of {n_usual} models have no scores: {', '.join(names)}"
            action = "curves made of the models that are there, if any"
            yield Issue(kind, f"{task}, {family}", detail, action), 0
