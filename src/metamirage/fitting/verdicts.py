"""What one curve shows: measures of the sigmoid posterior, and the verdict they lead to.

Rules: methods as registered for this project. A verdict needs five sizes; UNRESOLVED is what a
curve gets unless its posterior says otherwise. S and L play no part.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import (
    JUMP_MIN,
    MIN_SIZES_VERDICT,
    P_INSIDE,
    P_JUMP,
    P_WIDTH,
    SHARP_WIDTH,
    SMOOTH_WIDTH,
)
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.priors import LOGISTIC_WIDTH

# The floor ends where a tenth of the jump has been made.
FLOOR_SHARE = 0.1

# Measure: its name in the columns of ``tables.FITS``.
SUMMARISED = {
    "width": "width",
    "location": "location",
    "jump": "jump",
    "jump_decade": "jump_decade",
    "concentration": "concentration_index",
    "floor": "floor_length",
}


def measures(curve: Curve, posterior: Posterior) -> dict[str, FloatArray]:
    """Per-draw measures of a sigmoid posterior.

    Parameters
    ----------
    curve
        The curve that was fitted; its window of sizes counts.
    posterior
        Of the sigmoid, m draws.

    Returns
    -------
    dict
        Arrays of shape (m,): ``width`` (decades), ``location`` (log10 parameters), ``jump``
        (fraction of the range, signed), ``jump_decade`` (its largest part within one decade),
        ``concentration`` (that part as a share of the jump: 1 for a step, about 1 / span for a
        line), ``floor`` (decades from the smallest model to a tenth of the jump).
    """
    first, last = curve.size[0], curve.size[-1]
    location, width = posterior.theta[:, 3], np.exp(posterior.theta[:, 4])
    left, right = levels(curve, posterior)

    def h(x: FloatArray | float) -> FloatArray:
        return np.asarray(expit(LOGISTIC_WIDTH * (x - location) / width))

    rise = np.maximum(h(last) - h(first), np.finfo(float).tiny)
    step = min(1.0, last - first)
    start = np.clip(location - step / 2, first, last - step)
    share = np.clip((h(start + step) - h(start)) / rise, 0.0, 1.0)
    # Where the rise is below rounding, its parts are too: nothing is known, a line's share stands.
    share = np.where(rise < 1e-12, step / (last - first), share)
    tenth = np.clip(h(first) + FLOOR_SHARE * rise, 1e-300, 1 - 1e-16)
    floor = location + width * np.log(tenth / (1 - tenth)) / LOGISTIC_WIDTH - first
    jump = (right - left) * (h(last) - h(first))
    return {
        "width": width,
        "location": location,
        "jump": jump,
        "jump_decade": jump * share,
        "concentration": share,
        "floor": np.clip(floor, 0.0, last - first),
    }


def levels(curve: Curve, posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    """Left and right level of every draw on the scale of ``Curve.z``; two arrays of shape (m,)."""
    left, right = posterior.theta[:, 0], posterior.theta[:, 2]
    if curve.observation == "beta_binomial":
        return np.asarray(expit(left)), np.asarray(expit(right))
    return left, right


def summarise(curve: Curve, posterior: Posterior) -> dict[str, float]:
    """Posterior summaries of one curve, as named in ``tables.FITS``."""
    m = measures(curve, posterior)
    jumps = m["jump"] > JUMP_MIN
    inside = (m["location"] >= curve.size[0]) & (m["location"] <= curve.size[-1])
    sharp = m["width"] < SHARP_WIDTH
    row: dict[str, float] = {}
    for name, column in SUMMARISED.items():
        row |= _interval(column, posterior, m[name])
    # A width has no useful mean, for its prior reaches thirty decades: its logarithm has one.
    means = {column: m[name] for name, column in SUMMARISED.items() if name != "width"}
    for column, values in (means | {"log10_width": np.log10(m["width"])}).items():
        row |= {f"{column}_mean": posterior.mean(values), f"{column}_sd": posterior.sd(values)}
    return row | {
        "p_width_lt_1": _probability(posterior, sharp),
        "p_width_gt_2": _probability(posterior, m["width"] > SMOOTH_WIDTH),
        "p_location_inside": _probability(posterior, inside),
        "p_jump": _probability(posterior, jumps),
        "p_jump_negative": _probability(posterior, m["jump"] < -JUMP_MIN),
        "p_flat": _probability(posterior, np.abs(m["jump"]) < JUMP_MIN),
        "p_sharp": _probability(posterior, jumps & inside & sharp),
    }


def _interval(name: str, posterior: Posterior, values: FloatArray) -> dict[str, float]:
    q05, median, q95 = posterior.quantile(values, (0.05, 0.5, 0.95))
    # The public names of three medians are the measures' own.
    middle = f"{name}_median" if name in ("width", "location", "jump") else name
    return {middle: median, f"{name}_q05": q05, f"{name}_q95": q95}


def _probability(posterior: Posterior, event: np.ndarray) -> float:
    # Weights sum to one within rounding only.
    return float(np.clip(posterior.weights @ event, 0.0, 1.0))


def p_turns(curve: Curve, posterior: Posterior) -> float:
    """Probability that a quadratic rises and falls, or falls and rises, within the window.

    Parameters
    ----------
    curve
        The curve that was fitted.
    posterior
        Of quadratic; both its parts must exceed ``JUMP_MIN``, for noise could hide a smaller turn.
    """
    turn = np.abs(posterior.theta[:, 3])
    left, right = levels(curve, posterior)
    nearer = np.clip((0.5 - turn) / (0.5 + turn), 0.0, 1.0) ** 2
    return _probability(posterior, np.abs(right - left) * nearer > JUMP_MIN)


def verdict(row: dict[str, float], n_sizes: int) -> str:
    """Verdict of one curve from its posterior probabilities.

    FLAT and INVERSE come first; SHARP wants a jump, a width under one decade and a location
    within the observed sizes; SMOOTH wants a jump and a width over two decades.

    Parameters
    ----------
    row
        From ``summarise``.
    n_sizes
        Distinct sizes of the curve.
    """
    if n_sizes < MIN_SIZES_VERDICT:
        return "UNRESOLVED"
    if row["p_flat"] > P_JUMP:
        return "FLAT"
    if row["p_jump_negative"] > P_JUMP:
        return "INVERSE"
    if row["p_jump"] <= P_JUMP:
        return "UNRESOLVED"
    if row["p_width_lt_1"] > P_WIDTH and row["p_location_inside"] > P_INSIDE:
        return "SHARP"
    return "SMOOTH" if row["p_width_gt_2"] > P_WIDTH else "UNRESOLVED"
