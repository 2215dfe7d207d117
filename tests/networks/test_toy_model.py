"""The toy model in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from metamirage.networks import toy_model as toy

SIZE = np.linspace(6.0, 12.0, 601)
# Rounding only.
EXACT = 1e-12


@pytest.mark.parametrize(("p", "printed"), [(0.98, 0.92), (0.6, 0.13)])
def test_digits_compound_over_a_four_digit_answer(p: float, printed: float) -> None:
    # As printed, to two digits.
    assert round(float(toy.exact_match(np.array(p), 4)), 2) == printed


def test_one_token_in_e_is_right_at_the_scale() -> None:
    p = toy.token_success(np.array(9.0), scale=9.0, exponent=0.3)
    assert p == pytest.approx(np.exp(-1), rel=EXACT)


def test_the_loss_of_a_token_is_a_power_law_in_size() -> None:
    loss = -np.log(toy.token_success(SIZE, scale=9.0, exponent=0.3))
    slope = np.diff(np.log10(loss)) / np.diff(SIZE)
    assert slope == pytest.approx(-0.3, rel=1e-9)  # differences of numbers near each other


def test_edit_distance_is_linear_in_the_error_of_a_token_and_brier_is_not() -> None:
    error = np.array([0.0, 0.25, 0.5])
    assert toy.edit_distance(1 - error, 8) == pytest.approx([0.0, 2.0, 4.0], abs=EXACT)
    assert toy.brier(1 - error) == pytest.approx([0.0, 0.125, 0.5], abs=EXACT)


@pytest.mark.parametrize("length", [1, 2, 5, 16])
def test_a_longer_target_moves_the_curve_and_does_not_narrow_it(length: int) -> None:
    law = {"scale": 9.0, "exponent": 0.3}
    score = np.array([0.1, 0.5, 0.9])
    one = toy.size_of_score(score, length=1, **law)
    many = toy.size_of_score(score, length=length, **law)
    assert many - one == pytest.approx(toy.length_shift(length, exponent=0.3), abs=EXACT)
    assert many[2] - many[0] == pytest.approx(toy.rise_width(0.3), rel=EXACT)


def test_the_width_of_the_rise_is_the_published_constant_over_the_exponent() -> None:
    # log10(ln 10 / -ln 0.9) to four decimals.
    assert toy.rise_width(1.0) == pytest.approx(1.3395, abs=5e-5)


def test_the_size_of_a_score_inverts_exact_match() -> None:
    score = toy.exact_match(toy.token_success(SIZE[200:], scale=9.0, exponent=0.3), 5)
    back = toy.size_of_score(score, length=5, scale=9.0, exponent=0.3)
    # Small scores lose digits in the logarithm of a number near one.
    assert back == pytest.approx(SIZE[200:], abs=1e-9)


def test_the_least_accuracy_seen_is_seen_with_the_probability_asked_for() -> None:
    n_items = np.array([1.0, 100.0, 10000.0])
    least = toy.least_seen(n_items, sure=0.9)
    assert 1 - (1 - least) ** n_items == pytest.approx(0.9, rel=1e-9)  # 1 - (1 - 2e-4) rounds


def test_more_items_make_a_smaller_model_rise_above_chance() -> None:
    least = toy.least_seen(np.array([100.0, 1000.0, 10000.0]))
    sizes = toy.size_of_score(least, length=4, scale=9.0, exponent=0.3)
    assert (np.diff(sizes) < 0).all()


def test_a_threshold_turns_even_progress_into_an_s_curve_of_known_width() -> None:
    width = toy.threshold_width(rate=1.0, spread=0.25)
    ends = np.array([9.0 - width / 2, 9.0, 9.0 + width / 2])
    share = toy.threshold_share(ends, threshold=9.0, rate=1.0, spread=0.25)
    assert share == pytest.approx([0.1, 0.5, 0.9], abs=EXACT)
    assert width == pytest.approx(2.563 * 0.25, rel=1e-4)  # the constant has four digits


def test_fewer_sizes_make_a_larger_step_of_the_same_curve() -> None:
    score = toy.exact_match(
        toy.token_success(np.arange(6.0, 12.5, 0.5), scale=8.0, exponent=0.3), 5
    )
    assert toy.largest_step(score[::4]) > 2 * toy.largest_step(score)
    assert toy.largest_step(np.linspace(0, 1, 5)) == pytest.approx(0.25, rel=EXACT)
