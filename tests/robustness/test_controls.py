"""Negative controls: classes without meaning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.contracts.check import check
from metamirage.contracts.controls import CONTROLS
from metamirage.hypotheses.shared_width_prior import add_own_widths
from metamirage.robustness.controls import (
    FAKE,
    RANDOM,
    assess_controls,
    fake_rows,
    metric_pairs,
    random_row,
    relabelled,
)
from multiverse_builders import tables_of

SEED = 9
# Means of a handful of terms.
EXACT = 1e-12
METRICS = np.array(list("abcd"))


def curves(n_tasks: int, *, seed: int = SEED, shift: float = 0.0, gap: float = 0.0) -> pd.DataFrame:
    """Two families, four metrics of one query, two of them tagged discontinuous.

    The sampled family is narrower by ``shift``, the discontinuous metrics by ``gap``.
    """
    rng = np.random.default_rng(seed)
    rows = [
        {
            "curve_id": f"{task}{metric}{family}",
            "task": f"t{task}",
            "subtask": "",
            "family": family,
            "n_shots": 0,
            "metric": metric,
            "query": "generate",
            "discontinuous": "yes" if metric in "ab" else "no",
            "width_known": 0.5,
            "log10_width_own": rng.normal() - shift * (family == "F T=1") - gap * (metric in "ab"),
        }
        for task in range(n_tasks)
        for metric in METRICS
        for family in ("F T=0", "F T=1")
    ]
    return pd.DataFrame(rows)


def fake(table: pd.DataFrame) -> dict[str, object]:
    (row,) = fake_rows(table, rng=np.random.default_rng(SEED), n_draws=99)
    return row


def test_classes_drawn_by_a_coin_are_rejected_one_time_in_twenty() -> None:
    found = [
        relabelled(metric_pairs(curves(12, seed=i)), METRICS, rng=np.random.default_rng(i))
        for i in range(80)
    ]
    known = np.array([test.p_value for test in found if test is not None])
    # One labelling in eight puts all four metrics into one class.
    assert 50 < len(known) < 80
    # Three binomial standard errors of some 70 data sets.
    assert np.mean(known <= 0.05) == pytest.approx(0.05, abs=0.078)


def test_true_classes_that_matter_lie_at_the_edge_of_random_ones() -> None:
    rows = [random_row(curves(12, gap=gap), rng=np.random.default_rng(SEED)) for gap in (2.0, 0.0)]
    apart, alike = (float(str(row["p_value"])) for row in rows)
    # Of sixteen labellings of four metrics two are the true one, but for its sign.
    assert apart == pytest.approx(2 / 14, abs=0.08)
    assert alike > 0.2
    assert float(str(rows[0]["estimate"])) == pytest.approx(2.0, abs=0.5)


def test_a_fake_class_shows_a_difference_that_is_there_and_none_that_is_not() -> None:
    row = fake(curves(12, shift=3.0))
    assert (row["one"], row["zero"], row["n_rejected"]) == ("F T=1", "F T=0", 1)
    # Two means of 48 draws of sd 1: three standard errors.
    assert float(str(row["estimate"])) == pytest.approx(3.0, abs=0.62)
    assert fake(curves(12))["n_rejected"] == 0


def test_what_cannot_be_asked_says_why() -> None:
    assert fake(curves(5))["note"] == "fewer than 6 tasks with curves of both"
    one_way = curves(12).query("family == 'F T=0'")
    assert fake(one_way)["note"] == "no family of models was sampled at two temperatures"
    few = random_row(curves(5), rng=np.random.default_rng(SEED))
    assert (few["n_tests"], few["note"]) == (0, "fewer than 6 tasks with pairs")
    # As read from a file: without a pair the metrics' names stay text.
    alone = curves(12).query("metric == 'a'").astype({"metric": "str"})
    none = random_row(alone, rng=np.random.default_rng(SEED))
    assert (none["n_tests"], none["note"]) == (0, "fewer than 6 tasks with pairs")


def test_the_table_keeps_its_contract_and_its_seed_and_holds_the_estimate_of_h2() -> None:
    tables = tables_of(9, gap=0.4)
    made = [
        assess_controls(
            tables.fits, tables.tags, profiles=tables.profiles, seed=1, n_permutations=99
        )
        for _ in range(2)
    ]
    table = check(made[0], CONTROLS, source="test")
    pd.testing.assert_frame_equal(*made)
    assert table["control"].tolist() == [RANDOM, FAKE]
    own = add_own_widths(tables.fits, tables.profiles)
    widths, known = (
        own.pivot_table(name, ["task", "n_shots"], "metric")
        for name in ("log10_width_own", "width_known")
    )
    gap = np.average(
        widths["likelihood"] - widths["exact_str_match"],
        weights=known["likelihood"] * known["exact_str_match"],
    )
    assert table["estimate"].iloc[0] == pytest.approx(gap, abs=EXACT)
