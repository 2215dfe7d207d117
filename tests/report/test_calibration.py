"""Error rates in words: every number comes from the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.contracts.selfcheck import PREDICTED, SWAPPED
from metamirage.report.calibration import (
    NOT_MEASURED,
    beside_claim,
    beside_verdicts,
    findings,
    foresight_warning,
    rate_table,
    standing,
    verdict_table,
)
from metamirage.report.pages import render_selfcheck
from metamirage.report.text import NBSP, percent
from metamirage.simulation.rates import count_rates


def trials(world: str, estimand: str, rejected: int, n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "world": world,
            "number": range(n),
            "kind": "test",
            "hypothesis": "H2",
            "estimand": estimand,
            "estimate": 0.1,
            "p_value": [0.01] * rejected + [0.6] * (n - rejected),
            "hits": 0,
            "cases": 0,
            "seed": 4,
        }
    )


def table(rejected: int = 4) -> pd.DataFrame:
    every = [
        trials("W0", "log10_width", rejected, 100),
        trials("W1", "log10_width", 5, 100),
        trials("W2", "log10_width", 19, 20),
        trials("W0", "p_sharp", 50, 100),
    ]
    return count_rates(pd.concat(every), n_draws=99, versions="metamirage 0, numpy 1")


def said(rates: pd.DataFrame | None) -> str:
    return beside_claim(rates, hypothesis="H2", estimand="log10_width").replace(NBSP, " ")


def test_a_claim_names_the_rates_of_its_own_test() -> None:
    text = said(table())
    assert "rejects in 4.0 % (95 % interval 1.1 % to 9.9 %) of 100 sets of W0" in text
    assert "with one in 95 % (95 % interval 75 % to 100 %) of 20 sets of W2" in text
    assert "too often" not in text


def test_a_test_that_rejects_too_often_is_said_to() -> None:
    assert "In W0 that is too often: don't rely on its p-value." in said(table(rejected=30))


def test_without_a_table_nothing_is_claimed() -> None:
    assert said(None) == ""
    assert beside_claim(table(), hypothesis="H4", estimand="log_score") == NOT_MEASURED
    assert standing(None, unknown="unknown") == "unknown"
    assert "220 benchmarks" in standing(table(), unknown="unknown")


def test_findings_count_tests_that_keep_their_level() -> None:
    first = findings(table())[0].replace(NBSP, " ")
    assert first.startswith("2 of 3 (67 %) tests keep the level of 0.05")
    assert "1 reject too often: H2 p_sharp 50 % (W0)" in first


def test_the_mean_without_an_effect_stands_beside_that_with_one() -> None:
    rates = table()
    moved = rates["mean_estimate"].mask(rates["world"] == "W2", 0.75)
    said = next(s for s in findings(rates.assign(mean_estimate=moved)) if s.startswith("H2 width"))
    assert "average 0.1 log10 decades (sd 0; W0) and 0.1 log10 decades (sd 0; W1)" in said
    assert said.endswith("With one they average 0.75 log10 decades (sd 0; W2).")


@pytest.mark.parametrize("word", ["W2, 20 sets", "a mirage", "<dd>4</dd>", "numpy 1", "x.csv"])
def test_the_page_says_what_was_simulated_and_with_what(word: str) -> None:
    page = render_selfcheck(table(), source="x.csv")
    assert word in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_table_holds_each_test_of_each_world() -> None:
    assert len(rate_table(table()).rows) == 4


def verdicts(estimand: str, hits: int, world: str = "W3") -> pd.DataFrame:
    row = trials(world, estimand, 0, 1).assign(kind="latent", hypothesis="H3", p_value=np.nan)
    return row.assign(hits=hits, cases=50)


def test_false_verdicts_are_counted_by_what_was_true() -> None:
    rows = [verdicts("real of smooth", 1), verdicts("real of break", 40)]
    rows += [verdicts("metric-explained of break", 2), verdicts("metric-explained of smooth", 30)]
    rates = count_rates(pd.concat(rows), n_draws=99, versions="x")
    real, mirage, seen, explained = beside_verdicts(rates).replace(NBSP, " ").split(". ")
    assert "do not break: 1 of 50 tasks of W3 (2.0 %; 95 % interval 0.05 % to 11 %)" in real
    assert mirage.startswith("False mirage, on tasks that break: 2 of 50 tasks")
    assert ("40 of 50" in seen, "30 of 50" in explained) == (True, True)
    assert len(verdict_table(rates).rows) == 4


@pytest.mark.parametrize(("signed", "equal", "warned"), [(0, 5, 0), (30, 5, 1), (0, 40, 1)])
def test_a_test_of_two_forecasts_is_judged_by_its_sign_and_where_they_are_equal(
    signed: int, equal: int, warned: int
) -> None:
    counts = {"gain": 60, f"gain_{PREDICTED}": signed, f"gain_{SWAPPED}": equal}
    every = [trials("W1", name, n, 100) for name, n in counts.items()]
    rates = count_rates(pd.concat(every).assign(hypothesis="H4"), n_draws=99, versions="x")
    said = beside_claim(rates, hypothesis="H4", estimand="gain").replace(NBSP, " ")
    assert "this test rejects in 60 % (95 % interval 50 % to 70 %) of 100 sets of W1" in said
    first, second = (percent(n / 100).replace(NBSP, " ") for n in (signed, equal))
    assert f"that the thesis predicts it rejects in {first} (" in said
    assert f"so that neither is better, it rejects in {second} (" in said
    assert said.count("that is too often") == warned


@pytest.mark.parametrize(("rejected", "warned"), [(60, True), (2, False)])
def test_forecasts_that_win_without_an_effect_of_class_are_said_to(
    rejected: int, warned: bool
) -> None:
    every = [
        trials(w, "log_score_gain_predicted", n, 100) for w, n in (("W0", rejected), ("W2", 9))
    ]
    rates = count_rates(pd.concat(every).assign(hypothesis="H4"), n_draws=99, versions="x")
    (text,) = foresight_warning(rates)
    assert f"of 100 sets of W0; with one in 9.0{NBSP}%" in text
    assert ("In W0 they win by being the closer forecast" in text) == warned
