"""Posterior of the sigmoid on some curves of ``builders.reference_curves`` by long NUTS runs.

Run once from the repository root (a few minutes); ``nuts.json`` is what it wrote:
``PYTHONPATH=src:tests python tests/reference/make_nuts_reference.py``. The PyMC model is sampled
with nutpie: 4 chains of 5,000 draws after 2,000 of tuning, target acceptance 0.95. The r_hat and
the effective sample size of each mean are stored beside it.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import arviz as az
import numpy as np
import nutpie
import pymc as pm

from builders import reference_curves
from metamirage.curves.curve import Curve
from metamirage.fitting.models import build_model
from metamirage.fitting.priors import priors_for

TARGET = Path(__file__).parent / "nuts.json"
NAMES = ("chance", "rising", "line")


def reference(curve: Curve) -> dict[str, object]:
    """Mean, sd, r_hat and effective size of log10 width and location."""
    model = build_model(curve, "sigmoid", priors_for(curve, "sigmoid"))
    compiled = nutpie.compile_pymc_model(model)
    trace = nutpie.sample(
        compiled,
        draws=5000,
        tune=2000,
        chains=4,
        seed=20240607,
        target_accept=0.95,
        progress_bar=False,
    )
    draws = {
        "log10_width": trace.posterior["shape2"].to_numpy() / np.log(10),
        "location": trace.posterior["shape1"].to_numpy(),
    }
    summary = {
        name: {
            "mean": float(values.mean()),
            "sd": float(values.std()),
            "r_hat": float(az.rhat(values)),
            "ess": float(az.ess(values)),
        }
        for name, values in draws.items()
    }
    divergences = int(trace.sample_stats["diverging"].sum())
    return {"z": curve.z.tolist(), "divergences": divergences, **summary}


def main() -> None:
    """Sample and store all curves."""
    curves = reference_curves()
    results = {name: reference(curves[name]) for name in NAMES}
    made_with = {
        "script": "tests/reference/make_nuts_reference.py",
        "python": platform.python_version(),
        "pymc": pm.__version__,
        "nutpie": nutpie.__version__,
    }
    TARGET.write_text(json.dumps({"made_with": made_with, "curves": results}, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
