"""Stage audit: some curves once more by NUTS, to see whether the quadrature can be believed.

Both engines integrate the density of one PyMC model; they share neither its code nor a draw. The
curves are drawn by stratum, so that rare kinds are looked at too: shares over the audited curves
are not shares over all curves.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from metamirage.base.seeds import named_stream
from metamirage.base.threads import map_curves
from metamirage.base.thresholds import AGREED_NATS, AGREED_SD, SHARP_WIDTH
from metamirage.contracts.audit import AUDIT
from metamirage.curves.curve import Curve
from metamirage.fitting.engines import (
    MAX_EVIDENCE_ERROR,
    FitRequest,
    by_nuts,
    by_quadrature,
    fit_requests,
)
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.settings import FitSettings

# Sizes from which the classes of the strata start: 3-4, 5-7 and 8 or more.
SIZE_CLASSES = (5, 8)
NORMAL_95 = 1.96

log = logging.getLogger("metamirage")


def audit_curves(
    curves: Sequence[Curve],
    fits: pd.DataFrame,
    settings: FitSettings,
    *,
    n_audit: int,
) -> pd.DataFrame:
    """Integrate and sample chosen curves, and set the results side by side.

    Parameters
    ----------
    curves
        From ``curves.build_curves``.
    fits
        Table ``tables.FITS`` of these curves.
    settings
        As in ``fits.fit_curves``.
    n_audit
        Curves to draw; those with bad diagnostics come on top.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.AUDIT``, one row an audited curve, in the order of ``curves``.
    """
    chosen = choose_curves(fits, settings, n=n_audit)
    rows = map_curves(
        lambda curve: audit_curve(curve, settings),
        [curve for curve in curves if curve.curve_id in chosen.index],
        threads=settings.threads,
        label="audit",
    )
    known = fits.set_index("curve_id")["verdict"]
    reasons = chosen.assign(verdict=known).to_dict("index")
    table = pd.DataFrame(
        [row | reasons[row["curve_id"]] for row in rows], columns=list(AUDIT.columns)
    ).astype({name: str(column.dtype) for name, column in AUDIT.columns.items()})
    agree = int((table["means_agree"] & table["evidence_agrees"]).sum())
    log.info(
        "audit: %d curves, NUTS converged on %d, engines agree on %d",
        len(table),
        int(table["converged"].sum()),
        agree,
    )
    return table


def choose_curves(fits: pd.DataFrame, settings: FitSettings, *, n: int) -> pd.DataFrame:
    """Choose which curves to audit.

    One curve of each stratum (observation model, verdict, class of sizes), then a second of each,
    and so on, at random but the same for the same seed and names; and all with bad diagnostics.

    Parameters
    ----------
    fits
        Table ``tables.FITS``.
    settings
        Seed, and the engine of the run: a row made by another was not good enough at first.
    n
        Curves to draw, at most.

    Returns
    -------
    pandas.DataFrame
        ``in_sample`` and ``flagged`` by ``curve_id``, chosen curves only.
    """
    lots = [
        named_stream(settings.seed, "audit", name).generate_state(1)[0] for name in fits["curve_id"]
    ]
    drawn = fits[["curve_id", "observation", "verdict"]].assign(
        size_class=np.digitize(fits["n_sizes"], SIZE_CLASSES), lot=lots
    )
    strata = drawn.groupby(["observation", "verdict", "size_class"])["lot"]
    order = drawn.assign(turn=strata.rank(method="first")).sort_values(["turn", "lot", "curve_id"])
    flagged = (fits["log_evidence_error"] > MAX_EVIDENCE_ERROR) | (
        fits["method"] != settings.engine
    )
    chosen = pd.DataFrame(
        {
            "in_sample": fits.index.isin(order.index[:n]),
            "flagged": flagged.to_numpy(),
        },
        index=pd.Index(fits["curve_id"]),
    )
    return chosen[chosen.any(axis=1)]


def audit_curve(curve: Curve, settings: FitSettings) -> dict[str, object]:
    """Integrate and sample sigmoid and linear on one curve, and compare.

    The quadrature is that of the fits stage to the last bit; NUTS has a stream of its own, so that
    a posterior which it replaced there is sampled afresh here.
    """
    requests = fit_requests(curve, curve, settings)
    streams = named_stream(settings.seed, "audit", curve.curve_id).spawn(2)
    quadrature, nuts = _both(requests["sigmoid"], streams[0])
    linear = _gap(*_both(requests["linear"], streams[1]))
    gap, gap_error = _gap(quadrature, nuts)
    shifts = _shifts(quadrature, nuts)
    agreed = max(abs(shifts["log10_width_shift"]), abs(shifts["location_shift"])) < AGREED_SD
    return {
        "curve_id": curve.curve_id,
        **curve.key,
        "n_sizes": curve.n_sizes,
        "observation": curve.observation,
        "log_evidence": quadrature.log_evidence,
        "log_evidence_error": quadrature.error,
        "evidence_gap": gap,
        "evidence_gap_error": gap_error,
        "linear_gap": linear[0],
        "linear_gap_error": linear[1],
        **shifts,
        "r_hat": nuts.r_hat,
        "ess": nuts.ess,
        "divergences": nuts.divergences,
        "converged": nuts.converged,
        "means_agree": agreed,
        "evidence_agrees": abs(gap) < AGREED_NATS,
    }


def _both(request: FitRequest, stream: np.random.SeedSequence) -> tuple[Posterior, Sampled]:
    return by_quadrature(request), by_nuts(replace(request, stream=stream))


def _gap(quadrature: Posterior, nuts: Sampled) -> tuple[float, float]:
    """Difference of the log evidences and the half-width of its 95 % interval."""
    gap = nuts.log_evidence - quadrature.log_evidence
    return gap, float(np.hypot(nuts.error, quadrature.error))


def _shifts(quadrature: Posterior, nuts: Sampled) -> dict[str, float]:
    row: dict[str, float] = {}
    measures = {"log10_width": (4, 1 / np.log(10.0)), "location": (3, 1.0)}
    for name, (column, unit) in measures.items():
        one, other = (p.theta[:, column] * unit for p in (quadrature, nuts))
        mean, sd = quadrature.mean(one), quadrature.sd(one)
        shift = (nuts.mean(other) - mean) / sd
        row |= {f"{name}_mean": mean, f"{name}_sd": sd, f"{name}_shift": shift}
    return row | {
        "shift_error": NORMAL_95 * float(np.sqrt(1 / quadrature.ess + 1 / nuts.ess)),
        "p_width_lt_1": _p_narrow(quadrature),
        "p_width_lt_1_nuts": _p_narrow(nuts),
    }


def _p_narrow(posterior: Posterior) -> float:
    # Weights sum to one within rounding only.
    narrow = (np.exp(posterior.theta[:, 4]) < SHARP_WIDTH).astype(float)
    return float(np.clip(posterior.mean(narrow), 0.0, 1.0))
