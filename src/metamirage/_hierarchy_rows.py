"""Rows of the table hierarchy: summaries, diagnostics and checks of a sampled model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import arviz as az
import numpy as np
from scipy.special import ndtr

from metamirage._hierarchy_design import Counts, Design
from metamirage._width_mixture import cell_edges, fill_cells
from metamirage.curves import FloatArray

SPREADS = {"s_metric": "metric", "s_task": "task", "s_family": "family", "tau": "curve"}
INTERVAL = (0.05, 0.95)
# Draws on which the checks are made: a p-value to two digits.
N_CHECKED = 200
# The share of a Normal's curves in its two tails that the check counts.
TAILS = 0.1
_ABSENT = ("estimate", "lower", "upper", "p_negative", "p_check", "r_hat", "ess_bulk")
_PARAMETERS = ("beta", "ratio", *SPREADS, *(f"share_{name}" for name in SPREADS.values()))


def missing_rows(counts: Counts, note: str) -> Iterator[dict[str, object]]:
    """Rows without numbers, for a benchmark that cannot tell."""
    for parameter in _PARAMETERS:
        yield {"parameter": parameter, **_empty(), **counts._asdict(), "note": note}


def summary_rows(
    trace: Any, design: Design, *, note: str, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Summarise a trace of ``hierarchy.build_model``.

    Parameters
    ----------
    trace
        As nutpie returns it.
    design
        The curves behind it.
    note
        Of the class effect.
    rng
        Draws for the checks.
    """
    draws = quantities(trace, design)
    same = {
        "divergences": int(trace.sample_stats["diverging"].sum()),
        **design.counts._asdict(),
    }
    for parameter in draws:
        about_class = parameter in ("beta", "ratio")
        row = _empty() | {"parameter": parameter, "note": note if about_class else ""}
        yield row | _summary(parameter, draws[parameter]) | same
    for parameter in ("s_family", "share_family"):
        if parameter not in draws:
            yield _empty() | {"parameter": parameter, "note": "one family"} | same
    yield from (_empty() | row | same for row in _check_rows(trace, design, rng))


def _empty() -> dict[str, object]:
    return {**dict.fromkeys(_ABSENT, np.nan), "divergences": None, "note": ""}


def quantities(trace: Any, design: Design) -> dict[str, FloatArray]:
    """Draws of each parameter of interest, shape (chains, draws)."""
    posterior = trace.posterior
    beta = posterior["beta"].to_numpy()
    found = {"beta": beta, "ratio": np.exp(beta)}
    for q, name in enumerate(design.queries[1:]):
        found[f"gamma[{name}]"] = posterior["gamma"].to_numpy()[..., q]
    present = {s: name for s, name in SPREADS.items() if s in posterior}
    found |= {s: posterior[s].to_numpy() for s in present}
    variance = {name: found[s] ** 2 for s, name in present.items()}
    # What class and query explain is a difference between metrics too.
    variance["metric"] = variance["metric"] + _explained(posterior, design)
    total = sum(variance.values())
    return found | {f"share_{name}": v / total for name, v in variance.items()}


def _explained(posterior: Any, design: Design) -> FloatArray:
    """Variance over curves of the part of class and query, shape (chains, draws)."""
    part = posterior["beta"].to_numpy()[..., None] * design.label
    if len(design.queries) > 1:
        gamma = posterior["gamma"].to_numpy()
        part = part + np.pad(gamma, ((0, 0), (0, 0), (1, 0)))[..., design.query]
    n_curves = np.bincount(
        design.level["metric"], np.diff(design.starts), minlength=len(design.label)
    )
    weights = n_curves / n_curves.sum()
    return np.asarray((part**2) @ weights - (part @ weights) ** 2)


def _summary(parameter: str, draws: FloatArray) -> dict[str, float]:
    lower, upper = np.quantile(draws, INTERVAL)
    signed = parameter == "beta" or parameter.startswith("gamma")
    return {
        "estimate": float(draws.mean()),
        "lower": float(lower),
        "upper": float(upper),
        "p_negative": float((draws < 0).mean()) if signed else np.nan,
        "r_hat": float(az.rhat(draws)),
        "ess_bulk": float(az.ess(draws)),
    }


def _check_rows(
    trace: Any, design: Design, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Compare the curves' residuals with those that the model expects.

    Data can't be replicated from profiles, but widths can: drawn from its posterior given its
    profile, a curve's width has a uniform rank within Normal(mu, tau) if the model holds, however
    little its profile says (pivotal discrepancies: Yuan and Johnson 2012). Two statistics: the
    share of curves in the outer tenth (heavy tails), and under one decade (what is reported).
    """
    mu, tau = _checked_draws(trace, design)
    real: list[list[float]] = []
    model: list[list[float]] = []
    for m, t in zip(mu, tau, strict=True):
        of_curve = np.repeat(m, np.diff(design.starts))
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


def _checked_draws(trace: Any, design: Design) -> tuple[FloatArray, FloatArray]:
    """Means of the groups, shape (draws, groups), and tau of evenly spaced draws."""
    posterior = trace.posterior
    tau = posterior["tau"].to_numpy().ravel()
    chosen = np.unique(np.linspace(0, len(tau) - 1, N_CHECKED).astype(int))
    mu = np.zeros((len(chosen), len(design.starts) - 1))
    for name, level in design.level.items():
        if name in posterior:
            effects = posterior[name].to_numpy()
            mu += effects.reshape(len(tau), -1)[np.ix_(chosen, level)]
    return mu, tau[chosen]


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
    cells = group_cells(mu, tau, cell_edges(design.nodes))
    group = np.repeat(np.arange(len(mu)), np.diff(design.starts))
    cumulative = np.cumsum(design.weights * cells[group], axis=1)
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
