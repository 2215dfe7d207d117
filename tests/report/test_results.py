from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from metamirage.report import results
from metamirage.report.text import NBSP
from report_builders import concentration_row

H4 = {"hypothesis": "H4", "estimand": "log_score_gain_rising"}
FITS = pd.DataFrame({"verdict": ["SHARP", "FLAT", "UNRESOLVED", "UNRESOLVED"]})


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def test_a_result_prints_estimate_interval_p_and_n() -> None:
    assert results.result(concentration_row()) == (
        "Discontinuous metrics are narrower by 0.25 log10 decades (same outputs; estimate 0.25,"
        " 95 % interval 0.125 to 0.5; p = 0.004; 12 tasks, 34 pairs). The difference is shown at"
        " 0.05."
    )


def test_a_negative_estimate_turns_the_word() -> None:
    row = concentration_row(estimate=-0.25, lower=-0.5, upper=0.1, p_value=0.2)
    said = results.result(row)
    assert said.startswith("Discontinuous metrics are wider by 0.25 log10 decades")
    assert said.endswith("No difference is shown at 0.05.")


def test_one_task_gives_no_interval_and_decides_nothing() -> None:
    row = concentration_row(lower=-np.inf, upper=np.inf, p_value=1.0, n_tasks=1, n_curves=3)
    said = results.result(row)
    assert "no interval: 1 task can't give one" in said
    assert said.endswith(
        "The pairs can't decide: 1 task can reach no p-value below 1, and 6 are needed."
    )


def test_missing_ends_read_like_infinite_ones() -> None:
    assert results.interval_text(np.nan, np.nan, 3) == "no interval: 3 tasks can't give one"
    assert results.interval_text(-np.inf, 1.0, 65) == "no interval from these 65 tasks"


def test_a_missing_estimate_gives_its_note() -> None:
    row = concentration_row(estimate=np.nan, p_value=np.nan, note="no task has both", n_tasks=0)
    assert results.result(row) == (
        "Discontinuous metrics: nothing to compare, same outputs (no task has both)."
    )


def test_a_test_and_an_interval_that_disagree_are_said_to() -> None:
    row = concentration_row(hypothesis="H1", estimand="p_sharp", stratum="all", p_value=0.26)
    said = results.result(row)
    assert "(all curves; estimate 0.25" in said
    assert said.endswith("by the p-value; the interval, made another way, says otherwise.")


def test_an_infinite_interval_does_not_contradict_the_test() -> None:
    row = concentration_row(lower=-np.inf, upper=np.inf)
    assert results.result(row).endswith("The difference is shown at 0.05.")


@pytest.mark.parametrize(
    ("p", "written"), [(np.nan, "no p-value"), (0.0004, "p < 0.001"), (0.0312, "p = 0.031")]
)
def test_p_values_are_written_for_people(p: float, written: str) -> None:
    assert results.p_text(p) == written


def test_an_estimand_without_words_of_its_own_still_reads() -> None:
    row = concentration_row(estimand="new_measure")
    assert "metrics are higher by 0.25 new_measure (same outputs" in results.finding(row)


def test_pairs_of_the_same_model_stand_in_where_no_outputs_are_shared() -> None:
    rows = table(
        concentration_row(estimate=np.nan, n_tasks=0),
        concentration_row(stratum="same model", estimate=0.75),
    )
    assert "0.75 log10 decades (same model;" in results.hypotheses(rows)["H2"]


def test_a_hypothesis_without_rows_is_not_assessed() -> None:
    assert results.hypotheses(table(concentration_row()))["H1"] == "Not assessed."


def test_the_answer_counts_curves_over_benchmarks() -> None:
    rows = {"a": table(concentration_row()), "b": table(concentration_row())}
    said = results.answer({"a": FITS, "b": FITS}, rows, table(concentration_row()))
    assert said.startswith("Of the curves screened on 2 benchmarks, 2 of 8 (25")
    assert f"and 4 of 8 (50{NBSP}%) stay unresolved." in said


def test_the_answer_has_two_sentences() -> None:
    rows = {"a": table(concentration_row(), concentration_row(**H4, n_tasks=2))}
    h4 = table(concentration_row(), concentration_row(**H4, n_tasks=9))
    for tested in (rows, {"a": h4}, {"a": h4, "b": h4}):
        fits = dict.fromkeys(tested, FITS)
        said = results.answer(fits, tested, table(concentration_row(estimate=np.nan)))
        assert len(re.findall(r"\.(?=\s|$)", said)) == 2


def test_the_answer_says_when_the_pairs_are_too_few() -> None:
    rows = {"a": table(concentration_row(n_tasks=5)), "b": table(concentration_row(n_tasks=0))}
    said = results.answer({"a": FITS, "b": FITS}, rows, table(concentration_row()))
    assert "the pairs can't decide" in said
    assert said.endswith("6 tasks scored both ways on the same outputs (a 5, b 0).")


def test_the_answer_takes_the_pooled_row_where_there_is_one() -> None:
    pooled = table(concentration_row(benchmark="pooled", estimate=0.375))
    said = results.answer({"a": FITS}, {"a": table(concentration_row())}, pooled)
    assert "On the same outputs, pooled over benchmarks, discontinuous metrics are narrower" in said
    assert "by 0.375 log10 decades" in said


def test_the_answer_falls_back_on_the_benchmarks_with_enough_pairs() -> None:
    empty = table(concentration_row(benchmark="pooled", estimate=np.nan))
    rows = {"a": table(concentration_row()), "b": table(concentration_row(n_tasks=2))}
    said = results.answer({"a": FITS, "b": FITS}, rows, empty)
    assert said.endswith("12 tasks, 34 pairs); the difference is shown at 0.05.")
    assert "b: " not in said


def test_the_answer_says_both_primary_hypotheses() -> None:
    rows = {"a": table(concentration_row(), concentration_row(**H4, estimate=-0.5, n_tasks=9))}
    empty = table(concentration_row(benchmark="pooled", estimate=np.nan))
    said = results.answer({"a": FITS}, rows, empty)
    assert "On the same outputs, a: discontinuous metrics are narrower by 0.25" in said
    assert "are worse foretold through their continuous partner than directly by 0.5" in said
    few = {"a": table(concentration_row(), concentration_row(**H4, n_tasks=2))}
    assert results.answer({"a": FITS}, few, empty).endswith(
        "better than its own past the pairs can't decide: no benchmark has 6 tasks scored both"
        " ways on the same outputs (a 2)."
    )


def test_what_cannot_be_compared_is_counted_with_its_reason() -> None:
    rows = table(concentration_row(), concentration_row(estimate=np.nan, note="no pairs"))
    said = results.not_comparable(rows)
    assert said.startswith(f"1 of 2 (50{NBSP}%) estimands have no estimate")
    assert said.endswith("(no pairs: 1).")
    assert results.not_comparable(rows[:1]) == "Every estimand has an estimate."


def test_hypotheses_without_rows_are_named_as_untested() -> None:
    rows = table(concentration_row())
    assert results.untested(rows, ["H1", "H2", "H3"]).endswith("in this version: H1, H3.")
    assert results.untested(rows, ["H2"]) == "Every stated hypothesis was tested."


def test_h5_gives_the_conclusion_of_its_row() -> None:
    shift = concentration_row(hypothesis="H5", estimand="translation", note="conclusion: both")
    width = concentration_row(hypothesis="H5", estimand="equal_width", p_value=0.6)
    said = results.translation(table(shift, width))
    assert "Later by, in decades (same outputs): 0.25" in said
    assert said.endswith("p = 0.600.")
    assert "(conclusion: both)" in said


def test_the_naive_test_stands_beside_h1_with_its_warning() -> None:
    row = concentration_row(
        hypothesis="H1", estimand="naive_fisher", stratum="all", lower=np.nan, note="naive: no"
    )
    assert results.beside_h1(table(row)) == (
        "Fisher's test on curves, difference in the same share: 0.25, p = 0.004 (naive: no)."
    )


def test_adjusted_p_values_name_their_family() -> None:
    row = concentration_row(p_adjusted=0.008, correction="primary: H2")
    assert results.corrected(table(row)) == (
        "Adjusted by Holm within each family: H2 log10_width p = 0.008 (primary: H2)."
    )
    assert results.corrected(table(concentration_row())).startswith("No hypothesis")


def test_h4_says_which_way_foretells_better_and_by_how_much() -> None:
    row = concentration_row(hypothesis="H4", estimand="log_score_gain_rising")
    said = results.hypotheses(table(row))["H4"]
    assert said.startswith(
        "Discontinuous metrics are better foretold through their continuous partner than directly"
        " by 0.25 nats of log score, where the curve rises (same outputs; estimate 0.25, 95 %"
        " interval 0.125 to 0.5;"
    )
    worse = results.hypotheses(table(row | {"estimate": -0.5, "p_value": 0.3}))["H4"]
    assert "are worse foretold through their continuous partner than directly by 0.5" in worse


def test_h4_of_a_few_tasks_decides_nothing() -> None:
    row = concentration_row(hypothesis="H4", estimand="log_score_gain_rising", n_tasks=3)
    assert "The pairs can't decide: 3 tasks" in results.hypotheses(table(row))["H4"]


def test_benchmarks_that_stand_apart_are_named_and_none_is_no_sentence() -> None:
    assert results.apart(["digits", "arithmetic"]).startswith(
        "Networks trained here (digits, arithmetic) were chosen"
    )
    assert results.apart([]) == ""
