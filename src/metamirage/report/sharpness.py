"""What the page says beyond the tests of classes: the latent, the residual, and the bend of curves.

Tables in, sentences and layouts out; nothing here tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metamirage.contracts.latent import LATENT_VERDICTS
from metamirage.contracts.residual import RESIDUAL_STATES
from metamirage.hypotheses.h3_latent import EXPLAINED, ODDS, P_VERDICT, REAL, UNRESOLVED
from metamirage.report.layouts import Plain, cells
from metamirage.report.results import LEVEL, SCHEME_WORDS, p_text
from metamirage.report.text import count_of, listed, number, percent, plural
from metamirage.robustness.residual import ALONE, CHANGES, NOT_SHARP, OPEN, STAYS
from metamirage.robustness.superlinear import FASTER, NO_RISE, SLOWER

MEANINGS = {
    EXPLAINED: (
        f"The continuous partner is smooth with probability {P_VERDICT} at least: what is sharp in"
        " the discontinuous metric can be in its link."
    ),
    REAL: (
        f"The partner breaks, within a decade, where the discontinuous metric does, with"
        f" probability {P_VERDICT} at least, and the discontinuous curves are sharp."
    ),
    UNRESOLVED: "Neither, or the blocks of the task disagree, or the largest size contradicts.",
}
QUESTIONS = {
    "keyword": "with the keyword minus without",
    "shots": "by each doubling of 1 + shots",
    "family": "this family minus the others",
    "onsets": "pairs of tasks that rise together, minus chance",
}
# Columns of the tables: their heads.
LATENT_HEADS = {
    "task": "task",
    "verdict": "verdict",
    "reason": "why not",
    "p_explained": "P(explained)",
    "p_real": "P(real)",
    "p_neither": "P(neither)",
    "difference": "evidence, all sizes",
    "last": "evidence, largest size",
    "link": "link",
    "n_sharp": "sharp curves",
    "n_blocks": "blocks",
    "n_pairs": "pairs",
}
RESIDUAL_HEADS = {
    "task": "task",
    "state": "state",
    "residual": "lowest P(sharp)",
    "n_blocks": "blocks",
    "n_blocks_sharp": "with a SHARP curve",
    "n_blocks_all_sharp": "all metrics SHARP",
    "n_blocks_changed": "SHARP and not sharp",
    "n_continuous": "metrics without a step",
    "metrics": "metrics",
}
TEST_HEADS = {
    "question": "question",
    "level": "level",
    "estimate": "estimate",
    "lower": "lower",
    "upper": "upper",
    "p_value": "p",
    "p_adjusted": "p adjusted",
    "n_tasks": "tasks",
    "n_with": "tasks or transitions with it",
    "method": "method",
}
BEND_HEADS = {
    "scheme": "scheme",
    "stratum": "stratum",
    "estimate": "estimate",
    "lower": "lower",
    "upper": "upper",
    "p_value": "p",
    "n_tasks": "tasks",
    "n_curves": "curves or pairs",
    "method": "method",
}


def latent_counts(latent: pd.DataFrame) -> str:
    """Say how many tasks are metric-explained, real and unresolved, and why unresolved."""
    if latent.empty:
        return (
            "No task has curves under both a discontinuous and a continuous metric that are long"
            " enough for a verdict, so one latent for both cannot be asked."
        )
    counts = latent["verdict"].value_counts()
    said = ", ".join(
        f"{verdict} {count_of(int(counts.get(verdict, 0)), len(latent))}"
        for verdict in LATENT_VERDICTS
    )
    open_tasks = latent.loc[latent["verdict"] == UNRESOLVED, "reason"].value_counts()
    why = "; ".join(f"{reason}: {n:,}" for reason, n in open_tasks.sort_index().items())
    first = f"{plural(len(latent), 'task')} with a discontinuous and a continuous metric: {said}."
    return f"{first} Unresolved because {why}." if why else first


def latent_names(latent: pd.DataFrame) -> str:
    """Name the tasks that are real, and those that only look sharp."""
    if latent.empty:
        return ""
    sharp = latent[latent["n_sharp"] > 0]
    counts = sharp["verdict"].value_counts()
    parts = ", ".join(f"{counts.get(verdict, 0):,} {verdict}" for verdict in LATENT_VERDICTS)
    head = (
        f"In {count_of(len(sharp), len(latent))} tasks a discontinuous curve is sharp by itself:"
        f" {parts}."
    )
    return " ".join(
        [
            head,
            _named("Real", latent, REAL),
            _named("Sharp, yet metric-explained", sharp, EXPLAINED),
        ]
    )


def _named(head: str, latent: pd.DataFrame, verdict: str) -> str:
    names = sorted(latent.loc[latent["verdict"] == verdict, "task"])
    return f"{head}: {listed(names, most=30)}." if names else f"{head}: none."


def latent_errors(latent: pd.DataFrame) -> str:
    """Say what the standard errors are of."""
    if latent.empty:
        return ""
    alone = int((latent["n_blocks"] == 1).sum())
    return (
        "Evidence is in nats, the sum over all sizes of the log score of the partner's next size;"
        " its standard error counts blocks (subtasks, families, shots), which share items, so it is"
        f" too small rather than too large. {count_of(alone, len(latent))} tasks have a single"
        f" block and no standard error: the probability of {P_VERDICT}, odds of"
        f" {number(math.exp(ODDS))} to 1, stands alone there."
    )


def latent_table(latent: pd.DataFrame) -> Plain:
    """Lay out every task with its verdict, those that are resolved first."""
    order = {verdict: i for i, verdict in enumerate((REAL, EXPLAINED, UNRESOLVED))}
    ranked = latent.assign(_rank=latent["verdict"].map(order)).sort_values(["_rank", "task"])
    shown = ranked.assign(
        difference=_with_error(ranked, "elpd_difference", "elpd_se"),
        last=_with_error(ranked, "elpd_last", "elpd_last_se"),
        link=_with_error(ranked, "link_gain", "link_gain_se"),
    )
    return Plain(
        caption=(
            "One row is one task. Evidence: metric-explained minus real, nats, ± standard error"
            " over blocks; link: log score of the largest size through the partner minus direct."
        ),
        columns=tuple(LATENT_HEADS.values()),
        rows=cells(shown, list(LATENT_HEADS)),
        numeric=frozenset(range(3, len(LATENT_HEADS))),
    )


def _with_error(table: pd.DataFrame, value: str, error: str) -> list[str]:
    return [
        number(v) if math.isnan(e) else f"{number(v)} ± {number(e, digits=2)}"
        for v, e in zip(table[value], table[error], strict=True)
    ]


def residual_counts(residual: pd.DataFrame) -> str:
    """Say how many tasks stay sharp under every metric, and which."""
    compared = residual[residual["state"] != ALONE]
    alone = count_of(len(residual) - len(compared), len(residual))
    if compared.empty:
        return f"No task can be compared: {alone} have one metric in each block."
    counts = compared["state"].value_counts()
    said = ", ".join(
        f"{state} {counts.get(state, 0):,}" for state in RESIDUAL_STATES if state != ALONE
    )
    stays = compared[compared["state"] == STAYS]
    which = listed(sorted(stays["task"]), most=30) if len(stays) else "none"
    graded = count_of(int((compared["n_continuous"] > 0).sum()), len(compared))
    return (
        f"{plural(len(compared), 'task')} with two metrics or more in a block: {said}. Sharp under"
        f" every metric: {which}. Only {graded} have a metric without a step among theirs; the rest"
        f" compare steps with steps. {alone} tasks have one metric only and are not asked."
    )


def residual_findings(tests: pd.DataFrame) -> str:
    """Say which tests of the residual stand after correction, and what the onsets do."""
    tested = tests[tests["p_value"].notna()]
    silent = [f"{r['question']}: {r['note']}" for r in _records(tests[tests["p_value"].isna()])]
    without = f" Not tested: {'; '.join(silent)}." if silent else ""
    if tested.empty:
        return f"Nothing could be tested.{without}"
    shown = tested[tested["p_adjusted"] < LEVEL].sort_values(["p_adjusted", "question", "level"])
    found = [_finding(row) for row in _records(shown)]
    lowest = p_text(float(tested["p_adjusted"].min()))
    head = f"{plural(len(tested), 'test')} of what the residual goes with, adjusted by Holm: "
    middle = "; ".join(found) if found else f"none stands at {LEVEL}, the lowest at {lowest}"
    onsets = [
        f" Onsets: {r['note']} ({p_text(r['p_value'])} before correction)."
        for r in _records(tested[tested["question"] == "onsets"])
    ]
    return f"{head}{middle}.{''.join(onsets)}{without}"


def _finding(row: Mapping[Any, Any]) -> str:
    return (
        f"{row['question']} {row['level']} {number(row['estimate'])}"
        f" ({QUESTIONS[row['question']]}; {p_text(row['p_adjusted'])})"
    )


def residual_table(residual: pd.DataFrame) -> Plain:
    """Lay out the tasks with a SHARP curve in a block of two metrics."""
    order = {state: i for i, state in enumerate((STAYS, CHANGES, OPEN))}
    kept = residual[~residual["state"].isin([ALONE, NOT_SHARP])]
    ranked = kept.assign(_rank=kept["state"].map(order)).sort_values(["_rank", "task"])
    return Plain(
        caption="One row is one task that is sharp under some metric and has another one.",
        columns=tuple(RESIDUAL_HEADS.values()),
        rows=cells(ranked, list(RESIDUAL_HEADS)),
        numeric=frozenset(range(2, 8)),
    )


def residual_test_table(tests: pd.DataFrame) -> Plain:
    """Lay out the tests of the residual that have a p-value."""
    shown = tests[tests["p_value"].notna()]
    return Plain(
        caption="One row is one thing that the residual may go with.",
        columns=tuple(TEST_HEADS.values()),
        rows=cells(shown, list(TEST_HEADS)),
        numeric=frozenset(range(2, 9)),
    )


def bends(superlinear: pd.DataFrame) -> str:
    """Say how many rising curves are faster or slower than a line in log size."""
    rising = superlinear[superlinear["label"] != NO_RISE]
    if rising.empty:
        return "No curve that enters the tests rises, so none bends."
    counts = rising["label"].value_counts()
    faster, slower = (count_of(int(counts.get(x, 0)), len(rising)) for x in (FASTER, SLOWER))
    return (
        f"Of the curves that rise, {faster} do so faster than linearly in log size and {slower}"
        f" slower; for the others the direction is unknown. Mean probability of faster:"
        f" {percent(float(rising['p_faster'].mean()))}."
    )


def bend_findings(tests: pd.DataFrame) -> str:
    """Put the comparison of classes into words, discontinuous metrics first."""
    tested = tests[tests["estimate"].notna()]
    if tested.empty:
        return "Classes of metrics cannot be compared by it."
    return "; ".join(_bend(row) for row in _records(tested)) + "."


def _bend(row: Mapping[Any, Any]) -> str:
    where = "between tasks" if row["stratum"] == "all" else row["stratum"]
    more = "more" if row["estimate"] >= 0 else "less"
    return (
        f"{SCHEME_WORDS[row['scheme']]}, {where}: faster with {number(abs(row['estimate']))}"
        f" {more} probability ({p_text(row['p_value'])}; {plural(row['n_tasks'], 'task')})"
    )


def bend_table(tests: pd.DataFrame) -> Plain:
    """Lay out the comparison of classes."""
    shown = tests[tests["estimate"].notna()].assign(
        lower=lambda t: t["lower"].replace(-np.inf, np.nan),
        upper=lambda t: t["upper"].replace(np.inf, np.nan),
    )
    return Plain(
        caption="One row is one class scheme and stratum; P(faster), class 1 minus class 0.",
        columns=tuple(BEND_HEADS.values()),
        rows=cells(shown, list(BEND_HEADS)),
        numeric=frozenset(range(2, 8)),
    )


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
