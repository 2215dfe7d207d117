"""The engine beside its peers on the same published curves: one row a fit.

Each method is measured one fit at a time, and where it can serve two cores, also by two curves at
a time. Only the fit is timed, not the diagnosis of its draws.
"""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit
from scipy.special import expit

from measured import ROOT
from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.base.threads import map_curves
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import ROUNDING, Curve, build_curves
from metamirage.fitting.priors import LOGISTIC_WIDTH, PARAMETERS, Priors, priors_for
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy

SEED = 20_240_101
THREADS = 2
CHAINS, TUNE, DRAWS = 4, 1000, 1000
LN10 = np.log(10.0)
# One curve in six has Gaussian noise here, as long as there are such; among those that ship it is
# one in thirty.
GAUSSIAN_SHARE = 6

type Row = dict[str, object]


def shipped_curves(place: Path) -> list[Curve]:
    """Build the curves of the published table that ships, GPT-3, in a folder of their own."""
    spec = load_spec(ROOT / "config/benchmarks/gpt3.yaml")
    raw = place / "data/raw/gpt3"
    shutil.copytree(ROOT / "data/raw/gpt3", raw, ignore=shutil.ignore_patterns("MANIFEST.json"))
    fetch(spec, mirror=None, destination=raw)
    scores, _ = tidy(spec, root=raw)
    metrics = read_metrics(ROOT / "config/metrics.csv")
    return build_curves(scores, tag_metrics(scores, metrics, overrides=spec.tag_overrides))


def chosen(curves: Sequence[Curve], n: int) -> list[Curve]:
    """Choose n curves at random, the same each run; Gaussian scores first, so that some are in."""
    order = np.random.default_rng(SEED).permutation(len(curves))
    by_kind = {
        kind: [curves[i] for i in order if curves[i].observation == kind]
        for kind in ("beta_binomial", "gaussian")
    }
    scored = by_kind["gaussian"][: max(1, n // GAUSSIAN_SHARE)]
    return [*by_kind["beta_binomial"][: n - len(scored)], *scored]


@contextmanager
def timed(row: Row) -> Iterator[None]:
    """Add wall and CPU seconds of all threads and child processes to a row."""
    start, cpu = time.perf_counter(), _cpu()
    yield
    row |= {"wall_s": time.perf_counter() - start, "cpu_s": _cpu() - cpu}


def _cpu() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def with_engine(curve: Curve, candidate: str) -> Row:
    """Integrate once; evidence, and moments of width and location."""
    from metamirage.fitting.quadrature.integrate import integrate

    row: Row = {}
    priors = priors_for(curve, candidate)
    with timed(row):
        posterior = integrate(curve, candidate, priors, rng=_rng(curve))
    row |= {"log_evidence": posterior.log_evidence, "log_evidence_error": posterior.error}
    return row | _moments(candidate, posterior.theta, posterior.weights, posterior.ess)


def with_nutpie(curve: Curve, candidate: str) -> Row:
    """Sample a model that was compiled for an earlier curve of its kind."""
    import nutpie

    from metamirage.fitting.nuts import compiled_for

    row: Row = {}
    with timed(row):
        compiled = compiled_for(curve, candidate, priors_for(curve, candidate))
        trace = nutpie.sample(
            compiled,
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=1,
            seed=_seed(curve),
            progress_bar=False,
            save_warmup=False,
        )
    return row | _diagnosed(trace, candidate)


def with_pymc(curve: Curve, candidate: str) -> Row:
    """Build, compile and sample, all by PyMC's defaults."""
    import pymc as pm

    from metamirage.fitting.models import build_model

    row: Row = {}
    with timed(row), build_model(curve, candidate, priors_for(curve, candidate)):
        trace = pm.sample(random_seed=_seed(curve), progressbar=False)
    return row | _diagnosed(trace, candidate)


def with_scipy(curve: Curve, candidate: str) -> Row:
    """Least squares with Akaike's criterion; no AIC where no fit was found."""
    row: Row = {"aic": np.nan}
    mean, start = _mean_function(curve, candidate)
    with timed(row):
        try:
            found, _ = curve_fit(mean, curve.size, curve.z, p0=start)
        except RuntimeError:
            return row
        squares = np.sum((curve.z - mean(curve.size, *found)) ** 2)
        n = len(curve.z)
        # Scores are rounded: a fit cannot be nearer than that, and log 0 would win every time.
        aic = n * np.log(max(squares / n, ROUNDING**2)) + 2 * (len(found) + 1)
    return row | {"aic": aic}


METHODS: Mapping[str, Callable[[Curve, str], Row]] = {
    "engine": with_engine,
    "nutpie": with_nutpie,
    "pymc": with_pymc,
    "scipy": with_scipy,
}
# The compiled ones release the interpreter's lock; PyMC uses all cores for one fit by itself.
ON_TWO = ("engine", "nutpie")


def fits_of(method: str, curves: Sequence[Curve]) -> pd.DataFrame:
    """Fit every candidate to every curve with one method, one fit at a time.

    Returns
    -------
    pandas.DataFrame
        Columns of ``engine_fits.csv`` in README.md. A first fit of each kind of model, which
        compiles, stands apart: ``first`` is True there.
    """
    fit = METHODS[method]
    rows = []
    seen: set[tuple[str, str]] = set()
    for curve in curves:
        for candidate in CANDIDATES:
            kind = (candidate, curve.observation)
            # PyMC compiles anew each time; for the others the kind is fitted once before.
            if kind not in seen and method != "pymc":
                rows.append(_named(method, curve, candidate) | fit(curve, candidate))
                rows[-1]["first"] = True
            seen.add(kind)
            rows.append(_named(method, curve, candidate) | fit(curve, candidate))
    return pd.DataFrame(rows)


def two_at_a_time(method: str, curves: Sequence[Curve]) -> Row:
    """Fit every candidate to every curve, two curves at a time, after ``fits_of`` compiled all."""
    fit = METHODS[method]
    row: Row = {"method": method, "fits": len(curves) * len(CANDIDATES)}
    with timed(row):
        map_curves(
            lambda curve: [fit(curve, c) for c in CANDIDATES], curves, threads=THREADS, label=method
        )
    return row


def _named(method: str, curve: Curve, candidate: str) -> Row:
    return {
        "method": method,
        "curve_id": curve.curve_id,
        "observation": curve.observation,
        "candidate": candidate,
        "first": False,
    }


def _seed(curve: Curve) -> int:
    return int(named_stream(SEED, "fits", curve.curve_id).generate_state(1)[0])


def _rng(curve: Curve) -> np.random.Generator:
    return np.random.default_rng(_seed(curve))


def _moments(candidate: str, theta: FloatArray, weights: FloatArray, ess: float) -> Row:
    """Mean and sd of log10 width and location; theta of shape (m, 5)."""
    if candidate != "sigmoid":
        return {}
    row: Row = {"ess": ess}
    for name, values in (("location", theta[:, 3]), ("log10_width", theta[:, 4] / LN10)):
        mean = weights @ values
        row |= {f"{name}_mean": mean, f"{name}_sd": np.sqrt(weights @ (values - mean) ** 2)}
    return row


def _diagnosed(trace: object, candidate: str) -> Row:
    import arviz as az

    draws = trace.posterior  # type: ignore[attr-defined]
    names = PARAMETERS[candidate]
    theta = np.stack([np.ravel(draws[name]) for name in names], axis=1)
    ess = [float(az.ess(draws[name].to_numpy())) for name in names]
    r_hat = [float(az.rhat(draws[name].to_numpy())) for name in names]
    weights = np.full(len(theta), 1 / len(theta))
    return {
        "chains": draws.sizes["chain"],
        "r_hat": max(r_hat),
        "divergences": int(trace.sample_stats["diverging"].sum()),  # type: ignore[attr-defined]
        **_moments(candidate, theta, weights, min(ess)),
    }


def _mean_function(curve: Curve, candidate: str) -> tuple[Callable[..., FloatArray], FloatArray]:
    """Mean of a candidate in its levels and shape, on the scale of ``Curve.z``; where to start."""
    first, span = curve.size[0], curve.size[-1] - curve.size[0]
    priors: Priors = priors_for(curve, candidate)

    def rise(x: FloatArray, *shape: float) -> FloatArray:
        u = (x - first) / span
        if candidate == "sigmoid":
            return np.asarray(expit(LOGISTIC_WIDTH * (x - shape[0]) * np.exp(-shape[1])))
        if candidate == "quadratic":
            return np.asarray(((u - 0.5 - shape[0]) / (0.5 + abs(shape[0]))) ** 2)
        if candidate == "power" and shape[0] != 0.0:
            k = shape[0] * LN10 * span
            return np.asarray(np.expm1(k * u) / np.expm1(k))
        return np.asarray(u)

    def mean(x: FloatArray, left: float, *rest: float) -> FloatArray:
        if candidate == "flat":
            return np.full(len(x), left)
        return left + (rest[0] - left) * rise(x, *rest[1:])

    ends = [curve.z.mean()] if candidate == "flat" else [curve.z[0], curve.z[-1]]
    shape = {"power": [0.1], "quadratic": [0.1], "sigmoid": [priors.shape1[0], priors.shape2[0]]}
    return mean, np.array([*ends, *shape.get(candidate, [])])
