"""The figure of the hierarchical model: the class effect, and where the widths differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from metamirage.report.figures.charts import BLACK, BLUE, GREEN, ORANGE, styled

PRIOR_COLOURS = {"default": BLACK, "smooth": BLUE, "sharp": ORANGE}
PRIOR_MARKERS = {"default": "o", "smooth": "s", "sharp": "^"}
SHARES = {"metric": "metrics", "task": "tasks", "family": "families", "curve": "curves of one kind"}
_RATIO_TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10)


def draw_hierarchy(table: pd.DataFrame) -> Figure:
    """Ratio of widths by class scheme and prior, and the shares of variance by scheme.

    Parameters
    ----------
    table
        Rows of ``findings.HIERARCHY`` with an estimate.
    """
    with styled():
        figure = Figure(figsize=(8.6, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
        _draw_ratios(left, table[table["parameter"] == "ratio"])
        shares = table[table["parameter"].str.startswith("share_") & (table["prior"] == "default")]
        _draw_shares(right, shares)
    return figure


def _draw_ratios(axis: Axes, ratios: pd.DataFrame) -> None:
    schemes = list(dict.fromkeys(ratios["scheme"]))
    for i, (prior, colour) in enumerate(PRIOR_COLOURS.items()):
        rows = ratios[ratios["prior"] == prior]
        at = np.array([schemes.index(s) for s in rows["scheme"]]) + 0.22 * (i - 1)
        axis.hlines(at, rows["lower"], rows["upper"], color=colour, linewidth=1.6)
        axis.plot(
            rows["estimate"], at, PRIOR_MARKERS[prior], color=colour, markeredgecolor="black",
            markeredgewidth=0.5, markersize=6, label=prior,
        )  # fmt: skip
    axis.axvline(1, color="0.35", linestyle=":", linewidth=1, zorder=0)
    axis.set(xscale="log", xlabel="width, class 1 over class 0")
    low, high = axis.get_xlim()
    axis.set_xticks([t for t in _RATIO_TICKS if low <= t <= high])
    axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(range(len(schemes)), schemes)
    axis.set_ylim(len(schemes) - 0.5, -0.5)
    axis.legend(
        title="prior of the average", loc="lower left", bbox_to_anchor=(0, 1), ncols=3,
        frameon=False, fontsize=8, title_fontsize=8, handletextpad=0.2, columnspacing=0.8,
    )  # fmt: skip


def _draw_shares(axis: Axes, shares: pd.DataFrame) -> None:
    scheme = shares["scheme"].iloc[0]
    rows = shares[shares["scheme"] == scheme].set_index("parameter")
    names = [name for name in SHARES if f"share_{name}" in rows.index]
    known = rows.loc[[f"share_{name}" for name in names]]
    at = np.arange(len(names))
    axis.barh(at, known["estimate"], color=GREEN, edgecolor="black", linewidth=0.6, height=0.6)
    axis.hlines(at, known["lower"], known["upper"], color="black", linewidth=1.4)
    axis.set_yticks(at, [SHARES[name] for name in names])
    axis.set(xlim=(0, 1), xlabel=f"share of variance, classes: {scheme}")
    axis.invert_yaxis()
