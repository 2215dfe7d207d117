"""What a benchmark holds, by family and by metric, and where its sharp curves sit."""

from __future__ import annotations

import math

import pandas as pd

from metamirage.report.figures.charts import size_name
from metamirage.report.layouts import Plain, cells
from metamirage.report.text import count_of, percent, plural


def family_table(tidy: pd.DataFrame, fits: pd.DataFrame) -> Plain:
    """Lay out the model families: how many models, from which size to which, and their curves."""
    rows = [
        {
            "family": name,
            "models": group["model"].nunique(),
            "smallest": size_name(math.log10(group["n_params"].min())),
            "largest": size_name(math.log10(group["n_params"].max())),
            "kind": ", ".join(sorted(group["n_params_kind"].unique())).replace("_", " "),
            "scores": len(group),
            "tasks": group["task"].nunique(),
            "curves": int((fits["family"] == name).sum()),
        }
        for name, group in tidy.groupby("family", sort=True)
    ]
    heads = ("family", "models", "smallest", "largest", "kind", "scores", "tasks", "curves")
    return Plain(
        caption="One row is one family of models, which differ in size only.",
        columns=(*heads[:4], "parameters counted", *heads[5:]),
        rows=cells(pd.DataFrame(rows, columns=list(heads)), heads),
        numeric=frozenset({1, 5, 6, 7}),
    )


def metric_table(tidy: pd.DataFrame, curves: pd.DataFrame) -> Plain:
    """Lay out the metrics with their share of all curves and of the SHARP ones.

    Parameters
    ----------
    tidy
        Table ``tables.TIDY``.
    curves
        From ``report.join_curves``.
    """
    items = tidy.groupby("metric")["n_samples"].median()
    rows = [_metric_row(str(name), group, curves) for name, group in curves.groupby("metric")]
    ordered = pd.DataFrame(rows).sort_values(
        ["n_sharp", "n", "metric"], ascending=[False, False, True]
    )
    shown = ordered.assign(items=ordered["metric"].map(items))
    columns = ["metric", "kind", "tasks", "items", "n", "base", "sharp", "part"]
    return Plain(
        caption=(
            "One row is one metric. Were sharp curves spread evenly, its share of the SHARP ones"
            " would be its share of all curves."
        ),
        columns=(
            "metric", "class", "tasks", "items a score, median", "curves", "share of all curves",
            "SHARP among its curves", "share of all SHARP curves",
        ),
        rows=cells(shown, columns),
        numeric=frozenset({2, 3, 4, 5, 6, 7}),
    )  # fmt: skip


def _metric_row(name: str, group: pd.DataFrame, curves: pd.DataFrame) -> dict[str, object]:
    n_sharp = int((group["verdict"] == "SHARP").sum())
    all_sharp = int((curves["verdict"] == "SHARP").sum())
    return {
        "metric": name,
        "kind": ", ".join(sorted(group["metric_class"].unique())),
        "tasks": group["task"].nunique(),
        "n": len(group),
        "base": percent(len(group) / len(curves)),
        "n_sharp": n_sharp,
        "sharp": count_of(n_sharp, len(group)),
        "part": percent(n_sharp / all_sharp) if all_sharp else "–",
    }


def concentration_said(curves: pd.DataFrame, *, most: int = 2) -> str:
    """Say how many SHARP curves fall to the metrics with the most of them, and their base rate."""
    sharp = curves.loc[curves["verdict"] == "SHARP", "metric"].value_counts()
    if sharp.empty:
        return "No curve is SHARP."
    # Names break ties, so that equal counts give equal pages.
    names = list(sharp.sort_index().sort_values(ascending=False, kind="stable").index[:most])
    under = int(curves["metric"].isin(names).sum())
    return (
        f"The {plural(len(names), 'metric')} with the most SHARP curves ({', '.join(names)}) have"
        f" {count_of(int(sharp[names].sum()), int(sharp.sum()))} of them and"
        f" {count_of(under, len(curves))} of all curves. They were chosen for that, so the share of"
        " all curves is what to compare with and not what chance would give."
    )
