from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.tests.results as published

from metamirage.base.arrays import FloatArray
from metamirage.hypotheses.h1_regression import (
    fit_marginal,
    is_separated,
    make_design,
    marginal_rows,
)

SEED = 5
# R's gee on the file below, as printed in the source of statsmodels' own test
# (genmod/tests/test_gee.py, test_logistic): last coefficient.
R_GEE = {"independence": 1.09397608331333, "exchangeable": 1.08944256230299}
NORMAL_95 = 1.959963984540054


def test_difference_equals_shares_and_mancl_derouens_variance_by_hand() -> None:
    rng = np.random.default_rng(SEED)
    tasks = np.repeat(np.arange(24), rng.integers(2, 6, 24))
    label = (tasks % 2).astype(float)
    y = (rng.random(len(tasks)) < 0.4).astype(float)
    design = np.column_stack([np.ones(len(y)), label])
    fit = fit_marginal(y, design, tasks, structure="independence")
    variance = 0.0
    for c in (0, 1):
        n = (label == c).sum()
        for t in np.unique(tasks[label == c]):
            here = y[tasks == t]
            residual = (here - y[label == c].mean()).sum()
            variance += (residual / (n - len(here))) ** 2
    assert fit is not None
    # Iterations stop at 1e-6 in the coefficients.
    share = y[label == 1].mean() - y[label == 0].mean()
    assert fit.difference.estimate == pytest.approx(share, abs=1e-6)
    reach = 1.959963984540054 * np.sqrt(variance)
    assert fit.difference.upper - fit.difference.estimate == pytest.approx(reach, rel=1e-5)


def test_separation_is_seen_and_overlap_is_not() -> None:
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    assert is_separated(x, np.arange(6) > 2)
    assert not is_separated(x, np.array([0, 1, 0, 1, 0, 1]) == 1)


def example() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Response, design and clusters of the example that statsmodels ships."""
    file = Path(str(published.__file__)).with_name("gee_logistic_1.csv")
    table = np.loadtxt(file, delimiter=",")
    return table[:, 1], np.column_stack([np.ones(len(table)), table[:, 2:]]), table[:, 0]


@pytest.mark.parametrize("structure", R_GEE)
def test_log_odds_equal_those_of_r(structure: str) -> None:
    response, design, clusters = example()
    fit = fit_marginal(response, design, clusters, structure=structure)
    assert fit is not None
    # The precision that statsmodels' own test asks for.
    assert fit.log_odds.estimate == pytest.approx(R_GEE[structure], abs=1e-6)


def test_exchangeable_covariance_is_mancl_and_derouens_by_hand() -> None:
    response, design, clusters = example()
    fit = fit_marginal(response, design, clusters, structure="exchangeable")
    assert fit is not None
    stderr = by_hand(response, design, clusters)
    assert fit.log_odds.upper - fit.log_odds.estimate == pytest.approx(NORMAL_95 * stderr, rel=1e-4)


def by_hand(response: FloatArray, design: FloatArray, clusters: FloatArray) -> float:
    """Standard error of the last coefficient: Liang and Zeger 1986, Mancl and DeRouen 2001."""
    beta, rho = np.zeros(design.shape[1]), 0.0
    places = [np.flatnonzero(clusters == c) for c in np.unique(clusters)]
    for _ in range(100):
        mean = 1 / (1 + np.exp(-design @ beta))
        sd = np.sqrt(mean * (1 - mean))
        parts = []
        for i in places:
            work = np.diag(sd[i]) @ (rho + (1 - rho) * np.eye(len(i))) @ np.diag(sd[i])
            parts.append((design[i] * sd[i, None] ** 2, np.linalg.inv(work), response[i] - mean[i]))
        bread = np.linalg.inv(sum(d.T @ v @ d for d, v, _ in parts))
        beta = beta + bread @ sum(d.T @ v @ r for d, v, r in parts)
        pearson = (response - mean) / sd
        products = sum((pearson[i].sum() ** 2 - (pearson[i] ** 2).sum()) / 2 for i in places)
        n_pairs = sum(len(i) * (len(i) - 1) / 2 for i in places)
        n, p = design.shape
        rho = products / (n_pairs - p) / ((pearson**2).sum() / (n - p))
    meat = np.zeros_like(bread)
    for d, v, r in parts:
        score = d.T @ v @ np.linalg.solve(np.eye(len(r)) - d @ bread @ d.T @ v, r)
        meat += np.outer(score, score)
    return float(np.sqrt((bread @ meat @ bread)[-1, -1]))


def curves(n_tasks: int, *, sizes: FloatArray, label: FloatArray) -> pd.DataFrame:
    """Four curves a task; ``sizes`` and ``label`` one value a curve."""
    rng = np.random.default_rng(SEED)
    n = 4 * n_tasks
    return pd.DataFrame(
        {
            "task": np.repeat([f"t{t}" for t in range(n_tasks)], 4),
            "label": label,
            "n_sizes": sizes,
            "span_decades": sizes / 4,
            "query": "generate",
            "n_shots": 0,
            "items": 100.0,
            "sharp_share": (rng.random(n) < 0.4).astype(float),
            "p_sharp": rng.random(n),
        }
    )


def test_a_covariate_that_repeats_another_is_left_out() -> None:
    sizes = np.tile([6.0, 7.0, 8.0, 9.0], 30)
    design, names = make_design(curves(30, sizes=sizes, label=np.tile([0.0, 1.0, 1.0, 0.0], 30)))
    # The span is a quarter of the sizes; query, shots and items do not vary.
    assert names == ["sizes"]
    assert np.linalg.matrix_rank(design) == design.shape[1] == 3


def test_a_class_that_follows_from_the_sizes_has_no_effect_to_estimate() -> None:
    label = np.tile([0.0, 1.0, 1.0, 0.0], 30)
    table = curves(30, sizes=6 + label, label=label)
    rows = marginal_rows(table, rng=np.random.default_rng(SEED))
    assert {row["note"] for row in rows} == {"the class follows from the query and the sizes"}
    assert all(np.isnan(float(str(row["estimate"]))) for row in rows)
