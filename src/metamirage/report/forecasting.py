"""What the page says about forecasts: summaries of the table, their layout and their sentences.

Nothing here tests. Curves of one task share its items and models, so intervals count tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta

from metamirage.base.vocabulary import CANDIDATES, PREDICTORS, SAME_MODEL, SAME_OUTPUTS
from metamirage.forecasting.predictives import rank_histogram
from metamirage.report.figures.charts import N_RANKS
from metamirage.report.layouts import Plain, cells
from metamirage.report.text import count_of, number, percent, plural

# What was left out and what was forecast: (n_left_out, target).
DESIGNS = {
    (1, 1): "largest, from all others",
    (2, 1): "largest, without the two largest",
    (2, 2): "second largest, without the two largest",
}
COVERED = {"inside_80": 0.80, "inside_95": 0.95}
TWO_STEP = {
    "averaged": "direct",
    "two_step": "through the partner",
    "link_given_partner": "partner's true score known",
}
MEANS = ("log_score", "crps")
ROUNDING = 1e-12


def chosen(forecasts: pd.DataFrame, n_left_out: int, target: int) -> pd.DataFrame:
    """Direct forecasts of one left-out size."""
    here = (forecasts["n_left_out"] == n_left_out) & (forecasts["target"] == target)
    return forecasts[here & (forecasts["partner"] == "")]


def share_interval(inside: pd.Series, task: pd.Series) -> tuple[float, float]:
    """95 % interval of a share of curves, whose independent units are tasks.

    Jeffreys' binomial interval with as many curves as independent ones would give the same
    variance between tasks, but no more than there are curves, and only as many as tasks where
    these show no variance (after Korn and Graubard 1998, Survey Methodology 24).

    Parameters
    ----------
    inside
        Boolean, one a curve.
    task
        Its task, same index.

    Returns
    -------
    (lower, upper)
        Missing for no curve.
    """
    n = len(inside)
    if not n:
        return np.nan, np.nan
    share = float(inside.mean())
    sums = (inside - share).groupby(task).sum()
    spread = float((sums**2).sum()) / n**2 * len(sums) / max(len(sums) - 1, 1)
    # Deviations that cancel within each task, as they do in a single one, show no spread.
    alike = spread < ROUNDING
    effective = float(len(sums)) if alike else min(share * (1 - share) / spread, n)
    k = share * effective
    # Not statsmodels' Jeffreys interval: at no hit and at hits only, its ends miss 0 and 1.
    lower, upper = beta.ppf([0.025, 0.975], k + 0.5, effective - k + 0.5)
    return (0.0 if share == 0 else float(lower)), (1.0 if share == 1 else float(upper))


def summarise_forecasts(forecasts: pd.DataFrame, tasks: Mapping[str, str]) -> pd.DataFrame:
    """Average the direct forecasts of each design and predictor.

    Parameters
    ----------
    forecasts
        Table ``tables.FORECASTS``.
    tasks
        Task of each curve, by ``curve_id``.

    Returns
    -------
    pandas.DataFrame
        One row a design and predictor present: ``n_left_out``, ``target``, ``predictor``, ``n``,
        means of ``log_score``, ``crps`` and the absolute ``discontinuity``; and for each of
        ``COVERED`` the share inside, its count and interval: ``inside_80``, ``inside_80_n``,
        ``inside_80_low``, ``inside_80_high``. Missing where a predictor has no distribution.
    """
    rows = []
    for n_left_out, target in DESIGNS:
        table = chosen(forecasts, n_left_out, target)
        for predictor in PREDICTORS:
            group = table[table["predictor"] == predictor]
            if len(group):
                head = {"n_left_out": n_left_out, "target": target, "predictor": predictor}
                rows.append({**head, **_quality(group, tasks)})
    return pd.DataFrame(rows, columns=["n_left_out", "target", "predictor", *QUALITIES])


QUALITIES = (
    "n", "log_score", "crps", "discontinuity",
    *(f"{name}{part}" for name in COVERED for part in ("", "_n", "_low", "_high")),
)  # fmt: skip


def _quality(group: pd.DataFrame, tasks: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": len(group),
        **{name: group[name].mean() for name in MEANS},
        "discontinuity": group["discontinuity"].abs().mean(),
    }
    for name in COVERED:
        known = group[group[name].notna()]
        inside = known[name].astype(float)
        low, high = share_interval(inside, known["curve_id"].map(tasks))
        row |= {f"{name}_low": low, f"{name}_high": high}
        row |= {name: inside.mean(), f"{name}_n": inside.sum() if len(inside) else np.nan}
    return row


def forecast_table(summary: pd.DataFrame) -> Plain:
    """Lay out ``summarise_forecasts``."""
    named = summary.assign(
        design=[DESIGNS[key] for key in zip(summary["n_left_out"], summary["target"], strict=True)],
        **{name: [_covered(row, name) for row in summary.to_dict("records")] for name in COVERED},
    )
    columns = ["design", "predictor", "n", *MEANS, "discontinuity", *COVERED]
    return Plain(
        caption=(
            "One row is one way to forecast one left-out size. Higher log scores and lower CRPS"
            " are better. Shares of intervals carry a 95 % interval that counts tasks."
        ),
        columns=(
            "size forecast", "predictor", "curves", "mean log score, nats", "mean CRPS",
            "mean |observed − forecast|", "in the 80 % interval", "in the 95 % interval",
        ),
        rows=cells(named, columns),
        numeric=frozenset(range(2, 8)),
    )  # fmt: skip


def _covered(row: Mapping[Any, Any], name: str) -> str:
    if pd.isna(row[name]):
        return number(np.nan)
    low, high = (percent(row[f"{name}_{end}"]) for end in ("low", "high"))
    return f"{percent(row[name])} ({low} to {high})"


def compare_steps(forecasts: pd.DataFrame, tasks: Mapping[str, str]) -> pd.DataFrame:
    """Set two-step forecasts beside the direct ones of the same curves.

    Parameters
    ----------
    forecasts, tasks
        As in ``summarise_forecasts``.

    Returns
    -------
    pandas.DataFrame
        One row a stratum, design and way of ``TWO_STEP``: ``stratum``, ``n_left_out``,
        ``target``, ``predictor``, ``n_pairs``, ``n_tasks``, ``better`` (pairs whose log score
        exceeds the direct one's), and the qualities of ``summarise_forecasts``. A curve counts
        once a partner; the ceiling lacks pairs whose partner has no score there.
    """
    keys = ["curve_id", "n_left_out", "target"]
    direct = forecasts[forecasts["predictor"] == "averaged"]
    paired = forecasts[forecasts["predictor"] == "two_step"]
    own = paired[[*keys, "partner", "stratum"]].merge(
        direct.drop(columns=["partner", "stratum"]), on=keys
    )
    baseline = own[[*keys, "partner", "log_score"]].rename(columns={"log_score": "direct"})
    rows = pd.concat([own, forecasts[forecasts["partner"] != ""]], ignore_index=True)
    rows = rows.merge(baseline, on=[*keys, "partner"])
    heads = ["stratum", *keys[1:], "predictor"]
    order = {predictor: place for place, predictor in enumerate(TWO_STEP)}
    groups = rows.groupby([*heads[:-1], rows["predictor"].map(order)])
    found = [
        {
            **group.iloc[0][heads].to_dict(),
            "n_pairs": len(group),
            "n_tasks": group["curve_id"].map(tasks).nunique(),
            "better": int((group["log_score"] > group["direct"]).sum()),
            **_quality(group, tasks),
        }
        for _, group in groups
    ]
    return pd.DataFrame(found, columns=[*heads, "n_pairs", "n_tasks", "better", *QUALITIES])


def step_table(steps: pd.DataFrame) -> Plain:
    """Lay out ``compare_steps``."""
    named = steps.assign(
        design=[DESIGNS[key] for key in zip(steps["n_left_out"], steps["target"], strict=True)],
        way=steps["predictor"].map(TWO_STEP),
        **{name: [_covered(row, name) for row in steps.to_dict("records")] for name in COVERED},
    )
    columns = ["stratum", "design", "way", "n_pairs", "n_tasks", *MEANS, *COVERED]
    return Plain(
        caption=(
            "One row is one way to forecast the discontinuous or nonlinear metric of the same"
            " pairs. With the partner's true score known it is no forecast: that way shows what the"
            " link alone misses."
        ),
        columns=(
            "stratum", "size forecast", "way", "pairs", "tasks", "mean log score, nats",
            "mean CRPS", "in the 80 % interval", "in the 95 % interval",
        ),
        rows=cells(named, columns),
        numeric=frozenset(range(3, 9)),
    )  # fmt: skip


def forecast_quality(summary: pd.DataFrame) -> str:
    """Say how the evidence average forecast each left-out size, and which candidate was best.

    Parameters
    ----------
    summary
        From ``summarise_forecasts``.
    """
    averaged = summary[summary["predictor"] == "averaged"]
    if averaged.empty:
        return "No curve is long enough to forecast its largest size."
    said = [_design_quality(row) for row in averaged.to_dict("records")]
    return f"{' '.join(said)} {_best(summary)}"


def _design_quality(row: Mapping[Any, Any]) -> str:
    design = DESIGNS[row["n_left_out"], row["target"]]
    held = [
        f"{100 * level:.0f} % intervals hold {count_of(int(row[f'{name}_n']), row['n'])}"
        for name, level in COVERED.items()
    ]
    return (
        f"{design.capitalize()}, {plural(row['n'], 'curve')}: the evidence average has a mean log"
        f" score of {number(row['log_score'])} nats and a mean CRPS of {number(row['crps'])}; its"
        f" {', its '.join(held)}."
    )


def _best(summary: pd.DataFrame) -> str:
    here = summary[(summary["n_left_out"] == 1) & summary["predictor"].isin(CANDIDATES)]
    rows = here.set_index("predictor")
    best, nearest = str(rows["log_score"].idxmax()), str(rows["crps"].idxmin())
    return (
        f"Best single candidate for the {DESIGNS[1, 1]}: {best} by log score"
        f" ({number(rows['log_score'].max())}), {nearest} by CRPS ({number(rows['crps'].min())})."
    )


def ranks(forecasts: pd.DataFrame) -> str:
    """Say where the left-out scores rank in the averaged forecasts; empty if there are none."""
    said = []
    for key, design in DESIGNS.items():
        table = chosen(forecasts, *key)
        group = table[table["predictor"] == "averaged"]
        if len(group):
            ends = group[["pit_low", "pit_high"]].to_numpy(float)
            shares = rank_histogram(ends, N_RANKS) / len(group)
            said.append(f"{percent(shares[0])} and {percent(shares[-1])} ({design})")
    if not said:
        return ""
    tenth = percent(1 / N_RANKS)
    return (
        "Of the left-out scores, so many rank in the lowest and in the highest tenth of the"
        f" evidence average: {'; '.join(said)}. Calibrated forecasts would put {tenth} in each."
    )


def step_quality(steps: pd.DataFrame) -> str:
    """Say how two-step forecasts did beside direct ones, or that there are none.

    Parameters
    ----------
    steps
        From ``compare_steps``.
    """
    if steps.empty:
        return (
            "No two-step forecast: no discontinuous or nonlinear metric of this benchmark has a"
            " continuous partner on the same task and models with enough sizes."
        )
    largest = steps[steps["n_left_out"] == 1]
    said = [
        _step_words(stratum, here.set_index("predictor").to_dict("index"))
        for stratum in (SAME_OUTPUTS, SAME_MODEL)
        if len(here := largest[largest["stratum"] == stratum])
    ]
    return f"{' '.join(said)} These are counts and means, not tests."


def _step_words(stratum: str, rows: Mapping[Any, Mapping[Any, Any]]) -> str:
    direct, two, known = rows["averaged"], rows["two_step"], rows.get("link_given_partner")
    ceiling = (
        f"; with the partner's true score known {number(known['log_score'])}"
        f" ({plural(int(known['n_pairs']), 'pair')})"
        if known
        else ""
    )
    return (
        f"{stratum.capitalize()}, {DESIGNS[1, 1]}: {plural(int(two['n_pairs']), 'pair')} of"
        f" {plural(int(two['n_tasks']), 'task')}. Mean log score through the partner"
        f" {number(two['log_score'])} nats, direct {number(direct['log_score'])}{ceiling}; through"
        f" the partner is better for {count_of(int(two['better']), int(two['n_pairs']))}."
    )
