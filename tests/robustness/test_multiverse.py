from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from metamirage.contracts.check import check
from metamirage.contracts.multiverse import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.hypotheses.concentration import assess_concentration
from metamirage.robustness.multiverse import (
    N_FILTERS,
    STATISTICS,
    Curve,
    joint_rows,
    specification_curve,
)
from metamirage.robustness.specifications import MEASURES
from multiverse_builders import assess, tables_of

SEED = 9
# Means of a handful of terms.
EXACT = 1e-12


def curve_of(differences: np.ndarray, seed: int = SEED) -> Curve:
    return specification_curve(differences, rng=np.random.default_rng(seed))


def joint(curve: Curve) -> dict[str, float]:
    names = np.array(["m"] * curve.null.shape[1])
    rows = [row for row in joint_rows(curve, names) if row["measure"] == "all"]
    return {str(row["statistic"]): float(str(row["p_value"])) for row in rows}


def test_one_specification_has_scipys_exact_p_value() -> None:
    d = np.random.default_rng(SEED).normal(0.5, 1.0, 8)
    foreign = permutation_test(
        (d, np.zeros(8)),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    rows = curve_of(d[:, None]).rows
    assert rows["p_value"][0] == pytest.approx(foreign.pvalue, abs=EXACT)
    assert rows["estimate"][0] == pytest.approx(d.mean(), abs=EXACT)
    assert rows["effect"][0] == pytest.approx(d.mean() / np.sqrt((d**2).mean()), abs=EXACT)


def test_specifications_of_the_same_tasks_swap_together() -> None:
    d = np.random.default_rng(SEED).normal(0, 1, 20)
    null = curve_of(np.column_stack([d, 3 * d, -d])).null
    np.testing.assert_allclose(null[:, 1], null[:, 0], atol=EXACT)
    np.testing.assert_allclose(null[:, 2], -null[:, 0], atol=EXACT)


def test_a_task_without_pairs_has_no_weight_under_any_swap() -> None:
    d = np.random.default_rng(SEED).normal(0, 1, 8)
    longer = np.append(d, np.nan)
    assert curve_of(longer[:, None]).rows["estimate"][0] == pytest.approx(d.mean(), abs=EXACT)
    assert curve_of(longer[:, None]).rows["n_tasks"][0] == 8


def test_a_specification_in_which_nothing_differs_has_no_effect() -> None:
    rows = curve_of(np.zeros((10, 1))).rows
    assert (rows["effect"][0], rows["p_value"][0]) == (0.0, 1.0)


def test_one_direction_throughout_has_the_smallest_joint_p_values() -> None:
    d = 1 + 0.1 * np.random.default_rng(SEED).normal(size=(8, 30))
    found = joint(curve_of(d))
    # Two of 2**8 patterns are as extreme on two sides, one on one side; but with most signs alike,
    # every mean already points one way.
    assert found["median_effect"] == pytest.approx(2 / 256, abs=EXACT)
    assert found["share_significant"] == pytest.approx(1 / 256, abs=EXACT)
    assert found["share_predicted"] > 2 / 256


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_joint_test_keeps_its_level_however_much_specifications_share(statistic: str) -> None:
    rng = np.random.default_rng(SEED)
    hits = 0
    for _ in range(200):
        # Two thirds of the variance is common to the specifications of a task, which differ in
        # scale and skip a task now and then.
        common = rng.standard_t(4, (12, 1))
        own = rng.standard_t(4, (12, 15))
        d = (np.sqrt(2) * common + own) * rng.uniform(0.5, 3.0, 15)
        d[rng.random(d.shape) < 0.1] = np.nan
        hits += joint(curve_of(d, seed=int(rng.integers(1 << 30))))[statistic] <= 0.05
    # Three binomial standard errors of 200 runs above the level; ties may make it smaller.
    assert hits / 200 <= 0.05 + 0.046


def test_the_band_holds_what_swapped_labels_give() -> None:
    d = np.random.default_rng(SEED).normal(0, 1, (30, 40))
    rows = curve_of(d).rows
    inside = (rows["null_low"] <= rows["effect"]) & (rows["effect"] <= rows["null_high"])
    assert inside.mean() > 0.9
    shifted = curve_of(d + 1.0).rows
    assert (shifted["effect"] > shifted["null_high"]).mean() > 0.9


def test_the_choices_of_the_tests_give_the_estimate_of_the_tests() -> None:
    tables = tables_of(9, gap=0.4)
    rows = {"floor_length": 0.0, "jump_decade": 0.0, "location_mean": 9.0, "log10_width_sd": 0.1}
    averaged = tables.forecasts.assign(
        predictor="averaged", log_score=0.0, crps=0.0, partner="", stratum=""
    )
    tested = assess_concentration(
        tables.fits.assign(**rows), averaged, tables.tags, tidy=tables.tidy,
        profiles=tables.profiles, seed=1, n_permutations=50,
    )  # fmt: skip
    same = tested.query("scheme == 'discontinuous' and stratum == 'same outputs'")
    estimates = same.set_index("estimand")["estimate"]
    specifications = assess(tables, seed=SEED)[0]
    first = specifications.iloc[0]
    assert first["measure"] == "width"
    assert first["estimate"] == pytest.approx(estimates["log10_width"], abs=EXACT)
    old = specifications.query("measure == 'width_default'").iloc[0]
    assert old["estimate"] == pytest.approx(estimates["log10_width_default"], abs=EXACT)


def test_both_tables_keep_their_contract_and_their_seed() -> None:
    tables = tables_of(9, gap=0.4)
    (one, whole), (again, _) = assess(tables, seed=SEED), assess(tables, seed=SEED)
    check(one, MULTIVERSE, source="test")
    check(whole, MULTIVERSE_JOINT, source="test")
    assert one.equals(again)


def test_three_tasks_make_an_empty_table_and_a_joint_one_without_numbers() -> None:
    one, whole = assess(tables_of(3), seed=SEED)
    check(one, MULTIVERSE, source="test")
    check(whole, MULTIVERSE_JOINT, source="test")
    assert len(one) == 0
    assert whole["observed"].isna().all()


def test_s_is_left_out_where_three_sizes_are_enough() -> None:
    one = assess(tables_of(7, n_sizes=4), seed=SEED)[0]
    assert set(one["min_sizes"]) == {"3"}
    assert "S" not in set(one["measure"])
    assert "width" in set(one["measure"])


def test_many_filters_are_drawn_and_the_first_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamirage.robustness.multiverse.N_FILTERS", 3)
    one, whole = assess(tables_of(9), seed=SEED)
    assert N_FILTERS > 3
    assert one["scheme"].iloc[0] == "discontinuous"
    assert len(one) == 3 * len(MEASURES)
    assert whole["n_possible"].iloc[0] > len(one)
