"""What the page says of the negative controls: its sentences and its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metamirage.report.layouts import Plain, cells
from metamirage.report.results import p_text
from metamirage.report.text import count_of, number, percent, plural
from metamirage.robustness.controls import FAKE, LEVEL, RANDOM


def controls_said(controls: pd.DataFrame) -> str:
    """Say what classes without meaning give.

    Parameters
    ----------
    controls
        Table ``findings.CONTROLS`` of a benchmark.
    """
    rows = controls.to_dict("records")
    random = [_random(row) for row in rows if row["control"] == RANDOM]
    return " ".join([*random, *(_fake(row) for row in rows if row["control"] == FAKE)])


def _random(row: Mapping[Any, Any]) -> str:
    if row["note"]:
        return f"Random classes: not asked ({row['note']})."
    rejected = count_of(int(row["n_rejected"]), int(row["n_tests"]))
    tail = (
        "so the true classes tell more than a split of the metrics by chance"
        if row["p_value"] <= LEVEL
        else "so a split of the metrics by chance tells as much as the true classes"
    )
    return (
        f"With a coin tossed for each of {plural(int(row['n_metrics']), 'metric')}, H2's primary"
        f" test rejects in {rejected} labellings: metrics differ, whatever they are called. Their"
        f" estimates lie between {number(row['lower'])} and {number(row['upper'])} in 95 of 100;"
        f" the true classes give {number(row['estimate'])}, and {percent(row['p_value'])} of all"
        f" labellings, the true one among them, lie as far from zero, {tail}."
    )


def _fake(row: Mapping[Any, Any]) -> str:
    if not row["n_tests"]:
        return f"Fake class: not asked ({row['note']})."
    found = "a difference is found" if row["n_rejected"] else "no difference is found"
    return (
        f"Taken for two classes of metric, {row['one']} and {row['zero']} differ in log10 width by"
        f" {number(row['estimate'])} ({number(row['lower'])} to {number(row['upper'])};"
        f" {p_text(row['p_value'])}; {plural(int(row['n_tasks']), 'task')}): {found} where the"
        " metrics are the same."
    )


def controls_table(controls: pd.DataFrame) -> Plain:
    """Lay out the controls, a row each."""
    heads = {
        "control": "control", "one": "as class 1", "zero": "as class 0", "estimate": "estimate",
        "lower": "2.5 %", "upper": "97.5 %", "p_value": "p", "n_tests": "tests",
        "n_rejected": "rejected", "n_tasks": "tasks", "n_metrics": "metrics", "note": "note",
    }  # fmt: skip
    return Plain(
        caption="One row is one negative control. Random classes: estimate under the true classes,"
        " quantiles over random ones, and the share of these as far from zero. Fake class: estimate"
        " between two families of the same models, its interval and p-value. A temperature may"
        " change outputs, so a small difference there is no proof against the test.",
        columns=tuple(heads.values()),
        rows=cells(controls, list(heads)),
        numeric=frozenset(range(3, 11)),
    )
