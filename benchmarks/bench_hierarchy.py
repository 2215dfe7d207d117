"""Time and memory of the hierarchical model of widths, at the size of BIG-bench.

Usage: ``make bench``, or
``PYTHONPATH=src:tests python benchmarks/bench_hierarchy.py [--curves N]``.
See README.md beside this file for what is measured and what is not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import pandas as pd

from hierarchy_builders import NODES, Benchmark, tables_of
from measured import CORES, RESULTS, append, circumstances, keep_to_cores, measured
from metamirage.robustness.hierarchy import stage as hierarchy

SEED = 20_240_101
WHOLE, QUICK = 55_000, 2_000
GOAL_SECONDS = 900
N_TASKS, N_METRICS, FAMILIES = 200, 10, ("F0", "F1", "F2")
SPREADS = {"task": 0.3, "metric": 0.2, "family": 0.2}
BETA, SCATTER = -0.5, 0.5
# Sd of a log width by its own curve: of one that rises, and of one that stays flat.
TOLD, UNTOLD = 0.35, 2.0
P_FLAT = 0.5


def main() -> None:
    """Run the benchmark, or, as the measured process itself, the stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=WHOLE)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--stage", action="store_true", help="used by the benchmark itself")
    words = parser.parse_args()
    n_curves = QUICK if words.quick else words.curves
    if words.stage:
        _stage(n_curves)
        return
    keep_to_cores()
    with tempfile.TemporaryDirectory() as name:
        whole = measured(Path(__file__), ["--stage", f"--curves={n_curves}"], Path(name))
        found = json.loads((Path(name) / "found.json").read_text(encoding="utf-8"))
    row = {
        **circumstances(),
        "nutpie": nutpie.__version__,
        "curves": n_curves,
        **found,
        "wall_s": whole["wall"],
        "cpu_s": whole["cpu"],
        "max_rss_gib": whole["rss"],
    }
    if not words.quick:
        append(row, RESULTS / "hierarchy.csv")
    print("\n".join(f"{name:28} {value}" for name, value in row.items()))
    print(f"goal at {WHOLE} curves: {GOAL_SECONDS} s of wall_s on {CORES} idle cores")


def _stage(n_curves: int) -> None:
    """Model an invented benchmark, and write down what sampling took."""
    made = drawn(n_curves, np.random.default_rng(SEED))
    spent: list[tuple[float, float]] = []
    hierarchy.sample = _timed(hierarchy.sample, spent)  # type: ignore[assignment]
    start = time.perf_counter(), time.process_time()
    table = hierarchy.model_hierarchy(*made, seed=SEED, threads=CORES)
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    beta = table[table["parameter"] == "beta"].set_index("prior")
    found = {
        "stage_s": round(wall, 1),
        "stage_cpu_s": round(cpu, 1),
        "samplings": len(spent),
        "sample_s": round(sum(one[0] for one in spent), 1),
        "sample_cpu_s": round(sum(one[1] for one in spent), 1),
        "first_cpu_s": round(spent[0][1], 1),
        "pareto_k_max": round(float(beta["pareto_k"].max()), 2),
        "r_hat_max": round(float(table["r_hat"].max()), 4),
        "ess_min": round(float(table["ess_bulk"].min())),
        "beta": round(float(beta.loc["default", "estimate"]), 3),
        "beta_lower": round(float(beta.loc["default", "lower"]), 3),
        "beta_upper": round(float(beta.loc["default", "upper"]), 3),
    }
    Path("found.json").write_text(json.dumps(found), encoding="utf-8")


def _timed(function: Callable[..., Any], spent: list[tuple[float, float]]) -> Callable[..., Any]:
    def timed(*words: Any, **named: Any) -> Any:
        start = time.perf_counter(), time.process_time()
        result = function(*words, **named)
        spent.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        return result

    return timed


def drawn(n_curves: int, rng: np.random.Generator) -> Benchmark:
    """Draw SYNTHETIC curves whose log widths come from the model; half of them tell next to none.

    Parameters
    ----------
    n_curves
        Spread evenly over tasks, metrics and families, in subtasks.
    rng
        Draws everything.
    """
    i = np.arange(n_curves)
    task, metric = i % N_TASKS, i // N_TASKS % N_METRICS
    family = i // (N_TASKS * N_METRICS) % len(FAMILIES)
    level = {
        "task": rng.normal(0, SPREADS["task"], N_TASKS)[task],
        "metric": rng.normal(0, SPREADS["metric"], N_METRICS)[metric],
        "family": rng.normal(0, SPREADS["family"], len(FAMILIES))[family],
    }
    effect = BETA * (metric < N_METRICS // 2)
    width = np.log(1.5) + effect + sum(level.values()) + rng.normal(0, SCATTER, n_curves)
    told = np.where(rng.random(n_curves) < P_FLAT, UNTOLD, TOLD)
    seen = rng.normal(width, told)
    # The number is the subtask's.
    names = [f"b|t{t}|{k}|m{m}" for k, t, m in zip(i, task, metric, strict=True)]
    curves = pd.DataFrame(
        {
            "curve_id": names,
            "benchmark": "b",
            "task": [f"t{t}" for t in task],
            "metric": [f"m{m}" for m in metric],
            "family": np.array(FAMILIES)[family],
            "n_sizes": 8,
            "excluded": "",
            "log_width": width,
        }
    )
    return tables_of(curves, -0.5 * ((NODES - seen[:, None]) / told[:, None]) ** 2)


if __name__ == "__main__":
    main()
