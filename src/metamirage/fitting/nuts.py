"""The candidates sampled by NUTS: engine `nuts`, and a second opinion on the quadrature.

The PyMC models of ``candidates`` are compiled once a process for each candidate and observation
model, and fed with each curve's data. Nothing here rests on the quadrature or on its densities.

Not for quadratic on a curve that clearly rises or falls: it turns before the window or after it,
and chains do not pass from one to the other. Their r_hat says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, NamedTuple

import arviz as az
import numpy as np
import nutpie
from scipy.special import ndtr

from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.bridge import bridge
from metamirage.fitting.models import build_model, model_data
from metamirage.fitting.posterior import Sampled
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS, Priors

N_CHAINS = 4


class Schedule(NamedTuple):
    """Transitions of one chain, and the acceptance that its step size aims at."""

    tune: int
    draws: int
    target_accept: float


# The first that converges is kept, else the last.
SCHEDULES = (Schedule(1000, 1000, 0.95), Schedule(1000, 3000, 0.99))


def sample(
    curve: Curve,
    candidate: str,
    priors: Priors,
    *,
    rng: np.random.Generator,
    window: Curve | None = None,
    schedules: tuple[Schedule, ...] = SCHEDULES,
) -> Sampled:
    """Sample one candidate on one curve.

    Parameters
    ----------
    curve, candidate, priors, window
        As for ``engine.integrate``.
    rng
        Seeds the chains; equal generators give equal draws.
    schedules
        At least one.

    Returns
    -------
    Sampled
        Also where the chains did not converge: ask ``Sampled.converged``.
    """
    compiled = compiled_for(curve, candidate, priors, window=window)
    for schedule in schedules:
        sampled = _sample(compiled, candidate, priors, schedule=schedule, rng=rng)
        if sampled.converged:
            break
    return sampled


_COMPILED: dict[tuple[str, str], Any] = {}
_COMPILING = Lock()


def compiled_for(
    curve: Curve, candidate: str, priors: Priors, *, window: Curve | None = None
) -> Any:
    """Return the compiled model of a candidate, fed with a curve.

    The first curve of an observation model pays for the compilation, some five seconds.

    Parameters
    ----------
    curve, candidate, priors, window
        As for ``sample``.
    """
    key = (candidate, curve.observation)
    with _COMPILING:
        if key not in _COMPILED:
            model = build_model(curve, candidate, priors)
            _COMPILED[key] = nutpie.compile_pymc_model(model, backend="numba")
        compiled = _COMPILED[key]
    used = {variable.name for variable in compiled.shared_var_keys}
    given = model_data(curve, priors, window=window)
    fed = compiled.with_data(**{name: given[name] for name in used})
    return replace(fed, initial_point_func=_start(candidate, priors))


def _start(candidate: str, priors: Priors) -> Callable[[int], FloatArray]:
    """Return what starts a chain, under this curve's priors and not those first compiled.

    Every second chain starts opposite to the one before it, as seen from the prior mean: of two
    modes that mirror each other, such as quadratic's, none is missed by luck and unnoticed.
    """
    mean, sd = priors.as_array()[: len(PARAMETERS[candidate])].T
    opposite: list[FloatArray] = []

    def start(seed: int) -> FloatArray:
        if opposite:
            return opposite.pop()
        rng = np.random.default_rng(seed)
        steps = rng.uniform(0.5, 1.5, len(mean)) * rng.choice([-1, 1], len(mean))
        opposite.append(mean - sd * steps)
        return np.asarray(mean + sd * steps)

    return start


def _sample(
    compiled: Any, candidate: str, priors: Priors, *, schedule: Schedule, rng: np.random.Generator
) -> Sampled:
    """Run the chains and sum them up."""
    trace = nutpie.sample(
        compiled,
        tune=schedule.tune,
        draws=schedule.draws,
        target_accept=schedule.target_accept,
        # Twice the effective draws of nutpie's default here, which follows the gradients too.
        adaptation="draw_diag",
        chains=N_CHAINS,
        # Curves run side by side, so the chains of one do not.
        cores=1,
        seed=int(rng.integers(2**63)),
        progress_bar=False,
        save_warmup=False,
    )
    names = PARAMETERS[candidate]
    draws = np.stack([trace.posterior[name].to_numpy() for name in names], axis=-1)
    found = bridge(lambda points: log_joint(compiled, points), draws, rng=rng)
    theta = np.zeros((draws.shape[0] * draws.shape[1], 5))
    theta[:, : len(names)] = draws.reshape(-1, len(names))
    return Sampled(
        candidate=candidate,
        theta=theta,
        weights=np.full(len(theta), 1 / len(theta)),
        log_evidence=found.log_evidence,
        error=found.error,
        ess=float(diagnosed(az.ess, draws).min()),
        profile=_profile(theta, found.log_evidence, priors) if len(names) == 5 else np.empty(0),
        r_hat=float(diagnosed(az.rhat, draws).max()),
        divergences=int(trace.sample_stats["diverging"].sum()),
    )


def diagnosed(diagnose: Callable[[FloatArray], float], draws: FloatArray) -> FloatArray:
    """Diagnose each parameter; shape of draws is (chains, n, d), of the result (d,)."""
    return np.array([diagnose(draws[..., j]) for j in range(draws.shape[2])], dtype=float)


def log_joint(compiled: Any, points: FloatArray) -> FloatArray:
    """Log density of a compiled model at points of shape (m, d); minus infinity where undefined."""
    function = compiled.logp_func.vm.jit_fn
    given = [
        compiled.shared_data[compiled.shared_var_keys[variable]]
        for variable in compiled.logp_func.get_shared()
    ]
    values = np.array([function(point, *given)[0] for point in points])
    return np.asarray(np.where(np.isnan(values), -np.inf, values))


def _profile(theta: FloatArray, log_evidence: float, priors: Priors) -> FloatArray:
    """Log marginal likelihood by node of width; the outer cells reach to the ends of the prior."""
    edges = (LOG10_WIDTH_NODES[1:] + LOG10_WIDTH_NODES[:-1]) / 2 * np.log(10.0)
    counts = np.bincount(np.searchsorted(edges, theta[:, 4]), minlength=len(LOG10_WIDTH_NODES))
    below = ndtr((edges - priors.shape2[0]) / priors.shape2[1])
    mass = np.diff(below, prepend=0.0, append=1.0)
    shares = (counts + mass) / (len(theta) + 1)
    return np.asarray(log_evidence + np.log(shares) - np.log(mass))
