"""The forest plot of the overview: the two primary estimates by benchmark, and pooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metamirage.base.vocabulary import SAME_OUTPUTS
from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures.charts import BLACK, BLUE, ORANGE, styled
from metamirage.report.results import H2_ROW, H4_ROW
from metamirage.report.text import number, plural

TITLE = "Do the benchmarks agree?"
# Claim of the primary family: words of its axis.
CLAIMS = {
    "H2": (H2_ROW, "narrower under the discontinuous\nmetric, log10 decades"),
    "H4": (H4_ROW, "gain of the forecast through the\npartner, nats"),
}
POOLED = "pooled"
# An estimate without an interval is drawn across this much of its axis.
MARGIN = 0.25


class Forest(NamedTuple):
    """Estimates of one hypothesis.

    Parameters
    ----------
    hypothesis, axis
        Name, and words of the horizontal axis.
    rows
        One row a benchmark and, if there is one, the pooled one last: ``benchmark``, ``estimate``,
        ``lower``, ``upper``, ``n_tasks``.
    """

    hypothesis: str
    axis: str
    rows: pd.DataFrame


def make_forests(concentration: Mapping[str, pd.DataFrame], pooled: pd.DataFrame) -> list[Forest]:
    """Collect the primary estimates on the same outputs, where two benchmarks have one.

    Parameters
    ----------
    concentration
        Tables by benchmark.
    pooled
        The table over benchmarks; may be empty.
    """
    tables = [table.assign(benchmark=name) for name, table in concentration.items()]
    every = pd.concat([*tables, pooled.assign(benchmark=POOLED)], ignore_index=True)
    forests = []
    for hypothesis, (wanted, axis) in CLAIMS.items():
        rows = every[every["estimate"].notna()]
        for column, value in (wanted | {"stratum": SAME_OUTPUTS}).items():
            rows = rows[rows[column] == value]
        if (rows["benchmark"] != POOLED).sum() >= 2:
            columns = ["benchmark", "estimate", "lower", "upper", "n_tasks"]
            forests.append(Forest(hypothesis, axis, rows[columns].reset_index(drop=True)))
    return forests


def forest_exhibit(concentration: Mapping[str, pd.DataFrame], pooled: pd.DataFrame) -> Exhibit:
    """Forest plot of H2 and H4 over benchmarks; arguments as in ``make_forests``."""
    forests = make_forests(concentration, pooled)
    if not forests:
        why = "Fewer than two benchmarks have an estimate on the same outputs: nothing to compare."
        return Exhibit("forest", TITLE, why)
    told = "; ".join(_told(forest) for forest in forests)
    return Exhibit(
        "forest",
        TITLE,
        "Each row is one benchmark's estimate on the same outputs with its 95 % interval; right of"
        " zero is what the thesis of 2023 predicts. A dashed line without ends is an estimate from"
        f" too few tasks for an interval. {_pooled_words(forests)} {told}. Estimates on both sides"
        " of zero would leave no common answer, whatever their mean.",
        f"Forest plot. {told}.",
        embedded(draw_forests(forests)),
    )


def _pooled_words(forests: list[Forest]) -> str:
    if not any((forest.rows["benchmark"] == POOLED).any() for forest in forests):
        return "Nothing is pooled: fewer than two published benchmarks have three tasks with pairs."
    return (
        "The diamond pools published benchmarks with three tasks or more by random effects; those"
        " that share tasks count as independent there, which makes it too narrow."
    )


def _told(forest: Forest) -> str:
    said = [
        f"{row['benchmark']} {number(row['estimate'])} ({_ends(row)})"
        for row in forest.rows.to_dict("records")
    ]
    return f"{forest.hypothesis}: {', '.join(said)}"


def _ends(row: Mapping[Any, Any]) -> str:
    tasks = plural(row["n_tasks"], "task")
    if _is_bounded(row):
        return f"{number(row['lower'])} to {number(row['upper'])}, {tasks}"
    return f"no interval, {tasks}"


def _is_bounded(row: Mapping[Any, Any]) -> bool:
    return bool(np.isfinite(row["lower"]) and np.isfinite(row["upper"]))


def draw_forests(forests: list[Forest]) -> Figure:
    """Draw one panel a hypothesis."""
    most = max(len(forest.rows) for forest in forests)
    with styled():
        figure = Figure(figsize=(4.4 * len(forests), 1.3 + 0.36 * most), layout="constrained")
        axes = figure.subplots(1, len(forests), squeeze=False)[0]
        for axis, forest in zip(axes, forests, strict=True):
            _draw_forest(axis, forest)
    return figure


def _draw_forest(axis: Axes, forest: Forest) -> None:
    rows = forest.rows
    seen = rows[["estimate", "lower", "upper"]].to_numpy(float)
    ends = np.append(seen[np.isfinite(seen)], 0.0)
    pad = MARGIN * max(float(np.ptp(ends)), 1e-9)
    low, high = float(ends.min()) - pad, float(ends.max()) + pad
    axis.axvline(0, color="0.35", linestyle=":", linewidth=1, zorder=0)
    for place, row in enumerate(rows.to_dict("records")):
        known = _is_bounded(row)
        reach = (row["lower"], row["upper"]) if known else (low, high)
        axis.plot(reach, (place, place), "-" if known else "--", color=BLACK, linewidth=1.2)
        marker, colour = ("D", ORANGE) if row["benchmark"] == POOLED else ("o", BLUE)
        axis.plot(row["estimate"], place, marker, color=colour, markeredgecolor=BLACK, markersize=7)
    names = [f"{name} ({n:,})" for name, n in zip(rows["benchmark"], rows["n_tasks"], strict=True)]
    axis.set_yticks(range(len(rows)), names)
    axis.set(xlim=(low, high), ylim=(len(rows) - 0.4, -0.6), xlabel=forest.axis)
    axis.set_title(f"{forest.hypothesis}, benchmark (tasks)", fontsize=9.5, loc="left")
