"""The published heuristics S and L against closed forms, a flat null and real curves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import BIG_G, GPT_3, PALM, logistic, make_curve, step
from metamirage.base.arrays import FloatArray
from metamirage.contracts.check import check
from metamirage.contracts.scores import SCORES
from metamirage.curves.curve import build_curves
from metamirage.curves.scores import (
    N_NULL,
    breakthroughness,
    flat_quantile,
    linearity,
    score_curves,
    signed_range,
    state_of,
)
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy

# A handful of sums and one square root.
EXACT = 1e-9
# Reference values are printed with this many decimals at least: half a unit of the last.
PRINTED_3 = 5e-4
PRINTED_2 = 5e-3
PRINTED_1 = 0.05
BIG_G_EXACT = np.log10(
    [
        2098048, 16780288, 56629632, 134228992, 262161280, 453009408, 1073784832, 2097218560,
        3623973888, 8590102528, 28991404032, 137440272384,
    ]
)  # fmt: skip
MONOTONE = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=15).map(np.cumsum)


@pytest.mark.parametrize("n", range(3, 15))
def test_a_line_in_index_scores_one_less_than_its_sizes(n: int) -> None:
    y = np.linspace(0.2, 0.7, n)
    assert breakthroughness(y) == pytest.approx(n - 1, abs=EXACT)
    assert linearity(y) == pytest.approx(n - 1, abs=EXACT)


@pytest.mark.parametrize("n", range(4, 15))
def test_a_step_is_infinite_and_has_the_least_linearity(n: int) -> None:
    assert breakthroughness(step(n, at=n // 2)) == np.inf
    assert linearity(step(n, at=n // 2)) == pytest.approx(np.sqrt(n - 1), abs=EXACT)


@given(MONOTONE)
def test_linearity_of_a_rising_curve_is_bounded(y: FloatArray) -> None:
    n = len(y)
    assert np.sqrt(n - 1) - EXACT <= linearity(y) <= n - 1 + EXACT


@given(MONOTONE.filter(lambda y: len(y) % 2 == 0))
def test_an_odd_number_of_gaps_bounds_s_from_below(y: FloatArray) -> None:
    assert breakthroughness(y) >= np.ceil((len(y) - 1) / 2) - EXACT


@pytest.mark.parametrize(
    ("a", "expected"),
    [(0.0, 1.4142), (1.0, 1.4142), (0.2, 1.7150), (0.4, 1.9612), (0.5, 2.0)],
)
def test_three_sizes_score_highest_for_a_line(a: float, expected: float) -> None:
    y = np.array([0.0, a, 1.0])
    assert breakthroughness(y) == pytest.approx(expected, abs=5e-5)
    assert linearity(y) == pytest.approx(breakthroughness(y), abs=EXACT)


@pytest.mark.parametrize(
    ("grid", "s", "linear"),
    [
        (BIG_G, 12.898, 10.053),
        (BIG_G_EXACT, 12.850, 10.036),
        (GPT_3, 9.343, 5.913),
        (PALM, 2.000, 2.000),
    ],
    ids=["BIG-G nominal", "BIG-G exact", "GPT-3", "PaLM"],
)
def test_log_linear_trend_depends_on_the_grid_alone(
    grid: FloatArray, s: float, linear: float
) -> None:
    assert breakthroughness(0.1 + 0.07 * grid) == pytest.approx(s, abs=PRINTED_3)
    assert linearity(0.1 + 0.07 * grid) == pytest.approx(linear, abs=PRINTED_3)


LOGISTIC = {0.25: 2.91e5, 0.5: 561.8, 1.0: 30.33, 1.5: 14.30, 2.0: 11.24, 3.0: 11.35, 4.8: 11.08}


@pytest.mark.parametrize(("width", "expected"), LOGISTIC.items())
def test_logistic_of_known_width(width: float, expected: float) -> None:
    y = logistic(BIG_G, location=float(np.median(BIG_G)), width=width)
    # Printed to three or four figures.
    assert breakthroughness(y) == pytest.approx(expected, rel=2e-3)


SHIFTED = {0.25: 2.6e5, 0.5: 534.0, 1.0: 29.6, 1.5: 14.1, 2.0: 11.1, 3.0: 11.4, 4.8: 11.1}


@pytest.mark.parametrize(("width", "expected"), SHIFTED.items())
def test_logistic_moved_by_a_hundredth_of_a_decade(width: float, expected: float) -> None:
    y = logistic(BIG_G, location=float(np.median(BIG_G)) - 0.006, width=width)
    # 0.006 decade is itself rounded, and S moves by a tenth where the width is smallest.
    assert breakthroughness(y) == pytest.approx(expected, rel=2e-2)


def token_accuracy(largest: float) -> FloatArray:
    """Per-token accuracy exp(-(N/c)^-0.3), equal to ``largest`` at the largest BIG-G size."""
    return np.asarray(np.exp(np.log(largest) * 10 ** (-0.3 * (BIG_G - BIG_G[-1]))))


@pytest.mark.parametrize(
    ("largest", "length", "expected"),
    [(0.98, 1, 23.0), (0.98, 8, 10.8), (0.9, 1, 14.0), (0.9, 4, 9.9), (0.9, 8, 24), (0.9, 16, 289)],
)
def test_toy_model_scores_token_edit_distance_and_accuracy(
    largest: float, length: int, expected: float
) -> None:
    # Edit distance turned upwards is affine in the per-token accuracy: length 1.
    s = breakthroughness(token_accuracy(largest) ** length)
    assert s == pytest.approx(expected, abs=0.5 if expected in (24, 289) else PRINTED_1)


def test_toy_model_range_of_token_accuracy() -> None:
    assert token_accuracy(0.98)[0] == pytest.approx(0.57, abs=PRINTED_2)
    assert token_accuracy(0.9)[0] == pytest.approx(0.05, abs=PRINTED_2)


@given(MONOTONE, st.floats(0.1, 50.0), st.floats(-5.0, 5.0))
def test_affine_maps_change_nothing(y: FloatArray, scale: float, shift: float) -> None:
    # Shifts cost digits of the small differences.
    assert breakthroughness(scale * y + shift) == pytest.approx(breakthroughness(y), rel=1e-6)


def test_a_falling_curve_scores_negative() -> None:
    y = np.array([0.9, 0.5, 0.4, 0.1])
    assert signed_range(y) == pytest.approx(-0.8, abs=EXACT)
    # Differences 0.4, 0.1, 0.3: the median square is 0.09, the mean 0.26 / 3.
    assert breakthroughness(y) == pytest.approx(-0.8 / 0.3, abs=EXACT)
    assert linearity(y) == pytest.approx(-0.8 / np.sqrt(0.26 / 3), abs=EXACT)


def test_a_median_between_two_gaps_averages_their_squares() -> None:
    # Differences 1, 2, 3, 4: the middle squares are 4 and 9.
    y = np.array([0.0, 1.0, 3.0, 6.0, 10.0])
    assert breakthroughness(y) == pytest.approx(10 / np.sqrt(6.5), abs=EXACT)


def test_many_curves_at_once_equal_one_by_one() -> None:
    y = np.random.default_rng(1).random((5, 7))
    assert breakthroughness(y).tolist() == [float(breakthroughness(row)) for row in y]


@pytest.mark.parametrize(
    ("y", "state"),
    [
        ([0.1, 0.2, 0.4], "finite"),
        ([0.0, 0.0, 0.0, 1.0], "inf"),
        ([1.0, 0.0, 0.0, 0.0], "inf"),
        ([0.3, 0.3, 0.3], "constant"),
    ],
)
def test_states(y: list[float], state: str) -> None:
    assert state_of(float(breakthroughness(np.array(y))), np.array(y)) == state


def test_a_missing_score_is_no_constant_curve() -> None:
    assert state_of(np.nan, np.array([0.1, 0.2])) == "nan"


# Simulated quantiles of S for a flat curve (methods, setting S1): 50, 90, 95 and 99 %.
NULL = {
    12: (1.5, 4.5, 5.4, 7.6),
    8: (1.3, 4.1, 5.1, 8.0),
    6: (1.1, 3.7, 4.8, 8.3),
    4: (1.0, 3.0, 4.2, 9.0),
    3: (None, 1.75, 1.93, 2.00),
}
RANKS = (0.5, 0.9, 0.95, 0.99)


@pytest.mark.parametrize(("n", "rank"), [(n, r) for n in NULL for r in range(4) if NULL[n][r]])
def test_flat_quantiles_equal_the_simulated_ones(n: int, rank: int) -> None:
    level, expected = RANKS[rank], NULL[n][rank]
    flat = make_curve(np.arange(n) + 7.0, np.full(n, 0.5))
    # Five standard errors of a rank among N_NULL draws, and the rounding of the printed value.
    reach = 5 * np.sqrt(level * (1 - level) / N_NULL)
    low = flat_quantile(flat, np.random.default_rng(n), level=level - reach)
    high = flat_quantile(flat, np.random.default_rng(n), level=min(level + reach, 1 - 1e-9))
    assert low - PRINTED_1 <= expected <= high + PRINTED_1


def test_half_of_the_flat_curves_of_three_sizes_score_negative() -> None:
    flat = make_curve(PALM, [0.5, 0.5, 0.5])
    # Five standard errors of a rank about the half: the sign is a coin flip.
    low, high = (flat_quantile(flat, np.random.default_rng(1), level=q) for q in (0.444, 0.556))
    assert low < 0 < high


@pytest.mark.parametrize(
    ("n", "items", "low", "high"),
    [*((n, 34, 0.24, 0.29) for n in (4, 6, 8, 12)), (4, 100, 0.10, 0.10)],
)
def test_flat_curves_near_zero_are_often_infinite(
    n: int, items: int, low: float, high: float
) -> None:
    y = np.random.default_rng(n).binomial(items, 0.02, (40_000, n)) / items
    share = np.isinf(breakthroughness(y)).mean()
    # Half of the last printed digit, and five standard errors of a share of 40,000.
    assert low - 0.016 < share < high + 0.016


def test_three_flat_sizes_near_zero_are_often_undefined() -> None:
    y = np.random.default_rng(3).binomial(34, 0.02, (40_000, 3)) / 34
    assert np.isnan(breakthroughness(y)).mean() == pytest.approx(0.17, abs=0.014)


def test_flat_quantile_knows_the_items() -> None:
    def quantile(items: int) -> float:
        flat = make_curve(GPT_3, np.full(8, 0.02), items=items, chance=0.0)
        return flat_quantile(flat, np.random.default_rng(1))

    # With few items more than a twentieth of the flat curves are infinite; with many none is.
    assert quantile(50) == np.inf
    assert quantile(10_000) == pytest.approx(5.1, abs=0.6)


def test_constant_draws_rank_lowest() -> None:
    # Three sizes of 34 items near zero: a sixth of the flat curves is constant, none infinite.
    flat = make_curve(PALM, np.full(3, 0.02), items=34, chance=0.0)
    low, high = (flat_quantile(flat, np.random.default_rng(1), level=q) for q in (0.05, 0.95))
    assert low == -np.inf
    assert 1 < high <= 2


def test_scores_of_replicates_are_averaged_and_turned_upwards() -> None:
    curve = make_curve([7, 8, 8, 9], [0.9, 0.5, 0.7, 0.1], sign=-1)
    (row,) = score_curves([curve], seed=1).to_dict("records")
    # The published scores are -0.9, -0.5, -0.7, -0.1: turned, 0.9, 0.6, 0.1.
    assert row["breakthroughness"] == pytest.approx(-0.8 / np.sqrt((0.09 + 0.25) / 2), abs=EXACT)
    assert (row["n_sizes"], row["range"]) == (3, pytest.approx(0.8, abs=EXACT))


def test_each_curve_draws_its_own_null() -> None:
    curves = [make_curve(GPT_3, np.linspace(0.1, 0.9, 8), name=n) for n in ("a", "b")]
    both = score_curves(curves, seed=1).set_index("task")["null_q95"]
    alone = score_curves(curves[1:], seed=1).set_index("task")["null_q95"]
    assert both["b"] == alone["b"] != both["a"]


@pytest.fixture(scope="module")
def gpt3(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Scores of the shipped GPT-3 table, through the stages before."""
    spec = load_spec(repository / "config" / "benchmarks" / "gpt3.yaml")
    folder = tmp_path_factory.mktemp("raw") / "gpt3"
    # Shipped files stay where they are; a copy, so that the manifest falls outside the checkout.
    folder.mkdir()
    shutil.copy(repository / "data" / "raw" / "gpt3" / "gpt3_table_h1.csv", folder)
    fetch(spec, mirror=None, destination=folder)
    rows, _ = tidy(spec, root=folder)
    metrics = read_metrics(repository / "config" / "metrics.csv")
    tags = tag_metrics(rows, metrics, overrides=spec.tag_overrides)
    return score_curves(build_curves(rows, tags), seed=1)


@pytest.mark.parametrize(
    ("task", "metric", "shots", "expected"),
    [
        ("4D+", "acc", 50, 510.0),
        ("3D+", "acc", 50, 321.0),
        ("4D-", "acc", 0, np.inf),
        ("LAMBADA", "ppl", 15, 198.9),
    ],
)
def test_emergence_scores_of_gpt3(
    gpt3: pd.DataFrame, task: str, metric: str, shots: int, expected: float
) -> None:
    row = gpt3.query("task == @task and metric == @metric and n_shots == @shots")
    assert row["breakthroughness"].tolist() == pytest.approx([expected], rel=5e-4)


def test_scores_of_gpt3_keep_their_contract(gpt3: pd.DataFrame) -> None:
    checked = check(gpt3, SCORES, source="gpt3")
    # WiC zero-shot is 0.00 for all models; perplexity is turned round, so it rises with size.
    constant = checked.query("state == 'constant'")
    assert constant[["task", "n_shots"]].to_numpy().tolist() == [["WiC", 0]]
    assert (checked.query("metric == 'ppl'")["linearity"] > 0).all()
