"""Tables and figure of the engine's benchmark, made from the rows of single fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine_cost import GOAL_SECONDS, WHOLE
from metamirage.base.vocabulary import CANDIDATES
from metamirage.report.figures.charts import styled

FIT = ["curve_id", "candidate"]
QUANTITIES = ("location", "log10_width")
PEERS = {
    "scipy": "curve_fit",
    "nutpie": "nutpie,\ncompiled once",
    "pymc": "pm.sample,\ncompiled\neach time",
}
# Vehtari et al. (2021, Bayesian Anal. 16).
MAX_R_HAT, MIN_ESS = 1.01, 400
QUANTILES = {"q05": 0.05, "median": 0.5, "q95": 0.95}


def ratios(fits: pd.DataFrame) -> pd.DataFrame:
    """Put each peer's fit beside the engine's of the same curve and candidate: time ratios."""
    warm = fits[~fits["first"]]
    engine = warm[warm["method"] == "engine"].set_index(FIT)[["cpu_s", "wall_s"]]
    peers = warm[warm["method"] != "engine"]
    both = peers.join(engine, on=FIT, rsuffix="_engine")
    return both.assign(
        cpu_ratio=both["cpu_s"] / both["cpu_s_engine"],
        wall_ratio=both["wall_s"] / both["wall_s_engine"],
    )


def peer_table(fits: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    """Summarise time: one row a method, columns of ``engine_peers.csv``."""
    beside = ratios(fits)
    rows = []
    for method, own in fits.groupby("method", sort=False):
        warm, first = own[~own["first"]], own[own["first"]]
        row: dict[str, object] = {
            "method": method,
            "curves": warm["curve_id"].nunique(),
            "fits": len(warm),
            "first_cpu_s": round(first["cpu_s"].sum(), 1),
            "cpu_ms_median": round(1000 * warm["cpu_s"].median(), 3),
            "wall_ms_median": round(1000 * warm["wall_s"].median(), 3),
        }
        for name in ("cpu_ratio", "wall_ratio"):
            values = beside.loc[beside["method"] == method, name]
            row |= {f"{name}_{q}": _short(values.quantile(p)) for q, p in QUANTILES.items()}
        rows.append(row)
    return pd.DataFrame(rows).merge(_two_table(two), on="method", how="left")


def _two_table(two: pd.DataFrame) -> pd.DataFrame:
    per_fit = (two["wall_s"] / two["fits"]).to_numpy()
    engine = per_fit[(two["method"] == "engine").to_numpy()][0]
    return pd.DataFrame(
        {
            "method": two["method"],
            "two_wall_ms_per_fit": (1000 * per_fit).round(3),
            "two_wall_ratio": [_short(t / engine) for t in per_fit],
        }
    )


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def differences(fits: pd.DataFrame) -> pd.DataFrame:
    """Give differences of posterior means, engine less peer, in sds: a row a curve and quantity."""
    sigmoids = fits[(fits["candidate"] == "sigmoid") & ~fits["first"]]
    engine = sigmoids[sigmoids["method"] == "engine"].set_index("curve_id")
    sampled = sigmoids[sigmoids["method"].isin(["nutpie", "pymc"])]
    both = sampled.join(engine, on="curve_id", rsuffix="_engine")
    converged = (both["r_hat"] < MAX_R_HAT) & (both["ess"] > MIN_ESS)
    parts = [
        pd.DataFrame(
            {
                "method": both["method"],
                "curve_id": both["curve_id"],
                "quantity": quantity,
                "converged": converged,
                "difference": (both[f"{quantity}_mean_engine"] - both[f"{quantity}_mean"])
                / both[f"{quantity}_sd"],
                "expected_sd": np.sqrt(1 / both["ess"] + 1 / both["ess_engine"]),
            }
        )
        for quantity in QUANTITIES
    ]
    return pd.concat(parts, ignore_index=True)


def accuracy_table(fits: pd.DataFrame) -> pd.DataFrame:
    """Summarise agreement: a row a peer, quantity and set; columns of ``engine_accuracy.csv``."""
    found = differences(fits)
    rows = []
    for which, part in (("all", found), ("converged", found[found["converged"]])):
        for (method, quantity), own in part.groupby(["method", "quantity"], sort=False):
            size = own["difference"].abs()
            rows.append(
                {
                    "method": method,
                    "quantity": quantity,
                    "curves": which,
                    "n": len(own),
                    "mean": round(own["difference"].mean(), 4),
                    "abs_median": round(size.median(), 4),
                    "abs_q95": round(size.quantile(0.95), 4),
                    "abs_max": round(size.max(), 4),
                    "expected_sd_median": round(own["expected_sd"].median(), 4),
                }
            )
    return pd.DataFrame(rows)


def choice_table(fits: pd.DataFrame) -> pd.DataFrame:
    """Cross the candidate that AIC chooses with the one of most evidence; counts of curves."""
    warm = fits[~fits["first"]]
    evidence = warm[warm["method"] == "engine"].pivot(
        index="curve_id", columns="candidate", values="log_evidence"
    )
    aic = warm[warm["method"] == "scipy"].pivot(index="curve_id", columns="candidate", values="aic")
    chosen = pd.DataFrame({"aic": aic.idxmin(axis=1), "evidence": evidence.idxmax(axis=1)})
    counts = pd.crosstab(chosen["aic"], chosen["evidence"])
    counts = counts.reindex(index=CANDIDATES, columns=CANDIDATES, fill_value=0)
    failed = aic.isna().sum().reindex(CANDIDATES).rename("no_fit")
    return counts.join(failed).rename_axis("aic_chooses").reset_index()


def draw(fits: pd.DataFrame, costs: pd.DataFrame) -> Figure:
    """Draw the four questions: ratios, agreement, cost by curves, cost by sizes."""
    with styled():
        figure = Figure(figsize=(10.5, 7), layout="constrained")
        axes = figure.subplots(2, 2)
        _draw_ratios(axes[0, 0], ratios(fits))
        _draw_differences(axes[0, 1], differences(fits))
        _draw_curves(axes[1, 0], costs[costs["question"] == "curves"])
        _draw_sizes(axes[1, 1], costs[costs["question"] == "sizes"])
        sns.despine(figure)
    return figure


def _draw_ratios(axis: Axes, beside: pd.DataFrame) -> None:
    named = beside.assign(peer=beside["method"].map(PEERS))
    sns.boxplot(
        named,
        x="cpu_ratio",
        y="peer",
        hue="candidate",
        order=list(PEERS.values()),
        palette="colorblind",
        fliersize=1,
        ax=axis,
    )
    axis.axvline(1, color="0.3", lw=1, ls=":")
    axis.set(
        xscale="log",
        xlabel="CPU time, peer / engine, same curve and candidate",
        ylabel="",
        title="How many times the engine's time?",
    )
    axis.legend(fontsize="x-small", frameon=False)


def _draw_differences(axis: Axes, found: pd.DataFrame) -> None:
    good = found[found["converged"] & (found["method"] == "nutpie")]
    sns.ecdfplot(good, x="difference", hue="quantity", ax=axis)
    expected = good["expected_sd"].median()
    axis.axvspan(-1.96 * expected, 1.96 * expected, color="0.9", zorder=0)
    axis.set(
        xlabel="mean by engine less nutpie, in sds (grey: 95 % by chance)",
        ylabel="share of curves",
        title="Do the posteriors agree?",
    )


def _draw_curves(axis: Axes, costs: pd.DataFrame) -> None:
    axis.plot(costs["curves"], costs["wall_s"], "o-", label="wall seconds, 2 cores")
    axis.plot(costs["curves"], costs["cpu_s"], "s--", label="CPU seconds")
    axis.plot([WHOLE], [GOAL_SECONDS], "k*", ms=10, label="goal for BIG-bench")
    for _, row in costs.iterrows():
        axis.annotate(
            f"{row['max_rss_gib']:.1f} GiB",
            (row["curves"], row["wall_s"]),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize="x-small",
        )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="curves (SYNTHETIC, shaped as BIG-bench)",
        ylabel="seconds",
        title="What does the stage fits cost?",
    )
    axis.legend(fontsize="x-small", frameon=False)


def _draw_sizes(axis: Axes, costs: pd.DataFrame) -> None:
    axis.plot(costs["sizes_median"], costs["cpu_ms_per_curve_and_candidate"], "o-")
    axis.set(
        xlabel="model sizes of a curve (SYNTHETIC)",
        ylabel="CPU ms a curve and candidate",
        ylim=(0, None),
        title="What does a size cost?",
    )
