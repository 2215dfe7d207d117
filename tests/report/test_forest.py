from __future__ import annotations

import numpy as np
import pandas as pd

from metamirage.report.forest import POOLED, draw_forests, forest_exhibit, make_forests
from report_builders import concentration_row


def table(**changes: object) -> pd.DataFrame:
    return pd.DataFrame([concentration_row(**changes)])


def test_benchmarks_and_the_pooled_row_stand_in_one_forest() -> None:
    tables = {"a": table(estimate=0.1), "b": table(estimate=0.3), "c": table(estimate=np.nan)}
    (forest,) = make_forests(tables, table(estimate=0.2))
    assert forest.rows["benchmark"].tolist() == ["a", "b", POOLED]
    assert forest.rows["estimate"].tolist() == [0.1, 0.3, 0.2]


def test_rows_of_another_stratum_or_scheme_stay_out() -> None:
    tables = {"a": table(stratum="same model"), "b": table(scheme="nonlinear"), "c": table()}
    assert make_forests(tables, table(estimate=np.nan)) == []


def test_one_benchmark_is_no_forest_and_is_said_to_be_none() -> None:
    exhibit = forest_exhibit({"a": table()}, table())
    assert exhibit.image == ""
    assert exhibit.caption.startswith("Fewer than two benchmarks")


def test_each_hypothesis_has_a_panel_and_too_few_tasks_have_no_ends() -> None:
    h4 = {"hypothesis": "H4", "estimand": "log_score_gain_rising"}
    both = pd.concat([table(), table(**h4, lower=-np.inf, upper=np.inf, n_tasks=2)])
    forests = make_forests({"a": both, "b": both}, table(estimate=np.nan))
    figure = draw_forests(forests)
    assert [f.hypothesis for f in forests] == ["H2", "H4"]
    styles = [{line.get_linestyle() for line in axis.lines[1::2]} for axis in figure.axes]
    assert styles == [{"-"}, {"--"}]


def test_the_caption_follows_its_numbers() -> None:
    tables = {"a": table(estimate=0.125), "b": table(lower=-np.inf, n_tasks=3)}
    said = forest_exhibit(tables, table(estimate=0.375)).caption
    assert "H2: a 0.125 (0.125 to 0.5, 12 tasks), b 0.25 (no interval, 3 tasks)" in said
    assert "pooled 0.375 (0.125 to 0.5, 12 tasks)" in said
    assert "The diamond pools" in said
    alone = forest_exhibit(tables, table(estimate=np.nan)).caption
    assert "Nothing is pooled" in alone
    assert "diamond" not in alone
