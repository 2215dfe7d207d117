"""Worlds obey their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from metamirage.contracts.check import check
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.simulation.worlds import (
    BREAK_WIDTHS,
    GRADED,
    STEPPED,
    WORLDS,
    Task,
    draw_scores,
    draw_tasks,
    latent,
    linked,
    make_world,
    mean_curve,
)

SEED = 5
TASK = Task(
    name="t",
    query="generate",
    metrics=("exact_str_match", "token_overlap"),
    kind="smooth",
    n_items=200,
    floor=0.25,
    top=0.9,
    location=9.0,
    width=3.0,
    slope=1.0,
    height=3.0,
    length=5,
    spread=1e-9,
    shift=0.4,
    stretch=0.2,
    graded_noise=0.25,
    dispersion=300.0,
)
X = np.linspace(7.0, 11.0, 9)
# Sums of 32 quadrature nodes.
SUM = 1e-12


def test_exact_match_of_equal_items_is_the_power_of_token_overlap() -> None:
    theta = np.array([-2.0, 0.0, 3.0])
    overlap = linked(TASK, "token_overlap", theta)
    assert overlap == pytest.approx(1 / (1 + np.exp(-theta)), abs=1e-7)
    assert linked(TASK, "exact_str_match", theta) == pytest.approx(overlap**5, abs=1e-7)


def test_multiple_choice_is_half_way_above_guessing_where_the_median_item_turns() -> None:
    task = replace(TASK, query="cond_log_prob", spread=1.0)
    for metric in (STEPPED["cond_log_prob"], GRADED["cond_log_prob"]):
        assert linked(task, metric, np.zeros(1)) == pytest.approx([0.625], abs=SUM)


def test_the_graded_link_is_wider_by_what_the_methods_say() -> None:
    # Spread 1, slope 1: 2.56 decades for the grade; 5.13 for the probability by quadrature.
    task = replace(TASK, query="cond_log_prob", spread=1.0, floor=0.0)
    x = np.linspace(0.0, 18.0, 18001)
    widths = []
    for metric in ("multiple_choice_grade", "option_probability"):
        mean = linked(task, metric, latent(task, x))
        widths.append(float(np.ptp(np.interp([0.1, 0.9], mean, x))))
    # Printed to two decimals.
    assert widths == pytest.approx([2.56, 5.13], abs=0.006)


def test_metrics_of_an_identity_like_world_differ_by_shift_and_stretch_alone() -> None:
    half = (TASK.floor + TASK.top) / 2
    for metric, side in (("exact_str_match", 0.5), ("token_overlap", -0.5)):
        at = np.array([TASK.location + side * TASK.shift])
        assert mean_curve("W1", TASK, metric, at) == pytest.approx([half], abs=SUM)
    same = replace(TASK, shift=0.0, stretch=0.0)
    curves = [mean_curve("W1", same, metric, X) for metric in TASK.metrics]
    assert np.array_equal(*curves)


def test_flat_means_are_flat_and_breaks_are_narrow() -> None:
    assert np.ptp(mean_curve("W0", replace(TASK, kind="flat"), "token_overlap", X)) == 0.0
    tasks = draw_tasks("W3", np.random.default_rng(SEED))
    broken = [t for t in tasks if t.kind == "break"]
    assert 0.1 <= len(broken) / len(tasks) <= 0.3
    assert all(BREAK_WIDTHS[0] <= t.width <= BREAK_WIDTHS[1] for t in broken)


def test_the_stepped_metric_is_the_noisier_one() -> None:
    rng = np.random.default_rng(SEED)
    mean = np.full(4000, 0.5)
    counted, graded = (draw_scores(TASK, metric, mean, rng)[0].std() for metric in TASK.metrics)
    runs = 0.25 / (1 + TASK.dispersion)
    items = (0.25 - runs) / TASK.n_items
    # Three standard errors of an sd of 4,000 draws.
    assert counted == pytest.approx(np.sqrt(items + runs), rel=0.035)
    share = TASK.graded_noise * (1 / TASK.n_items + 1 / (1 + TASK.dispersion))
    assert graded == pytest.approx(np.sqrt(0.25 * share), rel=0.035)


def test_states_of_a_run_are_shared_by_its_metrics() -> None:
    world = make_world("W5", np.random.default_rng(SEED), benchmark="synthetic W5")
    keys = ["task", "family", "n_params"]
    wide = world.tidy.pivot(index=keys, columns="metric", values="score")
    both = wide[["exact_str_match", "token_overlap"]].dropna().to_numpy(float)
    high = both > 0.3
    assert 0.2 < high.mean() < 0.8
    assert np.array_equal(high[:, 0], high[:, 1])


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_keeps_the_contracts_and_its_seed(world: str) -> None:
    first, again = (
        make_world(world, np.random.default_rng(SEED), benchmark="synthetic") for _ in range(2)
    )
    check(first.tidy, TIDY, source=world)
    check(first.tags, TAGS, source=world)
    pd.testing.assert_frame_equal(first.tidy, again.tidy)
    assert len(first.truth) == len(first.tidy.groupby(["task", "metric", "family"]))
