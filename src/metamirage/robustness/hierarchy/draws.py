"""Draws of the hierarchical model, what they say under other priors, and whether to believe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from arviz_stats.base.array import array_stats

from metamirage.base.arrays import FloatArray
from metamirage.fitting.posterior import MAX_DIVERGENT_SHARE, MAX_R_HAT, MIN_ESS
from metamirage.robustness.hierarchy.density import Scales
from metamirage.robustness.hierarchy.design import Design

SPREADS = {"s_metric": "metric", "s_task": "task", "s_family": "family", "tau": "curve"}
# Above it, reweighted draws are no draws (Vehtari et al. 2024, JMLR 25(72)).
MAX_PARETO_K = 0.7


@dataclass(frozen=True)
class Draws:
    """Weighted draws.

    Parameters
    ----------
    reported
        Draws of each reported parameter, shape (chains, draws).
    b0, tau
        Same shape.
    effects
        Effects of ``metric``, ``task`` and ``family``, shape (chains, draws, levels).
    weights
        Shape (chains, draws), sum one.
    divergences
        Of all chains.
    pareto_k
        Of the weights; missing where the draws are the sampler's own.
    n_tried
        Schedules of the sampler that it took.
    """

    reported: dict[str, FloatArray]
    b0: FloatArray
    tau: FloatArray
    effects: dict[str, FloatArray]
    weights: FloatArray
    divergences: int
    pareto_k: float = np.nan
    n_tried: int = 1

    @classmethod
    def of_trace(cls, trace: Any, design: Design) -> Draws:
        """Take what is needed from nutpie's trace."""
        found = {str(name): values.to_numpy() for name, values in trace.posterior.items()}
        b0 = found["b0"]
        return cls(
            reported=reported(found, design),
            b0=b0,
            tau=found["tau"],
            effects={name: found[name] for name in ("metric", "task", "family")},
            weights=np.full(b0.shape, 1 / b0.size),
            divergences=int(trace.sample_stats["diverging"].sum()),
        )

    def r_hat(self, name: str) -> float:
        """Split R-hat by ranks of the chains behind the draws."""
        return float(array_stats.rhat(self.reported[name]))

    def ess(self, name: str) -> float:
        """Effective size of the bulk, less what the weights take."""
        return float(array_stats.ess(self.reported[name]) / (self.weights**2).sum() / self.b0.size)

    @property
    def failure(self) -> str:
        """Say why these draws are not to be believed, or nothing."""
        return "; ".join(self._failures())

    def _failures(self) -> Iterator[str]:
        r_hat = max(self.r_hat(name) for name in self.reported)
        ess = min(self.ess(name) for name in self.reported)
        if not r_hat <= MAX_R_HAT:
            yield f"R-hat {r_hat:.3f}"
        if not ess >= MIN_ESS:
            yield f"effective draws {ess:.0f}"
        if self.divergences > MAX_DIVERGENT_SHARE * self.b0.size:
            yield f"{self.divergences} divergent transitions"
        if self.pareto_k > MAX_PARETO_K:
            yield f"Pareto k {self.pareto_k:.2f}"


def reported(found: dict[str, FloatArray], design: Design) -> dict[str, FloatArray]:
    """Parameters of interest from named draws, each of shape (chains, draws)."""
    kept = {"beta": found["beta"], "ratio": np.exp(found["beta"])}
    for q, name in enumerate(design.queries[1:]):
        kept[f"gamma[{name}]"] = found["gamma"][..., q]
    present = {s: name for s, name in SPREADS.items() if s in found}
    kept |= {s: found[s] for s in present}
    variance = {name: found[s] ** 2 for s, name in present.items()}
    # What class and query explain is a difference between metrics too.
    variance["metric"] = variance["metric"] + _explained(found, design)
    total = sum(variance.values())
    return kept | {f"share_{name}": v / total for name, v in variance.items()}


def _explained(found: dict[str, FloatArray], design: Design) -> FloatArray:
    """Variance over curves of the part of class and query, shape (chains, draws)."""
    data = design.data
    gamma = np.pad(found["gamma"], ((0, 0), (0, 0), (1, 0)))
    part = found["beta"][..., None] * data.side + gamma[..., data.query]
    n_curves = np.bincount(data.metric, np.diff(data.starts), minlength=len(data.side))
    shares = n_curves / n_curves.sum()
    return np.asarray((part**2) @ shares - (part @ shares) ** 2)


def reweighted(draws: Draws, sampled: Scales, wanted: Scales) -> Draws:
    """Weight draws under one prior of b0 to stand for another (Pareto-smoothed weights).

    The two priors may differ in nothing else.
    """
    if sampled == wanted:
        return draws
    log_ratio = _log_prior(draws.b0, wanted) - _log_prior(draws.b0, sampled)
    # It takes what is to be divided out, as log likelihoods are in leave-one-out.
    log_weights, k = array_stats.psislw(-log_ratio.ravel())
    weights = np.exp(log_weights - log_weights.max()).reshape(draws.b0.shape)
    # It has no k for weights that are zero but for a few.
    k = float(np.nan_to_num(k, nan=np.inf))
    return replace(draws, weights=weights / weights.sum(), pareto_k=k)


def _log_prior(b0: FloatArray, scales: Scales) -> FloatArray:
    return np.asarray(-0.5 * ((b0 - scales.intercept) / scales.intercept_sd) ** 2)
