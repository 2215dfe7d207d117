"""Stage forecasts: whether the smaller models tell the scores of the largest.

Direct: each candidate is fitted without the largest size, and without the two largest, and asked
for each size left out; so is the candidates' average by evidence, and the straight line through
the two sizes before, whose residual is the discontinuity D of the PaLM paper (Chowdhery et al.
2022, section 6.2). Without the two largest there is a row for each of the two: the nearer asks for
one step, as without the largest alone but from fewer sizes, the farther for two.

Two steps: where a metric with a step has a continuous partner on the same task and models, the
partner is forecast first and a link (``metamirage.links``) carries that forecast over. The link fed
with the partner's true score is the reference: what it misses, the link misses; what the two-step
forecast misses beyond that, the partner's forecast misses.

No forecast sees a left-out score, neither the metric's own nor its partner's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.threads import map_curves
from metamirage.base.thresholds import MIN_SIZES
from metamirage.contracts.forecasts import FORECASTS
from metamirage.curves.blocks import Block, Pair, make_blocks
from metamirage.curves.curve import Curve
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.holdouts import Fit, HeldOutFits, HoldOut, hold_outs, mean_by_size
from metamirage.forecasting.links import (
    N_DRAWS,
    Axis,
    link_curve,
    logged,
    make_axis,
    systematic,
    through,
)
from metamirage.forecasting.predictives import LeftOut, Predictive, assess, left_out


class Link(NamedTuple):
    """A link with what goes through it.

    Parameters
    ----------
    fit
        Of the discontinuous score over the partner's.
    axis
        Where a partner's score lies on it.
    n_train
        Sizes with a score of both.
    partner
        The partner's left-out scores, largest size first.
    forecasts
        What the partner's smaller sizes say of these.
    """

    fit: Fit
    axis: Axis
    n_train: int
    partner: Sequence[LeftOut]
    forecasts: Sequence[Predictive]


def forecast_curves(
    curves: Sequence[Curve],
    tags: pd.DataFrame,
    settings: FitSettings,
) -> pd.DataFrame:
    """Forecast the largest sizes of every curve that keeps three sizes without them.

    Parameters
    ----------
    curves
        Of one benchmark.
    tags
        Its table ``tables.TAGS``, which says what pairs with what.
    settings
        As in ``fits.fit_curves``.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.FORECASTS``, on the scale of ``Curve.z``.
    """
    results = map_curves(
        lambda block: forecast_block(block, settings),
        make_blocks(curves, tags),
        threads=settings.threads,
        label="forecasts",
    )
    place = {curve.curve_id: i for i, curve in enumerate(curves)}
    table = pd.concat([_table([]), *results], ignore_index=True)
    return table.sort_values(
        "curve_id", key=lambda names: names.map(place), kind="stable", ignore_index=True
    )


def _table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    # Named types, so that a benchmark without a curve of four sizes still has its (empty) table.
    return pd.DataFrame(rows, columns=COLUMNS).astype(DTYPES)


COLUMNS = tuple(FORECASTS.columns)
DTYPES = {name: "float64" for name in COLUMNS} | {
    "curve_id": "str",
    "predictor": "str",
    "partner": "str",
    "stratum": "str",
    "n_left_out": "int64",
    "target": "int64",
    "n_train": "int64",
    "inside_80": "boolean",
    "inside_95": "boolean",
}


def forecast_block(block: Block, settings: FitSettings) -> pd.DataFrame:
    """Forecast every curve of a block, directly and through its partners."""
    ratios = {p.source: logged(block.curves[p.partner], p.source) for p in block.pairs if p.ratio}
    fits = HeldOutFits({**block.curves, **ratios}, settings)
    rows: list[dict[str, object]] = []
    for name, curve in block.curves.items():
        for design in hold_outs(curve):
            rows += direct_rows(fits, name, design)
    for pair in block.pairs:
        for design in hold_outs(block.curves[pair.curve_id]):
            rows += two_step_rows(fits, pair, design)
    # A table at once: the rows of all blocks of a large benchmark would be gigabytes as they are.
    return _table(rows)


def direct_rows(fits: HeldOutFits, name: str, design: HoldOut) -> Iterator[dict[str, object]]:
    """Forecast the left-out sizes of a curve from its own smaller ones: a row a predictor."""
    fit = fits.below(name, design.cutoff)
    scale = _scale(fit, fits.curves[name])
    for target, size in enumerate(design.sizes, start=1):
        left = left_out(fit.whole, size)
        rows = {
            predictor: assess(predictive, left, **scale)
            for predictor, predictive in fits.outlook(name, design.cutoff, size).items()
        }
        rows["two_point"] = _two_point_row(fit, left, **scale)
        head = {
            "curve_id": name,
            "n_left_out": design.n_left_out,
            "target": target,
            "partner": "",
            "stratum": "",
            "n_train": fit.train.n_sizes,
        }
        yield from ({**head, "predictor": p, **row} for p, row in rows.items())


def _scale(fit: Fit, curve: Curve) -> dict[str, float]:
    """Way from the scale of a fit to that of the curve."""
    shift = (fit.whole.origin - curve.origin) / curve.unit
    return {"ratio": fit.whole.unit / curve.unit, "shift": shift}


def two_step_rows(fits: HeldOutFits, pair: Pair, design: HoldOut) -> Iterator[dict[str, object]]:
    """Forecast the left-out sizes of a curve through its partner.

    A row ``two_step`` for each left-out size, and a row ``link_given_partner`` where the partner
    has a score there; none if fewer than three training sizes have a score of both.
    """
    link = make_link(fits, pair, design)
    if link is None:
        return
    whole, scale = link.fit.whole, _scale(link.fit, fits.curves[pair.curve_id])
    for i, size in enumerate(design.sizes):
        left = left_out(whole, size)
        rng = fits.stream(link.fit.train.curve_id)
        for predictor, x in _places(link, i, rng).items():
            predictive = through(
                link.fit.posteriors, link.fit.weights, x, whole=whole, left=left, rng=rng
            )
            yield {
                "curve_id": pair.curve_id,
                "n_left_out": design.n_left_out,
                "target": i + 1,
                "predictor": predictor,
                "partner": pair.partner,
                "stratum": pair.stratum,
                "n_train": link.n_train,
                **assess(predictive, left, **scale),
            }


def make_link(fits: HeldOutFits, pair: Pair, design: HoldOut) -> Link | None:
    """Forecast the partner and fit the link to it, from sizes below the left-out ones.

    Returns
    -------
    Link or None
        None if fewer than three of these sizes have a score of both.
    """
    curve, other = fits.curves[pair.curve_id], fits.curves[pair.source]
    common = np.intersect1d(curve.size, other.size)
    shared = common[common < design.cutoff]
    if len(shared) < MIN_SIZES:
        return None
    fit, partner = (fits.below(name, design.cutoff) for name in (pair.curve_id, pair.source))
    asked = [left_out(partner.whole, size) for size in design.sizes]
    forecasts = [fits.averaged(pair.source, design.cutoff, size) for size in design.sizes]
    seen = mean_by_size(partner.train)
    axis = make_axis(shared, np.array([seen[x] for x in shared]), forecasts, curve.size)
    name = f"{pair.curve_id}|given|{pair.partner}"
    points = link_curve(fit.train, seen, axis, name=name)
    return Link(fits.of(points, fit.whole), axis, len(shared), asked, forecasts)


def _places(link: Link, i: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Places that go through the link for the i-th left-out size: forecast, and true if known."""
    forecast, true = link.forecasts[i], link.partner[i].observed
    drawn = systematic(forecast.weights, N_DRAWS, rng)
    places = {"two_step": link.axis.place(forecast.sample[drawn])}
    if np.isfinite(true):
        places["link_given_partner"] = link.axis.place(np.full(N_DRAWS, true))
    return places


def two_point(x: FloatArray, y: FloatArray, target: float) -> float:
    """Extend the line through the last two points to ``target``.

    The projection behind PaLM's discontinuity; x and y have shape (n,), n >= 2, sizes distinct.
    """
    slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return float(y[-1] + slope * (target - x[-1]))


def _two_point_row(fit: Fit, left: LeftOut, *, ratio: float, shift: float) -> dict[str, object]:
    seen = mean_by_size(fit.train)
    mean = two_point(np.array(list(seen)), np.array(list(seen.values())), left.size)
    return {
        "observed": left.observed * ratio + shift,
        "mean": mean * ratio + shift,
        "discontinuity": (left.observed - mean) * ratio,
    }
