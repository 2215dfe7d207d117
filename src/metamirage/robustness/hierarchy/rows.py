"""Rows of the table hierarchy: summaries, diagnostics and checks of a sampled model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from metamirage.base.arrays import FloatArray
from metamirage.robustness.hierarchy.design import Counts, Design
from metamirage.robustness.hierarchy.draws import SPREADS, Draws
from metamirage.robustness.hierarchy.width_mixture import fill_cells

INTERVAL = (0.05, 0.95)
# Draws on which the checks are made: a p-value to two digits.
N_CHECKED = 200
# The share of a Normal's curves in its two tails that the check counts.
TAILS = 0.1
_ABSENT = (
    "estimate", "lower", "upper", "p_negative", "p_check", "r_hat", "ess_bulk", "pareto_k",
)  # fmt: skip
_PARAMETERS = ("beta", "ratio", *SPREADS, *(f"share_{name}" for name in SPREADS.values()))
_MEASURED = ("estimate", "lower", "upper", "p_negative")


def missing_rows(counts: Counts, note: str) -> Iterator[dict[str, object]]:
    """Rows without numbers, for a benchmark that cannot tell."""
    for parameter in _PARAMETERS:
        yield {"parameter": parameter, **_empty(), **counts._asdict(), "note": note}


def summary_rows(
    draws: Draws, design: Design, *, note: str, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Summarise draws; without estimates where they are not to be believed.

    Parameters
    ----------
    draws
        Under one set of priors.
    design
        The curves behind them.
    note
        Of the class effect.
    rng
        Draws for the checks.
    """
    same = {"divergences": draws.divergences, **design.counts._asdict()}
    failure = f"not converged: {draws.failure}" if draws.failure else ""
    for parameter in draws.reported:
        said = failure or (note if parameter in ("beta", "ratio") else "")
        row = _empty() | {"parameter": parameter, "note": said} | _summary(parameter, draws) | same
        yield row | dict.fromkeys(_MEASURED, np.nan) if failure else row
    for parameter in ("s_family", "share_family"):
        if parameter not in draws.reported:
            yield _empty() | {"parameter": parameter, "note": "one family"} | same
    if not failure:
        yield from (_empty() | row | same for row in _check_rows(draws, design, rng))


def _empty() -> dict[str, object]:
    return {**dict.fromkeys(_ABSENT, np.nan), "divergences": None, "note": ""}


def _summary(parameter: str, draws: Draws) -> dict[str, float]:
    values, weights = draws.reported[parameter], draws.weights
    lower, upper = quantiles(values, weights, INTERVAL)
    signed = parameter == "beta" or parameter.startswith("gamma")
    return {
        "estimate": float((weights * values).sum()),
        "lower": lower,
        "upper": upper,
        "p_negative": min(1.0, float(weights[values < 0].sum())) if signed else np.nan,
        "r_hat": draws.r_hat(parameter),
        "ess_bulk": draws.ess(parameter),
        "pareto_k": draws.pareto_k,
    }


def quantiles(values: FloatArray, weights: FloatArray, at: tuple[float, ...]) -> list[float]:
    """Quantiles of weighted draws."""
    found = np.quantile(values.ravel(), at, weights=weights.ravel(), method="inverted_cdf")
    return [float(value) for value in found]


def _check_rows(
    draws: Draws, design: Design, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Compare the curves' residuals with those that the model expects.

    Data can't be replicated from profiles, but widths can: drawn from its posterior given its
    profile, a curve's width has a uniform rank within Normal(mu, tau) if the model holds, however
    little its profile says (Johnson 2007, Bayesian Anal. 2, on pivotal quantities). Two: the
    share of curves in the outer tenth (heavy tails), and under one decade (what is reported).
    """
    mu, tau = _checked_draws(draws, design, rng)
    real: list[list[float]] = []
    model: list[list[float]] = []
    for m, t in zip(mu, tau, strict=True):
        of_curve = np.repeat(m, np.diff(design.data.starts))
        ranks = residual_ranks(design, m, float(t), rng=rng)
        for kept, values in ((real, ranks), (model, rng.uniform(size=len(ranks)))):
            outer = np.abs(values - 0.5) > 0.5 - TAILS / 2
            kept.append([outer.mean(), (values < ndtr(-of_curve / t)).mean()])
    for i, name in enumerate(("check_tails", "check_below_decade")):
        seen, expected = np.array(real)[:, i], np.array(model)[:, i]
        lower, upper = np.quantile(expected, INTERVAL)
        yield {
            "parameter": name,
            "estimate": float(seen.mean()),
            "lower": float(lower),
            "upper": float(upper),
            "p_check": float((expected > seen).mean() + 0.5 * (expected == seen).mean()),
            "note": "share of curves, and the interval that the model expects",
        }


def _checked_draws(
    draws: Draws, design: Design, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Means of the groups, shape (n, groups), and tau, shape (n,), of draws by their weights."""
    chosen = rng.choice(draws.tau.size, N_CHECKED, p=draws.weights.ravel())
    level = {name: getattr(design.data, name) for name in draws.effects}
    mu = sum(
        effects.reshape(draws.tau.size, -1)[np.ix_(chosen, level[name])]
        for name, effects in draws.effects.items()
    )
    return np.asarray(mu), draws.tau.ravel()[chosen]


def residual_ranks(
    design: Design, mu: FloatArray, tau: float, *, rng: np.random.Generator
) -> FloatArray:
    """Draw each curve's log width given its profile, and return its rank within Normal(mu, tau).

    Parameters
    ----------
    design
        Curves and their groups.
    mu
        Shape (groups,).
    tau
        Positive.
    rng
        Draws cell and place within the cell.

    Returns
    -------
    numpy.ndarray
        Shape (curves,), between 0 and 1.
    """
    data = design.data
    cells = group_cells(mu, tau, data.edges)
    group = np.repeat(np.arange(len(mu)), np.diff(data.starts))
    cumulative = np.cumsum(data.weights * cells[group], axis=1)
    target = rng.uniform(size=len(group)) * cumulative[:, -1]
    chosen = np.minimum((cumulative < target[:, None]).sum(axis=1), cells.shape[1] - 1)
    below = np.cumsum(cells, axis=1) - cells
    inside = rng.uniform(size=len(group)) * cells[group, chosen]
    return np.asarray(np.clip(below[group, chosen] + inside, 0.0, 1.0))


def group_cells(mu: FloatArray, tau: float, edges: FloatArray) -> FloatArray:
    """Probabilities of the cells of each group, shape (groups, cells)."""
    cells = np.empty((3, len(edges) + 1))
    found = np.empty((len(mu), len(edges) + 1))
    for g, mean in enumerate(mu):
        fill_cells(float(mean), tau, edges, cells)
        found[g] = cells[0]
    return found
