"""Curves: grouping, orientation, scale and observation model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from builders import make_curve, tags_row, tidy_rows
from metamirage.base.errors import InputError
from metamirage.base.seeds import named_stream
from metamirage.curves.curve import ROUNDING, Curve, build_curves, curve_name, rescaled

SIZES = [1e9, 1e7, 1e8]
# Sums and quotients of a few decimal fractions.
EXACT = 1e-12


def build_one(scores: list[float], **tags: object) -> Curve:
    rows = tidy_rows(SIZES, scores)
    (curve,) = build_curves(rows, tags_row(**tags))
    return curve


def test_points_are_sorted_by_size() -> None:
    curve = build_one([0.9, 0.1, 0.5])
    assert curve.size.tolist() == pytest.approx([7.0, 8.0, 9.0], abs=EXACT)
    assert curve.score.tolist() == [0.1, 0.5, 0.9]


def test_bounds_become_zero_and_one() -> None:
    curve = build_one([80.0, 20.0, 50.0], lower=20.0, upper=80.0, chance=35.0)
    assert curve.z.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=EXACT)
    assert curve.chance == pytest.approx(0.25, abs=EXACT)


def test_lower_is_better_is_turned_round() -> None:
    curve = build_one([0.1, 0.9, 0.5], direction="down", lower=0.0, upper=1.0, chance=0.75)
    assert curve.z.tolist() == pytest.approx([0.1, 0.5, 0.9], abs=EXACT)
    assert curve.chance == pytest.approx(0.25, abs=EXACT)
    assert curve.score.tolist() == [0.9, 0.5, 0.1]


def test_unbounded_metric_is_scaled_by_its_own_extremes() -> None:
    curve = build_one([-1.0, -5.0, -2.0], lower=-10.0, upper=np.nan, chance=np.nan)
    assert curve.z.tolist() == pytest.approx([0.0, 0.75, 1.0], abs=EXACT)
    assert (curve.origin, curve.unit, curve.bounded) == (-5.0, 4.0, False)
    assert np.isnan(curve.chance)


def test_lower_is_better_without_bounds_falls_from_one() -> None:
    curve = build_one([4.0, 8.0, 6.0], direction="down", lower=np.nan, upper=np.nan)
    assert curve.z.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=EXACT)


def test_constant_unbounded_curve_keeps_the_published_unit() -> None:
    curve = build_one([3.0, 3.0, 3.0], lower=np.nan, upper=np.nan)
    assert (curve.z.tolist(), curve.unit) == ([0.0, 0.0, 0.0], 1.0)


def test_a_score_outside_the_bounds_is_not_clipped() -> None:
    assert build_one([1.2, 0.1, 0.5]).z[-1] == pytest.approx(1.2, abs=EXACT)


def test_scores_come_back_from_the_scaled_ones() -> None:
    curve = build_one([30.0, 10.0, 20.0], direction="down", lower=0.0, upper=100.0)
    assert curve.sign * (curve.z * curve.unit + curve.origin) == pytest.approx(curve.score)


def test_two_sizes_are_no_curve_and_the_report_says_what_is_needed() -> None:
    said = r"f\.csv: no task.* has 3 model sizes; the most is \(2\)\. Allowed: 3 distinct"
    with pytest.raises(InputError, match=said):
        build_curves(tidy_rows([1e8, 1e9], [0.1, 0.2]), tags_row())


def test_two_sizes_beside_a_curve_are_left_out() -> None:
    long = tidy_rows([1e8, 1e9, 1e10], [0.1, 0.2, 0.3])
    short = tidy_rows([1e8, 1e9], [0.1, 0.2], family="G")
    assert [c.key["family"] for c in build_curves(pd.concat([long, short]), tags_row())] == ["F"]


def test_replicates_at_one_size_stay_apart() -> None:
    rows = tidy_rows([1e7, 1e8, 1e8, 1e9], [0.1, 0.2, 0.3, 0.4])
    (curve,) = build_curves(rows, tags_row())
    assert (len(curve.z), curve.n_sizes) == (4, 3)


@pytest.mark.parametrize("column", ["task", "subtask", "metric", "family", "n_shots"])
def test_each_part_of_the_key_makes_its_own_curve(column: str) -> None:
    other = 3 if column == "n_shots" else "other"
    rows = pd.concat([tidy_rows(SIZES, [1, 0, 0]), tidy_rows(SIZES, [0, 0, 0], **{column: other})])
    tags = [tags_row()]
    if column in ("task", "metric"):
        tags.append(tags_row(**{column: other}))
    curves = build_curves(rows, pd.concat(tags))
    assert sorted(curve.z.sum() for curve in curves) == [0.0, 1.0]


def test_missing_shots_make_one_curve_with_a_name() -> None:
    rows = tidy_rows(SIZES, [0.3, 0.1, 0.2], n_shots=pd.NA)
    (curve,) = build_curves(rows, tags_row())
    assert curve.curve_id == "invented|t||accuracy|F|"


def test_curves_come_in_the_order_of_their_names_whatever_the_rows() -> None:
    rows = pd.concat([tidy_rows(SIZES, [1, 0, 0], subtask=s) for s in "cab"])
    names = [curve.curve_id for curve in build_curves(rows, tags_row())]
    shuffled = build_curves(rows.sample(frac=1, random_state=1), tags_row())
    assert names == sorted(names) == [curve.curve_id for curve in shuffled]


def test_counts_are_the_nearest_whole_numbers() -> None:
    curve = make_curve([7, 8, 9, 10], [0.0, 0.333, 0.337, 1.0], items=[10, 100, 100, 7])
    assert curve.counts.tolist() == [0.0, 33.0, 34.0, 7.0]


def test_bounded_scores_with_items_are_counts() -> None:
    assert build_one([0.3, 0.1, 0.2]).observation == "beta_binomial"


@pytest.mark.parametrize(
    ("rows", "tags"),
    [
        ({"n_samples": pd.NA}, {}),
        ({"n_samples": [100, 100, pd.NA]}, {}),
        ({}, {"upper": np.nan}),
        ({"stderr": 0.01}, {"discontinuous": "no"}),
    ],
    ids=["no items", "items of some only", "no bounds", "graded with its own error"],
)
def test_other_scores_are_gaussian(rows: dict[str, object], tags: dict[str, object]) -> None:
    (curve,) = build_curves(tidy_rows(SIZES, [0.3, 0.1, 0.2], **rows), tags_row(**tags))
    assert curve.observation == "gaussian"


def test_a_graded_metric_without_its_own_error_falls_back_on_counts() -> None:
    rows = tidy_rows(SIZES, [0.3, 0.1, 0.2], stderr=[0.01, np.nan, 0.01])
    (curve,) = build_curves(rows, tags_row(discontinuous="no"))
    assert curve.observation == "beta_binomial"


def test_standard_errors_share_the_scale_of_the_scores() -> None:
    rows = tidy_rows(SIZES, [30.0, 10.0, 20.0], stderr=[2.0, np.nan, 1.0])
    (curve,) = build_curves(rows, tags_row(upper=100.0))
    expected = np.hypot([0.0, 0.01, 0.02], ROUNDING)
    assert curve.stderr.tolist() == pytest.approx(expected, abs=EXACT)


def test_rounding_is_that_of_four_printed_digits() -> None:
    exact = np.random.default_rng(1).random(100_000)
    assert np.std(np.round(exact, 4) - exact) == pytest.approx(ROUNDING, rel=0.05)


def test_the_mean_over_subtasks_is_excluded() -> None:
    rows = tidy_rows(SIZES, [0.3, 0.1, 0.2], subtask="overall")
    (curve,) = build_curves(rows, tags_row())
    assert curve.excluded == "aggregate over subtasks"


def test_the_reason_of_the_tags_is_carried() -> None:
    assert build_one([0.3, 0.1, 0.2], excluded="calibration").excluded == "calibration"


def test_take_keeps_points_and_scale() -> None:
    curve = build_one([4.0, 1.0, 3.0], lower=np.nan, upper=np.nan)
    part = curve.take(curve.size < 9)
    assert part.z.tolist() == pytest.approx([0.0, 2 / 3], abs=EXACT)
    assert (part.score.tolist(), part.unit) == ([1.0, 3.0], 3.0)


def test_rescaled_gives_an_unbounded_curve_the_extremes_it_has() -> None:
    curve = build_one([4.0, 1.0, 3.0], lower=np.nan, upper=np.nan)
    part = rescaled(curve.take(curve.size < 9))
    assert part.z.tolist() == pytest.approx([0.0, 1.0], abs=EXACT)


def test_rescaled_keeps_the_orientation() -> None:
    curve = build_one([4.0, 8.0, 6.0], direction="down", lower=np.nan, upper=np.nan)
    other = rescaled(curve, origin=-10.0, unit=2.0)
    assert other.z.tolist() == pytest.approx([1.0, 2.0, 3.0], abs=EXACT)


def test_rescaled_carries_the_standard_error_along() -> None:
    curve = make_curve([7, 8, 9], [0.0, 0.5, 1.0], stderr=0.1, bounded=False, unit=4.0)
    # Rounding adds its own sd on each scale.
    found = rescaled(curve, origin=0.0, unit=2.0).published_stderr
    assert found == pytest.approx(2 * curve.published_stderr, abs=EXACT)


def test_rescaled_leaves_a_bounded_curve_alone() -> None:
    curve = build_one([0.4, 0.1, 0.3])
    assert rescaled(curve.take(curve.size < 9)).z.tolist() == pytest.approx([0.1, 0.3], abs=EXACT)


def test_names_join_the_key() -> None:
    curve = build_one([0.4, 0.1, 0.3])
    assert curve_name(curve.key) == curve.curve_id == "invented|t||accuracy|F|0"


def test_seeds_differ_by_name_and_by_run() -> None:
    states = {
        tuple(named_stream(seed, "fits", name).generate_state(2))
        for seed in (1, 2)
        for name in ("a", "b")
    }
    assert len(states) == 4


def test_seeds_do_not_change_with_the_process() -> None:
    # sha256("a") begins ca 97 81 12 ca 1b bd ca; little-endian.
    assert named_stream(5, "fits", "a").entropy == [5, 0xCABD1BCA128197CA]
