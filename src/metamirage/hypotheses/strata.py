"""Strata of the population test: which tasks may swap the class of their metrics.

Labels move between tasks that are asked alike, whose authors judge by a metric that asks alike, and
that have about as many items. The preferred metric enters by its query and not by its name: a name
fixes the class, so nothing would be left to compare within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.thresholds import MIN_UNITS
from metamirage.base.vocabulary import CURVE_KEY

# From the finest to the coarsest. Dropping the last key first keeps what most fixes a metric.
LEVELS = (("query", "preferred_query", "items_third"), ("query", "preferred_query"), ("query",))
WORDS = {
    "query": "query",
    "preferred_query": "query of the preferred metric",
    "items_third": "third of items",
}
# ASSUME: strata are as fine as they can be while four in five of the values comparable within
# query stay comparable: a finer split of a small benchmark would drop most of it.
KEPT_SHARE = 0.8
UNSTATED, SEVERAL, UNKNOWN = "unstated", "several", "unknown"


@dataclass(frozen=True)
class Strata:
    """A partition of values of tasks.

    Parameters
    ----------
    code
        Shape (u,): stratum of each value.
    keys
        Columns that make the strata.
    n_informative
        Strata with values of both classes; the others carry no information.
    n_all
        All strata.
    """

    code: NDArray[np.int64]
    keys: tuple[str, ...]
    n_informative: int
    n_all: int

    def described(self) -> str:
        """Name the keys."""
        return ", ".join(WORDS[key] for key in self.keys)

    def note(self) -> str:
        """Say how many strata are informative."""
        return f"{self.n_informative} of {self.n_all} strata hold both classes"


def describe_curves(
    curves: pd.DataFrame, *, tidy: pd.DataFrame, tags: pd.DataFrame
) -> pd.DataFrame:
    """Add what the published scores say of each curve's sizes, items and task.

    Parameters
    ----------
    curves
        Fits of one benchmark.
    tidy, tags
        Tables of the same benchmark.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``span_decades`` (largest over smallest size), ``items`` (median over the
        sizes, may be missing), ``preferred_query`` (of the task's preferred metric, ``unstated`` or
        ``several``) and ``items_third`` (of the task's median among all tasks here: 0, 1, 2 or
        ``unknown``).
    """
    sizes = tidy.groupby(list(CURVE_KEY), dropna=False)
    known = sizes.agg(
        low=("n_params", "min"), high=("n_params", "max"), items=("n_samples", "median")
    ).reset_index()
    known["span_decades"] = np.log10(known["high"] / known["low"])
    kept = known[[*CURVE_KEY, "span_decades", "items"]]
    found = curves.merge(kept, on=list(CURVE_KEY), how="left", validate="one_to_one")
    found["items"] = found["items"].astype(float)
    preferred = _preferred_queries(tidy, tags)
    thirds = _thirds(found.groupby("task")["items"].median())
    return found.assign(
        preferred_query=[preferred.get(task, UNSTATED) for task in found["task"]],
        items_third=[thirds.get(task, UNKNOWN) for task in found["task"]],
    )


def _preferred_queries(tidy: pd.DataFrame, tags: pd.DataFrame) -> dict[str, str]:
    named = tidy.loc[tidy["is_preferred"].eq(True).fillna(False), ["task", "metric"]]
    asked = named.drop_duplicates().merge(tags[["task", "metric", "query"]], on=["task", "metric"])
    return {
        str(task): queries.iloc[0] if queries.nunique() == 1 else SEVERAL
        for task, queries in asked.groupby("task")["query"]
    }


def _thirds(items: pd.Series) -> dict[str, str]:
    known = items.dropna()
    if known.empty:
        return {}
    ends = np.quantile(known, [1 / 3, 2 / 3])
    return dict(zip(known.index, np.searchsorted(ends, known).astype(str), strict=True))


def choose_strata(units: pd.DataFrame) -> Strata:
    """Choose the finest strata that leave enough to compare.

    The choice looks at classes and strata and never at the values, and labels that move within a
    stratum do not change it: the test stays exact.

    Parameters
    ----------
    units
        One row a value: ``label`` and the columns of ``LEVELS``.
    """
    found = [_partition(units, keys) for keys in LEVELS]
    coarsest = _comparable(units, found[-1])
    for strata in found[:-1]:
        here = _comparable(units, strata)
        both = min((units.loc[here, "label"] == 1).sum(), (units.loc[here, "label"] == 0).sum())
        if both >= MIN_UNITS and here.sum() >= KEPT_SHARE * coarsest.sum():
            return strata
    return found[-1]


def _partition(units: pd.DataFrame, keys: tuple[str, ...]) -> Strata:
    names = units[list(keys)].astype(str).agg("\x1f".join, axis=1).to_numpy(str)
    code = np.unique(names, return_inverse=True)[1].astype(np.int64)
    n_classes = units["label"].groupby(code).nunique()
    return Strata(code, keys, int((n_classes > 1).sum()), len(n_classes))


def _comparable(units: pd.DataFrame, strata: Strata) -> NDArray[np.bool_]:
    return (units["label"].groupby(strata.code).transform("nunique") > 1).to_numpy(bool)
