"""Sentences about the tests: rows of the concentration table in, text out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from metamirage.base.thresholds import MIN_TASKS
from metamirage.base.vocabulary import SAME_MODEL, SAME_OUTPUTS
from metamirage.report.text import count_of, number, plural

_THROUGH = (
    "better foretold through their continuous partner than directly",
    "worse foretold through their continuous partner than directly",
)
# What a positive and a negative estimate mean for the first class, and the unit.
READINGS = {
    "log10_width": ("narrower", "wider", "log10 decades"),
    "location": ("later", "earlier", "decades"),
    "floor_length": ("longer on the floor", "shorter on the floor", "decades"),
    "concentration_index": ("more concentrated", "less concentrated", "of the jump"),
    "jump_decade": ("steeper within a decade", "flatter within a decade", "of the range"),
    "p_sharp": ("more probably sharp", "less probably sharp", ""),
    "sharp_share": ("more often SHARP", "less often SHARP", ""),
    "log_score": ("harder to forecast", "easier to forecast", "nats"),
    "log_score_gain": (*_THROUGH, "nats of log score"),
    "log_score_gain_rising": (*_THROUGH, "nats of log score, where the curve rises"),
    "crps_gain": (*_THROUGH, "of CRPS"),
    "log_score_gain_two_out": (*_THROUGH, "nats of log score, two sizes ahead"),
    "crps_gain_two_out": (*_THROUGH, "of CRPS, two sizes ahead"),
}
SCHEME_WORDS = {
    "discontinuous": "discontinuous metrics",
    "nonlinear": "nonlinear metrics",
    "either": "discontinuous or nonlinear metrics",
}
# The rows that the overview and the head of a page put into words.
H1_ROW = {"hypothesis": "H1", "estimand": "sharp_share", "scheme": "discontinuous"}
H2_ROW = {"hypothesis": "H2", "estimand": "log10_width", "scheme": "discontinuous"}
H4_ROW = {"hypothesis": "H4", "estimand": "log_score_gain_rising", "scheme": "discontinuous"}
H5_ROW = {"hypothesis": "H5", "estimand": "translation", "scheme": "discontinuous"}
QUESTIONS = (
    (H2_ROW, "Whether sharpness sits in the metric or in the models"),
    (H4_ROW, "Whether a continuous metric foretells a discontinuous one better than its own past"),
)
# Tests by sign flips, which need six tasks.
PAIRED_TESTS = ("H2", "H4")
LEVEL = 0.05


def p_text(p: float) -> str:
    """Write a p-value."""
    if math.isnan(p):
        return "no p-value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval_text(lower: float, upper: float, n_tasks: int) -> str:
    """Write a 95 % interval, or why there is none."""
    if math.isfinite(lower) and math.isfinite(upper):
        return f"95 % interval {number(lower)} to {number(upper)}"
    if n_tasks < MIN_TASKS:
        return f"no interval: {plural(n_tasks, 'task')} can't give one"
    return f"no interval from these {n_tasks:,} tasks"


def finding(row: Mapping[Any, Any]) -> str:
    """Put the estimate of one row into words, without a full stop."""
    who = SCHEME_WORDS[row["scheme"]]
    stratum = "all curves" if row["stratum"] == "all" else row["stratum"]
    if math.isnan(row["estimate"]):
        note = f" ({row['note']})" if row["note"] else ""
        return f"{who}: nothing to compare, {stratum}{note}"
    more, less, unit = READINGS.get(row["estimand"], ("higher", "lower", row["estimand"]))
    word = more if row["estimate"] >= 0 else less
    size = f"{number(abs(row['estimate']))} {unit}".strip()
    facts = [
        f"{stratum}; estimate {number(row['estimate'])}",
        interval_text(row["lower"], row["upper"], row["n_tasks"]),
    ]
    behind = (
        f"{plural(row['n_tasks'], 'task')},"
        f" {plural(row['n_curves'], 'curve' if row['hypothesis'] == 'H1' else 'pair')}"
    )
    return f"{who} are {word} by {size} ({', '.join(facts)}; {p_text(row['p_value'])}; {behind})"


def decided(row: Mapping[Any, Any]) -> str:
    """Say whether one row settles its question, without a full stop."""
    if math.isnan(row["estimate"]):
        return "nothing was tested"
    if (
        row["hypothesis"] in PAIRED_TESTS
        and row["benchmark"] != "pooled"
        and row["n_tasks"] < MIN_TASKS
    ):
        return (
            f"the pairs can't decide: {plural(row['n_tasks'], 'task')} can reach no p-value below"
            f" {2.0 ** (1 - row['n_tasks']):.3g}, and {MIN_TASKS} are needed"
        )
    shown = row["p_value"] < LEVEL
    verdict = f"{'the' if shown else 'no'} difference is shown at {LEVEL}"
    finite = math.isfinite(row["lower"]) and math.isfinite(row["upper"])
    if not finite or shown == (not row["lower"] <= 0 <= row["upper"]):
        return verdict
    return f"{verdict} by the p-value; the interval, made another way, says otherwise"


def result(row: Mapping[Any, Any]) -> str:
    """Put one row of the concentration table into sentences."""
    if math.isnan(row["estimate"]):
        return f"{capital(finding(row))}."
    return f"{capital(finding(row))}. {capital(decided(row))}."


def capital(text: str) -> str:
    """Begin a text as a sentence begins."""
    return text[:1].upper() + text[1:]


def chosen_row(table: pd.DataFrame, wanted: Mapping[str, str]) -> dict[Any, Any] | None:
    """Find one row of a concentration table; same outputs first, then same model."""
    fits = [table[column] == value for column, value in wanted.items()]
    rows = table[pd.concat(fits, axis=1).all(axis=1)]
    if rows.empty:
        return None
    rank = rows["stratum"].map({SAME_OUTPUTS: 0, SAME_MODEL: 1}).fillna(2)
    ranked = rows.assign(_empty=rows["estimate"].isna(), _rank=rank)
    return ranked.sort_values(["_empty", "_rank"], kind="stable").iloc[0].to_dict()


def beside_h1(concentration: pd.DataFrame) -> str:
    """Put what stands beside H1 into sentences: regression, naive test, enrichment, labels.

    A row that is not in the table is left out.
    """
    scheme = {"hypothesis": "H1", "scheme": "discontinuous"}
    wanted = {
        "Regression (GEE), difference in the share of SHARP": scheme | {"estimand": "gee_share"},
        "Fisher's test on curves, difference in the same share": scheme
        | {"estimand": "naive_fisher"},
        "Enrichment of the headline metrics among SHARP curves": {"estimand": "enrichment"},
        "Share of SHARP labels expected to be wrong": {"estimand": "sharp_false_share"},
    }
    rows = {head: chosen_row(concentration, keys) for head, keys in wanted.items()}
    return " ".join(_beside(head, row) for head, row in rows.items() if row is not None)


def _beside(head: str, row: Mapping[Any, Any]) -> str:
    note = f" ({row['note']})" if row["note"] else ""
    if math.isnan(row["estimate"]):
        return f"{head}: none{note}."
    facts = [number(row["estimate"])]
    if math.isfinite(row["lower"]) and math.isfinite(row["upper"]):
        facts.append(interval_text(row["lower"], row["upper"], row["n_tasks"]))
    if not math.isnan(row["p_value"]):
        facts.append(p_text(row["p_value"]))
    return f"{head}: {', '.join(facts)}{note}."


def translation(concentration: pd.DataFrame) -> str:
    """Put H5 into sentences: the shift, the widths, and the conclusion of the table."""
    row = chosen_row(concentration, H5_ROW)
    if row is None:
        return "Not assessed."
    if math.isnan(row["estimate"]):
        return f"Discontinuous metrics: nothing to compare, {row['stratum']} ({row['note']})."
    same = {"estimand": "equal_width", "stratum": row["stratum"]}
    width = chosen_row(concentration, H5_ROW | same)
    parts = [_beside(f"Later by, in decades ({row['stratum']})", row | {"p_value": math.nan})]
    if width is not None:
        parts.append(_beside("Narrower by, in log10 decades, p for equal widths", width))
    return " ".join(parts)


def corrected(concentration: pd.DataFrame) -> str:
    """Say what Holm's correction makes of the rows that stand for a hypothesis."""
    rows = concentration[concentration["correction"] != ""]
    if rows.empty:
        return "No hypothesis has a p-value to adjust."
    ordered = rows.sort_values(["correction", "hypothesis"], kind="stable").to_dict("records")
    said = [
        f"{row['hypothesis']} {row['estimand']} {p_text(row['p_adjusted'])} ({row['correction']})"
        for row in ordered
    ]
    return f"Adjusted by Holm within each family: {'; '.join(said)}."


def hypotheses(concentration: pd.DataFrame) -> dict[str, str]:
    """Put the main rows of H1, H2 and H4 into words, by hypothesis."""
    wanted_rows = (H1_ROW, H2_ROW, H4_ROW)
    rows = {wanted["hypothesis"]: chosen_row(concentration, wanted) for wanted in wanted_rows}
    return {name: "Not assessed." if row is None else result(row) for name, row in rows.items()}


def answer(
    fits: Mapping[str, pd.DataFrame],
    concentration: Mapping[str, pd.DataFrame],
    pooled: pd.DataFrame,
) -> str:
    """Answer the question of the report in two sentences: verdicts, then the primary hypotheses.

    Parameters
    ----------
    fits, concentration
        By benchmark.
    pooled
        Concentration table over benchmarks; may be empty.
    """
    every = pd.concat(fits.values(), ignore_index=True)
    counts = every["verdict"].value_counts()
    sharp, unresolved = (
        count_of(int(counts.get(verdict, 0)), len(every)) for verdict in ("SHARP", "UNRESOLVED")
    )
    first = (
        f"Of the curves screened on {plural(len(fits), 'benchmark')}, {sharp} show a sharp"
        f" transition and {unresolved} stay unresolved."
    )
    primary = [
        _primary(concentration, pooled, claim=claim, question=question)
        for claim, question in QUESTIONS
    ]
    parts = [sentence.removesuffix(".") for sentence in primary if sentence]
    if not parts:
        return first
    second = "; ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])])
    return f"{first} {second}."


def apart(names: Sequence[str]) -> str:
    """Name the benchmarks that the answer leaves out; empty if there are none."""
    if not names:
        return ""
    return (
        f"Networks trained here ({', '.join(names)}) were chosen to show a mirage and a real"
        " transition. They stand below beside the published benchmarks and are neither counted nor"
        " pooled in this answer."
    )


def _primary(
    concentration: Mapping[str, pd.DataFrame],
    pooled: pd.DataFrame,
    *,
    claim: Mapping[str, str],
    question: str,
) -> str:
    """Put one primary hypothesis into a sentence; empty if no benchmark has a row of it."""
    wanted = {**claim, "stratum": SAME_OUTPUTS}
    rows = {name: chosen_row(table, wanted) for name, table in concentration.items()}
    if not any(rows.values()):
        return ""
    tasks = {name: row["n_tasks"] if row else 0 for name, row in rows.items()}
    if max(tasks.values()) < MIN_TASKS:
        counts = ", ".join(f"{name} {n}" for name, n in tasks.items())
        return (
            f"{question} the pairs can't decide: no benchmark has {MIN_TASKS} tasks scored both"
            f" ways on the same outputs ({counts})."
        )
    total = chosen_row(pooled, wanted)
    if total and not math.isnan(total["estimate"]):
        where = "On the same outputs, pooled over benchmarks,"
        return f"{where} {finding(total)}; {decided(total)}."
    enough = {name: row for name, row in rows.items() if row and tasks[name] >= MIN_TASKS}
    said = [f"{name}: {finding(row)}; {decided(row)}" for name, row in enough.items()]
    return f"On the same outputs, {'; '.join(said)}."


def not_comparable(concentration: pd.DataFrame) -> str:
    """Say how many estimands have no estimate, and why."""
    empty = concentration[concentration["estimate"].isna()]
    if empty.empty:
        return "Every estimand has an estimate."
    why = [f"{note}: {n:,}" for note, n in empty["note"].value_counts().sort_index().items()]
    return (
        f"{count_of(len(empty), len(concentration))} estimands have no estimate and are left"
        f" out of the table ({'; '.join(why)})."
    )


def untested(concentration: pd.DataFrame, hypotheses_stated: Sequence[str]) -> str:
    """Name the stated hypotheses on which the table has no row."""
    missing = [h for h in hypotheses_stated if h not in set(concentration["hypothesis"])]
    if not missing:
        return "Every stated hypothesis was tested."
    return f"Stated but not tested in this version: {', '.join(missing)}."
