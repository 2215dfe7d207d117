"""Sentences of the report: tables in, text out. Every number a page says in words is made here.

Nothing here fits or tests; a sentence whose table is empty says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.thresholds import MIN_SIZES_VERDICT
from metamirage.base.vocabulary import VERDICTS

MINUS, DASH, INFINITY = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{INFINITY}"
NBSP = "\N{NO-BREAK SPACE}"
ERROR_RATES_UNKNOWN = (
    "The error rates of these tests have not been measured in this version: no simulated worlds"
    " with known truth have been run through the whole pipeline, so a p-value here is what its"
    " permutation scheme promises, not what was checked."
)
ONE_RUN = (
    "Published sources give one run per size; only the networks trained here have several. How much"
    " another training run of a published size would differ is unknown and enters only through a"
    " prior on over-dispersion."
)
UNRESOLVED_DEFAULT = (
    "UNRESOLVED is the default: a curve keeps it unless its posterior clears a fixed threshold, and"
    f" a curve with fewer than {MIN_SIZES_VERDICT} sizes can get nothing else."
)


def number(value: Any, *, digits: int = 3) -> str:
    """Write a number for people: a dash for missing, a sign for infinite, no exponent under 1e6."""
    if pd.isna(value):
        return DASH
    x = float(value)
    if math.isinf(x):
        return INFINITY if x > 0 else f"{MINUS}{INFINITY}"
    whole = x.is_integer() or abs(x) >= 10**digits
    text = f"{x:,.0f}" if whole and abs(x) < 1e6 else f"{x:.{digits}g}"
    return text.replace("-", MINUS)


def count_of(k: int, n: int) -> str:
    """Write a count beside what it was counted in: "4 of 189 (2.1 %)"."""
    return f"{k:,} of {n:,} ({percent(k / n)})" if n else "0 of 0"


def percent(share: float) -> str:
    """Write a share in percent, small ones with more decimals; no line breaks before the sign."""
    decimals = 0 if share == 0 or share >= 0.0995 else 1 if share >= 0.001 else 2
    return f"{100 * share:.{decimals}f}{NBSP}%"


def plural(n: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def curve_label(row: Mapping[Any, Any]) -> str:
    """Name a curve within its benchmark: task, metric, family and shots."""
    task = f"{row['task']}: {row['subtask']}" if row["subtask"] else str(row["task"])
    shots = [] if pd.isna(row["n_shots"]) else [f"{row['n_shots']}-shot"]
    return ", ".join([task, str(row["metric"]), str(row["family"]), *shots])


def listed(items: Sequence[str], *, most: int = 6) -> str:
    """Join names; past ``most`` the rest is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return "; ".join(shown)


def holdings(tidy: pd.DataFrame, fits: pd.DataFrame) -> str:
    """Say what a benchmark holds and how much of it became curves."""
    low, high = tidy["n_params"].min(), tidy["n_params"].max()
    items = tidy["n_samples"].dropna()
    known = f", {number(items.median())} items a score (median)" if len(items) else ""
    families = tidy["family"].nunique()
    return (
        f"{plural(len(tidy), 'published score')} of {plural(tidy['task'].nunique(), 'task')} under"
        f" {plural(tidy['metric'].nunique(), 'metric')}; {plural(tidy['model'].nunique(), 'model')}"
        f" in {families:,} {'family' if families == 1 else 'families'}, {_size(low)} to"
        f" {_size(high)} parameters{known}. They make {plural(len(fits), 'curve')}."
    )


def _size(n_params: float) -> str:
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if n_params >= unit:
            return f"{n_params / unit:.3g}{letter}"
    return f"{n_params:.3g}"


def verdicts(fits: pd.DataFrame) -> str:
    """Say how many curves were screened and what each verdict got."""
    n = len(fits)
    counts = fits["verdict"].value_counts()
    parts = [f"{verdict} {count_of(int(counts.get(verdict, 0)), n)}" for verdict in VERDICTS]
    return f"{plural(n, 'curve')} screened: {', '.join(parts)}."


def too_short(fits: pd.DataFrame) -> str:
    """Say how many curves could not get a verdict for want of sizes."""
    short = int((fits["n_sizes"] < MIN_SIZES_VERDICT).sum())
    return (
        f"{count_of(short, len(fits))} curves have fewer than {MIN_SIZES_VERDICT} sizes and are"
        " UNRESOLVED for that reason alone."
    )


def sharp_by_class(curves: pd.DataFrame) -> str:
    """Say how often curves are SHARP in each class of metric; column ``metric_class``."""
    parts = [
        f"{count_of(int((group['verdict'] == 'SHARP').sum()), len(group))} curves under metrics"
        f" tagged {name}"
        for name, group in curves.groupby("metric_class", sort=True)
    ]
    return f"SHARP: {'; '.join(parts)}." if parts else "No curve was fitted."


def exclusions(scores: pd.DataFrame) -> str:
    """Say which curves stay out of the tests and why."""
    out = scores.loc[scores["excluded"] != "", "excluded"]
    if out.empty:
        return f"All {plural(len(scores), 'curve')} may enter the tests."
    reasons = [
        f"{reason}: {n:,}" for reason, n in out.value_counts(sort=False).sort_index().items()
    ]
    return f"{count_of(len(out), len(scores))} curves stay out of the tests ({'; '.join(reasons)})."


def s_states(scores: pd.DataFrame) -> str:
    """Say how often S is infinite or missing, and name the curves with the largest S."""
    n = len(scores)
    infinite = scores[scores["breakthroughness"] == np.inf]
    finite = scores[np.isfinite(scores["breakthroughness"])]
    missing = int(scores["breakthroughness"].isna().sum())
    top = finite.nlargest(8, "breakthroughness")
    tops = [
        f"{curve_label(row)} {number(row['breakthroughness'], digits=4)}"
        for row in top.to_dict("records")
    ]
    names = [curve_label(row) for row in infinite.to_dict("records")]
    which = f": {listed(names)}" if names else ""
    return (
        f"S is infinite for {count_of(len(infinite), n)} curves{which}. It is missing for"
        f" {missing:,}. The largest finite values: {listed(tops, most=8)}."
    )


def s_above(scores: pd.DataFrame) -> pd.Series:
    """Tell for each curve whether S exceeds the 95 % quantile of a flat curve."""
    return scores["breakthroughness"] > scores["null_q95"]


def s_on_continuous(curves: pd.DataFrame) -> str:
    """Say what S does under metrics that are not discontinuous.

    Parameters
    ----------
    curves
        Scores joined with ``discontinuous`` and ``nonlinear`` of the tags.
    """
    smooth = curves[curves["discontinuous"] == "no"]
    above = smooth[s_above(smooth)]
    head = (
        f"S is above the flat reference for {count_of(len(above), len(smooth))} curves under"
        " metrics that are not discontinuous"
    )
    if above.empty:
        return f"{head}."
    # An infinite S has an infinite margin; ties go to the first name.
    margin = above["breakthroughness"] - above["null_q95"]
    top = above.iloc[int(margin.to_numpy().argmax())].to_dict()
    kind = "continuous but nonlinear" if top["nonlinear"] == "yes" else "continuous"
    return (
        f"{head}; the largest is {curve_label(top)}, a {kind} metric, with S ="
        f" {number(top['breakthroughness'], digits=4)} against {number(top['null_q95'])} for a flat"
        " curve. By S alone that curve would be called emergent."
    )


def s_against_verdicts(curves: pd.DataFrame) -> str:
    """Say where S and the posterior part; columns of scores, and ``verdict``."""
    above = s_above(curves)
    sharp = curves["verdict"] == "SHARP"
    return (
        f"S is above its flat reference for {count_of(int(above.sum()), len(curves))} curves;"
        f" {count_of(int((above & sharp).sum()), int(above.sum()))} of these are SHARP."
        f" Of the SHARP curves, S is above the reference for"
        f" {count_of(int((above & sharp).sum()), int(sharp.sum()))}."
    )


def issue_count(issues: pd.DataFrame) -> str:
    """Say how many defects of the published scores were found."""
    if issues.empty:
        return "No defect was found in the published scores."
    known = int(issues["known"].sum())
    return (
        f"{plural(len(issues), 'finding')} about the published scores;"
        f" {count_of(known, len(issues))} listed in the registry beforehand."
    )


def reproduced(claims: pd.DataFrame | None) -> str:
    """Say how many printed numbers the scores allow, and how many lie within their readings."""
    if claims is None:
        return ""
    printed = claims[claims["published"].notna()]
    ours = printed[printed["estimate"].notna()]
    within = ours[(ours["lowest"] <= ours["published"]) & (ours["published"] <= ours["highest"])]
    return (
        f"The scores allow {count_of(len(ours), len(printed))} printed numbers;"
        f" {count_of(len(within), len(ours))} of these lie within the readings of the original."
    )
