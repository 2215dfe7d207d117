from __future__ import annotations

import pandas as pd
import pytest

from metamirage.report import holdings
from metamirage.report.pages import join_curves
from metamirage.report.text import NBSP
from report_builders import report_inputs


@pytest.fixture
def curves() -> pd.DataFrame:
    inputs = report_inputs()
    joined = join_curves(inputs.fits, inputs.scores, inputs.tags, inputs.tidy)
    # Three curves under exact, two under overlap, one under loss.
    sharp = (joined["metric"] == "exact") | (joined["metric"] == "loss")
    return joined.assign(verdict=sharp.map({True: "SHARP", False: "SMOOTH"}))


def test_families_are_counted_with_their_sizes() -> None:
    inputs = report_inputs()
    rows = holdings.family_table(inputs.tidy, inputs.fits).rows
    assert rows == (("F", "7", "100M", "100B", "total", "42", "3", "6"),)


def test_metrics_stand_beside_their_share_of_all_curves(curves: pd.DataFrame) -> None:
    rows = holdings.metric_table(report_inputs().tidy, curves).rows
    assert [row[0] for row in rows] == ["exact", "loss", "overlap"]
    exact = ("exact", "discontinuous", "3", "200", "3", f"50{NBSP}%")
    assert rows[0] == (*exact, f"3 of 3 (100{NBSP}%)", f"75{NBSP}%")
    assert rows[2][-2:] == (f"0 of 2 (0{NBSP}%)", f"0{NBSP}%")


def test_without_sharp_curves_there_is_no_share_of_them(curves: pd.DataFrame) -> None:
    none = curves.assign(verdict="FLAT")
    assert {row[-1] for row in holdings.metric_table(report_inputs().tidy, none).rows} == {"–"}
    assert holdings.concentration_said(none) == "No curve is SHARP."


def test_the_base_rate_stands_beside_the_share_of_the_sharp(curves: pd.DataFrame) -> None:
    said = holdings.concentration_said(curves).replace(NBSP, " ")
    assert "(exact, loss) have 4 of 4 (100 %) of them and 4 of 6 (67 %) of all curves" in said
