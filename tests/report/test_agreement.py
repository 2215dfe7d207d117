"""Sentences and table of the audit follow its table."""

from __future__ import annotations

import pandas as pd

from metamirage.report import agreement
from metamirage.report.text import NBSP
from report_builders import audit_row, audit_table

GOOD = audit_row()
LATE = audit_row(task="late", location_shift=-0.25)
OFF = audit_row(task="off", evidence_gap=0.07, evidence_gap_error=0.06)
STUCK = audit_row(task="stuck", converged=False, r_hat=1.4, evidence_gap=3.0, flagged=True)


def fits(**columns: object) -> pd.DataFrame:
    known = {"log_evidence_error": [0.01, 0.5], "ess": [900.0, 30.0], "method": "quadrature"}
    return pd.DataFrame(known | {"converged": pd.array([None, None], dtype="boolean")} | columns)


def test_unsure_evidences_are_counted() -> None:
    said = agreement.engines(fits())
    assert "at most 0.5 nats" in said
    assert f"1 of 2 (50{NBSP}%) curves exceed 0.05 and are shown like the others" in said
    assert f"NUTS made a posterior of 0 of 2 (0{NBSP}%) curves." in said
    assert said.endswith("draws: 30.")


def test_rows_by_nuts_are_counted_and_those_that_did_not_converge() -> None:
    said = agreement.engines(fits(method="nuts", converged=pd.array([True, False])))
    assert f"NUTS made a posterior of 2 of 2 (100{NBSP}%) curves; it did not converge" in said
    assert f"on all candidates of 1 of 2 (50{NBSP}%)." in said


def test_agreement_is_counted_where_nuts_converged() -> None:
    said = agreement.agreement(audit_table(GOOD, LATE, OFF, STUCK))
    assert "NUTS sampled 4 curves beside the quadrature: 4 drawn evenly" in said
    assert "1 for bad diagnostics" in said
    assert f"converged on 3 of 4 (75{NBSP}%) and not on stuck, exact, F, 2-shot." in said
    assert f"2 of 3 (67{NBSP}%) have the posterior means" in said
    assert f"2 of 3 (67{NBSP}%) the log evidence of the sigmoid within 0.05 nats" in said
    assert f"For 1 of 3 (33{NBSP}%) that evidence differs by more than the 95 % interval" in said
    assert "P(width < 1) differs by at most 0.01, the log evidence of the line by 0.02" in said


def test_the_largest_disagreement_is_named() -> None:
    # 2.5 times what is allowed, against 1.4 times.
    said = agreement.agreement(audit_table(GOOD, LATE, OFF))
    assert "largest disagreement is on late, exact, F, 2-shot: +0.062 sd in log10 width" in said
    assert "and −0.25 sd in location (chance allows 0.09)" in said
    worse = audit_row(task="off", evidence_gap=-0.4, evidence_gap_error=0.06)
    said = agreement.agreement(audit_table(GOOD, LATE, worse))
    assert "largest disagreement is on off, exact, F, 2-shot" in said
    assert said.endswith("−0.4 nats in evidence (chance allows 0.06).")


def test_chains_that_never_converged_compare_nothing() -> None:
    said = agreement.agreement(audit_table(STUCK))
    assert said.endswith(f"converged on 0 of 1 (0{NBSP}%) and not on stuck, exact, F, 2-shot.")


def test_no_audit_is_said_to_be_none() -> None:
    assert agreement.agreement(audit_table()).startswith("No curve was sampled")
    assert agreement.agreement_over({"a": audit_table()}).startswith("No curve was sampled")
    assert agreement.worst_table(audit_table()).rows == ()


def test_the_table_shows_the_unconverged_and_then_the_worst() -> None:
    many = [audit_row(task=f"t{i}", evidence_gap=i / 250) for i in range(20)]
    rows = agreement.worst_table(audit_table(*many, LATE, STUCK)).rows
    assert len(rows) == agreement.N_WORST + 1
    assert [row[0].split(",")[0] for row in rows[:3]] == ["stuck", "late", "t19"]
    assert [row[-1] for row in rows[:2]] == ["did not converge", "converged"]


def test_one_sentence_sums_up_all_benchmarks() -> None:
    said = agreement.agreement_over({"a": audit_table(GOOD, LATE), "b": audit_table(STUCK)})
    assert said.startswith("NUTS sampled 3 curves of 2 benchmarks beside the quadrature")
    assert f"converged on 2 of 3 (67{NBSP}%); on 1 of 2 (50{NBSP}%) of these both means" in said
