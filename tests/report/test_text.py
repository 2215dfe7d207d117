from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.report import text
from metamirage.report.pages import join_curves
from metamirage.report.text import NBSP
from report_builders import report_inputs


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.nan, "–"),
        (None, "–"),
        (pd.NA, "–"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (510.0, "510"),
        (198.93, "199"),
        (-0.00527, "−0.00527"),
        (12345.6, "12,346"),
        (0, "0"),
    ],
)
def test_numbers_are_written_for_people(value: object, written: str) -> None:
    assert text.number(value) == written


def test_more_digits_are_shown_when_asked_for() -> None:
    assert text.number(198.93, digits=4) == "198.9"


@pytest.mark.parametrize(
    ("k", "n", "written"),
    [
        (4, 189, "4 of 189 (2.1{}%)"),
        (5, 5, "5 of 5 (100{}%)"),
        (0, 7, "0 of 7 (0{}%)"),
        (1, 3668, "1 of 3,668 (0.03{}%)"),
    ],
)
def test_a_share_stands_beside_its_count(k: int, n: int, written: str) -> None:
    assert text.count_of(k, n) == written.format(NBSP)


def test_a_share_of_nothing_has_no_percentage() -> None:
    assert text.count_of(0, 0) == "0 of 0"


def test_a_curve_without_subtask_and_shots_is_named_by_the_rest() -> None:
    row = {"task": "t", "subtask": "", "metric": "m", "family": "F", "n_shots": pd.NA}
    assert text.curve_label(row) == "t, m, F"
    assert text.curve_label(row | {"subtask": "s", "n_shots": 3}) == "t: s, m, F, 3-shot"


def test_long_lists_end_in_a_count() -> None:
    assert text.listed(["a", "b", "c"], most=2) == "a; b; 1 more"


def test_holdings_follow_the_tables() -> None:
    inputs = report_inputs()
    said = text.holdings(inputs.tidy, inputs.fits)
    assert said.startswith("42 published scores of 3 tasks under 3 metrics; 7 models in 1 family,")
    assert said.endswith("100M to 100B parameters, 200 items a score (median). They make 6 curves.")
    fewer = inputs.tidy[inputs.tidy["task"] != "floor"]
    assert "28 published scores of 2 tasks" in text.holdings(fewer, inputs.fits)


def test_every_verdict_is_counted_among_the_curves_screened() -> None:
    fits = pd.DataFrame({"verdict": ["SHARP", "FLAT", "FLAT", "UNRESOLVED"]})
    said = text.verdicts(fits)
    assert said.startswith(f"4 curves screened: SHARP 1 of 4 (25{NBSP}%)")
    assert f"SMOOTH 0 of 4 (0{NBSP}%)" in said
    assert f"SHARP 2 of 4 (50{NBSP}%)" in text.verdicts(fits.replace("UNRESOLVED", "SHARP"))


def test_short_curves_are_counted() -> None:
    said = text.too_short(pd.DataFrame({"n_sizes": [3, 4, 5, 8]}))
    assert said.startswith(f"2 of 4 (50{NBSP}%) curves have fewer than 5 sizes")


def test_sharp_curves_are_counted_by_class() -> None:
    curves = pd.DataFrame(
        {"verdict": ["SHARP", "FLAT"], "metric_class": ["discontinuous", "unknown"]}
    )
    said = text.sharp_by_class(curves)
    assert f"1 of 1 (100{NBSP}%) curves under metrics tagged discontinuous" in said
    assert f"0 of 1 (0{NBSP}%) curves under metrics tagged unknown" in said


def test_left_out_curves_are_counted_with_their_reasons() -> None:
    scores = pd.DataFrame({"excluded": ["", "a copy", "a copy", "an aggregate"]})
    said = text.exclusions(scores)
    assert said == (
        f"3 of 4 (75{NBSP}%) curves stay out of the tests (a copy: 2; an aggregate: 1)."
    )
    assert text.exclusions(scores[:1]) == "All 1 curve may enter the tests."


def scores_of(values: list[float], reference: float = 5.0) -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {
            "task": [f"t{i}" for i in range(n)],
            "subtask": "",
            "metric": "m",
            "family": "F",
            "n_shots": pd.array([0] * n, dtype="Int64"),
            "breakthroughness": values,
            "null_q95": reference,
            "discontinuous": "no",
            "nonlinear": "yes",
            "verdict": "SMOOTH",
        }
    )


def test_infinite_and_missing_s_are_told_apart() -> None:
    said = text.s_states(scores_of([np.inf, np.nan, 198.93, 7.0]))
    assert f"S is infinite for 1 of 4 (25{NBSP}%) curves: t0, m, F, 0-shot." in said
    assert "missing for 1." in said
    assert "largest finite values: t2, m, F, 0-shot 198.9; t3, m, F, 0-shot 7." in said


def test_a_smooth_metric_that_s_calls_emergent_is_named() -> None:
    said = text.s_on_continuous(scores_of([3.0, 198.93, 12.0]))
    assert f"above the flat reference for 2 of 3 (67{NBSP}%) curves" in said
    assert "largest is t1, m, F, 0-shot, a continuous but nonlinear metric, with S = 198.9" in said
    assert "against 5 for a flat curve" in said


def test_the_smooth_metric_named_follows_the_margin_not_the_score() -> None:
    scores = scores_of([20.0, 30.0])
    scores["null_q95"] = [5.0, 25.0]
    assert "largest is t0," in text.s_on_continuous(scores)


def test_nothing_is_named_where_s_stays_below_its_reference() -> None:
    said = text.s_on_continuous(scores_of([1.0, np.nan]))
    assert said.endswith("metrics that are not discontinuous.")
    assert "0 of 2" in said


def test_agreement_of_s_with_the_verdicts_is_counted_both_ways() -> None:
    scores = scores_of([9.0, 9.0, 1.0])
    scores["verdict"] = ["SHARP", "FLAT", "SHARP"]
    said = text.s_against_verdicts(scores)
    assert f"for 2 of 3 (67{NBSP}%) curves; 1 of 2 (50{NBSP}%) of these are SHARP" in said
    assert said.endswith(f"reference for 1 of 2 (50{NBSP}%).")


def test_defects_are_counted() -> None:
    issues = report_inputs().issues
    assert text.issue_count(issues).startswith("1 finding about the published scores; 1 of 1")
    assert text.issue_count(issues[:0]).startswith("No defect")


def test_sentences_hold_for_the_joined_curves() -> None:
    inputs = report_inputs()
    joined = join_curves(inputs.fits, inputs.scores, inputs.tags, inputs.tidy)
    # The invented step and the floor have a median step of zero or near it.
    assert "floor, exact, F, 2-shot" in text.s_states(joined)
    assert "of 3 (" in text.s_on_continuous(joined)
