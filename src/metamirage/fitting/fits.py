"""Stage fits: every candidate on every curve, with evidence, posterior, profile and verdict.

The quadrature says how exact it is; where that is not enough, NUTS is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import curve_seed
from metamirage.base.threads import map_curves
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS, Priors, priors_for
from metamirage.fitting.quadrature.integrate import COARSENESS, TARGET_ERROR, integrate
from metamirage.fitting.verdicts import p_turns, summarise, verdict

# Evidence of the quadrature that is less sure than this, nats, is not left at that.
MAX_EVIDENCE_ERROR = 0.05

# Named types, since a run without NUTS has nothing in these columns.
MODEL_TYPES = {"divergences": "Int64", "converged": "boolean"}
FIT_TYPES = {"n_shots": "Int64", **MODEL_TYPES}

log = logging.getLogger("metamirage")


@dataclass(frozen=True)
class Effort:
    """How hard the quadrature tries, as in ``engine.integrate``, and what is left to NUTS.

    Parameters
    ----------
    n_first, target_error, coarseness
        Draws to start from, error to stop at, and how long the cells are that draws come from.
    max_error
        NUTS is asked where the error stays above this, nats.
    """

    n_first: int | None = None
    target_error: float = TARGET_ERROR
    coarseness: int = COARSENESS
    max_error: float = MAX_EVIDENCE_ERROR


# The evidence without the largest size only serves elpd_last, which comes with its own error.
EVIDENCE_ONLY = Effort(n_first=32, target_error=0.1, coarseness=3, max_error=np.inf)


@dataclass(frozen=True)
class Fitted:
    """Tables of the stage: ``tables.FITS``, ``tables.MODELS`` and ``tables.PROFILES``."""

    fits: pd.DataFrame
    models: pd.DataFrame
    profiles: pd.DataFrame


def fit_curves(
    curves: Sequence[Curve],
    *,
    seed: int,
    width_prior: str = "default",
    engine: str = "quadrature",
    threads: int = 1,
) -> Fitted:
    """Fit all candidates to all curves.

    The result does not depend on ``threads`` or on which other curves are there: each curve draws
    from a stream of its own.

    Parameters
    ----------
    curves
        From ``curves.build_curves``.
    seed
        Run seed.
    width_prior
        One of ``priors.WIDTH_PRIORS``.
    engine
        One of ``tables.ENGINES``.
    threads
        Curves fitted at a time.
    """
    results = map_curves(
        lambda curve: fit_curve(curve, seed=seed, width_prior=width_prior, engine=engine),
        curves,
        threads=threads,
        label="fits",
    )
    fits, models, profiles = zip(*results, strict=True)
    fitted = Fitted(
        fits=pd.DataFrame(list(fits)).astype(FIT_TYPES),
        models=pd.DataFrame([row for rows in models for row in rows]).astype(MODEL_TYPES),
        profiles=_profile_rows(curves, np.array(profiles)),
    )
    log.info("%s", _engines_used(fitted.models))
    return fitted


def _engines_used(models: pd.DataFrame) -> str:
    """Say in one line what NUTS made and what is left unsure."""
    by_nuts = models[models["method"] == "nuts"]
    failed = int((~by_nuts["converged"].astype(bool)).sum())
    unsure = int((models["log_evidence_error"] > MAX_EVIDENCE_ERROR).sum())
    return (
        f"fits: NUTS made {len(by_nuts)} of {len(models)} posteriors, {failed} of them not"
        f" converged; {unsure} {'evidence' if unsure == 1 else 'evidences'} known to less than"
        f" {MAX_EVIDENCE_ERROR} nats"
    )


def fit_curve(
    curve: Curve, *, seed: int, width_prior: str = "default", engine: str = "quadrature"
) -> tuple[dict[str, object], list[dict[str, object]], FloatArray]:
    """Fit all candidates to one curve: its row of fits, its rows of models, its profile (36,)."""
    full = integrate_all(curve, curve, seed=seed, width_prior=width_prior, engine=engine)
    train = integrate_all(
        before_last(curve),
        curve,
        seed=seed,
        width_prior=width_prior,
        engine=engine,
        effort=EVIDENCE_ONLY,
    )
    sigmoid = full["sigmoid"]
    summary = summarise(curve, sigmoid)
    odds = sigmoid.log_evidence - full["linear"].log_evidence
    weights = dict(zip(CANDIDATES, model_weights(full), strict=True))
    row = {
        "curve_id": curve.curve_id,
        **curve.key,
        "n_sizes": curve.n_sizes,
        "observation": curve.observation,
        "verdict": verdict(summary, curve.n_sizes),
        **summary,
        "p_nonmonotone": weights["quadratic"] * p_turns(curve, full["quadratic"]),
        "log_evidence_error": max(p.error for p in full.values()),
        **_diagnostics(full.values()),
        "log10_bf_sigmoid_linear": odds / np.log(10.0),
        "excluded": curve.excluded,
    }
    return row, _model_rows(curve, full, train), sigmoid.profile


def _diagnostics(posteriors: Iterable[Posterior]) -> dict[str, object]:
    """Name the method, and the worst diagnostics of some posteriors; NUTS has two of its own."""
    known = list(posteriors)
    sampled = [p for p in known if isinstance(p, Sampled)]
    return {
        "method": "nuts" if sampled else "quadrature",
        "ess": min(p.ess for p in known),
        "r_hat": float(np.max([p.r_hat for p in sampled])) if sampled else np.nan,
        "divergences": max(p.divergences for p in sampled) if sampled else None,
        "converged": all(p.converged for p in sampled) if sampled else None,
    }


def _profile_rows(curves: Sequence[Curve], profiles: FloatArray) -> pd.DataFrame:
    """Put profiles of shape (curves, nodes) below each other."""
    n_nodes = len(LOG10_WIDTH_NODES)
    return pd.DataFrame(
        {
            "curve_id": np.repeat([curve.curve_id for curve in curves], n_nodes),
            "log10_width": np.tile(LOG10_WIDTH_NODES, len(curves)),
            "log_marginal": profiles.ravel(),
        }
    )


def before_last(curve: Curve) -> Curve:
    """Return the curve without its largest size."""
    return curve.take(curve.size < curve.size[-1])


def integrate_all(
    curve: Curve,
    window: Curve,
    *,
    seed: int,
    width_prior: str,
    engine: str = "quadrature",
    effort: Effort = Effort(),
) -> dict[str, Posterior]:
    """Integrate every candidate on a curve, under the priors of a window of sizes.

    Parameters
    ----------
    curve
        The points to condition on.
    window
        The whole curve: sizes are known before scores are, so a forecast keeps its priors.
    seed, width_prior, engine
        As in ``fit_curves``.
    effort
        Of the quadrature; NUTS has its own.
    """
    tasks = tasks_for(curve, window, seed=seed, width_prior=width_prior)
    if engine == "nuts":
        return {candidate: by_nuts(task) for candidate, task in tasks.items()}
    return {candidate: as_sure_as_can_be(task, effort) for candidate, task in tasks.items()}


@dataclass(frozen=True)
class Task:
    """One candidate on one curve, as both engines take it, and the stream that seeds them."""

    curve: Curve
    candidate: str
    priors: Priors
    window: Curve
    stream: np.random.SeedSequence


def tasks_for(curve: Curve, window: Curve, *, seed: int, width_prior: str) -> dict[str, Task]:
    """Give each candidate its priors and its stream; arguments as for ``integrate_all``."""
    streams = curve_seed(seed, curve.curve_id).spawn(len(CANDIDATES))
    return {
        candidate: Task(
            curve,
            candidate,
            priors_for(window, candidate, width_prior=width_prior),
            window=window,
            stream=stream,
        )
        for candidate, stream in zip(CANDIDATES, streams, strict=True)
    }


def by_quadrature(task: Task, effort: Effort = Effort()) -> Posterior:
    """Integrate by quadrature alone."""
    return integrate(
        task.curve,
        task.candidate,
        task.priors,
        rng=np.random.default_rng(task.stream),
        window=task.window,
        n_first=effort.n_first,
        target_error=effort.target_error,
        coarseness=effort.coarseness,
    )


def by_nuts(task: Task) -> Sampled:
    """Sample with NUTS."""
    # Only here, since most runs never need it and its libraries take seconds to load.
    from metamirage.fitting.nuts import sample

    rng = np.random.default_rng(task.stream)
    return sample(task.curve, task.candidate, task.priors, rng=rng, window=task.window)


def as_sure_as_can_be(task: Task, effort: Effort = Effort()) -> Posterior:
    """Integrate by quadrature; where that is not sure enough, keep the better of it and NUTS."""
    integrated = by_quadrature(task, effort)
    if integrated.error <= effort.max_error:
        return integrated
    sampled = by_nuts(task)
    better = sampled.converged and sampled.error < integrated.error
    return sampled if better else integrated


def _model_rows(
    curve: Curve, full: dict[str, Posterior], train: dict[str, Posterior]
) -> list[dict[str, object]]:
    return [
        {
            "curve_id": curve.curve_id,
            "model": c,
            "log_evidence": full[c].log_evidence,
            "log_evidence_error": full[c].error,
            "weight": weight,
            # The chain rule: p(last | rest) = p(all) / p(rest), per unit of the score's scale.
            "elpd_last": full[c].log_evidence - train[c].log_evidence + log_grain(curve),
            "elpd_se": float(np.hypot(full[c].error, train[c].error)),
            **_diagnostics([full[c]]),
            **_parameters(full[c]),
        }
        for c, weight in zip(CANDIDATES, model_weights(full), strict=True)
    ]


def model_weights(posteriors: dict[str, Posterior]) -> FloatArray:
    """Posterior probabilities of ``tables.CANDIDATES``, in their order, equal a priori."""
    # ASSUME: no candidate is favoured before the scores are seen.
    weights: FloatArray = softmax([posteriors[c].log_evidence for c in CANDIDATES])
    return weights


def log_grain(curve: Curve) -> float:
    """Nats that turn a probability of the last count into a density per unit of ``Curve.z``."""
    if curve.observation == "gaussian":
        return 0.0
    return float(np.log(curve.n_items[curve.size == curve.size[-1]]).sum())


def _parameters(posterior: Posterior) -> dict[str, float]:
    names = PARAMETERS["sigmoid"]
    row = dict.fromkeys([f"{n}_{s}" for n in names for s in ("mean", "sd")], np.nan)
    for j, name in enumerate(PARAMETERS[posterior.candidate]):
        row[f"{name}_mean"] = posterior.mean(posterior.theta[:, j])
        row[f"{name}_sd"] = posterior.sd(posterior.theta[:, j])
    return row
