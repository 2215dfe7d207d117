"""What the hierarchical model is about: which curves, in which groups, and what they can tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_SIZES_VERDICT, MIN_TASKS
from metamirage.fitting.priors import LOG10_WIDTH_NODES
from metamirage.robustness.hierarchy.density import Data, Layout
from metamirage.robustness.hierarchy.width_mixture import cell_edges, profile_weights

LEVELS = ("task", "family", "metric")
LOG_WIDTH_NODES = LOG10_WIDTH_NODES * np.log(10.0)
# Levels whose curves know their effect this many times better than its prior does are sampled as
# they are, others as multiples of their spread (Betancourt and Girolami 2013, arXiv:1312.0906).
# GPT-3's metrics (5) gain four times the effective draws; on invented tables of 200 curves (1 to 3)
# one transition in thirty would diverge.
CENTRED_FROM = 4.0
# About the scatter that curves of one level have beside what their profiles leave open.
USUAL_SCATTER = 0.5


class Counts(NamedTuple):
    """How many there are of each."""

    n_curves: int
    n_tasks: int
    n_families: int
    n_metrics: int


class Design(NamedTuple):
    """Curves in the order of their groups, and what each group and metric is.

    A metric is a name within one class and one query; a group holds the curves of one task, family
    and metric. The first of ``queries`` is the one with most curves.
    """

    data: Data
    layout: Layout
    queries: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        """Numbers of curves, tasks, families and metrics."""
        shape = self.layout
        n_curves = len(self.data.weights)
        return Counts(n_curves, shape.n_tasks, shape.n_families, shape.n_metrics)


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
    # By name where two have as many curves: the order must not hang on that of the rows.
    queries = tuple(curves["query"].value_counts().sort_index().sort_values(kind="stable").index)
    queries = queries[::-1]
    unit = curves.assign(unit=_number(curves, ["metric", "label", "query"]))
    ordered = unit.sort_values(["task", "family", "unit", "curve_id"], ignore_index=True)
    level = {
        "task": _number(ordered, ["task"]),
        "family": _number(ordered, ["family"]),
        "metric": ordered["unit"].to_numpy(np.int64),
    }
    key = np.column_stack(list(level.values()))
    first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]).any(axis=1)])
    weights = profile_weights(_wide(profiles, ordered["curve_id"]))
    metrics = ordered.drop_duplicates("unit").sort_values("unit")
    data = Data(
        weights=weights,
        starts=np.append(first, len(ordered)).astype(np.int64),
        edges=cell_edges(LOG_WIDTH_NODES),
        **{name: number[first] for name, number in level.items()},
        side=metrics["label"].to_numpy(float) - 0.5,
        query=np.array([queries.index(q) for q in metrics["query"]], dtype=np.int64),
    )
    return Design(data, _layout(weights, level, data.side, len(queries)), queries)


def _number(curves: pd.DataFrame, columns: list[str]) -> NDArray[np.int64]:
    return np.asarray(curves.groupby(columns, sort=True).ngroup(), dtype=np.int64)


def _wide(profiles: pd.DataFrame, curve_id: pd.Series[str]) -> FloatArray:
    """Profiles of these curves, shape (curves, nodes)."""
    wide = profiles.pivot(index="curve_id", columns="log10_width", values="log_marginal")
    return np.ascontiguousarray(wide.loc[curve_id.to_list()].to_numpy(float))


def _layout(
    weights: FloatArray, level: dict[str, NDArray[np.int64]], side: FloatArray, n_queries: int
) -> Layout:
    shares = weights / weights.sum(axis=1, keepdims=True)
    mean = shares @ LOG_WIDTH_NODES
    known = 1 / (shares @ LOG_WIDTH_NODES**2 - mean**2 + USUAL_SCATTER**2)
    sort = {name: np.zeros(of.max() + 1, dtype=np.int64) for name, of in level.items()}
    # A metric is compared within its class, whose effect is not the metrics' spread.
    sort["metric"] = (side > 0).astype(np.int64)
    centred = {
        name: reliability(mean, known, of, sort[name]) > CENTRED_FROM for name, of in level.items()
    }
    return Layout(
        n_queries=n_queries,
        n_metrics=int(level["metric"].max()) + 1,
        n_tasks=int(level["task"].max()) + 1,
        n_families=int(level["family"].max()) + 1,
        metric_centred=centred["metric"],
        task_centred=centred["task"],
        family_centred=centred["family"],
    )


def reliability(
    mean: FloatArray, known: FloatArray, level: NDArray[np.int64], sort: NDArray[np.int64]
) -> float:
    """How much better a typical level's curves know its effect than the spread of levels does.

    Parameters
    ----------
    mean, known
        Of each curve: its log width, and the inverse variance of that.
    level
        Of each curve.
    sort
        Of each level: levels of one sort spread about one mean.
    """
    total = np.bincount(level, known)
    of_level = np.bincount(level, known * mean) / total
    of_sort = np.bincount(sort, total * of_level) / np.bincount(sort, total)
    squares = np.sum(total * (of_level - of_sort[sort]) ** 2)
    # Less what levels without any spread would show.
    spread = max(0.0, squares - (len(total) - len(of_sort))) / total.sum()
    return float(np.median(total) * spread)


def caution(design: Design) -> str:
    """Say what the data leave to the priors, or nothing."""
    side, query = design.data.side, design.data.query
    others = [(query == q).astype(float) for q in range(1, len(design.queries))]
    fixed = np.column_stack([np.ones_like(side), side, *others])
    if np.linalg.matrix_rank(fixed) < fixed.shape[1]:
        return "class and query coincide: their priors alone tell them apart"
    if min(np.sum(side < 0), np.sum(side > 0)) == 1:
        return "one metric in a class: priors alone tell its class from itself"
    return ""
