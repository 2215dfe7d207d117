from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import t as student

from metamirage.contracts.check import check
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.hypotheses.pooling import pool_concentration


def estimates(effects: list[float], stderr: list[float]) -> list[pd.DataFrame]:
    row = {
        "hypothesis": "H2",
        "estimand": "log10_width",
        "scheme": "either",
        "stratum": "same outputs",
        "lower": np.nan,
        "upper": np.nan,
        "p_value": 0.5,
        "n_tasks": 6,
        "n_curves": 12,
        "method": "invented",
        "seed": 7,
        "note": "",
    }
    return [
        pd.DataFrame([row | {"benchmark": f"b{i}", "estimate": e, "stderr": s}])
        for i, (e, s) in enumerate(zip(effects, stderr, strict=True))
    ]


def test_pooled_estimate_has_paule_mandel_weights() -> None:
    # Paule-Mandel weights by a root finder of our own, on three made-up benchmarks.

    table = pool_concentration(estimates([0.1, 0.5, 0.9], [0.2, 0.1, 0.3]))
    pooled = check(table, CONCENTRATION, source="test").iloc[0]
    weights = 1 / (np.array([0.04, 0.01, 0.09]) + tau2())
    assert pooled["estimate"] == pytest.approx(
        float(weights @ [0.1, 0.5, 0.9] / weights.sum()), abs=1e-4
    )
    assert pooled["lower"] < pooled["estimate"] < pooled["upper"]
    assert (pooled["n_tasks"], pooled["note"]) == (18, "of b0, b1, b2")


def tau2() -> float:
    """Paule-Mandel: the between-benchmark variance that brings Q down to its expectation."""
    y, v = np.array([0.1, 0.5, 0.9]), np.array([0.04, 0.01, 0.09])

    def excess(t: float) -> float:
        w = 1 / (v + t)
        return float(w @ (y - w @ y / w.sum()) ** 2 - 2)

    return float(brentq(excess, 0, 10))


def test_one_benchmark_is_not_pooled() -> None:
    pooled = pool_concentration(estimates([0.5], [0.1]))
    assert pooled["estimate"].isna().all()
    assert (pooled["note"] == "fewer than two benchmarks have three tasks with pairs").all()


def test_the_interval_is_hartung_and_knapps() -> None:
    y, v = np.array([0.1, 0.5, 0.9]), np.array([0.04, 0.01, 0.09])
    pooled = pool_concentration(estimates([0.1, 0.5, 0.9], [0.2, 0.1, 0.3])).iloc[0]
    w = 1 / (v + tau2())
    mean = float(w @ y / w.sum())
    sd = np.sqrt(w @ (y - mean) ** 2 / (2 * w.sum()))
    assert pooled["upper"] - mean == pytest.approx(float(student.ppf(0.975, 2)) * sd, abs=1e-3)
    assert pooled["p_value"] == pytest.approx(2 * float(student.sf(mean / sd, 2)), abs=1e-3)


def test_benchmarks_with_two_tasks_stay_out() -> None:
    tables = estimates([0.1, 0.5], [0.2, 0.1])
    pooled = pool_concentration([tables[0], tables[1].assign(n_tasks=2)])
    assert pooled["estimate"].isna().all()


@pytest.mark.parametrize(("hypothesis", "is_pooled"), [("H2", True), ("H4", True), ("H1", False)])
def test_the_paired_hypotheses_are_pooled_and_no_other(hypothesis: str, is_pooled: bool) -> None:
    paired = estimates([0.1, 0.5], [0.2, 0.1])
    other = [t.assign(hypothesis=hypothesis, scheme="nonlinear") for t in paired]
    pooled = pool_concentration([*paired, *other])
    assert (set(pooled["scheme"]) == {"either", "nonlinear"}) == is_pooled
