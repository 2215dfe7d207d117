"""Posterior of the sigmoid on 100 published curves by long NUTS runs.

``nuts_published.json`` is what this wrote, from the repository root, with the mirror of
``tests/mirror.py`` in place:
``PYTHONPATH=src:tests python tests/reference/make_nuts_published.py``, which goes on where it was
cut off.

The curves: half from the tables that ship, half from the mirror; taken in turn from strata of
observation model, number of sizes and look of the scores. One PyMC model for counts and one for
scores is compiled with nutpie, each curve is put in as data, and the first of each is compared with
``candidates.build_model``. 4 chains of 4,000 draws after 2,000 of tuning at target acceptance 0.97;
a curve that has not converged is sampled again, at 0.995, with three times the draws. Converged
means, as fixed before the first run: r_hat below 1.01 and bulk effective size above 2,500 for both
quantities (a mean then has an error of 0.02 sd), divergences at most a thousandth of the draws.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import arviz as az
import numpy as np
import nutpie
import pymc as pm
from scipy.stats import spearmanr

from builders import TWO_LN_9
from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.models import build_model
from metamirage.fitting.priors import PARAMETERS, priors_for
from mirror import MIRRORED
from real_curves import SHIPPED, data_hash, real_curves

TARGET = Path(__file__).parent / "nuts_published.json"
SEED = 20240607
PER_SOURCE = 50
FREE = PARAMETERS["sigmoid"]
FIRST = {"target_accept": 0.97, "draws": 4000, "tune": 2000}
AGAIN = {"target_accept": 0.995, "draws": 12_000, "tune": 4000}
MAX_R_HAT, MIN_ESS, MAX_DIVERGING = 1.01, 2500.0, 1e-3


def look(curve: Curve) -> str:
    """Name what the scores look like, by rules that know no model."""
    rise = np.ptp(curve.z)
    order = spearmanr(curve.size, curve.z).statistic if rise else 0.0
    if rise < 0.05:
        return "flat"
    if order < -0.5:
        return "falling"
    if order < 0.5:
        return "ragged"
    return "steep" if np.diff(curve.z).max() > 0.6 * rise else "rising"


def stratum(curve: Curve) -> tuple[str, str, str]:
    """Observation model, number of sizes and look."""
    noise = "with error" if (curve.stderr > 0).any() else "bare"
    kind = "counts" if curve.observation == "beta_binomial" else f"scores {noise}"
    return kind, "few" if curve.n_sizes < 5 else "many", look(curve)


def chosen(curves: dict[str, Curve], rng: np.random.Generator) -> list[Curve]:
    """Choose curves from all strata in turn, a new family first where there is one."""
    strata = defaultdict(list)
    for name in sorted(curves):
        strata[stratum(curves[name])].append(curves[name])
    queues = [list(rng.permutation(np.array(strata[key], dtype=object))) for key in sorted(strata)]
    taken: list[Curve] = []
    while len(taken) < PER_SOURCE and any(queues):
        for queue in filter(None, queues):
            families = [curve.key["family"] for curve in taken]
            best = min(range(len(queue)), key=lambda i: families.count(queue[i].key["family"]))
            taken.append(queue.pop(best))
    return taken[:PER_SOURCE]


def selection() -> list[Curve]:
    """Return the curves of both sources."""
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        sources = [
            {k: v for name in names for k, v in real_curves(name, Path(folder)).items()}
            for names in (SHIPPED, MIRRORED)
        ]
    return [curve for curves in sources for curve in chosen(curves, rng)]


def data_of(curve: Curve) -> dict[str, FloatArray]:
    """Return what the compiled models take."""
    counts = curve.observation == "beta_binomial"
    return {
        "size": curve.size,
        "first": curve.counts if counts else curve.z,
        "second": curve.n_items if counts else curve.stderr,
        "prior": priors_for(curve, "sigmoid").as_array(),
    }


def shared_model(curve: Curve) -> pm.Model:
    """Build the sigmoid with sizes, scores and priors as data."""
    with pm.Model() as model:
        data = {name: pm.Data(f"data_{name}", value) for name, value in data_of(curve).items()}
        prior = data["prior"]
        free = [pm.Normal(name, prior[i, 0], prior[i, 1]) for i, name in enumerate(FREE)]
        left, dispersion, right, location, log_width = free
        h = pm.math.invlogit(TWO_LN_9 * (data["size"] - location) / pm.math.exp(log_width))
        if curve.observation == "beta_binomial":
            mu = pm.math.invlogit(left) * (1 - h) + pm.math.invlogit(right) * h
            phi = pm.math.exp(dispersion)
            likelihood = pm.BetaBinomial.dist(alpha=mu * phi, beta=(1 - mu) * phi, n=data["second"])
        else:
            sigma = pm.math.sqrt(data["second"] ** 2 + pm.math.exp(2 * dispersion))
            likelihood = pm.Normal.dist(left * (1 - h) + right * h, sigma)
        pm.Potential("likelihood", pm.logp(likelihood, data["first"]).sum())
    return model


def check(model: pm.Model, curve: Curve) -> None:
    """Compare with the model that defines the candidate."""
    priors = priors_for(curve, "sigmoid")
    ours, theirs = model.compile_logp(), build_model(curve, "sigmoid", priors).compile_logp()
    rng = np.random.default_rng(SEED)
    for _ in range(5):
        point = dict(zip(FREE, rng.normal(*priors.as_array().T), strict=True))
        np.testing.assert_allclose(ours(point), theirs(point), rtol=1e-9)


def summary(values: FloatArray) -> dict[str, float]:
    """Mean, sd, r_hat and effective size of draws of shape (chain, draw)."""
    return {
        "mean": round(float(values.mean()), 6),
        "sd": round(float(values.std()), 6),
        "r_hat": round(float(az.rhat(values)), 5),
        "ess": round(float(az.ess(values))),
    }


def sampled(compiled: object, curve: Curve, settings: dict[str, float]) -> dict[str, object]:
    """Sample one curve and judge."""
    data = {f"data_{name}": value for name, value in data_of(curve).items()}
    trace = nutpie.sample(
        compiled.with_data(**data), chains=4, seed=SEED, progress_bar=False, **settings
    )
    width = summary(trace.posterior["shape2"].to_numpy() / np.log(10))
    location = summary(trace.posterior["shape1"].to_numpy())
    diverging = trace.sample_stats["diverging"].to_numpy()
    converged = (
        max(width["r_hat"], location["r_hat"]) < MAX_R_HAT
        and min(width["ess"], location["ess"]) > MIN_ESS
        and diverging.mean() <= MAX_DIVERGING
    )
    return {
        "data": data_hash(curve),
        "stratum": " / ".join(stratum(curve)),
        "draws": int(diverging.size),
        "divergences": int(diverging.sum()),
        "converged": bool(converged),
        "log10_width": width,
        "location": location,
    }


def made_with() -> dict[str, object]:
    """Versions and settings."""
    return {
        "script": "tests/reference/make_nuts_published.py",
        "python": platform.python_version(),
        "pymc": pm.__version__,
        "nutpie": nutpie.__version__,
        "seed": SEED,
        "first": FIRST,
        "again": AGAIN,
    }


def main() -> None:
    """Sample what is missing, and save after each curve."""
    results = json.loads(TARGET.read_text())["curves"] if TARGET.exists() else {}
    compiled: dict[str, object] = {}
    for curve in selection():
        if curve.curve_id in results:
            continue
        kind = curve.observation
        if kind not in compiled:
            model = shared_model(curve)
            check(model, curve)
            compiled[kind] = nutpie.compile_pymc_model(model)
        result = sampled(compiled[kind], curve, FIRST)
        if not result["converged"]:
            result = sampled(compiled[kind], curve, AGAIN)
        results[curve.curve_id] = result
        table = {"made_with": made_with(), "curves": results}
        TARGET.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        print(curve.curve_id, result, flush=True)


if __name__ == "__main__":
    sys.exit(main())
