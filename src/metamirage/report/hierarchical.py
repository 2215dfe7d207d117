"""What the page says about the hierarchical model: its sentences, its table and its figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures.hierarchy import draw_hierarchy
from metamirage.report.layouts import Plain, cells
from metamirage.report.results import SCHEME_WORDS
from metamirage.report.text import listed, number, percent, plural

# A direction is a finding if it has this probability under every set of priors: the central 90 %
# intervals then exclude no effect, so that rule and interval say the same.
P_SURE = 0.95
# A check that the model would pass so rarely says that the model is wrong.
P_MISFIT = 0.01
MAIN_SCHEME = "discontinuous"
LEVELS = {"metric": "metrics", "task": "tasks", "family": "families", "curve": "curves of one kind"}
CHECKS = {
    "check_tails": "residuals in the outer tenth",
    "check_below_decade": "widths below one decade",
}


def rows_of(table: pd.DataFrame, parameter: str, scheme: str = MAIN_SCHEME) -> pd.DataFrame:
    """Rows of one parameter and scheme, one a prior, by prior."""
    here = (table["parameter"] == parameter) & (table["scheme"] == scheme)
    return table[here].set_index("prior")


def default_row(table: pd.DataFrame, parameter: str) -> dict[Any, Any] | None:
    """Row of one parameter of the main scheme under the default prior, if it has an estimate."""
    rows = rows_of(table, parameter)
    found = rows[(rows.index == "default") & rows["estimate"].notna()].to_dict("records")
    return found[0] if found else None


def direction(beta: pd.DataFrame) -> str:
    """Say in which direction all sets of priors are sure, or nothing.

    Parameters
    ----------
    beta
        Rows of the class effect, one a prior.
    """
    if beta["estimate"].isna().any():
        return ""
    if (beta["p_negative"] > P_SURE).all() and (beta["estimate"] < 0).all():
        return "narrower"
    if (1 - beta["p_negative"] > P_SURE).all() and (beta["estimate"] > 0).all():
        return "wider"
    return ""


def class_effect(table: pd.DataFrame) -> str:
    """Say what one model of all widths finds between the classes of metric.

    Parameters
    ----------
    table
        Table ``findings.HIERARCHY`` of a benchmark.
    """
    beta = rows_of(table, "beta")
    missing = beta[beta["estimate"].isna()]
    ratio = default_row(table, "ratio")
    if len(missing) or ratio is None:
        return _nothing(missing)
    head = (
        f"In one model of the widths of {_behind(ratio)}, rises under"
        f" {SCHEME_WORDS[MAIN_SCHEME]} are {number(ratio['estimate'])} times as wide as others"
        f" (90 % interval {_interval(ratio)})."
    )
    note = str(beta.loc["default", "note"])
    caution = f" To keep in mind: {note}." if note else ""
    return f"{head} {_verdict(beta)}{caution}"


def _nothing(missing: pd.DataFrame) -> str:
    why = listed(list(dict.fromkeys(missing["note"])))
    if why.startswith("not converged"):
        return (
            "The chains of the model of all widths are not to be believed"
            f" ({why.partition(': ')[2]}; prior {', '.join(missing.index)}): nothing is claimed"
            " from it."
        )
    return f"There is no model of all widths: {why}."


def _behind(row: Mapping[Any, Any]) -> str:
    families = row["n_families"]
    return (
        f"{plural(row['n_curves'], 'curve')} ({plural(row['n_tasks'], 'task')},"
        f" {families:,} {'family' if families == 1 else 'families'},"
        f" {plural(row['n_metrics'], 'metric')})"
    )


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{number(row['lower'])} to {number(row['upper'])}"


def _verdict(beta: pd.DataFrame) -> str:
    told = ", ".join(f"{row['p_negative']:.2f} ({prior})" for prior, row in beta.iterrows())
    rule = f"which takes one direction with P > {P_SURE} under all three"
    found = direction(beta)
    said = f"they are {found}, {rule}" if found else f"no direction is shown, {rule}"
    return f"P(narrower) under the three priors of the average width: {told}; {said}."


def variance_shares(table: pd.DataFrame) -> str:
    """Say where the widths differ: between metrics, tasks, families or curves; may be empty."""
    said = []
    for name, word in LEVELS.items():
        if row := default_row(table, f"share_{name}"):
            ends = f"{percent(row['lower'])} to {percent(row['upper'])}"
            said.append(f"{word} {percent(row['estimate'])} ({ends})")
    if not said:
        return ""
    return (
        "Shares of the variance of log width, with 90 % intervals: between"
        f" {'; '.join(said)}. What class and query explain counts as between metrics."
    )


def misfit(table: pd.DataFrame) -> str:
    """Say what the model expects of its own residuals and what is found; may be empty."""
    said = []
    for name, word in CHECKS.items():
        if row := default_row(table, name):
            fits = P_MISFIT <= row["p_check"] <= 1 - P_MISFIT
            expected = f"{percent(row['lower'])} to {percent(row['upper'])}"
            verdict = "" if fits else ", which the model does not explain"
            said.append(f"{word} {percent(row['estimate'])}, expected {expected}{verdict}")
    return f"Check of the model against its curves: {'; '.join(said)}." if said else ""


def sentences(table: pd.DataFrame) -> dict[str, str]:
    """All sentences, by the names that the template uses."""
    return {
        "class_effect": class_effect(table),
        "variance_shares": variance_shares(table),
        "misfit": misfit(table),
    }


def hierarchy_exhibit(table: pd.DataFrame) -> Exhibit:
    """Class effect by prior, and shares of variance."""
    anchor, title = "hierarchy", "Do widths differ between classes, metrics, tasks or families?"
    known = table[table["estimate"].notna()]
    if "ratio" not in set(known["parameter"]):
        return Exhibit(anchor, title, class_effect(table))
    return Exhibit(
        anchor,
        title,
        "Left: how many times as wide rises are under metrics of class 1 as under class 0, by the"
        " axis of the tags that makes the classes and by the prior of the average width; 90 %"
        " intervals. Left of the dotted line, class 1 is narrower. Right: shares of the variance"
        " of log width under the default prior; what remains between curves of one task, family"
        " and metric is their subtasks, their numbers of examples and chance. Every curve counts"
        " by its whole profile, so that one that says little moves little. A task's metric is"
        " chosen for the task: a difference between classes may come from what is asked under"
        " them, and other tasks under the same metrics would move it.",
        f"Forest plot of the ratio of widths and bars of variance shares. {class_effect(table)}"
        f" {variance_shares(table)}",
        embedded(draw_hierarchy(known)),
    )


def hierarchy_table(table: pd.DataFrame) -> Plain:
    """Lay out the class effect under every prior, and the rest under the default one."""
    main = table["parameter"].isin(["beta", "ratio"])
    shown = table[table["estimate"].notna() & (main | (table["prior"] == "default"))]
    heads = {
        "scheme": "scheme", "prior": "prior", "parameter": "parameter", "estimate": "estimate",
        "lower": "5 %", "upper": "95 %", "p_negative": "P(< 0)", "p_check": "P(check)",
        "r_hat": "R-hat", "ess_bulk": "effective draws", "divergences": "divergences",
        "pareto_k": "Pareto k", "n_curves": "curves", "note": "note",
    }  # fmt: skip
    return Plain(
        caption="One row is one parameter under one scheme of classes and one prior.",
        columns=tuple(heads.values()),
        rows=cells(shown, list(heads)),
        numeric=frozenset(range(3, 13)),
    )
