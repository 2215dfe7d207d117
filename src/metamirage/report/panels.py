"""Curves made ready to draw: which ones to show, their intervals, and the posterior over size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_SIZES_VERDICT
from metamirage.base.vocabulary import SAME_OUTPUTS
from metamirage.curves.classes import classify
from metamirage.curves.curve import Curve
from metamirage.fitting.bands import mean_band, published
from metamirage.fitting.engines import integrate_all
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.settings import FitSettings
from metamirage.hypotheses.concentration import make_pairs
from metamirage.report.figures.charts import Band, Panel
from metamirage.report.text import MINUS, number

BANDS = ("linear", "sigmoid")
_LOWER = "\n(lower is better)"
N_GRID = 40
TAILS_95 = (0.025, 0.975)
NORMAL_95 = 1.96
# One curve for each of these, so that the shots of one task do not fill the figure.
_DISTINCT = ["task", "subtask", "metric", "family"]


def sharpest(fits: pd.DataFrame, n: int) -> list[str]:
    """Choose the curves with the highest probability of a sharp transition, one a task and metric.

    Curves that stay out of the tests, such as bias scores, stay out here, and so do those with too
    few sizes for a verdict.

    Parameters
    ----------
    fits
        Table ``tables.FITS``.
    n
        At most so many.
    """
    entering = fits[(fits["excluded"] == "") & (fits["n_sizes"] >= MIN_SIZES_VERDICT)]
    ranked = entering.sort_values(["p_sharp", "curve_id"], ascending=[False, True])
    return list(ranked.drop_duplicates(_DISTINCT)["curve_id"].head(n))


def shown_pairs(curves: pd.DataFrame, n: int) -> pd.DataFrame:
    """Choose pairs of a discontinuous and another metric, one a task and pair of metrics.

    Pairs on the same outputs come first, then those where one of the two is most probably sharp.

    Parameters
    ----------
    curves
        From ``concentration.tested_curves``.
    n
        At most so many.

    Returns
    -------
    pandas.DataFrame
        ``curve_id_1`` (discontinuous), ``curve_id_0`` and ``stratum``.
    """
    pairs = make_pairs(
        curves.assign(label=classify(curves, "discontinuous")).dropna(subset="label")
    )
    known = curves.set_index("curve_id")[["p_sharp", "metric"]]
    one, zero = (
        known.loc[pairs[side]].reset_index(drop=True) for side in ("curve_id_1", "curve_id_0")
    )
    ranked = pairs.reset_index(drop=True).assign(
        other=pairs["stratum"].to_numpy() != SAME_OUTPUTS,
        highest=-np.maximum(one["p_sharp"], zero["p_sharp"]),
        metrics=one["metric"] + "|" + zero["metric"],
    )
    order = ["other", "highest", "curve_id_1", "curve_id_0"]
    chosen = ranked.sort_values(order).drop_duplicates(["task", "subtask", "family", "metrics"])
    return chosen[["curve_id_1", "curve_id_0", "stratum"]].head(n).reset_index(drop=True)


def make_panels(
    curves: Mapping[str, Curve],
    fits: pd.DataFrame,
    chosen: Iterable[str],
    *,
    settings: Mapping[str, object],
) -> list[Panel]:
    """Integrate the chosen curves once more, as the fits stage did, and draw their posteriors.

    Parameters
    ----------
    curves
        By ``curve_id``.
    fits
        Table ``tables.FITS``.
    chosen
        Names of curves.
    settings
        Of the run: ``seed``, ``prior`` and ``engine``.
    """
    rows = fits.set_index("curve_id", drop=False).to_dict("index")
    return [make_panel(curves[name], rows[name], settings=settings) for name in chosen]


def make_panel(curve: Curve, row: Mapping[Any, Any], *, settings: Mapping[str, object]) -> Panel:
    """Make the panel of one curve from its points and its row of fits."""
    posteriors = integrate_all(
        curve,
        curve,
        FitSettings(int(str(settings["seed"])), str(settings["prior"]), str(settings["engine"])),
    )
    lower, upper = point_intervals(curve)
    chance = np.array([curve.chance])
    return Panel(
        title=_title(row),
        subtitle=_subtitle(row),
        metric=f"{row['metric']}{_LOWER if curve.sign < 0 else ''}",
        size=curve.size,
        score=curve.score,
        lower=np.minimum(*(published(curve, z) for z in (lower, upper))),
        upper=np.maximum(*(published(curve, z) for z in (lower, upper))),
        chance=float(published(curve, chance)[0]),
        descending=curve.sign < 0,
        bands={name: make_band(curve, posteriors[name]) for name in BANDS},
    )


def _title(row: Mapping[Any, Any]) -> str:
    shots = "" if pd.isna(row["n_shots"]) else f", {row['n_shots']}-shot"
    task = f"{row['task']}: {row['subtask']}" if row["subtask"] else str(row["task"])
    return _shortened(f"{task}{shots}, {row['family']}", 40)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _subtitle(row: Mapping[Any, Any]) -> str:
    width = number(row["width_median"], digits=2)
    return f"{row['verdict']}, P(sharp) {row['p_sharp']:.2f}, width {width}".replace("-", MINUS)


def point_intervals(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """95 % intervals of the points on the scale of ``Curve.z``; two arrays of shape (n,).

    Counts: Jeffreys' binomial interval (Brown, Cai and DasGupta 2001), with its ends at 0 of n and
    n of n. Otherwise 1.96 published standard errors, zero where there is none.
    """
    if curve.observation != "beta_binomial":
        return curve.z - NORMAL_95 * curve.stderr, curve.z + NORMAL_95 * curve.stderr
    k, n = curve.counts, curve.n_items
    # Not statsmodels' Jeffreys interval: at no hit and at hits only, its ends miss 0 and 1.
    lower, upper = (betaincinv(k + 0.5, n - k + 0.5, q) for q in TAILS_95)
    return np.where(k == 0, 0.0, lower), np.where(k == n, 1.0, upper)


def make_band(curve: Curve, posterior: Posterior) -> Band:
    """Median and 90 % interval of the mean score over the observed sizes, as published."""
    drawn = mean_band(curve, posterior, n_nodes=N_GRID)
    return Band(drawn.size, drawn.median, drawn.lower, drawn.upper)


def interleaved(pairs: pd.DataFrame) -> Sequence[str]:
    """Names of the curves of all pairs, the discontinuous one of each first."""
    return [str(name) for name in pairs[["curve_id_1", "curve_id_0"]].to_numpy().ravel()]
