"""Figures of the report: data in, matplotlib figure out. Nothing here reads or decides.

Class of metric is told by colour and by shape, so that the figures survive greyscale print. Colours
are those of Okabe and Ito (2008), chosen to be told apart by colour-blind readers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import SHARP_WIDTH, SMOOTH_WIDTH
from metamirage.base.vocabulary import VERDICTS
from metamirage.forecasting.predictives import rank_histogram

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00",
)  # fmt: skip
# Class of a metric by its tag `discontinuous`: the word of the page, colour, marker.
CLASSES = {"yes": "discontinuous", "no": "not discontinuous", "unknown": "unknown"}
PALETTE = {"discontinuous": VERMILION, "not discontinuous": SKY, "unknown": BLACK}
MARKERS = {"discontinuous": "s", "not discontinuous": "o", "unknown": "^"}
HATCHES = {"discontinuous": "", "not discontinuous": "///", "unknown": "..."}
BAND_STYLE: dict[Any, Any] = {"sigmoid": (BLUE, "-"), "linear": (ORANGE, "--")}
# Past this many points a figure stores them as pixels: a vector each would outweigh the page.
MAX_VECTOR = 250
PIXELS_PER_INCH = 150
# Past this many curves their intervals hide each other.
MAX_WHISKERS = 120
# A hundredth of a point can't be seen, and further digits are a third of a drawing's bytes.
_COORDINATES = re.compile(rb' (?:d|x|y)="[^"]*"')
_LONG_FRACTION = re.compile(rb"(\.\d\d)\d+")
# Bars of a histogram of ranks.
N_RANKS = 10
WIDTH_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
_STYLE: dict[Any, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    # Ids in the file come from this and from nothing random.
    "svg.hashsalt": "metamirage",
}


@dataclass(frozen=True)
class Band:
    """Posterior of a candidate over size: median and 90 % interval, each of shape (m,)."""

    size: FloatArray
    median: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class Panel:
    """One curve, ready to draw, in the unit of the source.

    Parameters
    ----------
    title, subtitle
        Name of the curve and what was found.
    metric
        Label of the vertical axis.
    size, score, lower, upper
        Points and the ends of their 95 % intervals, shape (n,); size in log10 parameters.
    chance
        Score of guessing; NaN if unknown.
    descending
        Whether smaller is better: the axis is then turned.
    bands
        By candidate.
    """

    title: str
    subtitle: str
    metric: str
    size: FloatArray
    score: FloatArray
    lower: FloatArray
    upper: FloatArray
    chance: float
    descending: bool
    bands: Mapping[str, Band]


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save under the style of the report, and leave the caller's as it was."""
    with mpl.rc_context(), sns.axes_style("ticks"):
        mpl.rcParams.update(_STYLE)
        yield


def as_svg(figure: Figure) -> bytes:
    """Write a figure as SVG; equal figures give equal bytes."""
    target = io.BytesIO()
    with styled():
        figure.savefig(
            target, format="svg", dpi=PIXELS_PER_INCH, metadata={"Date": None, "Creator": None}
        )
    return _COORDINATES.sub(_shortened, target.getvalue())


def _shortened(attribute: re.Match[bytes]) -> bytes:
    return _LONG_FRACTION.sub(rb"\1", attribute[0])


def as_png(figure: Figure, *, dpi: int = PIXELS_PER_INCH) -> bytes:
    """Write a figure as PNG; equal figures give equal bytes."""
    target = io.BytesIO()
    with styled():
        figure.savefig(target, format="png", dpi=dpi, metadata={"Software": None})
    return target.getvalue()


def _canvas(
    width: float, height: float, n_rows: int = 1, n_columns: int = 1, *, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    # Not through pyplot, which would keep every figure alive.
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=share_y)
    return figure, list(axes.ravel())


def draw_verdicts(curves: pd.DataFrame) -> Figure:
    """Share of each verdict within each class of metric, with counts.

    Parameters
    ----------
    curves
        One row a curve: ``verdict``, ``metric_class`` (values of ``CLASSES``).
    """
    with styled():
        figure, (axis,) = _canvas(7.6, 4.2)
        shares = verdict_shares(curves)
        order = [c for c in CLASSES.values() if c in set(curves["metric_class"])]
        sns.barplot(
            shares, x="share", y="verdict", hue="metric_class", order=list(VERDICTS),
            hue_order=order, palette=PALETTE, saturation=1, edgecolor="black", linewidth=0.6,
            ax=axis,
        )  # fmt: skip
        for bars, name in zip(axis.containers, order, strict=True):
            counts = shares[shares["metric_class"] == name].set_index("verdict")["label"]
            for bar, verdict in zip(bars, VERDICTS, strict=True):
                bar.set_hatch(HATCHES[name])
                at = (bar.get_width() + 0.01, bar.get_y() + bar.get_height() / 2)
                axis.annotate(counts[verdict], at, va="center", fontsize=9)
        keys = [
            Patch(facecolor=PALETTE[name], hatch=HATCHES[name], edgecolor="black", linewidth=0.6)
            for name in order
        ]
        axis.set(xlim=(0, 1.12), xlabel="share of the class's curves", ylabel="")
        axis.set_xticks(np.linspace(0, 1, 6))
        _legend_above(axis, keys)
    return figure


def verdict_shares(curves: pd.DataFrame) -> pd.DataFrame:
    """Count verdicts by class of metric.

    Returns
    -------
    pandas.DataFrame
        One row for each verdict and class present: ``metric_class``, ``verdict``, ``share`` (of the
        class) and ``label`` ("4 of 120").
    """
    counts = pd.crosstab(curves["metric_class"], curves["verdict"])
    counts = counts.reindex(columns=list(VERDICTS), fill_value=0)
    totals = counts.sum(axis=1)
    long = counts.reset_index().melt(id_vars="metric_class", value_name="count")
    total = long["metric_class"].map(totals)
    label = long["count"].astype(str) + " of " + total.astype(str)
    return long.assign(share=long["count"] / total, label=label)


def draw_widths(curves: pd.DataFrame) -> Figure:
    """Width against location of rising curves, with 90 % intervals where they can be told apart.

    Parameters
    ----------
    curves
        One row a curve: medians and quantiles of width and location as in ``tables.FITS``,
        ``metric_class``, and ``size_min`` and ``size_max``, log10 parameters.
    """
    with styled():
        figure, (axis,) = _canvas(7.6, 5.2)
        for edge, style in ((SHARP_WIDTH, ":"), (SMOOTH_WIDTH, "--")):
            axis.axhline(edge, color="0.35", linestyle=style, linewidth=1, zorder=0)
        if len(curves) <= MAX_WHISKERS:
            _whiskers(axis, curves)
        sns.scatterplot(
            curves, x="location_median", y="width_median", hue="metric_class", style="metric_class",
            hue_order=_classes(curves), style_order=_classes(curves), palette=PALETTE,
            markers=MARKERS, s=42, edgecolor="black", linewidth=0.6, zorder=3, ax=axis,
            rasterized=len(curves) > MAX_VECTOR,
        )  # fmt: skip
        axis.set(yscale="log", xlabel="location, parameters", ylabel="10-90 % width, decades")
        low, high = axis.get_ylim()
        axis.set_yticks([t for t in WIDTH_TICKS if low <= t <= high], minor=False)
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.axvspan(
            curves["size_min"].min(), curves["size_max"].max(), color="0.93", zorder=-1, lw=0
        )
        _label_sizes(axis)
        _legend_above(axis)
    return figure


def _classes(curves: pd.DataFrame) -> list[str]:
    return [c for c in CLASSES.values() if c in set(curves["metric_class"])]


def _legend_above(axis: Axes, handles: Sequence[Artist] = ()) -> None:
    # Inside the axes it would hide points of some benchmark or other.
    found, labels = axis.get_legend_handles_labels()
    words = [f"{label} metric" for label in labels]
    axis.legend(
        handles or found,
        words,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        borderaxespad=0.3,
    )


def _whiskers(axis: Axes, curves: pd.DataFrame) -> None:
    for name, group in curves.groupby("metric_class"):
        line: dict[str, Any] = {
            "color": PALETTE[str(name)],
            "linewidth": 0.7,
            "alpha": 0.45,
            "zorder": 1,
        }
        at = group["location_median"], group["width_median"]
        axis.vlines(at[0], group["width_q05"], group["width_q95"], **line)
        axis.hlines(at[1], group["location_q05"], group["location_q95"], **line)


def _label_sizes(axis: Axes) -> None:
    """Write log10 parameters as 100M, 1B, 10B."""
    low, high = axis.get_xlim()
    ticks = np.arange(np.ceil(low), np.floor(high) + 1)
    axis.set_xticks(ticks[:: max(1, len(ticks) // 7)])
    axis.xaxis.set_major_formatter(lambda v, _: size_name(v))


def size_name(log10_parameters: float) -> str:
    """Name a size: 8 is 100M, 9 is 1B."""
    for power, letter in ((12, "T"), (9, "B"), (6, "M"), (3, "k")):
        if log10_parameters >= power - 1e-9:
            return f"{10 ** (log10_parameters - power):.3g}{letter}"
    return f"{10**log10_parameters:.3g}"


def draw_panels(panels: Sequence[Panel], *, n_columns: int = 3) -> Figure:
    """Small multiples: points with intervals, chance, and the bands of the candidates."""
    n_rows = -(-len(panels) // n_columns)
    with styled():
        height = 0.5 + 2.55 * n_rows
        figure, axes = _canvas(9.0 if n_columns > 2 else 7.6, height, n_rows, n_columns)
        for axis, panel in zip(axes, panels, strict=False):
            draw_panel(axis, panel)
        for axis in axes[len(panels) :]:
            axis.remove()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=9)
    return figure


def draw_panel(axis: Axes, panel: Panel) -> None:
    """Draw one curve on existing axes."""
    for name, band in panel.bands.items():
        colour, dash = BAND_STYLE[name]
        axis.fill_between(band.size, band.lower, band.upper, color=colour, alpha=0.22, lw=0)
        axis.plot(band.size, band.median, dash, color=colour, label=f"{name}, 90 % band")
    spread = np.abs(np.array([panel.score - panel.lower, panel.upper - panel.score]))
    axis.errorbar(
        panel.size, panel.score, yerr=spread, fmt="o", color=BLACK, markersize=4, linewidth=0.9,
        label="published score",
    )  # fmt: skip
    if np.isfinite(panel.chance):
        axis.axhline(panel.chance, color="0.45", linestyle=":", linewidth=1.2, label="guessing")
    _fit_axis(axis, panel)
    axis.set_title(f"{panel.title}\n{panel.subtitle}", fontsize=8.5, loc="left")
    axis.set_ylabel(panel.metric, fontsize=8.5)
    axis.tick_params(labelsize=8)
    _label_sizes(axis)


def _fit_axis(axis: Axes, panel: Panel) -> None:
    # A wide band would squeeze the points into a line: the window follows the scores.
    ends = np.concatenate([panel.lower, panel.upper, panel.score])
    reach = max(float(np.ptp(ends)), 1e-9)
    low, high = float(ends.min()) - 0.08 * reach, float(ends.max()) + 0.12 * reach
    axis.set_ylim((high, low) if panel.descending else (low, high))


def draw_calibration(groups: Mapping[str, pd.DataFrame]) -> Figure:
    """Histograms of the probability integral transform, with the coverage of the 80 % interval.

    Parameters
    ----------
    groups
        Rows of ``tables.FORECASTS`` by the title of their panel; five panels a line.
    """
    n_rows = -(-len(groups) // 5)
    with styled():
        figure, axes = _canvas(9.0, 0.3 + 2.6 * n_rows, n_rows, 5, share_y=False)
        for axis, (title, rows) in zip(axes, groups.items(), strict=False):
            heights = rank_histogram(rows[["pit_low", "pit_high"]].to_numpy(float), N_RANKS)
            places = (np.arange(N_RANKS) + 0.5) / N_RANKS
            axis.bar(places, heights, 1 / N_RANKS, color=SKY, edgecolor="black", linewidth=0.6)
            axis.axhline(len(rows) / N_RANKS, color=BLACK, linestyle="--", linewidth=1)
            inside = rows["inside_80"].astype(float).mean()
            axis.set_title(f"{title}\n80 % holds {100 * inside:.0f} %", fontsize=8.5, loc="left")
            axis.set(xlabel="rank of the score", ylabel="", xticks=[0, 0.5, 1], xlim=(0, 1))
        for axis in axes[::5]:
            axis.set_ylabel("forecasts")
        for axis in axes[len(groups) :]:
            axis.remove()
    return figure


def draw_disagreement(curves: pd.DataFrame) -> Figure:
    """S over its flat reference against the posterior probability of a sharp transition.

    Parameters
    ----------
    curves
        One row a curve: ``breakthroughness``, ``null_q95``, ``p_sharp``, ``metric_class``.
    """
    ratio = curves["breakthroughness"] / curves["null_q95"]
    finite = ratio[np.isfinite(ratio) & (ratio > 0)]
    low, high = finite.min() / 1.5, finite.max() * 1.5
    at = high * 2.5
    # A falling curve has S below zero, which a log axis can't show: it stands at the left end.
    placed = curves.assign(ratio=ratio.where(ratio != np.inf, at).clip(lower=low))
    with styled():
        figure, (axis,) = _canvas(7.6, 4.8)
        axis.axvline(1, color="0.35", linestyle=":", linewidth=1, zorder=0)
        axis.axvspan(at / 1.5, at * 1.5, color="0.93", lw=0, zorder=-1)
        sns.scatterplot(
            placed, x="ratio", y="p_sharp", hue="metric_class", style="metric_class",
            hue_order=_classes(curves), style_order=_classes(curves), palette=PALETTE,
            markers=MARKERS, s=42, edgecolor="black", linewidth=0.6, ax=axis,
            rasterized=len(curves) > MAX_VECTOR,
        )  # fmt: skip
        axis.set(xscale="log", xlim=(low / 1.2, at * 1.5), ylim=(-0.03, 1.03))
        axis.set(xlabel="S over the 95 % quantile of a flat curve", ylabel="P(sharp transition)")
        axis.annotate("infinite", (at, 0.5), rotation=90, ha="center", va="center", fontsize=9)
        _legend_above(axis)
    return figure
