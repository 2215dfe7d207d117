from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.report import multiverse
from metamirage.report.text import NBSP
from metamirage.robustness.multiverse import STATISTICS
from multiverse_builders import assess, tables_of


def joint(**changes: object) -> pd.DataFrame:
    row: dict[str, object] = {
        "p_value": 0.004, "n_specifications": 1200, "n_possible": 5000, "n_swaps": 500, "seed": 7,
    }  # fmt: skip
    observed = dict(zip(STATISTICS, (0.25, 0.75, 0.5), strict=True))
    return pd.DataFrame(
        [
            row | {"measure": measure, "statistic": statistic, "observed": value} | changes
            for measure in ("all", "width")
            for statistic, value in observed.items()
        ]
    )


def test_the_sentence_carries_the_three_statistics_and_what_was_screened() -> None:
    said = multiverse.summary(joint())
    assert said.startswith("1,200 specifications of 5,000 distinct ones.")
    assert "Median standardised effect 0.25 (p = 0.004)" in said
    assert f"75{NBSP}% point the way the thesis predicts (p = 0.004)" in said
    assert f"50{NBSP}% do so with p at most 0.05" in said
    assert said.endswith("Median effect by measure: width 0.25 (p = 0.004).")


def test_the_sentence_changes_with_the_numbers() -> None:
    said = multiverse.summary(joint(observed=-0.125, p_value=0.4))
    assert "Median standardised effect −0.125 (p = 0.400)" in said


def test_no_specification_is_said_to_be_none() -> None:
    empty = joint(n_specifications=0, observed=np.nan, p_value=np.nan)
    assert multiverse.summary(empty) == multiverse.EMPTY
    exhibit = multiverse.multiverse_exhibit(pd.DataFrame(), empty)
    assert (exhibit.image, exhibit.caption) == ("", multiverse.EMPTY)
    assert multiverse.joint_table(empty).rows == ()


def test_the_joint_table_has_a_row_a_measure() -> None:
    rows = multiverse.joint_table(joint()).rows
    assert [row[:3] for row in rows] == [("all", "1,200", "0.25"), ("width", "1,200", "0.25")]
    assert rows[0][3:] == ("0.004", "0.75", "0.004", "0.5", "0.004")


def test_the_choices_of_h2_are_placed_among_all() -> None:
    tables = tables_of(9, gap=0.4)
    specifications, whole = assess(tables, seed=3)
    smaller = (specifications["effect"] < specifications["effect"].iloc[0]).sum()
    said = multiverse.sentences(specifications, whole)["reference"]
    assert f"; {smaller:,} of {len(specifications):,} (" in said
    assert multiverse.reference(specifications[1:]) == ""


def test_crowding_is_one_where_a_choice_is_as_common_as_everywhere() -> None:
    chosen = pd.Series([True, False, True, False, True, True, False, False])
    edges = np.array([0.0, 4.0, 8.0])
    assert multiverse.crowding(chosen, edges) == pytest.approx([1.0, 1.0], abs=1e-12)
    first = pd.Series([True] * 4 + [False] * 4)
    assert multiverse.crowding(first, edges) == pytest.approx([2.0, 0.0], abs=1e-12)


def test_the_figure_shows_axes_that_vary_and_no_others() -> None:
    tables = tables_of(9, gap=0.4)
    specifications, _ = assess(tables, seed=3)
    above, below = multiverse.draw_multiverse(specifications).axes
    words = [label.get_text() for label in below.get_yticklabels()]
    assert "shots most" in words
    assert not any(word.startswith("family") for word in words)
    assert above.get_ylabel() == "standardised effect"
