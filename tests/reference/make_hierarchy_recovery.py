"""How often the 90 % interval of the class effect holds the truth, on 100 invented benchmarks.

Run once from the repository root, a quarter of an hour on one core; ``hierarchy_recovery.csv`` is
what it wrote: ``PYTHONPATH=src:tests python tests/reference/make_hierarchy_recovery.py``. Each
benchmark has 200 curves of ``hierarchy_builders.fitted_benchmark``, drawn point by point and fitted
by the engine. Even seeds have class effect -0.7, odd ones none. Chains are shorter than those of
the stage: an interval's end needs fewer draws than the spreads do that the stage reports.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

from hierarchy_builders import design_of, fitted_benchmark
from metamirage.robustness.hierarchy.rows import INTERVAL, quantiles
from metamirage.robustness.hierarchy.stage import Schedule, sample, scales_for

TARGET = Path(__file__).parent / "hierarchy_recovery.csv"
N_BENCHMARKS = 100
SHORT = (Schedule(tune=400, draws=500, target_accept=0.8),)


def truth_of(seed: int) -> float:
    """Class effect of the benchmark drawn from a seed."""
    return 0.0 if seed % 2 else -0.7


def recover(seed: int) -> dict[str, float]:
    """Draw one benchmark, fit its curves and sample the model of all of them."""
    began = process_time()
    truth = truth_of(seed)
    made = fitted_benchmark(np.random.default_rng([17, seed]), beta=truth)
    fitted = process_time()
    draws = sample(design_of(made), scales_for("default"), seed=seed, threads=1, schedules=SHORT)
    beta = draws.reported["beta"]
    lower, upper = quantiles(beta, draws.weights, INTERVAL)
    return {
        "seed": seed,
        "truth": truth,
        "estimate": float(beta.mean()),
        "lower": lower,
        "upper": upper,
        "p_negative": float((beta < 0).mean()),
        "tau": float(draws.tau.mean()),
        "share_metric": float(draws.reported["share_metric"].mean()),
        "r_hat": draws.r_hat("beta"),
        "ess_bulk": draws.ess("beta"),
        "divergences": draws.divergences,
        "seconds_fits": fitted - began,
        "seconds_model": process_time() - fitted,
    }


def main() -> None:
    """Write the table anew after each benchmark, so that a run cut off leaves what it has."""
    rows: list[dict[str, float]] = []
    for seed in range(N_BENCHMARKS):
        rows.append(recover(seed))
        table = pd.DataFrame(rows).round(4)
        table.to_csv(TARGET, index=False)
        held = (table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])
        print(seed, held.sum(), "of", len(table), flush=True)


if __name__ == "__main__":
    main()
