from __future__ import annotations

import numpy as np
import pandas as pd

from metamirage.report import layouts
from metamirage.report.pages import join_curves
from report_builders import concentration_row, report_inputs


def joined() -> pd.DataFrame:
    inputs = report_inputs()
    return join_curves(inputs.fits, inputs.scores, inputs.tags, inputs.tidy)


def test_every_estimand_that_was_tested_is_explained() -> None:
    tested = set(report_inputs().concentration["estimand"])
    assert tested <= set(layouts.estimand_glossary())


def test_the_test_table_shows_estimates_only() -> None:
    rows = pd.DataFrame(
        [concentration_row(), concentration_row(estimand="location", estimate=np.nan)]
    )
    shown = layouts.hypothesis_table(rows).rows
    assert [row[3] for row in shown] == ["log10_width"]
    assert shown[0][4:9] == ("0.25", "0.125 to 0.5", "0.004", "12", "34")


def test_the_test_table_says_where_no_interval_is_possible() -> None:
    rows = pd.DataFrame([concentration_row(lower=-np.inf, upper=np.inf, n_tasks=1)])
    assert layouts.hypothesis_table(rows).rows[0][5] == "none from 1 task"


def test_evidence_weights_of_the_candidates_sum_to_one() -> None:
    rows = layouts.weight_table(report_inputs().models).rows
    # Three digits a weight, four weights.
    assert abs(sum(float(row[1]) for row in rows) - 1) < 2e-3
    assert sum(int(row[2]) for row in rows) == 6


def test_the_largest_s_come_first_and_infinite_before_all() -> None:
    shown = layouts.largest_s(
        joined().assign(breakthroughness=[1, np.inf, 3, 2, np.nan, 198.93]), 3
    )
    assert [row[1] for row in shown.rows] == ["∞", "198.9", "3"]


def test_tags_that_agree_share_a_row() -> None:
    shown = layouts.tag_table(report_inputs().tags)
    assert [(row[0], row[1]) for row in shown.rows] == [
        ("exact", "floor, line, step"),
        ("loss", "floor"),
        ("overlap", "line, step"),
    ]


def test_defects_are_shown_with_what_was_done() -> None:
    shown = layouts.issue_table(report_inputs().issues)
    assert shown.rows[0][3:] == ("A share of 1.78 & more.", "kept as published", "yes")


def test_verdicts_are_counted_in_a_fixed_order() -> None:
    counts = layouts.verdict_counts(pd.DataFrame({"verdict": ["FLAT", "FLAT", "SHARP"]}))
    assert list(counts.items())[:3] == [("SHARP", 1), ("SMOOTH", 0), ("FLAT", 2)]
