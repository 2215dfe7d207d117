"""Stage forecasts: whether the smaller models tell the scores of the largest.

Direct: each candidate is fitted without the largest size, and without the two largest, and asked
for each size left out; so is the candidates' average by evidence, and the straight line through
the two sizes before, whose residual is the discontinuity D of the PaLM paper (Chowdhery et al.
2022, section 6.2). Without the two largest there is a row for each of the two: the nearer asks for
one step, as without the largest alone but from fewer sizes, the farther for two.

Two steps: where a metric with a step has a continuous partner on the same task and models, the
partner is forecast first and a link (``metamirage.links``) carries that forecast over. The link fed
with the partner's true score is the ceiling: what it misses, the link misses; what the two-step
forecast misses beyond that, the partner's forecast misses.

No forecast sees a left-out score, neither the metric's own nor its partner's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage._parallel import map_curves
from metamirage.curves import Curve, FloatArray, curve_seed, rescaled
from metamirage.densities import CODES, shape_at
from metamirage.engine import Posterior
from metamirage.fits import integrate_all, model_weights
from metamirage.links import N_DRAWS, link_curve, make_axis, systematic, through
from metamirage.pairs import BLOCK, continuous_partners
from metamirage.predictives import (
    LeftOut,
    Predictive,
    assess,
    average,
    left_out,
    observe,
)
from metamirage.tables import CANDIDATES, FORECASTS, MIN_SIZES
from metamirage.verdicts import levels

LEFT_OUT = (1, 2)


class Fit(NamedTuple):
    """A curve fitted to its smaller sizes.

    Parameters
    ----------
    train
        The points it was fitted to, on the scale that these set.
    whole
        All points on that scale; their sizes are the window.
    posteriors
        By candidate.
    weights
        Of ``tables.CANDIDATES``, in their order.
    """

    train: Curve
    whole: Curve
    posteriors: dict[str, Posterior]
    weights: FloatArray


class Pair(NamedTuple):
    """A discontinuous curve and its continuous partner, by name."""

    curve_id: str
    partner: str
    stratum: str


@dataclass(frozen=True)
class Block:
    """Curves of the same models on the same task, and the pairs among them."""

    curves: Mapping[str, Curve]
    pairs: Sequence[Pair]


class Design(NamedTuple):
    """Sizes left out of a curve: all from ``cutoff`` on, largest first."""

    n_left_out: int
    cutoff: float
    sizes: tuple[float, ...]


def forecast_curves(
    curves: Sequence[Curve],
    tags: pd.DataFrame,
    *,
    seed: int,
    width_prior: str = "default",
    threads: int = 1,
) -> pd.DataFrame:
    """Forecast the largest sizes of every curve that keeps three sizes without them.

    Parameters
    ----------
    curves
        Of one benchmark.
    tags
        Its table ``tables.TAGS``, which says what pairs with what.
    seed, width_prior, threads
        As in ``fits.fit_curves``.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.FORECASTS``, on the scale of ``Curve.z``.
    """
    results = map_curves(
        lambda block: forecast_block(block, seed=seed, width_prior=width_prior),
        make_blocks(curves, tags),
        threads=threads,
        label="forecasts",
    )
    rows = {name: found for block in results for name, found in block.items()}
    # Named types, so that a benchmark without a curve of four sizes still has its (empty) table.
    table = pd.DataFrame([row for c in curves for row in rows[c.curve_id]], columns=COLUMNS)
    return table.astype(DTYPES)


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


def make_blocks(curves: Sequence[Curve], tags: pd.DataFrame) -> list[Block]:
    """Group curves of one task, subtask, family and shots, so that a fit serves all its pairs."""
    blocks: dict[tuple[str, ...], dict[str, Curve]] = {}
    for curve in curves:
        key = tuple(str(curve.key[column]) for column in BLOCK)
        blocks.setdefault(key, {})[curve.curve_id] = curve
    pairs: dict[str, list[Pair]] = {}
    for row in continuous_partners(curves, tags).itertuples(index=False, name=None):
        pair = Pair(*row)
        pairs.setdefault(pair.curve_id, []).append(pair)
    return [
        Block(members, [pair for name in members for pair in pairs.get(name, [])])
        for members in blocks.values()
    ]


def forecast_block(
    block: Block, *, seed: int, width_prior: str
) -> dict[str, list[dict[str, object]]]:
    """Forecast every curve of a block, directly and through its partners: rows by curve."""
    fits = Fits(block.curves, seed=seed, width_prior=width_prior)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in block.curves}
    for name, curve in block.curves.items():
        for design in designs(curve):
            rows[name] += direct_rows(fits, name, design)
            for pair in block.pairs:
                if pair.curve_id == name:
                    rows[name] += two_step_rows(fits, pair, design)
    return rows


def designs(curve: Curve) -> list[Design]:
    """Ways to leave the largest sizes out that keep three."""
    sizes = np.unique(curve.size)
    return [
        Design(n, float(sizes[-n]), tuple(sizes[: -n - 1 : -1].tolist()))
        for n in LEFT_OUT
        if len(sizes) - n >= MIN_SIZES
    ]


class Fits:
    """Fits of the curves of a block to their smaller sizes, each made once.

    Parameters
    ----------
    curves
        By name.
    seed, width_prior
        As in ``fits.fit_curves``.
    """

    def __init__(self, curves: Mapping[str, Curve], *, seed: int, width_prior: str) -> None:
        self.curves = curves
        self.seed = seed
        self.width_prior = width_prior
        self._made: dict[tuple[str, int], Fit] = {}

    def below(self, name: str, cutoff: float) -> Fit:
        """Fit of a curve to its sizes under a cut-off."""
        curve = self.curves[name]
        # Points are sorted by size: how many they are tells which they are.
        key = name, int((curve.size < cutoff).sum())
        if key not in self._made:
            # The scale of an unbounded metric must not know the scores that are left out.
            train = rescaled(curve.take(curve.size < cutoff))
            whole = rescaled(curve, origin=train.origin, unit=train.unit)
            self._made[key] = self.of(train, whole)
        return self._made[key]

    def of(self, train: Curve, whole: Curve) -> Fit:
        """Fit of a curve to some points, under the window of a whole curve."""
        posteriors = integrate_all(train, whole, seed=self.seed, width_prior=self.width_prior)
        return Fit(train, whole, posteriors, model_weights(posteriors))

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers of one forecast; the same for each size, which none compares."""
        return np.random.default_rng(curve_seed(self.seed, f"forecast|{name}"))


def direct_rows(fits: Fits, name: str, design: Design) -> Iterator[dict[str, object]]:
    """Forecast the left-out sizes of a curve from its own smaller ones: a row a predictor."""
    fit = fits.below(name, design.cutoff)
    for target, size in enumerate(design.sizes, start=1):
        left = left_out(fit.whole, size)
        scored = {
            predictor: _assessed(predictive, fit, left, fits.curves[name])
            for predictor, predictive in outlook(fit, left, fits.stream(name)).items()
        }
        scored["two_point"] = _two_point_row(fit, left, fits.curves[name])
        head = _head(name, design, target, n_train=fit.train.n_sizes)
        yield from ({**head, "predictor": p, **row} for p, row in scored.items())


def _head(name: str, design: Design, target: int, *, n_train: int) -> dict[str, object]:
    return {
        "curve_id": name,
        "n_left_out": design.n_left_out,
        "target": target,
        "partner": "",
        "stratum": "",
        "n_train": n_train,
    }


def outlook(fit: Fit, left: LeftOut, rng: np.random.Generator) -> dict[str, Predictive]:
    """Predict a left-out score by every candidate and by their average over the evidence.

    Parameters
    ----------
    fit
        To sizes below the left-out one.
    left
        On the scale of ``fit.whole``.
    rng
        Draws the simulated scores.
    """
    by_candidate = {c: predict(fit.whole, fit.posteriors[c], left, rng) for c in CANDIDATES}
    averaged = average([by_candidate[c] for c in CANDIDATES], fit.weights)
    return {**by_candidate, "averaged": averaged}


def predict(
    whole: Curve, posterior: Posterior, left: LeftOut, rng: np.random.Generator
) -> Predictive:
    """Predict a left-out score from draws that have not seen it.

    Parameters
    ----------
    whole
        The curve whose sizes were the posterior's window.
    posterior
        Of one candidate.
    left
        On the scale of ``whole``.
    rng
        Draws the simulated scores.
    """
    floor, top = levels(whole, posterior)
    ends = (whole.size[0], whole.size[-1])
    h = shape_at(CODES[posterior.candidate], left.size, *ends, posterior.theta)
    mean = floor + (top - floor) * h
    dispersion = np.exp(posterior.theta[:, 1])
    return observe(left, mean, dispersion, weights=posterior.weights, rng=rng)


def two_step_rows(fits: Fits, pair: Pair, design: Design) -> Iterator[dict[str, object]]:
    """Forecast the left-out sizes of a curve through its partner.

    A row ``two_step`` for each left-out size, and a row ``link_given_partner`` where the partner
    has a score there; none if fewer than three training sizes have a score of both.
    """
    curve, other = fits.curves[pair.curve_id], fits.curves[pair.partner]
    common = np.intersect1d(curve.size, other.size)
    shared = common[common < design.cutoff]
    if len(shared) < MIN_SIZES:
        return
    fit, partner = (fits.below(name, design.cutoff) for name in (pair.curve_id, pair.partner))
    name = f"{pair.curve_id}|given|{pair.partner}"
    seen = mean_by_size(partner.train)
    asked = [left_out(partner.whole, size) for size in design.sizes]
    forecasts = [outlook(partner, left, fits.stream(pair.partner))["averaged"] for left in asked]
    axis = make_axis(shared, np.array([seen[x] for x in shared]), forecasts, curve.size)
    link = fits.of(link_curve(fit.train, seen, axis, name=name), fit.whole)
    for target, size in enumerate(design.sizes, start=1):
        left = left_out(fit.whole, size)
        rng = fits.stream(name)
        drawn = systematic(forecasts[target - 1].weights, N_DRAWS, rng)
        places = {"two_step": axis.place(forecasts[target - 1].sample[drawn])}
        if np.isfinite(asked[target - 1].observed):
            true = np.full(N_DRAWS, asked[target - 1].observed)
            places["link_given_partner"] = axis.place(true)
        head = _head(pair.curve_id, design, target, n_train=len(shared))
        head |= {"partner": pair.partner, "stratum": pair.stratum}
        for predictor, x in places.items():
            predictive = through(
                link.posteriors, link.weights, x, whole=fit.whole, left=left, rng=rng
            )
            yield {**head, "predictor": predictor, **_assessed(predictive, fit, left, curve)}


def mean_by_size(curve: Curve) -> dict[float, float]:
    """Mean score over the replicates of each size, on the scale of ``Curve.z``."""
    sizes = np.unique(curve.size)
    return {float(size): float(curve.z[curve.size == size].mean()) for size in sizes}


def _assessed(predictive: Predictive, fit: Fit, left: LeftOut, curve: Curve) -> dict[str, object]:
    return assess(predictive, left, ratio=_ratio(fit, curve), shift=_shift(fit, curve))


def _ratio(fit: Fit, curve: Curve) -> float:
    return fit.whole.unit / curve.unit


def _shift(fit: Fit, curve: Curve) -> float:
    return (fit.whole.origin - curve.origin) / curve.unit


def two_point(x: FloatArray, y: FloatArray, target: float) -> float:
    """Extend the line through the last two points to ``target``.

    The projection behind PaLM's discontinuity; x and y have shape (n,), n >= 2, sizes distinct.
    """
    slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return float(y[-1] + slope * (target - x[-1]))


def _two_point_row(fit: Fit, left: LeftOut, curve: Curve) -> dict[str, object]:
    seen = mean_by_size(fit.train)
    mean = two_point(np.array(list(seen)), np.array(list(seen.values())), left.size)
    ratio, shift = _ratio(fit, curve), _shift(fit, curve)
    return {
        "observed": left.observed * ratio + shift,
        "mean": mean * ratio + shift,
        "discontinuity": (left.observed - mean) * ratio,
    }
