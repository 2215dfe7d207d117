from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom, permutation_test

from metamirage.hypotheses.h1_population import (
    enrichment,
    enrichment_p,
    is_headline,
    make_units,
    naive_row,
)
from metamirage.hypotheses.permutation import label_test

SEED = 11


def curves_of(label: list[float], sharp: list[float], *, repeats: int = 1) -> pd.DataFrame:
    """One task a label, with equal curves."""
    table = pd.DataFrame({"label": label, "sharp_share": sharp})
    table = table.assign(task=[f"t{i}" for i in range(len(label))], query="generate")
    table = table.assign(preferred_query="unstated", items_third="unknown")
    return table.loc[table.index.repeat(repeats)]


def test_enrichment_p_value_equals_scipys_permutation_of_labels() -> None:
    label, sharp = [1.0, 1, 1, 0, 0, 0, 0], [1.0, 1, 0, 0, 1, 0, 0]
    size = np.ones(7)
    foreign = permutation_test(
        (np.array(label),),
        lambda a: enrichment(a, np.array(sharp), size),
        permutation_type="pairings",
        n_resamples=np.inf,
        vectorized=False,
    )
    rng = np.random.default_rng(SEED)
    found = enrichment_p(curves_of(label, sharp), rng=rng, n_draws=2000)
    # Twice three binomial standard errors of 2,000 draws: a tail is doubled.
    assert found == pytest.approx(foreign.pvalue, abs=0.066)


def test_naive_p_value_is_the_hypergeometric_one_over_curves() -> None:
    # 5 of 8 SHARP in class 1, 2 of 12 in class 0.
    sharp = [1.0] * 5 + [0.0] * 3 + [1.0] * 2 + [0.0] * 10
    row = naive_row(curves_of([1.0] * 8 + [0.0] * 12, sharp))
    chance = hypergeom.pmf(np.arange(8), 20, 7, 8)
    assert row["estimate"] == pytest.approx(5 / 8 - 2 / 12, abs=1e-12)
    # Two-sided as scipy and R define it: all tables no more likely than the one seen.
    assert row["p_value"] == pytest.approx(chance[chance <= chance[5] * (1 + 1e-7)].sum(), abs=1e-9)


def test_naive_test_rejects_clustered_nulls_and_the_permutation_does_not() -> None:
    rng = np.random.default_rng(SEED)
    naive, by_task = 0, 0
    label = [1.0] * 30 + [0.0] * 30
    for _ in range(60):
        chance = np.repeat(1 / (1 + np.exp(2.6 - 2 * rng.normal(size=60))), 12)
        curves = curves_of(label, [0.0] * 60, repeats=12)
        curves["sharp_share"] = (rng.random(720) < chance).astype(float)
        naive += float(str(naive_row(curves)["p_value"])) <= 0.05
        units, _ = make_units(curves, "sharp_share")
        by_task += label_test(units, rng=rng, n_draws=99)[1] <= 0.05
    # Three binomial standard errors of 60 data sets above 0.05 is 0.134.
    assert naive / 60 > 0.2
    assert by_task / 60 <= 0.134


def test_tasks_with_more_curves_are_no_enrichment() -> None:
    # Sharp curves lie where no label can move; elsewhere labels move between unlike numbers.
    few = curves_of([1.0] * 6, [0.0] * 6)
    many = curves_of([0.0] * 6, [0.0] * 6, repeats=4)
    lone = curves_of([1.0] * 3, [1.0, 0.0, 0.0]).assign(query="cond_log_prob")
    named = [t.assign(task=f"{i}" + t["task"]) for i, t in enumerate((few, many, lone))]
    table = pd.concat(named, ignore_index=True)
    assert enrichment_p(table, rng=np.random.default_rng(SEED), n_draws=200) == 1.0


def test_accuracy_stands_for_a_headline_metric_only_where_it_has_a_step() -> None:
    curves = pd.DataFrame(
        {
            "metric": ["acc", "acc", "exact_match,strict", "acc_norm"],
            "discontinuous": ["yes", "no", "yes", "yes"],
        }
    )
    assert is_headline(curves).tolist() == [True, False, True, False]
    named = curves.assign(metric=["acc", "exact_str_match", "acc", "acc"])
    assert is_headline(named).tolist() == [False, True, False, False]
