"""The specifications of the multiverse: what could have been measured, on which pairs.

An axis is a choice that an analyst makes: which metrics count as discontinuous, which pairs are
compared, which curves are long enough. A filter takes one choice on every axis; a specification is
a filter and a measure of sharpness. Choices that the tables do not hold are no axes here: another
size than parameters, labels of emergence by hand, and a scan statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_TASKS
from metamirage.base.vocabulary import BLOCK, SAME_MODEL, SAME_OUTPUTS
from metamirage.curves.classes import SCHEMES, classify
from metamirage.curves.pairs import join_blocks
from metamirage.hypotheses.h1_population import HEADLINE_SCHEME, is_headline
from metamirage.hypotheses.shared_width_prior import KNOWN, known_of_both

Mask = NDArray[np.bool_]

# All are oriented: larger is sharper. The second word is the threshold, empty for none.
# ASSUME: S counts as emergent from 100 on, as in the 2023 paper, and from the reference of a flat
# curve of the same sizes and items; where it is undefined, nothing moved.
# Widths are taken under the prior that all curves share and, without a threshold, weighed by what
# both curves tell of them, as H2 does. Those under the prior of
# the fits, which pulls the noisier metric more, stay beside them as width_default; sharp and
# concentration have no other.
MEASURES: dict[tuple[str, str], Callable[[pd.DataFrame], pd.Series]] = {
    ("width", ""): lambda t: -t["log10_width_own"],
    ("width", "1 decade"): lambda t: t["log10_width_own"] < 0,
    ("width", "0.5 decades"): lambda t: t["log10_width_own"] < np.log10(0.5),
    ("width_default", ""): lambda t: -t["log10_width_mean"],
    ("sharp", ""): lambda t: t["p_sharp"],
    ("sharp", "verdict"): lambda t: t["verdict"] == "SHARP",
    ("concentration", ""): lambda t: t["concentration_index"],
    ("concentration", "0.5"): lambda t: t["concentration_index"] > 0.5,
    ("concentration", "0.8"): lambda t: t["concentration_index"] > 0.8,
    ("bayes_factor", ""): lambda t: t["log10_bf_sigmoid_linear"],
    ("bayes_factor", "3"): lambda t: t["log10_bf_sigmoid_linear"] > np.log10(3),
    ("bayes_factor", "10"): lambda t: t["log10_bf_sigmoid_linear"] > 1,
    ("discontinuity", ""): lambda t: t["discontinuity"],
    ("discontinuity", "0.1"): lambda t: t["discontinuity"] > 0.1,
    ("S", "100"): lambda t: t["breakthroughness"] > 100,
    ("S", "flat reference"): lambda t: t["breakthroughness"] > t["null_q95"],
}
WEIGHTED = np.array([measure == ("width", "") for measure in MEASURES])
AXES = ("scheme", "stratum", "metrics", "family", "shots", "subtasks", "min_sizes", "min_items",
        "floor")  # fmt: skip
ALL = "all"
MIN_SIZES_CHOICES, MIN_ITEMS_CHOICES = (5, 3, 8), (0, 100, 250)
# The largest families, by pairs, that are looked at alone.
N_FAMILIES = 4
SHOTS_CHOICES = (0, 3)


@dataclass(frozen=True)
class Pairs:
    """Pairs of curves with what every axis asks of them.

    Parameters
    ----------
    table
        One row a pair, by task and block: ``pairs.BLOCK``, ``scheme``, ``stratum``, ``preferred``,
        ``n_sizes`` and ``items`` (the smaller of the two), ``moves`` (neither curve is constant).
    differences
        Shape (pairs, measures): class 1 minus class 0, missing where a measure is.
    weights
        Shape (pairs, measures): what a pair counts; one but under ``WEIGHTED``.
    block, task
        Shape (pairs,), integers that do not fall.
    """

    table: pd.DataFrame
    differences: FloatArray
    weights: FloatArray
    block: NDArray[np.int64]
    task: NDArray[np.int64]


def measure_curves(
    fits: pd.DataFrame, scores: pd.DataFrame, forecasts: pd.DataFrame, tags: pd.DataFrame
) -> pd.DataFrame:
    """Join what the measures and axes need of every curve that is not left out of the tests.

    Parameters
    ----------
    fits, scores, forecasts, tags
        Tables of one benchmark.

    Returns
    -------
    pandas.DataFrame
        One row a curve: fits, the scores' ``breakthroughness``, ``null_q95`` and ``range``, the
        forecasts' ``discontinuity`` and the tags' axes.
    """
    largest = (forecasts["n_left_out"] == 1) & (forecasts["target"] == 1)
    stepped = forecasts.loc[
        largest & (forecasts["predictor"] == "two_point"), ["curve_id", "discontinuity"]
    ]
    published = scores[["curve_id", "breakthroughness", "null_q95", "range"]]
    axes = tags[["task", "metric", "discontinuous", "nonlinear", "query"]]
    return (
        fits[fits["excluded"] == ""]
        .merge(published, on="curve_id", how="left", validate="one_to_one")
        .merge(stepped, on="curve_id", how="left", validate="one_to_one")
        .merge(axes, on=["task", "metric"], how="left", validate="many_to_one")
        .sort_values("curve_id", ignore_index=True)
    )


def pair_curves(curves: pd.DataFrame, *, preferred: pd.DataFrame) -> Pairs:
    """Pair the curves of both classes under every scheme.

    Parameters
    ----------
    curves
        From ``measure_curves``, with ``items`` and what ``own_prior.add_own_widths`` adds.
    preferred
        ``task`` and ``metric`` that its authors judge by.
    """
    measured = _measured(curves)
    labels = {scheme: classify(curves, scheme) for scheme in SCHEMES}
    labels[HEADLINE_SCHEME] = pd.Series(is_headline(curves).astype(float), index=curves.index)
    parts = [
        join_blocks(measured[label == 1], measured[label == 0]).assign(scheme=scheme)
        for scheme, label in labels.items()
    ]
    order = [*BLOCK, "scheme", "curve_id_1", "curve_id_0"]
    pairs = pd.concat(parts).sort_values(order, ignore_index=True)
    judged = set(preferred[["task", "metric"]].itertuples(index=False, name=None))
    sides = [list(zip(pairs["task"], pairs[f"metric_{i}"], strict=True)) for i in (1, 0)]
    # In order of appearance, which the sort above made contiguous.
    block, task = (
        pairs.groupby(keys, dropna=False, sort=False).ngroup().to_numpy().astype(np.int64)
        for keys in (list(BLOCK), ["task"])
    )
    return Pairs(
        pairs.assign(
            preferred=[one in judged or zero in judged for one, zero in zip(*sides, strict=True)],
            n_sizes=pairs[["n_sizes_1", "n_sizes_0"]].min(axis=1),
            items=pairs[["items_1", "items_0"]].min(axis=1, skipna=False),
            moves=pairs["moves_1"] & pairs["moves_0"],
        ),
        np.column_stack([_difference(pairs, i) for i in range(len(MEASURES))]),
        np.where(WEIGHTED, known_of_both(pairs).to_numpy(float)[:, None], 1.0),
        block,
        task,
    )


def _measured(curves: pd.DataFrame) -> pd.DataFrame:
    columns = {f"m{i}": m(curves).astype(float) for i, m in enumerate(MEASURES.values())}
    kept = curves[["curve_id", *BLOCK, "metric", "query", "n_sizes", "items", KNOWN]]
    return kept.assign(moves=curves["range"] > 0, **columns)


def _difference(pairs: pd.DataFrame, i: int) -> FloatArray:
    return (pairs[f"m{i}_1"] - pairs[f"m{i}_0"]).to_numpy(float)


def axis_masks(pairs: Pairs) -> dict[str, dict[str, Mask]]:
    """Say for each axis and choice which pairs it admits; the first choice is that of the tests."""
    table = pairs.table
    every: Mask = np.ones(len(table), dtype=np.bool_)
    largest = table.groupby(
        ["task", "subtask", "family", "scheme", "metric_1", "metric_0"], dropna=False
    )["n_shots"].transform("max")
    shots = {str(k): _mask(table["n_shots"] == k) for k in SHOTS_CHOICES}
    strata = {name: _mask(table["stratum"] == name) for name in (SAME_OUTPUTS, SAME_MODEL)}
    return {
        "scheme": {s: _mask(table["scheme"] == s) for s in (*SCHEMES, HEADLINE_SCHEME)},
        "stratum": strata | {"both": every},
        "metrics": {ALL: every, "preferred": _mask(table["preferred"])},
        "family": {ALL: every} | _family_masks(table),
        "shots": {ALL: every, "most": _mask(table["n_shots"] == largest)} | shots,
        "subtasks": {
            ALL: every,
            "aggregate": _mask(table["subtask"] == ""),
            "leaf": _mask(table["subtask"] != "") | ~_has_subtasks(table),
        },
        "min_sizes": {str(n): _mask(table["n_sizes"] >= n) for n in MIN_SIZES_CHOICES},
        # Unknown items are enough only where none are asked for.
        "min_items": {str(n): _mask(table["items"] >= n) if n else every
                      for n in MIN_ITEMS_CHOICES},
        "floor": {"kept": every, "dropped": _mask(table["moves"])},
    }  # fmt: skip


def _mask(values: pd.Series) -> Mask:
    return values.fillna(value=False).to_numpy(dtype=np.bool_)


def _family_masks(table: pd.DataFrame) -> dict[str, Mask]:
    counts = table["family"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {str(name): _mask(table["family"] == name) for name in counts.index[:N_FAMILIES]}


def _has_subtasks(table: pd.DataFrame) -> Mask:
    return _mask((table["subtask"] != "").groupby(table["task"]).transform("any"))


def filters(
    masks: Mapping[str, Mapping[str, Mask]], task: NDArray[np.int64]
) -> Iterator[tuple[str, ...]]:
    """Go through the filters that admit enough tasks, each set of pairs once.

    Where several filters admit the same pairs, the one with the earlier choices stands for them: a
    specification counts once.

    Parameters
    ----------
    masks
        From ``axis_masks``.
    task
        Shape (pairs,).

    Yields
    ------
    tuple of str
        One choice an axis.
    """
    # Digests, since the sets themselves are gigabytes on a large benchmark.
    seen: set[bytes] = set()
    every = np.ones(len(task), dtype=np.bool_)
    for choices, mask in _product(list(masks.values()), (), every):
        digest = blake2b(np.packbits(mask).tobytes(), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            if np.count_nonzero(np.diff(task[mask])) + 1 >= MIN_TASKS:
                yield choices


def admitted(masks: Mapping[str, Mapping[str, Mask]], choices: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the pairs that one choice an axis admits."""
    chosen = [axis[name] for axis, name in zip(masks.values(), choices, strict=True)]
    return np.flatnonzero(np.logical_and.reduce(chosen))


def _product(
    axes: Sequence[Mapping[str, Mask]], choices: tuple[str, ...], mask: Mask
) -> Iterator[tuple[tuple[str, ...], Mask]]:
    if not mask.any():
        return
    if not axes:
        yield choices, mask
        return
    for name, allowed in axes[0].items():
        yield from _product(axes[1:], (*choices, name), mask & allowed)


def task_differences(pairs: Pairs, rows: NDArray[np.int64], n_tasks: int) -> FloatArray:
    """Average chosen pairs by block and then by task, for every measure.

    Returns
    -------
    FloatArray
        Shape (n_tasks, measures); missing where a task has no pair with the measure. A task's
        difference comes times its weight over the mean weight of all tasks, so that the mean over
        tasks is the weighted one.
    """
    values, weights = pairs.differences[rows], pairs.weights[rows]
    by_task, starts = _by_task(values * weights, pairs, rows)
    weight, _ = _by_task(np.where(np.isfinite(values), weights, np.nan), pairs, rows)
    scale = np.nansum(weight, axis=0) / np.maximum(np.isfinite(weight).sum(axis=0), 1)
    found = np.full((n_tasks, by_task.shape[1]), np.nan)
    found[starts] = by_task / np.where(scale > 0, scale, 1.0)
    return found


def _by_task(
    values: FloatArray, pairs: Pairs, rows: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Means over the tasks of chosen pairs, and which tasks these are."""
    by_block, block_rows = _means(values, pairs.block[rows])
    by_task, task_rows = _means(by_block, pairs.task[rows][block_rows])
    return by_task, pairs.task[rows][block_rows][task_rows]


def _means(values: FloatArray, group: NDArray[np.int64]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Means over runs of equal group numbers, and where each run starts."""
    starts = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    count = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    means: Any = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means, starts
