"""What the pages say of the cases against the mirage: counts, names and curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metamirage.curves.curve import Curve
from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures import charts as figures
from metamirage.report.layouts import Plain, cells
from metamirage.report.panels import make_panels
from metamirage.report.text import count_of, curve_label, listed, number, percent, plural
from metamirage.robustness.counterexamples import KINDS, P_BEYOND

# More than this share of paired tasks, sharp under both metrics at the same size, is not a handful
# of exceptions.
MANY = 0.10
NOTHING_TO_SEARCH = (
    "Nothing could speak against the mirage here: no curve under a continuous metric and no pair of"
    " metrics enters the tests."
)
N_NAMED = 8
N_DRAWN = 4
# Kinds that name two curves, and the sign that makes their strongest case the smallest value.
PAIRED = {"both_sharp": 1, "beyond_partner": -1, "direct_better": 1}
ORDER = PAIRED | {"sharp_continuous": -1, "wider": 1, "no_foresight": 1}


def cases(against: pd.DataFrame) -> pd.DataFrame:
    """Rows that speak against, by kind, the strongest of each first."""
    chosen = against[against["against"]]
    kind = chosen["kind"].map({name: place for place, name in enumerate(KINDS)}).astype(float)
    strength = chosen["value"] * chosen["kind"].map(ORDER).astype(float)
    ranked = chosen.assign(_kind=kind, _strength=strength)
    order = ["_kind", "_strength", "curve_id", "partner", "scheme", "stratum"]
    return ranked.sort_values(order, ignore_index=True).drop(columns=["_kind", "_strength"])


def contrary_table(against: pd.DataFrame) -> Plain:
    """Lay out how much was screened for each kind of case there can be, and how much found."""
    searched = [name for name in KINDS if (against["kind"] == name).any()]
    rows = [_kind_row(name, against[against["kind"] == name]) for name in searched]
    return Plain(
        caption="One row is one way to speak against the mirage.",
        columns=("a case would be", "unit", "screened", "cases", "tasks screened", "tasks"),
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4, 5}),
    )


def _kind_row(name: str, rows: pd.DataFrame) -> tuple[str, ...]:
    found = rows[rows["against"]]
    tasks = [number(t.loc[t["task"] != "", "task"].nunique()) for t in (rows, found)]
    return (
        KINDS[name].meaning,
        KINDS[name].unit,
        number(len(rows)),
        number(len(found)),
        *(tasks if KINDS[name].unit != "test" else (number(float("nan")),) * 2),
    )


def case_table(against: pd.DataFrame, fits: pd.DataFrame) -> Plain:
    """Name the strongest cases of each kind.

    Parameters
    ----------
    against
        Table ``findings.AGAINST``.
    fits
        Table ``tables.FITS``, for the names of the curves.
    """
    labels = {row["curve_id"]: curve_label(row) for row in fits.to_dict("records")}
    metrics = dict(zip(fits["curve_id"], fits["metric"], strict=True))
    shown = cases(against).groupby("kind", sort=False).head(N_NAMED)
    named = shown.assign(
        what=[KINDS[kind].meaning for kind in shown["kind"]],
        curve=[labels.get(name, "") for name in shown["curve_id"]],
        other=[metrics.get(name, "") for name in shown["partner"]],
        of=[KINDS[kind].value for kind in shown["kind"]],
    )
    columns = ["what", "curve", "other", "scheme", "stratum", "value", "of"]
    return Plain(
        caption=(
            f"One row is one case, the {N_NAMED} strongest of each kind; all stand in"
            " data/processed/concentration."
        ),
        columns=("case", "curve", "partner's metric", "scheme", "stratum", "value", "value is"),
        rows=cells(named, columns),
        numeric=frozenset({5}),
    )


def contrary(against: pd.DataFrame) -> str:
    """Say what speaks against the mirage on one benchmark, and in how much it was looked for."""
    if against.empty:
        return NOTHING_TO_SEARCH
    said = [words for name in KINDS if (words := _kind_words(name, against))]
    return " ".join(said)


def _kind_words(name: str, against: pd.DataFrame) -> str:
    rows = against[against["kind"] == name]
    if rows.empty:
        return ""
    k, n = int(rows["against"].sum()), len(rows)
    head = f"{_capital(KINDS[name].meaning)}: {count_of(k, n)} {KINDS[name].unit}s"
    return f"{head}{_aside(name, rows)}."


def _aside(name: str, rows: pd.DataFrame) -> str:
    if name == "both_sharp":
        found = rows.loc[rows["against"], "task"].nunique()
        n_tasks = rows["task"].nunique()
        side = "not under" if found >= MANY * n_tasks else "under"
        return (
            f", in {count_of(found, n_tasks)} paired tasks: {side} the {percent(MANY)} that would"
            " count against the thesis as a whole"
        )
    if name == "beyond_partner":
        return f"; by chance {number((1 - P_BEYOND) * len(rows), digits=2)} would be"
    return ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def contrary_count(against: pd.DataFrame) -> str:
    """Say in one sentence how many cases a benchmark has, by kind."""
    if against.empty:
        return NOTHING_TO_SEARCH
    found = against.loc[against["against"], "kind"].value_counts()
    searched = plural(len(against), "place")
    if found.empty:
        return f"No case in {searched} searched."
    parts = [f"{KINDS[name].meaning} ({found[name]:,})" for name in KINDS if name in found]
    return f"{plural(int(found.sum()), 'case')} in {searched} searched: {listed(parts)}."


def contrary_exhibit(
    against: pd.DataFrame,
    fits: pd.DataFrame,
    curves: Mapping[str, Curve],
    *,
    settings: Mapping[str, object],
) -> Exhibit:
    """Curves of the strongest cases: pairs side by side, then curves of continuous metrics.

    Parameters
    ----------
    against, fits
        Tables of one benchmark.
    curves
        By ``curve_id``.
    settings
        Of the run.
    """
    anchor, title = "against-figure", "What do the cases look like?"
    names = drawn_cases(against)
    if not names:
        return Exhibit(anchor, title, "No curve speaks against the mirage: nothing to draw.")
    panels = make_panels(curves, fits, names, settings=settings)
    told = listed(
        [f"{p.title}, {p.metric}: {p.subtitle}".replace("\n", " ") for p in panels],
        most=len(panels),
    )
    return Exhibit(
        anchor,
        title,
        "The strongest cases, one a task: rows hold the discontinuous metric left and its partner"
        " right; last, where there are any, SHARP curves under metrics that are neither"
        " discontinuous nor nonlinear. Chosen for strength out of all that was screened, they"
        " overstate what a second run would show. Points, bands and settings as in the figures"
        " above.",
        f"Curves of cases. {told}.",
        embedded(figures.draw_panels(panels, n_columns=2)),
    )


def drawn_cases(against: pd.DataFrame) -> list[str]:
    """Names of the curves to draw: of pairs both, then single ones; one case a task and kind."""
    chosen = cases(against).drop_duplicates(["kind", "task"])
    paired = chosen[chosen["kind"].isin(PAIRED)].drop_duplicates(["curve_id", "partner"])
    single = chosen[chosen["kind"] == "sharp_continuous"].head(N_DRAWN)
    names: list[Any] = list(paired[["curve_id", "partner"]].head(N_DRAWN).to_numpy().ravel())
    return [str(name) for name in [*names, *single["curve_id"]]]
