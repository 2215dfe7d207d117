"""The explorer: a page in which every curve of a benchmark can be found and looked at.

The table of all curves is packed by column. Points and bands are packed by groups of curves, each
unpacked when one of its curves is shown. Nothing is drawn here: the page's own script does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_SIZES_VERDICT
from metamirage.base.vocabulary import CANDIDATES
from metamirage.contracts.bands import BANDS, QUANTILES
from metamirage.contracts.check import read_table
from metamirage.contracts.fits import FITS, MODELS
from metamirage.contracts.scores import SCORES
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import Curve, build_curves
from metamirage.fitting.bands import N_NODES, published
from metamirage.report import packing
from metamirage.report.panels import point_intervals
from metamirage.report.terms import NEEDS

# Column of the page: name in the tables. Meanings come from the contracts.
COLUMNS = {
    "task": "task",
    "subtask": "subtask",
    "metric": "metric",
    "class": "metric_class",
    "family": "family",
    "shots": "n_shots",
    "sizes": "n_sizes",
    "verdict": "verdict",
    "P(sharp)": "p_sharp",
    "P(jump)": "p_jump",
    "width": "width_median",
    "width 5 %": "width_q05",
    "width 95 %": "width_q95",
    "location": "location_median",
    "jump": "jump_median",
    "concentration": "concentration_index",
    "floor": "floor_length",
    "S": "breakthroughness",
    "S flat": "null_q95",
    "L": "linearity",
    "left out of tests": "excluded",
    "nonlinear": "nonlinear",
    "query": "query",
    "direction": "direction",
    "P(flat)": "p_flat",
    "P(falls)": "p_jump_negative",
    "P(width < 1)": "p_width_lt_1",
    "P(width > 2)": "p_width_gt_2",
    "P(inside)": "p_location_inside",
    "location 5 %": "location_q05",
    "location 95 %": "location_q95",
    "jump 5 %": "jump_q05",
    "jump 95 %": "jump_q95",
    "log10 BF sigmoid : linear": "log10_bf_sigmoid_linear",
    "P(turns)": "p_nonmonotone",
    "S is": "state",
    "observation": "observation",
}
_OWN_MEANINGS = {
    "metric_class": "Whether the metric has a step in the model's outputs, per item (its tag).",
}
# Seen in the table; the others are in the CSV and beside the curve.
SHOWN = ("metric", "class", "family", "shots", "verdict", "P(sharp)", "width", "location", "jump")
# One group is unpacked at a time: small enough to be at once, large enough to compress.
CURVES_A_GROUP = 200
# Bands are kept to this share of the window that is drawn, and not beyond its neighbours.
BAND_STEPS = 1000
BAND_REACH = (-500, 1500)
# What the window leaves below and above the points, as shares of their spread.
MARGINS = (0.08, 0.12)


@dataclass(frozen=True)
class Explored:
    """Tables of one benchmark that the explorer shows, under the contracts of the same names."""

    title: str
    benchmark: str
    tidy: pd.DataFrame
    tags: pd.DataFrame
    scores: pd.DataFrame
    fits: pd.DataFrame
    models: pd.DataFrame
    bands: pd.DataFrame

    @classmethod
    def read(cls, paths: Mapping[str, str], *, title: str, benchmark: str) -> Explored:
        """Read the tables, one path each by the names of the fields.

        Raises
        ------
        InputError
            If a table breaks its contract.
        """
        contracts = (TIDY, TAGS, SCORES, FITS, MODELS, BANDS)
        tables = {c.name: read_table(Path(paths[c.name]), c) for c in contracts}
        return cls(title=title, benchmark=benchmark, **tables)


def page_parts(explored: Explored, joined: pd.DataFrame) -> dict[str, Any]:
    """Make what the template places.

    Parameters
    ----------
    explored
        Tables of the benchmark.
    joined
        From ``report.join_curves``, in the order of ``curve_id``.
    """
    library, style = packing.table_library()
    curves = build_curves(explored.tidy, explored.tags)
    groups = curve_groups(curves, models=explored.models, bands=explored.bands)
    return {
        "title": explored.title,
        "facts": facts(explored.benchmark),
        "n_curves": f"{len(joined):,}",
        "table": packing.packed_json(table_columns(joined, explored.tags)),
        "groups": [packing.packed_json(group) for group in groups],
        "table_library": library,
        "table_style": style,
        "chart_library": packing.chart_library(),
        "glossary": glossary(),
        "digits": packing.SIGNIFICANT,
        "band_steps": f"{BAND_STEPS:,}",
        "candidates": CANDIDATES,
    }


def facts(benchmark: str) -> dict[str, Any]:
    """Constants that the page's script needs, from the code that used them."""
    return {
        "benchmark": benchmark,
        "shown": list(SHOWN),
        "candidates": list(CANDIDATES),
        "perGroup": CURVES_A_GROUP,
        "nodes": N_NODES,
        "bandSteps": BAND_STEPS,
        "minSizes": MIN_SIZES_VERDICT,
        "rules": verdict_rules(),
    }


def verdict_rules() -> list[dict[str, Any]]:
    """Thresholds in the order in which ``verdicts.verdict`` asks them.

    A verdict is given by the first of these for which all ``needs`` hold: column of the page, what
    it is in words, and the threshold that it must exceed.
    """
    head = {name: head for head, name in COLUMNS.items()}
    return [
        {"verdict": verdict, "needs": [[head[c.column], c.words, c.threshold] for c in needs]}
        for verdict, needs in NEEDS.items()
    ]


def table_columns(joined: pd.DataFrame, tags: pd.DataFrame) -> dict[str, Any]:
    """Pack what is known about each curve, by column; rows in the order of ``joined``."""
    axes = tags[["task", "metric", "query", "direction"]]
    rows = joined.merge(axes, on=["task", "metric"], how="left", validate="many_to_one")
    return {head: _packed(rows[name]) for head, name in COLUMNS.items()}


def _packed(values: pd.Series) -> dict[str, Any]:
    # Shots are chosen from a list, as names are.
    numeric = pd.api.types.is_numeric_dtype(values.dtype) and values.name != "n_shots"
    return packing.number_column(values) if numeric else packing.word_column(values)


def glossary() -> dict[str, str]:
    """Say what each column means, from the table contracts."""
    meanings = {**TAGS.columns, **SCORES.columns, **FITS.columns}
    return {
        head: _OWN_MEANINGS.get(name) or meanings[name].description
        for head, name in COLUMNS.items()
    }


def curve_groups(
    curves: Sequence[Curve], *, models: pd.DataFrame, bands: pd.DataFrame
) -> list[list[dict[str, Any]]]:
    """Pack points, weights and bands of all curves, ``CURVES_A_GROUP`` at a time.

    Parameters
    ----------
    curves
        In the order of their names.
    models, bands
        Tables ``tables.MODELS`` and ``bands.BANDS`` of the same curves.
    """
    names = [curve.curve_id for curve in curves]
    weights = models.pivot(index="curve_id", columns="model", values="weight")
    heavy = weights.loc[names, list(CANDIDATES)].to_numpy()
    columns = [f"{candidate}_{quantile}" for candidate in CANDIDATES for quantile in QUANTILES]
    ordered = bands.sort_values(["curve_id", "node"])
    heights = ordered[columns].to_numpy().reshape(len(names), N_NODES, len(columns))
    shown = [
        curve_shown(curve, weights=w, bands=b)
        for curve, w, b in zip(curves, heavy, heights, strict=True)
    ]
    starts = range(0, len(shown), CURVES_A_GROUP)
    return [shown[start : start + CURVES_A_GROUP] for start in starts]


def curve_shown(curve: Curve, *, weights: FloatArray, bands: FloatArray) -> dict[str, Any]:
    """Pack one curve.

    Parameters
    ----------
    curve
        The curve.
    weights
        Of the candidates, in their order, shape (5,).
    bands
        Quantiles of each candidate at each node, shape (``N_NODES``, 15).

    Returns
    -------
    dict
        ``size``, ``score``, ``lower``, ``upper`` (95 % intervals), ``items``, ``chance`` and
        ``weights``; ``window``, the scores between which it is drawn; ``bands``: by candidate and
        quantile the first height and then the steps from node to node, 0 at the lower end of the
        window and ``BAND_STEPS`` at the upper; a band of one height has that alone.
    """
    ends = np.array([published(curve, z) for z in point_intervals(curve)])
    low, high = window(np.concatenate([ends.ravel(), curve.score]))
    steps = np.rint((bands - low) / (high - low) * BAND_STEPS).clip(*BAND_REACH).astype(int)
    return {
        "size": packing.numbers(curve.size),
        "score": packing.numbers(curve.score),
        "lower": packing.numbers(ends.min(axis=0)),
        "upper": packing.numbers(ends.max(axis=0)),
        "items": packing.numbers(curve.n_items),
        "chance": packing.numbers(published(curve, np.array([curve.chance])))[0],
        "weights": packing.numbers(weights),
        "window": [low, high],
        "bands": [_moves(heights) for heights in steps.T],
    }


def window(values: FloatArray) -> tuple[float, float]:
    """Scores between which a curve is drawn: a wide band must not squeeze the points to a line."""
    reach = max(float(np.ptp(values)), 1e-9)
    ends = (values.min() - MARGINS[0] * reach, values.max() + MARGINS[1] * reach)
    low, high = packing.rounded(ends)
    # Scores that differ beyond the digits kept: unrounded, since a window has to be one.
    return (float(low), float(high)) if high > low else (float(ends[0]), float(ends[1]))


def _moves(heights: np.ndarray) -> list[int]:
    # Small steps compress to half of what heights do.
    moves = [int(heights[0]), *np.diff(heights).tolist()]
    return moves if any(moves[1:]) else moves[:1]
