"""Sentences on latent, residual and bend follow their tables, and change with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metamirage.contracts.check import check
from metamirage.contracts.latent import LATENT
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_TESTS
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.report import sharpness
from metamirage.report.pages import render_benchmark
from metamirage.report.text import NBSP
from report_builders import report_inputs

INPUTS = report_inputs()


def test_the_tables_of_the_stages_keep_their_contracts() -> None:
    for contract in (LATENT, RESIDUAL, RESIDUAL_TESTS, SUPERLINEAR, SUPERLINEAR_TESTS):
        assert not check(getattr(INPUTS, contract.name), contract, source=contract.name).empty


def latent_row(**columns: Any) -> dict[str, object]:
    row: dict[str, object] = {
        "benchmark": "invented", "task": "t", "verdict": "unresolved", "reason": "why",
        "stratum": "same outputs", "p_explained": 0.5, "p_real": 0.25, "p_neither": 0.25,
        "elpd_difference": 1.5, "elpd_se": 0.25, "elpd_last": -0.5, "elpd_last_se": np.nan,
        "link_gain": np.nan, "link_gain_se": np.nan, "p_sharp_discontinuous": 0.5,
        "p_sharp_continuous": 0.0, "n_blocks": 4, "n_pairs": 8, "n_pairs_all": 9, "n_sharp": 0,
    }  # fmt: skip
    return row | columns


def latent(*rows: dict[str, object]) -> pd.DataFrame:
    return check(pd.DataFrame(rows), LATENT, source="invented")


THREE = latent(
    latent_row(task="a", verdict="real", reason="", n_sharp=2),
    latent_row(task="b", verdict="metric-explained", reason="", n_sharp=1, n_blocks=1),
    latent_row(task="c"),
)


def test_verdicts_on_tasks_are_counted_with_their_reasons() -> None:
    said = sharpness.latent_counts(THREE)
    assert said.startswith("3 tasks with a discontinuous and a continuous metric:")
    assert f"metric-explained 1 of 3 (33{NBSP}%), real 1 of 3 (33{NBSP}%)" in said
    assert "Unresolved because why: 1." in said
    two = sharpness.latent_counts(THREE.assign(verdict="real", reason=""))
    assert f"real 3 of 3 (100{NBSP}%)" in two
    assert "because" not in two


def test_tasks_are_named_by_their_verdict() -> None:
    said = sharpness.latent_names(THREE)
    assert "In 2 of 3" in said
    assert "1 metric-explained, 1 real, 0 unresolved" in said
    assert "Real: a." in said
    assert "Sharp, yet metric-explained: b." in said
    smooth = sharpness.latent_names(THREE.assign(n_sharp=0))
    assert "Sharp, yet metric-explained: none." in smooth


def test_single_blocks_are_said_to_have_no_standard_error() -> None:
    assert "1 of 3" in sharpness.latent_errors(THREE)
    assert "odds of 19 to 1" in sharpness.latent_errors(THREE)
    assert "0 of 3" in sharpness.latent_errors(THREE.assign(n_blocks=2))


def test_the_table_of_tasks_begins_with_what_is_resolved() -> None:
    table = sharpness.latent_table(THREE)
    assert [row[0] for row in table.rows] == ["a", "b", "c"]
    assert "1.5 ± 0.25" in table.rows[0]
    assert table.rows[0][7].endswith("0.5")
    assert len(table.rows[0]) == len(table.columns)


def test_no_pair_of_metrics_is_said() -> None:
    assert sharpness.latent_counts(THREE[:0]).startswith("No task has curves under both")
    assert sharpness.latent_names(THREE[:0]) == sharpness.latent_errors(THREE[:0]) == ""
    assert sharpness.latent_table(THREE[:0]).rows == ()


def residual(*states: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "task": [f"t{i}" for i in range(len(states))], "state": states, "residual": 0.5,
            "metrics": "a, b", "n_blocks": 3, "n_blocks_sharp": 2, "n_blocks_all_sharp": 1,
            "n_blocks_changed": 1, "n_continuous": [i % 2 for i in range(len(states))],
        }
    )  # fmt: skip


def test_tasks_that_stay_sharp_are_counted_and_named() -> None:
    said = sharpness.residual_counts(residual("stays sharp", "changes", "one metric", "open"))
    assert "3 tasks with two metrics" in said
    assert "stays sharp 1, changes 1, open 1, not sharp 0" in said
    assert "Sharp under every metric: t0." in said
    assert "Only 2 of 3" in said
    assert "1 of 4" in said
    assert "every metric: none." in sharpness.residual_counts(residual("changes"))
    assert sharpness.residual_counts(residual("one metric")).startswith("No task can be compared")


def test_only_tasks_with_a_sharp_block_are_laid_out() -> None:
    rows = sharpness.residual_table(residual("not sharp", "open", "one metric", "stays sharp")).rows
    assert [row[:2] for row in rows] == [("t3", "stays sharp"), ("t1", "open")]


def made_tests(*p_adjusted: float) -> pd.DataFrame:
    questions = ["keyword", "shots", "onsets"][: len(p_adjusted)]
    table = pd.DataFrame({"question": questions, "p_adjusted": p_adjusted})
    return table.assign(
        level="level", estimate=0.25, lower=0.1, upper=0.4, p_value=table["p_adjusted"] / 3,
        n_tasks=9, n_with=4, method="m", note="a note",
    )  # fmt: skip


def test_only_findings_that_stand_after_correction_are_told() -> None:
    said = sharpness.residual_findings(made_tests(0.01, 0.3, 0.6))
    assert "3 tests" in said
    assert "keyword level 0.25 (with the keyword minus without; p = 0.010)" in said
    assert "shots level" not in said
    assert "Onsets: a note (p = 0.200 before correction)." in said
    none = sharpness.residual_findings(made_tests(0.2, 0.3))
    assert "none stands at 0.05, the lowest at p = 0.200" in none


def test_what_was_not_tested_is_told() -> None:
    untested = made_tests(0.2, np.nan)
    assert "Not tested: shots: a note." in sharpness.residual_findings(untested)
    nothing = sharpness.residual_findings(untested.assign(p_value=np.nan))
    assert nothing.startswith("Nothing could be tested.")


def test_bends_are_counted_among_rising_curves() -> None:
    curves = pd.DataFrame(
        {"label": ["faster", "slower", "undecided", "no rise"], "p_faster": [1.0, 0.0, 0.5, np.nan]}
    )
    said = sharpness.bends(curves)
    assert f"1 of 3 (33{NBSP}%) do so faster" in said
    assert f"Mean probability of faster: 50{NBSP}%." in said
    assert "2 of 3" in sharpness.bends(
        curves.assign(label=["faster", "faster", "slower", "no rise"])
    )
    assert sharpness.bends(curves[3:]).startswith("No curve that enters the tests rises")


def test_classes_are_compared_in_words() -> None:
    table = pd.DataFrame(
        {
            "scheme": ["discontinuous", "either"], "stratum": ["all", "same outputs"],
            "estimate": [-0.2, np.nan], "lower": -np.inf, "upper": np.inf,
            "p_value": [0.02, np.nan], "n_tasks": 7, "n_curves": 20, "method": "m",
        }
    )  # fmt: skip
    said = sharpness.bend_findings(table)
    assert said == (
        "discontinuous metrics, between tasks: faster with 0.2 less probability"
        " (p = 0.020; 7 tasks)."
    )
    assert sharpness.bend_findings(table[1:]).startswith("Classes of metrics cannot")
    assert len(sharpness.bend_table(table).rows) == 1


def test_the_page_holds_the_sections() -> None:
    page = render_benchmark(INPUTS)
    assert "One smooth latent, or a break (H3)" in page
    assert sharpness.latent_counts(INPUTS.latent).split(":")[0] in page
    assert "Every stated hypothesis was tested." in page
    none = render_benchmark(replace(INPUTS, latent=INPUTS.latent[:0]))
    assert "Stated but not tested in this version: H3." in none
    assert "No task has curves under both" in none
