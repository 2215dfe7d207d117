"""Negative controls: classes without meaning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.controls import fake_class, relabelled

SEED = 9


def curves(n_tasks: int, *, shift: float = 0.0) -> pd.DataFrame:
    """Two families, four metrics of one query; the sampled family is narrower by ``shift``."""
    rng = np.random.default_rng(SEED)
    rows = [
        {
            "curve_id": f"{task}{metric}{family}",
            "task": f"t{task}",
            "subtask": "",
            "family": family,
            "n_shots": 0,
            "metric": metric,
            "query": "generate",
            "log10_width_own": rng.normal() - shift * (family == "T=1"),
        }
        for task in range(n_tasks)
        for metric in "abcd"
        for family in ("T=0", "T=1")
    ]
    return pd.DataFrame(rows)


def test_classes_drawn_by_a_coin_are_rejected_one_time_in_twenty() -> None:
    found = [
        relabelled(
            curves(12).assign(log10_width_own=np.random.default_rng([SEED, i]).normal(size=96)),
            n_labels=1,
            n_draws=99,
            rng=np.random.default_rng(i),
        )[0]
        for i in range(150)
    ]
    known = np.array(found)[np.isfinite(found)]
    # One labelling in eight puts all four metrics into one class.
    assert 100 < len(known) < 150
    # Three binomial standard errors of some 130 data sets.
    assert np.mean(known <= 0.05) == pytest.approx(0.05, abs=0.058)


def test_a_fake_class_shows_a_difference_that_is_there_and_none_that_is_not() -> None:
    rng = np.random.default_rng(SEED)
    test = fake_class(curves(12, shift=3.0), one="T=1", zero="T=0", n_draws=99, rng=rng)
    assert test is not None
    assert test.p_value < 0.01
    # Two means of 48 draws of sd 1: three standard errors.
    assert test.estimate == pytest.approx(3.0, abs=0.62)


def test_too_few_tasks_give_no_test() -> None:
    rng = np.random.default_rng(SEED)
    assert fake_class(curves(5), one="T=1", zero="T=0", n_draws=9, rng=rng) is None
    assert np.isnan(relabelled(curves(5), n_labels=3, n_draws=9, rng=rng)).all()
