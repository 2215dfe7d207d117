"""What the pages say about the audit: how far NUTS agrees with the quadrature, and on what not.

A comparison counts only where NUTS converged; where it did not, it says nothing about the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metamirage.base.thresholds import AGREED_NATS, AGREED_SD
from metamirage.fitting.engines import MAX_EVIDENCE_ERROR
from metamirage.report.layouts import Plain, cells
from metamirage.report.text import count_of, curve_label, listed, number, plural

N_WORST = 8


def engines(fits: pd.DataFrame) -> str:
    """Say how exact the evidence is, what NUTS made, and what stays unsure.

    Parameters
    ----------
    fits
        Table ``tables.FITS``.
    """
    n = len(fits)
    unsure = int((fits["log_evidence_error"] > MAX_EVIDENCE_ERROR).sum())
    sampled = fits[fits["method"] == "nuts"]
    failed = int((~sampled["converged"].astype(bool)).sum())
    made = f"NUTS made a posterior of {count_of(len(sampled), n)} curves"
    if len(sampled):
        made += f"; it did not converge on all candidates of {count_of(failed, len(sampled))}"
    return (
        "Error of the log evidence (half-width of its 95 % interval, the largest over the"
        f" candidates): at most {number(fits['log_evidence_error'].max())} nats;"
        f" {count_of(unsure, n)} curves exceed {MAX_EVIDENCE_ERROR} and are shown like the others."
        f" {made}. Smallest effective number of draws: {number(fits['ess'].min())}."
    )


def agreement(audit: pd.DataFrame) -> str:
    """Say how many curves were audited and how far both engines agree.

    Parameters
    ----------
    audit
        Table ``tables.AUDIT``.
    """
    if audit.empty:
        return "No curve was sampled by NUTS beside the quadrature."
    found = audit[audit["converged"]]
    return " ".join([_audited(audit), *([_shares(found), _largest(found)] if len(found) else [])])


def _audited(audit: pd.DataFrame) -> str:
    failed = [curve_label(row) for row in audit[~audit["converged"]].to_dict("records")]
    named = f" and not on {listed(failed)}" if failed else ""
    return (
        f"NUTS sampled {plural(len(audit), 'curve')} beside the quadrature:"
        f" {int(audit['in_sample'].sum()):,} drawn evenly over observation models, verdicts and"
        f" numbers of sizes, {int(audit['flagged'].sum()):,} for bad diagnostics. NUTS itself"
        f" converged on {count_of(len(audit) - len(failed), len(audit))}{named}."
    )


def _shares(found: pd.DataFrame) -> str:
    n = len(found)
    means, evidence = (int(found[name].sum()) for name in ("means_agree", "evidence_agrees"))
    beyond = int((found["evidence_gap"].abs() > found["evidence_gap_error"]).sum())
    narrow = (found["p_width_lt_1"] - found["p_width_lt_1_nuts"]).abs().max()
    return (
        f"Of these, {count_of(means, n)} have the posterior means of log10 width and of location"
        f" within {AGREED_SD} posterior sd, and {count_of(evidence, n)} the log evidence of the"
        f" sigmoid within {AGREED_NATS} nats. For {count_of(beyond, n)} that evidence differs by"
        " more than the 95 % interval of both errors, which chance does for 5 %. P(width < 1)"
        f" differs by at most {number(narrow, digits=2)}, the log evidence of the line by"
        f" {number(found['linear_gap'].abs().max(), digits=2)} nats."
    )


def _largest(found: pd.DataFrame) -> str:
    row = _ranked(found).iloc[0].to_dict()
    return (
        f"The largest disagreement is on {curve_label(row)}: {_signed(row['log10_width_shift'])} sd"
        f" in log10 width and {_signed(row['location_shift'])} sd in location (chance allows"
        f" {number(row['shift_error'], digits=2)}), {_signed(row['evidence_gap'])} nats in evidence"
        f" (chance allows {number(row['evidence_gap_error'], digits=2)})."
    )


def _signed(value: float) -> str:
    return f"+{number(value, digits=2)}" if value > 0 else number(value, digits=2)


def _ranked(found: pd.DataFrame) -> pd.DataFrame:
    """Sort by the largest of the three differences, each in units of what agreement allows."""
    shifts = found[["log10_width_shift", "location_shift"]].abs().max(axis=1) / AGREED_SD
    gaps = found["evidence_gap"].abs() / AGREED_NATS
    largest = pd.concat([shifts, gaps], axis=1).max(axis=1)
    return found.assign(largest=largest).sort_values(
        ["largest", "curve_id"], ascending=[False, True]
    )


def worst_table(audit: pd.DataFrame) -> Plain:
    """Lay out the curves on which the engines differ most, and all where NUTS did not converge."""
    shown = pd.concat([_ranked(audit[~audit["converged"]]), _ranked(audit[audit["converged"]])])
    n_failed = int((~audit["converged"]).sum())
    named = shown.head(n_failed + N_WORST).assign(
        curve=lambda t: [curve_label(row) for row in t.to_dict("records")],
        nuts=lambda t: t["converged"].map({True: "converged", False: "did not converge"}),
    )
    columns = {
        "curve": "curve",
        "verdict": "verdict",
        "log10_width_shift": "log10 width, sd",
        "location_shift": "location, sd",
        "shift_error": "chance, sd",
        "evidence_gap": "evidence, nats",
        "evidence_gap_error": "chance, nats",
        "p_width_lt_1": "P(width < 1)",
        "p_width_lt_1_nuts": "by NUTS",
        "r_hat": "R-hat",
        "ess": "effective draws",
        "divergences": "divergences",
        "nuts": "NUTS",
    }
    return Plain(
        caption=(
            "One row is one audited curve, NUTS less quadrature; the largest differences, after"
            " those where NUTS did not converge."
        ),
        columns=tuple(columns.values()),
        rows=cells(named, list(columns)),
        numeric=frozenset(range(2, 12)),
    )


def agreement_over(audits: Mapping[str, pd.DataFrame]) -> str:
    """Sum the audits up in one sentence.

    Parameters
    ----------
    audits
        Tables ``tables.AUDIT`` by benchmark.
    """
    every: list[dict[Any, Any]] = [
        row for audit in audits.values() for row in audit.to_dict("records")
    ]
    if not every:
        return "No curve was sampled by NUTS beside the quadrature."
    found = [row for row in every if row["converged"]]
    agreed = sum(row["means_agree"] and row["evidence_agrees"] for row in found)
    return (
        f"NUTS sampled {plural(len(every), 'curve')} of {plural(len(audits), 'benchmark')} beside"
        f" the quadrature and converged on {count_of(len(found), len(every))}; on"
        f" {count_of(agreed, len(found))} of these both means lie within {AGREED_SD} posterior sd"
        f" and the evidence within {AGREED_NATS} nats."
    )
