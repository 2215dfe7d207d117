"""Tables of the report: frames in, rows of text out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.vocabulary import CANDIDATES, VERDICTS
from metamirage.hypotheses.concentration import PAIRED
from metamirage.hypotheses.h1_population import BESIDE, POPULATION
from metamirage.hypotheses.h1_regression import MARGINAL
from metamirage.hypotheses.h4_forecasts import GAINS
from metamirage.hypotheses.h5_translation import TRANSLATION
from metamirage.hypotheses.multiplicity import LABELS
from metamirage.report.text import curve_label, number, plural

_TAG_AXES = (
    "reason", "discontinuous", "nonlinear", "query", "direction", "excluded", "reference",
)  # fmt: skip


@dataclass(frozen=True)
class Plain:
    """A small table as text.

    Parameters
    ----------
    caption
        What one row is.
    columns
        Heads.
    rows
        Cells, as many a row as there are heads.
    numeric
        Positions of columns that hold numbers, to align them.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


def estimand_glossary() -> dict[str, str]:
    """Say what each estimand of the tests measures, and what sign is predicted."""
    paired = {
        name: f"H2: positive if the curve of the first class is {e.meaning}."
        for name, e in PAIRED.items()
    }
    over_curves = POPULATION | BESIDE | MARGINAL | LABELS
    population = {name: f"H1: {meaning}." for name, meaning in over_curves.items()}
    gains = {
        name: f"H4: two-step minus direct, positive if two-step is better; {gain.meaning}."
        for name, gain in GAINS.items()
    }
    shifted = {name: f"H5: {meaning}." for name, meaning in TRANSLATION.items()}
    said = (population, paired, gains, shifted)
    return {
        name: " ".join(meanings[name] for meanings in said if name in meanings)
        for name in sorted({*population, *paired, *gains, *shifted})
    }


def hypothesis_table(concentration: pd.DataFrame) -> Plain:
    """Lay out the estimands that have an estimate, by hypothesis, scheme and stratum."""
    keys = ["hypothesis", "scheme", "stratum", "estimand"]
    compared = concentration[concentration["estimate"].notna()]
    rows = compared.sort_values(keys, kind="stable").to_dict("records")
    heads = (*keys, "estimate", "95 % interval", "p", "tasks", "curves or pairs", "note")
    return Plain(
        caption=(
            "One row is one estimand; p-values are not adjusted, and two-sided but for those of H5."
        ),
        columns=heads,
        rows=tuple(_hypothesis_row(row, keys) for row in rows),
        numeric=frozenset({4, 6, 7, 8}),
    )


def _hypothesis_row(row: Mapping[Any, Any], keys: Sequence[str]) -> tuple[str, ...]:
    lower, upper, n_tasks = row["lower"], row["upper"], row["n_tasks"]
    finite = np.isfinite(lower) and np.isfinite(upper)
    ends = (
        f"{number(lower)} to {number(upper)}" if finite else f"none from {plural(n_tasks, 'task')}"
    )
    return (
        *(str(row[key]) for key in keys),
        number(row["estimate"]),
        ends,
        number(row["p_value"], digits=2),
        number(n_tasks),
        number(row["n_curves"]),
        str(row["note"]),
    )


def weight_table(models: pd.DataFrame) -> Plain:
    """Average the evidence weights of the candidates and count where each is the heaviest."""
    heaviest = models.loc[models.groupby("curve_id")["weight"].idxmax(), "model"].value_counts()
    means = models.groupby("model")["weight"].mean()
    rows = [(c, number(means[c]), f"{heaviest.get(c, 0):,}") for c in CANDIDATES if c in means]
    return Plain(
        caption="One row is one candidate; weights are posterior probabilities among them.",
        columns=("candidate", "mean weight", "curves where it weighs most"),
        rows=tuple(rows),
        numeric=frozenset({1, 2}),
    )


def largest_s(curves: pd.DataFrame, n: int) -> Plain:
    """Show the curves with the largest S, infinite first, beside the posterior."""
    top = curves.sort_values(["breakthroughness", "curve_id"], ascending=[False, True]).head(n)
    named = top.assign(curve=[curve_label(row) for row in top.to_dict("records")])
    columns = ["curve", "breakthroughness", "null_q95", "linearity", "verdict", "p_sharp"]
    return Plain(
        caption="One row is one curve; those with the largest S.",
        columns=("curve", "S", "S flat", "L", "verdict", "P(sharp)"),
        rows=cells(named, columns, digits=4),
        numeric=frozenset({1, 2, 3, 5}),
    )


def tag_table(tags: pd.DataFrame) -> Plain:
    """Lay out the tags; tasks that share a metric, tags and reason share a row."""
    axes = ["metric", *_TAG_AXES]
    grouped = (
        tags.groupby(axes, sort=True)
        .agg(tasks=("task", _names), chance=("chance", _range))
        .reset_index()
    )
    columns = ["metric", "tasks", *_TAG_AXES[:-2], "chance", *_TAG_AXES[-2:]]
    return Plain(
        caption="One row is one metric with its tags, and the tasks to which they apply.",
        columns=tuple(columns),
        rows=cells(grouped, columns),
    )


def _range(values: pd.Series) -> str:
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"{low} to {high}"


def _names(tasks: pd.Series) -> str:
    ordered = sorted(tasks)
    shown = ", ".join(ordered[:8])
    return shown if len(ordered) <= 8 else f"{shown} and {len(ordered) - 8} more"


def issue_table(issues: pd.DataFrame) -> Plain:
    """Lay out the defects found in the published scores."""
    return Plain(
        caption="One row is one defect of the published scores.",
        columns=(
            "kind",
            "where",
            "scores concerned",
            "what was found",
            "what was done",
            "known before",
        ),
        rows=cells(
            issues.assign(known=issues["known"].map({True: "yes", False: "no"})),
            ["kind", "where", "n_rows", "detail", "action", "known"],
        ),
        numeric=frozenset({2}),
    )


def reproduction_table(claims: pd.DataFrame | None) -> Plain | None:
    """Lay out printed numbers beside ours; None for a benchmark without any."""
    if claims is None:
        return None
    return Plain(
        caption="One row is one printed number, or one that belongs beside it.",
        columns=(
            "paper",
            "claim",
            "unit",
            "printed",
            "ours",
            "lowest reading",
            "highest reading",
            "readings",
            "reading behind ours",
            "note",
        ),
        rows=cells(
            claims,
            [
                "source",
                "claim",
                "unit",
                "published",
                "estimate",
                "lowest",
                "highest",
                "n_readings",
                "reading",
                "note",
            ],
        ),
        numeric=frozenset({3, 4, 5, 6, 7}),
    )


def cells(
    frame: pd.DataFrame, columns: Sequence[str], *, digits: int = 3
) -> tuple[tuple[str, ...], ...]:
    """Turn the columns of a frame into text, numbers written for people."""
    writers = [_writer(frame[c], digits) for c in columns]
    return tuple(
        tuple(write(value) for write, value in zip(writers, row, strict=True))
        for row in frame[list(columns)].itertuples(index=False, name=None)
    )


def _writer(values: pd.Series, digits: int) -> Callable[[object], str]:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return lambda value: number(value, digits=digits)
    return str


def verdict_counts(fits: pd.DataFrame) -> dict[str, int]:
    """Count curves by verdict, in the order of ``tables.VERDICTS``."""
    counts = fits["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}
