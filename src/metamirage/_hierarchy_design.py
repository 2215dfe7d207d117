"""What the hierarchical model is about: which curves, in which groups, and what they can tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage._width_mixture import profile_weights
from metamirage.concentration import MIN_TASKS
from metamirage.curves import FloatArray
from metamirage.priors import LOG10_WIDTH_NODES
from metamirage.tables import MIN_SIZES_VERDICT

LEVELS = ("task", "family", "metric")


class Counts(NamedTuple):
    """How many there are of each."""

    n_curves: int
    n_tasks: int
    n_families: int
    n_metrics: int


class Design(NamedTuple):
    """Curves in the order of their groups, and what each group and metric is.

    A metric is a name within one class and one query; a group holds the curves of one task, family
    and metric.

    Parameters
    ----------
    weights
        Shape (curves, nodes): ``profile_weights``.
    starts
        Shape (groups + 1,).
    nodes
        Shape (nodes,): natural log width.
    level
        For task, family and metric: number of each group's, shape (groups,).
    label, query
        Shape (metrics,): class of each metric, and the number of its query; 0 is the one with most
        curves.
    queries
        Names of the queries.
    """

    weights: FloatArray
    starts: NDArray[np.int64]
    nodes: FloatArray
    level: dict[str, NDArray[np.int64]]
    label: FloatArray
    query: NDArray[np.int64]
    queries: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        """Numbers of curves, tasks, families and metrics."""
        return Counts(len(self.weights), *(n_levels(self, name) for name in LEVELS))


def modelled_curves(fits: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """Join fits and tags of the curves of ``concentration.tested_curves``."""
    axes = tags[["task", "metric", "discontinuous", "nonlinear", "query"]]
    enough = fits["n_sizes"] >= MIN_SIZES_VERDICT
    chosen = fits.loc[enough & (fits["excluded"] == ""), ["curve_id", *LEVELS]]
    merged = chosen.merge(axes, on=["task", "metric"], how="left", validate="many_to_one")
    return merged.sort_values("curve_id", ignore_index=True)


def obstacle(curves: pd.DataFrame) -> str:
    """Say why these curves cannot tell a class effect, or nothing."""
    if curves["label"].nunique() < 2:
        return "metrics of one class only" if len(curves) else "no curve with a known class"
    if curves["task"].nunique() < MIN_TASKS:
        return f"fewer than {MIN_TASKS} tasks: their spread would be that of its prior"
    return ""


def make_design(curves: pd.DataFrame, profiles: pd.DataFrame) -> Design:
    """Sort curves into groups.

    Parameters
    ----------
    curves
        From ``modelled_curves``, with ``label``, 1 or 0.
    profiles
        Table ``tables.PROFILES``, with a row for each of these curves and each node.
    """
    queries = tuple(curves["query"].value_counts().sort_index().sort_values(kind="stable").index)
    queries = queries[::-1]
    unit = curves.assign(unit=_number(curves, ["metric", "label", "query"]))
    ordered = unit.sort_values(["task", "family", "unit", "curve_id"], ignore_index=True)
    numbers = {
        "task": _number(ordered, ["task"]),
        "family": _number(ordered, ["family"]),
        "metric": ordered["unit"].to_numpy(np.int64),
    }
    key = np.column_stack(list(numbers.values()))
    first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]).any(axis=1)])
    metrics = ordered.drop_duplicates("unit").sort_values("unit")
    return Design(
        weights=profile_weights(_wide(profiles, ordered["curve_id"])),
        starts=np.append(first, len(ordered)).astype(np.int64),
        nodes=LOG10_WIDTH_NODES * np.log(10.0),
        level={name: number[first] for name, number in numbers.items()},
        label=metrics["label"].to_numpy(float),
        query=np.array([queries.index(q) for q in metrics["query"]], dtype=np.int64),
        queries=queries,
    )


def _number(curves: pd.DataFrame, columns: list[str]) -> NDArray[np.int64]:
    return np.asarray(curves.groupby(columns, sort=True).ngroup(), dtype=np.int64)


def _wide(profiles: pd.DataFrame, curve_id: pd.Series[str]) -> FloatArray:
    """Profiles of these curves, shape (curves, nodes)."""
    wide = profiles.pivot(index="curve_id", columns="log10_width", values="log_marginal")
    return np.ascontiguousarray(wide.loc[curve_id.to_list()].to_numpy(float))


def n_levels(design: Design, name: str) -> int:
    """Count the tasks, families or metrics."""
    return int(design.level[name].max()) + 1


def caution(design: Design) -> str:
    """Say what the data leave to the priors, or nothing."""
    fixed = np.column_stack([np.ones_like(design.label), design.label, *_query_columns(design)])
    if np.linalg.matrix_rank(fixed) < fixed.shape[1]:
        return "class and query coincide: their priors alone tell them apart"
    if min(np.sum(design.label == 0), np.sum(design.label == 1)) == 1:
        return "one metric in a class: priors alone tell its class from itself"
    return ""


def _query_columns(design: Design) -> list[FloatArray]:
    return [(design.query == q).astype(float) for q in range(1, len(design.queries))]
