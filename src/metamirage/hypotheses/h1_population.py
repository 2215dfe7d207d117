"""H1, population: curves under metrics of class 1 are sharp more often than under class 0.

Observational: a task's metric is chosen for the task. Exchangeable units are tasks. Beside the
permutation stand the naive test on curves, as a warning, and the enrichment of the two metrics that
Schaeffer et al. (2023, Fig. 5C) name; the regression is in ``marginal``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_UNITS
from metamirage.hypotheses.permutation import TIE, Units, label_test, shuffle_labels
from metamirage.hypotheses.strata import LEVELS, Strata, choose_strata

Row = dict[str, object]

POPULATION = {
    "p_sharp": "mean posterior probability of a sharp transition, class 1 minus class 0",
    "sharp_share": "share of curves with verdict SHARP, class 1 minus class 0",
}
BESIDE = {
    "naive_fisher": (
        "share of SHARP curves, class 1 minus class 0, with Fisher's p-value as if curves of a task"
        " were independent: a warning, not a result"
    ),
    "enrichment": (
        "share of the two headline metrics among SHARP curves over their share among all curves"
        " tested; 1 is no enrichment"
    ),
}
NAIVE = "naive: curves of a task are not independent"
HEADLINE_SCHEME = "headline"
# Schaeffer et al. (2023, sec. 4): these two are said to hold over 92 % of emergent abilities.
HEADLINE = ("multiple_choice_grade", "exact_str_match")
# ASSUME: where neither name occurs, accuracy and exact match stand for them, if tagged
# discontinuous: then they are the argmax over options and the all-or-nothing string under other
# names. Length-normalised accuracy stays out: BIG-bench has no such variant among the two.
ANALOGUES = ("acc", "exact_match", "exact", "em")


def population_rows(curves: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> list[Row]:
    """Test H1 by permutation, once an estimand of ``POPULATION``.

    Parameters
    ----------
    curves
        One row a curve with ``label``, ``query``, ``task``, the estimands and the columns of
        ``strata.describe_curves``.
    rng, n_draws
        Of the permutations.
    """
    return [_permuted_row(curves, e, rng, n_draws) for e in POPULATION]


def _permuted_row(
    curves: pd.DataFrame, estimand: str, rng: np.random.Generator, n_draws: int
) -> Row:
    units, strata = make_units(curves, estimand)
    estimate, p_value, interval = label_test(units, rng=rng, n_draws=n_draws)
    missing = np.isnan(estimate)
    return {
        "hypothesis": "H1",
        "estimand": estimand,
        "stratum": "all",
        "estimate": estimate,
        "lower": np.nan if missing else interval.lower,
        "upper": np.nan if missing else interval.upper,
        "p_value": p_value,
        "n_tasks": curves["task"].nunique(),
        "n_curves": len(curves),
        "method": (
            f"label permutation between tasks within strata ({strata.described()});"
            " interval by the same"
        ),
        "note": "no query holds metrics of both classes"
        if missing
        else f"{_rates(curves, estimand)}; {strata.note()}",
    }


def make_units(curves: pd.DataFrame, estimand: str) -> tuple[Units, Strata]:
    """Average curves to one value a task, class and query; partners share task and query."""
    keys = ["query", "task", "label"]
    traits = [column for column in LEVELS[0] if column != "query"]
    # Traits belong to tasks, so partners always share a stratum.
    means = (
        curves.groupby(keys)
        .agg({estimand: "mean", **dict.fromkeys(traits, "first")})
        .dropna(subset=estimand)
        .reset_index()
    )
    strata = choose_strata(means)
    units = Units(
        value=means[estimand].to_numpy(float),
        label=means["label"].to_numpy(float) == 1,
        stratum=strata.code,
        partner=_partners(means),
    )
    return units, strata


def _partners(units: pd.DataFrame) -> NDArray[np.int64]:
    names = list(units[["query", "task", "label"]].itertuples(index=False, name=None))
    place = {name: i for i, name in enumerate(names)}
    return np.array([place.get((q, t, 1 - c), -1) for q, t, c in names], dtype=np.int64)


def _rates(curves: pd.DataFrame, estimand: str) -> str:
    rates = curves.groupby("label")[estimand].agg(["mean", "size"])
    return "; ".join(
        f"class {label:.0f}: {row['mean']:.3f} of {row['size']:.0f} curves"
        for label, row in rates.iterrows()
    )


def naive_row(curves: pd.DataFrame) -> Row:
    """Test SHARP against class by Fisher's exact test on curves, which is not valid.

    Curves of a task share its items and models: with 12 curves a task the test rejects a true null
    many times too often. It is there to show by how much a count of curves misleads.
    """
    shares = curves.groupby("label")["sharp_share"].agg(["sum", "size"])
    row: Row = {
        "hypothesis": "H1",
        "estimand": "naive_fisher",
        "stratum": "all",
        "lower": np.nan,
        "upper": np.nan,
        "n_tasks": curves["task"].nunique(),
        "n_curves": len(curves),
        "method": "Fisher's exact test on curves; no interval",
    }
    if len(shares) < 2:
        note = "metrics of one class only"
        return row | {"estimate": np.nan, "p_value": np.nan, "note": note}
    hits, sizes = shares["sum"].to_numpy(float), shares["size"].to_numpy(float)
    table = np.column_stack([hits, sizes - hits]).round().astype(int)
    share = hits / sizes
    return row | {
        "estimate": float(share[1] - share[0]),
        "p_value": float(min(1.0, fisher_exact(table).pvalue)),
        "note": NAIVE,
    }


def is_headline(curves: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the curves under the two headline metrics, or under what stands for them."""
    if curves["metric"].isin(HEADLINE).any():
        return curves["metric"].isin(HEADLINE).to_numpy(bool)
    # lm-eval names the filter of an answer after a comma.
    name = curves["metric"].str.split(",").str[0]
    return (name.isin(ANALOGUES) & (curves["discontinuous"] == "yes")).to_numpy(bool)


def enrichment(label: FloatArray, sharp: FloatArray, size: FloatArray) -> float:
    """Share of label 1 among sharp curves over its share among all curves.

    Parameters
    ----------
    label
        Shape (u,), 0 or 1.
    sharp, size
        Shape (u,): sharp curves and curves of each unit.
    """
    return float((label @ sharp / sharp.sum()) / (label @ size / size.sum()))


def enrichment_row(curves: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> Row:
    """Measure how much the headline metrics hold of the SHARP curves, beyond their exposure.

    The p-value permutes headline between tasks within the strata of H1 and doubles the smaller
    tail. The interval resamples tasks; it is infinite with fewer than six tasks with a SHARP curve,
    or where all or none of these are under a headline metric, since a resample can't show what did
    not occur.
    """
    labelled = curves.assign(label=is_headline(curves).astype(float))
    counts = _counts(labelled)
    row = {
        "hypothesis": "H1",
        "estimand": "enrichment",
        "scheme": HEADLINE_SCHEME,
        "stratum": "all",
        "n_tasks": labelled["task"].nunique(),
        "n_curves": len(labelled),
        "method": "label permutation between tasks within strata; interval: tasks resampled",
        "note": _shares(labelled),
    }
    why = _not_enriched(labelled)
    if why:
        empty = dict.fromkeys(["estimate", "lower", "upper", "p_value"], np.nan)
        return row | empty | {"note": why}
    lower, upper = resampled_interval(counts, rng=rng, n_draws=n_draws)
    estimate = enrichment(
        labelled["label"].to_numpy(float),
        labelled["sharp_share"].to_numpy(float),
        np.ones(len(labelled), dtype=np.float64),
    )
    p_value = enrichment_p(labelled, rng=rng, n_draws=n_draws)
    return row | {"estimate": estimate, "lower": lower, "upper": upper, "p_value": p_value}


def _not_enriched(labelled: pd.DataFrame) -> str:
    if labelled["label"].nunique() < 2:
        return "headline metrics hold all curves or none"
    if labelled["sharp_share"].sum() == 0:
        return "no curve is SHARP"
    return ""


def _shares(labelled: pd.DataFrame) -> str:
    sharp = labelled[labelled["sharp_share"] == 1]
    names = ", ".join(sorted(labelled.loc[labelled["label"] == 1, "metric"].unique()))
    return (
        f"{int(sharp['label'].sum())} of {len(sharp)} SHARP and {int(labelled['label'].sum())} of"
        f" {len(labelled)} tested curves are under {names}"
    )


def enrichment_p(labelled: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> float:
    """Two-sided permutation p-value of the enrichment: the smaller tail, doubled.

    Labels that move between tasks with unlike numbers of curves change the headline share of all
    curves, which is no news about sharp ones. So the statistic is the number of sharp headline
    curves less what the rate of sharp curves of each stratum would give; with equally many curves
    a task in one stratum it orders labellings as the enrichment does.

    Parameters
    ----------
    labelled
        Curves with ``label`` (headline), ``sharp_share`` and the columns of the strata.
    rng, n_draws
        Of the permutations; the identity counts besides.
    """
    units, _ = make_units(labelled, "sharp_share")
    counted = labelled.groupby(["query", "task", "label"])["sharp_share"].size()
    size: FloatArray = counted.astype(float).to_numpy(float)
    sharp = units.value * size
    in_stratum = pd.DataFrame({"sharp": sharp, "size": size}).groupby(units.stratum)
    totals = in_stratum.transform("sum")
    excess = sharp - size * (totals["sharp"] / totals["size"]).to_numpy(float)
    labels = [units.label, *(shuffle_labels(units, rng) for _ in range(n_draws))]
    drawn = np.array([label @ excess for label in labels])
    tails = np.mean(drawn >= drawn[0] - TIE), np.mean(drawn <= drawn[0] + TIE)
    return float(min(1.0, 2 * min(tails)))


def _counts(labelled: pd.DataFrame) -> FloatArray:
    """Curves a task, shape (tasks, 4): sharp headline, headline, sharp, all."""
    columns = labelled.assign(both=labelled["label"] * labelled["sharp_share"], one=1.0)
    return columns.groupby("task")[["both", "label", "sharp_share", "one"]].sum().to_numpy(float)


def resampled_interval(
    counts: FloatArray, *, rng: np.random.Generator, n_draws: int, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the enrichment from tasks drawn with replacement.

    Parameters
    ----------
    counts
        Shape (tasks, 4): curves that are sharp and headline, headline, sharp, all.
    rng, n_draws
        Of the resampling.
    level
        Coverage.
    """
    both, _, sharp, _ = counts.sum(axis=0)
    if (counts[:, 2] > 0).sum() < MIN_UNITS or both in (0.0, sharp):
        return -np.inf, np.inf
    n = len(counts)
    # SciPy's bootstrap loses the whole interval to a single resample without a ratio.
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=n_draws) @ counts
    usable = drawn[(drawn[:, 1] > 0) & (drawn[:, 2] > 0)]
    ratio = (usable[:, 0] / usable[:, 2]) / (usable[:, 1] / usable[:, 3])
    lower, upper = np.quantile(ratio, [(1 - level) / 2, (1 + level) / 2])
    return float(lower), float(upper)
