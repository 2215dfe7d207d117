"""Engines: one candidate on one curve, by quadrature, by NUTS, or by the surer of the two.

The quadrature says how exact it is; where that is not enough, NUTS is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.priors import Priors, priors_for
from metamirage.fitting.quadrature.integrate import COARSENESS, TARGET_ERROR, integrate
from metamirage.fitting.settings import FitSettings

# Evidence of the quadrature that is less sure than this, nats, is not left at that.
MAX_EVIDENCE_ERROR = 0.05


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


def integrate_all(
    curve: Curve, window: Curve, settings: FitSettings, *, effort: Effort = Effort()
) -> dict[str, Posterior]:
    """Integrate every candidate on a curve, under the priors of a window of sizes.

    Parameters
    ----------
    curve
        The points to condition on.
    window
        The whole curve: sizes are known before scores are, so a forecast keeps its priors.
    settings
        Seed, prior and engine.
    effort
        Of the quadrature; NUTS has its own.

    Returns
    -------
    dict
        Posterior by candidate, in the order of ``vocabulary.CANDIDATES``.
    """
    requests = fit_requests(curve, window, settings)
    if settings.engine == "nuts":
        return {candidate: by_nuts(request) for candidate, request in requests.items()}
    return {candidate: by_surer_engine(request, effort) for candidate, request in requests.items()}


@dataclass(frozen=True)
class FitRequest:
    """One candidate on one curve, as both engines take it, and the stream that seeds them."""

    curve: Curve
    candidate: str
    priors: Priors
    window: Curve
    stream: np.random.SeedSequence


def fit_requests(curve: Curve, window: Curve, settings: FitSettings) -> dict[str, FitRequest]:
    """Give each candidate its priors and its random stream.

    Parameters
    ----------
    curve, window, settings
        As in ``integrate_all``.
    """
    streams = named_stream(settings.seed, "fits", curve.curve_id).spawn(len(CANDIDATES))
    return {
        candidate: FitRequest(
            curve,
            candidate,
            priors_for(window, candidate, width_prior=settings.prior),
            window=window,
            stream=stream,
        )
        for candidate, stream in zip(CANDIDATES, streams, strict=True)
    }


def by_quadrature(request: FitRequest, effort: Effort = Effort()) -> Posterior:
    """Integrate by quadrature alone."""
    return integrate(
        request.curve,
        request.candidate,
        request.priors,
        rng=np.random.default_rng(request.stream),
        window=request.window,
        n_first=effort.n_first,
        target_error=effort.target_error,
        coarseness=effort.coarseness,
    )


def by_nuts(request: FitRequest) -> Sampled:
    """Sample with NUTS."""
    # Only here, since most runs never need it and its libraries take seconds to load.
    from metamirage.fitting.nuts import sample

    rng = np.random.default_rng(request.stream)
    return sample(request.curve, request.candidate, request.priors, rng=rng, window=request.window)


def by_surer_engine(request: FitRequest, effort: Effort = Effort()) -> Posterior:
    """Integrate by quadrature; where that is not sure enough, keep the better of it and NUTS."""
    integrated = by_quadrature(request, effort)
    if integrated.error <= effort.max_error:
        return integrated
    sampled = by_nuts(request)
    better = sampled.converged and sampled.error < integrated.error
    return sampled if better else integrated


def model_weights(posteriors: dict[str, Posterior]) -> FloatArray:
    """Posterior probabilities of ``tables.CANDIDATES``, in their order, equal a priori."""
    # ASSUME: no candidate is favoured before the scores are seen.
    weights: FloatArray = softmax([posteriors[c].log_evidence for c in CANDIDATES])
    return weights


def before_last(curve: Curve) -> Curve:
    """Return the curve without its largest size."""
    return curve.take(curve.size < curve.size[-1])
