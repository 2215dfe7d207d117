"""How often the 90 % interval of the class effect holds the truth, on 100 invented benchmarks.

Run once from the repository root; ``hierarchy_recovery.csv`` is what it wrote:
``PYTHONPATH=src:tests python tests/reference/make_hierarchy_recovery.py``. Each benchmark has 200
curves of ``hierarchy_builders.benchmark`` with class effect -0.7 and scatter 0.5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import nutpie
import pandas as pd

from hierarchy_builders import benchmark
from metamirage._hierarchy_design import Design, make_design, modelled_curves
from metamirage._hierarchy_rows import quantities
from metamirage.concentration import classify
from metamirage.hierarchy import HYPER_PRIORS, build_model, sample

TARGET = Path(__file__).parent / "hierarchy_recovery.csv"
TRUTH = -0.7
N_BENCHMARKS = 100


def design_of(seed: int) -> Design:
    """Draw one benchmark."""
    made = benchmark(np.random.default_rng(seed), beta=TRUTH)
    curves = modelled_curves(made.fits, made.tags)
    return make_design(curves.assign(label=classify(curves, "discontinuous")), made.profiles)


def main() -> None:
    """Sample all benchmarks with one compiled model, which takes the profiles as data."""
    hyper = HYPER_PRIORS["default"]
    compiled = nutpie.compile_pymc_model(build_model(design_of(0), hyper))
    rows = []
    for seed in range(N_BENCHMARKS):
        design = design_of(seed)
        fed = compiled.with_data(weights=design.weights, starts=design.starts)
        trace = sample(fed, hyper, seed=seed, threads=1)
        beta = quantities(trace, design)["beta"]
        lower, upper = np.quantile(beta, [0.05, 0.95])
        rows.append(
            {
                "seed": seed,
                "truth": TRUTH,
                "estimate": beta.mean(),
                "lower": lower,
                "upper": upper,
                "covered": lower <= TRUTH <= upper,
                "divergences": int(trace.sample_stats["diverging"].sum()),
            }
        )
    table = pd.DataFrame(rows).round(4)
    table.to_csv(TARGET, index=False)
    print(table["covered"].sum(), "of", len(table))


if __name__ == "__main__":
    main()
