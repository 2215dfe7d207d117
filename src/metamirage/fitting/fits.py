"""Stage fits: every candidate on every curve, with evidence, posterior, profile and verdict.

The quadrature says how exact it is; where that is not enough, NUTS is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.threads import map_curves
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.engines import (
    EVIDENCE_ONLY,
    MAX_EVIDENCE_ERROR,
    before_last,
    integrate_all,
    model_weights,
)
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS
from metamirage.fitting.settings import FitSettings
from metamirage.fitting.verdicts import p_turns, summarise, verdict

# Named types, since a run without NUTS has nothing in these columns.
MODEL_TYPES = {"divergences": "Int64", "converged": "boolean"}
FIT_TYPES = {"n_shots": "Int64", **MODEL_TYPES}

log = logging.getLogger("metamirage")


@dataclass(frozen=True)
class FitTables:
    """Tables of the stage: ``tables.FITS``, ``tables.MODELS`` and ``tables.PROFILES``."""

    fits: pd.DataFrame
    models: pd.DataFrame
    profiles: pd.DataFrame


def fit_curves(curves: Sequence[Curve], settings: FitSettings) -> FitTables:
    """Fit all candidates to all curves.

    The result does not depend on the number of threads or on which other curves are there: each
    curve draws from a stream of its own.

    Parameters
    ----------
    curves
        From ``curves.build_curves``.
    settings
        Seed, prior, engine and threads.

    Returns
    -------
    FitTables
        One row a curve; one a curve and candidate; one a curve and node of the widths.
    """
    results = map_curves(
        lambda curve: fit_curve(curve, settings),
        curves,
        threads=settings.threads,
        label="fits",
    )
    fits, models, profiles = zip(*results, strict=True)
    fitted = FitTables(
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
    curve: Curve, settings: FitSettings
) -> tuple[dict[str, object], list[dict[str, object]], FloatArray]:
    """Fit all candidates to one curve: its row of fits, its rows of models, its profile (36,)."""
    full = integrate_all(curve, curve, settings)
    train = integrate_all(before_last(curve), curve, settings, effort=EVIDENCE_ONLY)
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
