"""Measures of a sigmoid posterior in closed form, and the rules of the verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from builders import BIG_G, TWO_LN_9, make_curve
from metamirage.base.thresholds import JUMP_MIN
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.verdicts import levels, measures, p_turns, summarise, verdict

# Closed forms: rounding only.
EXACT = 1e-9
# Window of four decades.
SIZE = np.array([7.0, 8.0, 9.0, 10.0, 11.0])
COUNTS = make_curve(SIZE, np.full(5, 0.5), items=100, chance=0.0)
SCORES = make_curve(SIZE, np.full(5, 0.5))


def posterior(
    *, left: float = 0.0, right: float = 1.0, location: float = 9.0, width: float = 1.0
) -> Posterior:
    """Posterior of one draw, its levels on the scale of Gaussian scores."""
    return mixture([(left, right, location, width)])


def mixture(rows: list[tuple[float, ...]], weights: list[float] | None = None) -> Posterior:
    left, right, location, width = np.array(rows, dtype=float).T
    theta = np.column_stack([left, np.zeros_like(left), right, location, np.log(width)])
    return Posterior(
        candidate="sigmoid",
        theta=theta,
        weights=np.array(weights or [1 / len(rows)] * len(rows)),
        log_evidence=0.0,
        error=0.0,
        ess=1.0,
        profile=np.empty(0),
    )


def measure(name: str, curve: Curve = SCORES, **parameters: float) -> float:
    return float(measures(curve, posterior(**parameters))[name][0])


def test_width_and_location_are_in_decades() -> None:
    assert measure("width", width=0.7) == pytest.approx(0.7, abs=EXACT)
    assert measure("location", location=8.3) == pytest.approx(8.3, abs=EXACT)


def test_a_step_jumps_from_level_to_level() -> None:
    assert measure("jump", left=0.1, right=0.7, width=0.01) == pytest.approx(0.6, abs=EXACT)


def test_the_jump_counts_the_window_only() -> None:
    # Half of the rise lies right of a location at the last size; the left end is 4 decades off.
    jump = measure("jump", left=0.2, right=1.0, location=11.0, width=2.0)
    expected = 0.8 * (0.5 - expit(-4 * TWO_LN_9 / 2.0))
    assert jump == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("location", [4.0, 14.0])
def test_a_step_outside_the_window_makes_no_jump(location: float) -> None:
    assert measure("jump", location=location, width=0.2) == pytest.approx(0.0, abs=EXACT)


def test_a_falling_curve_has_a_negative_jump() -> None:
    assert measure("jump", left=0.8, right=0.3, width=0.01) == pytest.approx(-0.5, abs=EXACT)
    assert measure("jump_decade", left=0.8, right=0.3, width=0.01) == pytest.approx(-0.5, abs=EXACT)


def test_levels_of_counts_pass_through_the_logistic() -> None:
    low, high = levels(COUNTS, posterior(left=float(logit(0.2)), right=float(logit(0.9))))
    assert (low[0], high[0]) == pytest.approx((0.2, 0.9), abs=EXACT)
    jump = measure("jump", COUNTS, left=float(logit(0.2)), right=float(logit(0.9)), width=0.01)
    assert jump == pytest.approx(0.7, abs=EXACT)


def test_a_step_is_wholly_concentrated() -> None:
    assert measure("concentration", width=0.01) == pytest.approx(1.0, abs=EXACT)


def test_a_line_has_its_share_of_the_span() -> None:
    # So wide that its curvature over four decades is below 1e-4.
    assert measure("concentration", width=500.0) == pytest.approx(1 / 4, abs=1e-4)


def test_concentration_of_a_width_of_one_decade_in_the_middle() -> None:
    inside = measure("concentration", location=9.0, width=1.0)
    # 80 % of the whole rise, over what the window of two decades either way sees of it.
    assert inside == pytest.approx(0.8 / (2 * expit(2 * TWO_LN_9) - 1), abs=EXACT)


@pytest.mark.parametrize(
    ("location", "start"), [(7.2, 7.0), (10.9, 10.0), (5.0, 7.0), (13.0, 10.0)]
)
def test_the_steepest_decade_stays_in_the_window(location: float, start: float) -> None:
    def h(x: float) -> float:
        return float(expit(TWO_LN_9 * (x - location) / 2.0))

    expected = (h(start + 1) - h(start)) / (h(11.0) - h(7.0))
    found = measure("concentration", location=location, width=2.0)
    assert found == pytest.approx(expected, abs=EXACT)


def test_the_decade_of_most_rise_is_its_share_of_the_jump() -> None:
    share, jump = (measure(name, right=0.6, width=1.5) for name in ("concentration", "jump"))
    assert measure("jump_decade", right=0.6, width=1.5) == pytest.approx(share * jump, abs=EXACT)


def test_a_window_of_less_than_a_decade_is_its_own_decade() -> None:
    narrow = make_curve([8.0, 8.2, 8.5], [0.1, 0.2, 0.3])
    assert measure("concentration", narrow, location=8.2, width=3.0) == pytest.approx(
        1.0, abs=EXACT
    )


def test_a_rise_below_rounding_counts_as_a_line() -> None:
    assert measure("concentration", location=60.0, width=0.1) == pytest.approx(1 / 4, abs=EXACT)


def test_the_floor_of_a_step_lasts_until_the_step() -> None:
    # The 10 % point lies half a width before the location.
    assert measure("floor", location=9.5, width=0.02) == pytest.approx(2.49, abs=1e-6)


def test_the_floor_of_a_line_is_a_tenth_of_the_window() -> None:
    assert measure("floor", width=500.0) == pytest.approx(0.4, abs=1e-4)


@pytest.mark.parametrize(("location", "width"), [(9.0, 2.0), (8.0, 3.0), (12.0, 4.0)])
def test_the_floor_ends_at_a_tenth_of_the_jump(location: float, width: float) -> None:
    floor = measure("floor", location=location, width=width)
    ends = expit(TWO_LN_9 * (SIZE[[0, -1]] - location) / width)
    there = expit(TWO_LN_9 * (7.0 + floor - location) / width)
    assert (there - ends[0]) / (ends[1] - ends[0]) == pytest.approx(0.1, abs=EXACT)


@pytest.mark.parametrize(("location", "floor"), [(-40.0, 0.0), (80.0, 4.0)])
def test_the_floor_stays_in_the_window(location: float, floor: float) -> None:
    found = measure("floor", location=location, width=0.3)
    # Far below, the curve is saturated and the rounded 10 % point may lie anywhere inside.
    assert 0.0 <= found <= 4.0
    if floor:
        assert found == pytest.approx(floor, abs=EXACT)


def test_summaries_weigh_the_draws() -> None:
    draws = mixture([(0, 1, 9, 0.5), (0, 1, 13, 4), (1, 0, 9, 0.5)], [0.6, 0.3, 0.1])
    row = summarise(SCORES, draws)
    assert row["p_width_lt_1"] == pytest.approx(0.7)
    assert row["p_width_gt_2"] == pytest.approx(0.3)
    assert row["p_location_inside"] == pytest.approx(0.7)
    # h(11) = 0.1 for the second draw: half a width before its location.
    assert row["p_jump"] == pytest.approx(0.9)
    assert row["p_jump_negative"] == pytest.approx(0.1)
    assert row["p_sharp"] == pytest.approx(0.6)
    assert row["location_mean"] == pytest.approx(0.7 * 9 + 0.3 * 13)


def test_log10_width_has_the_moments_of_its_draws() -> None:
    row = summarise(SCORES, mixture([(0, 1, 9, 0.1), (0, 1, 9, 10.0)], [0.5, 0.5]))
    assert row["log10_width_mean"] == pytest.approx(0.0, abs=EXACT)
    assert row["log10_width_sd"] == pytest.approx(1.0, abs=EXACT)


def test_flat_means_less_than_the_least_jump_either_way() -> None:
    rows = [(0.5, 0.5 + jump, 9, 0.01) for jump in (-0.06, -0.04, 0.0, 0.04, 0.06)]
    row = summarise(SCORES, mixture(rows))
    assert row["p_flat"] == pytest.approx(0.6)
    assert (row["p_jump"], row["p_jump_negative"]) == pytest.approx((0.2, 0.2))
    assert JUMP_MIN == 0.05


def test_intervals_are_quantiles() -> None:
    rows = [(0, 1, 8 + i / 100, 1.0) for i in range(101)]
    row = summarise(SCORES, mixture(rows))
    found = [row[f"location_{q}"] for q in ("q05", "median", "q95")]
    # Mid-ranks of 101 equal weights.
    assert found == pytest.approx([8.05, 8.5, 8.95], abs=0.01)


def probabilities(**changes: float) -> dict[str, float]:
    """Return the probabilities of a clear, sharp jump inside the window."""
    return {
        "p_flat": 0.0,
        "p_jump": 0.99,
        "p_jump_negative": 0.0,
        "p_width_lt_1": 0.95,
        "p_width_gt_2": 0.0,
        "p_location_inside": 0.99,
    } | changes


SMOOTH = {"p_width_lt_1": 0.0, "p_width_gt_2": 0.95}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "SHARP"),
        ({"p_jump": 0.95}, "UNRESOLVED"),
        ({"p_jump": 0.951}, "SHARP"),
        ({"p_width_lt_1": 0.90}, "UNRESOLVED"),
        ({"p_width_lt_1": 0.901}, "SHARP"),
        ({"p_location_inside": 0.90}, "UNRESOLVED"),
        (SMOOTH, "SMOOTH"),
        (SMOOTH | {"p_location_inside": 0.1}, "SMOOTH"),
        (SMOOTH | {"p_width_gt_2": 0.90}, "UNRESOLVED"),
        (SMOOTH | {"p_jump": 0.5}, "UNRESOLVED"),
        ({"p_flat": 0.951, "p_jump": 0.0}, "FLAT"),
        ({"p_flat": 0.95, "p_jump": 0.05}, "UNRESOLVED"),
        ({"p_jump": 0.0, "p_jump_negative": 0.951}, "INVERSE"),
        ({"p_jump": 0.05, "p_jump_negative": 0.95}, "UNRESOLVED"),
    ],
)
def test_rules(changes: dict[str, float], expected: str) -> None:
    assert verdict(probabilities(**changes), 5) == expected


@pytest.mark.parametrize(
    "changes",
    [{}, SMOOTH, {"p_flat": 0.99, "p_jump": 0}, {"p_jump_negative": 0.99, "p_jump": 0}],
    ids=["sharp", "smooth", "flat", "inverse"],
)
@pytest.mark.parametrize("n_sizes", [3, 4])
def test_fewer_than_five_sizes_stay_unresolved(n_sizes: int, changes: dict[str, float]) -> None:
    assert verdict(probabilities(**changes), n_sizes) == "UNRESOLVED"
    assert verdict(probabilities(**changes), 5) != "UNRESOLVED"


@pytest.mark.parametrize(
    ("turn", "right", "expected"),
    [
        (0.0, 0.2 + 1.01 * JUMP_MIN, 1.0),  # in the middle: both sides make the whole way
        (0.0, 0.2 - 0.99 * JUMP_MIN, 0.0),
        (-0.25, 0.2 + 8.9 * JUMP_MIN, 0.0),  # the nearer end is a third as far: a ninth of the way
        (0.25, 0.2 - 9.1 * JUMP_MIN, 1.0),
        (0.6, 5.0, 0.0),  # outside the window nothing turns
    ],
)
def test_a_turn_counts_if_both_sides_exceed_the_smallest_jump(
    turn: float, right: float, expected: float
) -> None:
    quadratic = mixture([(0.2, right, turn, 1.0)])
    assert p_turns(SCORES, quadratic) == expected


def test_measures_use_the_window_of_the_curve() -> None:
    wide = make_curve(BIG_G, np.zeros(12))
    assert measure("concentration", wide, location=9.0, width=500.0) == pytest.approx(
        1 / (BIG_G[-1] - BIG_G[0]), abs=1e-4
    )
