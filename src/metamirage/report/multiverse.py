"""The specification curve on the page: its figure, its joint test and its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metamirage.base.arrays import FloatArray
from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures.charts import MAX_VECTOR, SKY, VERMILION, styled
from metamirage.report.layouts import Plain, cells
from metamirage.report.results import p_text
from metamirage.report.text import count_of, number, percent, plural
from metamirage.robustness.multiverse import ALL, LEVEL, STATISTICS
from metamirage.robustness.specifications import AXES

# More bins than this are narrower than a line of print.
N_BINS = 60
TITLE = "Would other choices have given another answer?"
AXIS_WORDS = {
    "measure": "measure",
    "scheme": "class 1 is",
    "stratum": "pairs of",
    "metrics": "metrics",
    "family": "family",
    "shots": "shots",
    "subtasks": "subtasks",
    "min_sizes": "sizes at least",
    "min_items": "items at least",
    "floor": "constant curves",
}
EMPTY = (
    "No specification: whatever is chosen, fewer than six tasks have pairs of both classes, and"
    " nothing can be tested."
)


def summary(joint: pd.DataFrame) -> str:
    """Say what the specification curve shows as a whole.

    Parameters
    ----------
    joint
        Table ``findings.MULTIVERSE_JOINT``.
    """
    whole = joint[joint["measure"] == ALL].set_index("statistic").to_dict("index")
    median, predicted, shown = (whole[name] for name in STATISTICS)
    n = int(median["n_specifications"])
    if not n:
        return EMPTY
    return (
        f"{plural(n, 'specification')} of {median['n_possible']:,} distinct ones. Median"
        f" standardised effect {number(median['observed'])} ({p_text(median['p_value'])});"
        f" {percent(predicted['observed'])} point the way the thesis predicts"
        f" ({p_text(predicted['p_value'])}), and {percent(shown['observed'])} do so with p at most"
        f" {LEVEL} by themselves ({p_text(shown['p_value'])}). The three p-values are of the whole"
        f" curve: labels of whole tasks swapped {median['n_swaps']:,} times, in all specifications"
        f" at once. {_by_measure(joint)}"
    )


def _by_measure(joint: pd.DataFrame) -> str:
    medians = joint[(joint["statistic"] == "median_effect") & (joint["measure"] != ALL)]
    said = [
        f"{row['measure']} {number(row['observed'])} ({p_text(row['p_value'])})"
        for row in medians.to_dict("records")
    ]
    return f"Median effect by measure: {', '.join(said)}."


def joint_table(joint: pd.DataFrame) -> Plain:
    """Lay out the joint test, a row a measure."""
    known = joint[joint["observed"].notna()]
    rows = [
        {"measure": name, "n": group["n_specifications"].iloc[0]}
        | {f"observed_{row['statistic']}": row["observed"] for row in group.to_dict("records")}
        | {f"p_value_{row['statistic']}": row["p_value"] for row in group.to_dict("records")}
        for name, group in known.groupby("measure", sort=False)
    ]
    columns = ["measure", "n", *(f"{c}_{s}" for s in STATISTICS for c in ("observed", "p_value"))]
    return Plain(
        caption=(
            "One row is one measure's specifications. Effects are standardised; p-values are of the"
            " row as a whole and not adjusted. width is taken under the prior that all curves of"
            " the benchmark share; width_default, sharp and concentration under that of the fits,"
            " by which the noisier metric seems the sharper one or the duller one without being"
            " so (selfcheck)."
        ),
        columns=(
            "measure", "specifications", "median effect", "p", "share as predicted", "p",
            f"share as predicted with p ≤ {LEVEL}", "p",
        ),
        rows=cells(pd.DataFrame(rows, columns=columns), columns),
        numeric=frozenset(range(1, 8)),
    )  # fmt: skip


def multiverse_exhibit(specifications: pd.DataFrame, joint: pd.DataFrame) -> Exhibit:
    """Draw the specification curve over its choices.

    Parameters
    ----------
    specifications, joint
        Tables ``findings.MULTIVERSE`` and ``findings.MULTIVERSE_JOINT``.
    """
    if specifications.empty:
        return Exhibit("multiverse-figure", TITLE, EMPTY)
    n = len(specifications)
    shown = int((specifications["p_value"] <= LEVEL).sum())
    outside = specifications["effect"] > specifications["null_high"]
    told = (
        f"{count_of(shown, n)} have p at most {LEVEL}; {count_of(int(outside.sum()), n)} lie above"
        " the band"
    )
    return Exhibit(
        "multiverse-figure",
        TITLE,
        "Above, all specifications by standardised effect (mean over root mean square of the task"
        " differences; above zero is what the thesis of 2023 predicts), red where p is at most"
        f" {LEVEL}; the band holds 95 % of such curves under swapped labels, rank by rank. {told}."
        " Below, which choices they make: white where none of the specifications above makes it,"
        " black where twice the usual share do. A choice that darkens towards one end moves the"
        " answer. Neighbours share data and are no independent results. S has its own"
        " noise under each metric, so its swaps are not exact, and it is left out below five sizes."
        f" Seed {joint['seed'].iloc[0]}.",
        f"Specification curve. {told}.",
        embedded(draw_multiverse(specifications)),
    )


def draw_multiverse(specifications: pd.DataFrame) -> Figure:
    """Draw effects in their order above, and their choices below."""
    ordered = specifications.sort_values("effect", kind="stable", ignore_index=True)
    choices = _choices(ordered)
    with styled():
        figure = Figure(figsize=(7.6, 2.6 + 0.17 * len(choices)), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 0.17 * len(choices)])
        _draw_effects(above, ordered)
        _draw_choices(below, ordered, choices)
    return figure


def _choices(ordered: pd.DataFrame) -> list[tuple[str, str]]:
    """Axes and choices that vary, in the order of the axes."""
    return [
        (axis, str(choice))
        for axis in ("measure", *AXES)
        if ordered[axis].nunique() > 1
        for choice in sorted(ordered[axis].unique(), key=_natural)
    ]


def _natural(choice: str) -> tuple[bool, float, str]:
    return choice.isdigit(), float(choice) if choice.isdigit() else 0.0, choice


def _draw_effects(axis: Axes, ordered: pd.DataFrame) -> None:
    place = np.arange(len(ordered))
    ends = ordered["null_low"].to_numpy(float), ordered["null_high"].to_numpy(float)
    pixels = len(ordered) > MAX_VECTOR
    band: dict[str, Any] = {"color": "0.85", "lw": 0, "rasterized": pixels}
    axis.fill_between(place, *ends, label="95 % under swapped labels", **band)
    axis.axhline(0, color="0.35", linestyle=":", linewidth=1)
    small = (ordered["p_value"] <= LEVEL).to_numpy(bool)
    style: dict[str, Any] = {"s": 7, "linewidths": 0, "rasterized": pixels}
    effect = ordered["effect"].to_numpy(float)
    for here, colour, name in (
        (~small, SKY, f"p > {LEVEL}"),
        (small, VERMILION, f"p ≤ {LEVEL}"),
    ):
        axis.scatter(place[here], effect[here], color=colour, label=name, **style)
    axis.set_ylabel("standardised effect")
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.3)


def _draw_choices(axis: Axes, ordered: pd.DataFrame, choices: list[tuple[str, str]]) -> None:
    edges = np.linspace(0, len(ordered), min(len(ordered), N_BINS) + 1)
    heat = [crowding(ordered[name] == choice, edges) for name, choice in choices]
    rows = np.arange(len(choices) + 1) - 0.5
    axis.pcolormesh(edges, rows, heat, cmap="Greys", vmin=0, vmax=2, rasterized=True)
    words = [f"{AXIS_WORDS[name]} {choice}" for name, choice in choices]
    axis.set_yticks(range(len(choices)), words, fontsize=7.5)
    axis.set(ylim=(len(choices) - 0.4, -0.6), xlabel="specifications, by effect")


def crowding(chosen: pd.Series, edges: FloatArray) -> FloatArray:
    """Share of the specifications in each bin that make a choice, over its share in all.

    Parameters
    ----------
    chosen
        Boolean, in the order of the effects.
    edges
        Shape (bins + 1,): from 0 to the number of specifications.
    """
    counted = np.histogram(np.flatnonzero(chosen.to_numpy(bool)) + 0.5, edges)[0]
    of_all = np.histogram(np.arange(len(chosen)) + 0.5, edges)[0]
    return np.asarray(counted / of_all / chosen.mean(), dtype=np.float64)


def sentences(specifications: pd.DataFrame, joint: pd.DataFrame) -> Mapping[str, str]:
    """Return the sentences of the section, by their name in the template."""
    return {"multiverse": summary(joint), "reference": reference(specifications)}


def reference(specifications: pd.DataFrame) -> str:
    """Say where the specification of the tests stands among all others."""
    first = (
        (specifications["measure"] == "width")
        & (specifications["threshold"] == "")
        & (specifications["scheme"] == "discontinuous")
        & (specifications["stratum"] == "same outputs")
        & (specifications[["metrics", "family", "shots", "subtasks"]] == ALL).all(axis=1)
        & (specifications["min_sizes"] == "5")
        & (specifications["min_items"] == "0")
        & (specifications["floor"] == "kept")
    )
    if not first.any():
        return ""
    row = specifications[first].iloc[0]
    lower = int((specifications["effect"] < row["effect"]).sum())
    return (
        f"The choices of H2 give the effect {number(row['effect'])} ({p_text(row['p_value'])});"
        f" {count_of(lower, len(specifications))} specifications give a smaller one."
    )
