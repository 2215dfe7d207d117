"""How often the tests themselves are wrong: the selfcheck's rates, in words, a table and a figure.

Rates come from the table alone. A claim is printed beside those of its own test, in the worlds
without an effect of class (type-I error) and in those with one (power).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from metamirage.contracts.latent import LATENT_VERDICTS
from metamirage.contracts.selfcheck import PREDICTED, SWAPPED
from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures.charts import BLUE, VERMILION, styled
from metamirage.report.layouts import Plain
from metamirage.report.text import NBSP, count_of, listed, number, percent, plural
from metamirage.simulation.rates import LEVEL
from metamirage.simulation.worlds import NULL_WORLDS, SENTENCES

PREDICTED_GAIN = f"log_score_gain_{PREDICTED}"
NOT_MEASURED = "The error rates of this test were not measured."
# Rows that the figure shows: those that stand for a hypothesis, and naive ones beside them.
SHOWN = {
    ("H2", "log10_width"): "H2 width (primary)",
    ("H2", "log10_width_equal"): "H2 width, pairs alike",
    ("H2", "log10_width_default"): "H2 width, prior of the fits",
    ("H2", "naive_flips"): "H2 width by pair (naive)",
    ("H2", "location"): "H2 location",
    ("H1", "sharp_share"): "H1 share of SHARP",
    ("H1", "p_sharp"): "H1 P(sharp)",
    ("H1", "naive_fisher"): "H1 Fisher by curve (naive)",
    ("H5", "translation"): "H5 translation",
    ("H4", PREDICTED_GAIN): "H4 of all curves, as predicted",
    ("H4", f"log_score_gain_rising_{PREDICTED}"): "H4, as predicted",
    ("H4", f"log_score_gain_rising_{SWAPPED}"): "H4, forecasts named at random",
    ("H2, H4", f"any_holm_{PREDICTED}"): "H2 or H4 after Holm, as predicted",
}
# What a test asks that is true without an effect of class: rejecting is then right. Two ways to
# forecast differ in every world, in either direction.
RIGHT_WITHOUT_EFFECT = {
    ("H5", "equal_width"),
    *(("H4", name) for name in ("log_score_gain", "crps_gain", "log_score_gain_rising")),
    ("H4", "log_score_gain_rising_holm"),
    ("H2, H4", "any_holm"),
}
# Kinds of skill that do not break, and those that do: a verdict that says the other is false.
UNBROKEN, BROKEN = ("flat", "smooth"), ("break",)


def tests_of(rates: pd.DataFrame) -> pd.DataFrame:
    """Rows of tests that had a p-value at least once."""
    return rates[(rates["kind"] == "test") & (rates["cases"] > 0)]


def beside_claim(rates: pd.DataFrame | None, *, hypothesis: str, estimand: str) -> str:
    """Say how often the test behind a claim rejects in simulated worlds.

    Parameters
    ----------
    rates
        Table ``findings.RATES``, if there is one.
    hypothesis, estimand
        Of the claim's row.
    """
    if rates is None:
        # The page says once that nothing was measured.
        return ""
    null, power = _by_effect(rates, hypothesis, estimand)
    if null.empty and power.empty:
        return NOT_MEASURED
    said = [
        f"Measured on simulated benchmarks, at {LEVEL}: without an effect of class this test"
        f" rejects in {_rates_said(null)}; with one in {_rates_said(power)}."
    ]
    signed, power = _by_effect(rates, hypothesis, f"{estimand}_{PREDICTED}")
    if signed.empty:
        return " ".join([*said, *_warning(null)])
    said.append(
        "Class or no class, what it compares is equal in no world; with the sign that the thesis"
        f" predicts it rejects in {_rates_said(signed)}; with an effect in {_rates_said(power)}."
    )
    equal, _ = _by_effect(rates, hypothesis, f"{estimand}_{SWAPPED}")
    if len(equal):
        said.append(
            "Where the two forecasts of each task are named at random, so that neither is better,"
            f" it rejects in {_rates_said(equal)}."
        )
    return " ".join([*said, *_warning(signed), *_warning(equal)])


def _by_effect(
    rates: pd.DataFrame, hypothesis: str, estimand: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of one test in the worlds without anything to find, and in those with an effect."""
    found = tests_of(rates)
    found = found[(found["hypothesis"] == hypothesis) & (found["estimand"] == estimand)]
    return found[found["world"].isin(NULL_WORLDS)], found[found["class_effect"].astype(bool)]


def beside_verdicts(rates: pd.DataFrame | None) -> str:
    """Say how often the verdicts of H3 were false, and how often they saw a break or a mirage."""
    if rates is None:
        return ""
    found = rates[(rates["kind"] == "latent") & (rates["cases"] > 0)]
    if found.empty:
        return NOT_MEASURED
    unbroken, broken = (_verdict_rows(found, kinds) for kinds in (UNBROKEN, BROKEN))
    return " ".join(
        f"{head}: {'; '.join(_verdict_said(row) for row in rows.to_dict('records')) or 'no task'}."
        for head, rows in (
            ("False real, measured on simulated tasks that do not break", unbroken["real"]),
            ("False mirage, on tasks that break", broken["metric-explained"]),
            ("Breaks called real", broken["real"]),
            ("Unbroken tasks called metric-explained", unbroken["metric-explained"]),
        )
    )


def _verdict_rows(found: pd.DataFrame, kinds: Iterable[str]) -> dict[str, pd.DataFrame]:
    return {
        verdict: found[found["estimand"].isin([f"{verdict} of {kind}" for kind in kinds])]
        for verdict in LATENT_VERDICTS
    }


def _verdict_said(row: Mapping[Any, Any]) -> str:
    return (
        f"{number(row['hits'])} of {plural(int(row['cases']), 'task')} of {row['world']}"
        f" ({percent(row['rate'])}; 95{NBSP}% interval {percent(row['lower'])} to"
        f" {percent(row['upper'])})"
    )


def foresight_warning(rates: pd.DataFrame) -> list[str]:
    """Say in which worlds without an effect of class H4 finds for the thesis all the same."""
    found = tests_of(rates)
    ahead = found[(found["hypothesis"] == "H4") & (found["estimand"] == PREDICTED_GAIN)]
    null = ahead[~ahead["class_effect"].astype(bool)]
    wrong = null[null["lower"] > LEVEL]
    if null.empty:
        return []
    power = _rates_said(ahead[ahead["class_effect"].astype(bool)])
    where = listed([str(world) for world in wrong["world"]], most=9)
    return [
        "H4 over all curves, flat ones included: in worlds without an effect of class two-step"
        f" forecasts win, at {LEVEL} and with the predicted sign, in {_rates_said(null)};"
        f" with one in {power}. "
        + (
            f"In {where} they win by being the closer forecast and not by the metric's class, so a"
            " gain alone does not speak for the thesis."
            if where
            else "A gain where class has no effect is as rare as the level says."
        )
    ]


def _rates_said(rows: pd.DataFrame) -> str:
    said = [
        f"{percent(row['rate'])} (95{NBSP}% interval {percent(row['lower'])} to"
        f" {percent(row['upper'])}) of {plural(int(row['cases']), 'set')} of {row['world']}"
        for row in rows.to_dict("records")
    ]
    return " and ".join(said) or "no set"


def _warning(null: pd.DataFrame) -> list[str]:
    wrong = null[null["lower"] > LEVEL]
    if wrong.empty:
        return []
    return [f"In {', '.join(wrong['world'])} that is too often: don't rely on its p-value."]


def standing(rates: pd.DataFrame | None, *, unknown: str) -> str:
    """Say what was simulated, or that nothing was."""
    if rates is None:
        return unknown
    sets = rates.groupby("world")["n_sets"].max()
    return (
        f"The error rates beside the claims are measured: {plural(int(sets.sum()), 'benchmark')}"
        " simulated with known truth went through the same functions (reports/selfcheck.html); the"
        " worlds are simpler than real benchmarks, with"
        " independent tasks and the noise that the models assume in kind."
    )


def worlds_said(rates: pd.DataFrame) -> dict[str, str]:
    """Say what each world is and how many sets of it were simulated."""
    sets = rates.groupby("world")["n_sets"].max()
    return {
        f"{world}, {plural(int(sets[world]), 'set')}": SENTENCES[world]
        for world in sorted(sets.index)
    }


def findings(rates: pd.DataFrame) -> list[str]:
    """Say which tests keep their level where class has no effect, and which do not."""
    found = tests_of(rates)
    null = found[
        found["world"].isin(NULL_WORLDS) & ~_keys(found).isin(RIGHT_WITHOUT_EFFECT).to_numpy()
    ]
    above, within = null[null["lower"] > LEVEL], null[null["lower"] <= LEVEL]
    return [
        f"{count_of(len(within), len(null))} tests keep the level of {LEVEL} in W0 or W1 as far as"
        f" the sets can tell; {len(above):,} reject too often: {_named(above) or 'none'}.",
        *_bias(found),
        *_coverage(rates),
        *_sharp(rates),
        *foresight_warning(rates),
        *([beside_verdicts(rates)] if (rates["kind"] == "latent").any() else []),
    ]


def _keys(rows: pd.DataFrame) -> pd.Series:
    return rows[["hypothesis", "estimand"]].apply(tuple, axis=1)


def _named(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("rate", ascending=False).to_dict("records")
    named = [
        f"{r['hypothesis']} {r['estimand']} {percent(r['rate'])} ({r['world']})" for r in ordered
    ]
    return listed(named, most=12)


def _bias(found: pd.DataFrame) -> Iterable[str]:
    """Set the primary measure's mean without an effect of class beside that with one."""
    primary = found[(found["hypothesis"] == "H2") & (found["estimand"] == "log10_width")]
    null = primary[primary["world"].isin(NULL_WORLDS)]
    if null.empty:
        return
    told = [_mean_said(row) for row in null.to_dict("records")]
    effect = [_mean_said(row) for row in primary[primary["class_effect"]].to_dict("records")]
    yield (
        "H2 width: where class has no effect its estimates average"
        f" {' and '.join(told)}; a mean that is not small beside the sd makes a test of more"
        f" tasks reject more often. With one they average {' and '.join(effect) or 'nothing'}."
    )


def _mean_said(row: Mapping[Any, Any]) -> str:
    return (
        f"{number(row['mean_estimate'])} log10 decades (sd {number(row['sd_estimate'])};"
        f" {row['world']})"
    )


def _coverage(rates: pd.DataFrame) -> Iterable[str]:
    for row in rates[(rates["kind"] == "coverage") & (rates["cases"] > 0)].to_dict("records"):
        yield (
            f"{row['world']}: the 90{NBSP}% interval of {row['estimand']} holds the truth for"
            f" {count_of(int(row['hits']), int(row['cases']))} curves that rise."
        )


def _sharp(rates: pd.DataFrame) -> Iterable[str]:
    sharp = rates[(rates["kind"] == "verdict") & rates["estimand"].str.startswith("SHARP of ")]
    for row in sharp.to_dict("records"):
        kind = str(row["estimand"]).removeprefix("SHARP of ")
        yield (
            f"{row['world']}: SHARP is the verdict on"
            f" {count_of(int(row['hits']), int(row['cases']))} curves of {_KINDS[kind]}."
        )


_KINDS = {
    "flat": "flat skills",
    "smooth": "skills that grow smoothly",
    "break": "skills that break",
    "switch": "runs that end in one of two states",
}


def rate_table(rates: pd.DataFrame) -> Plain:
    """Lay out the rejections of all tests, a row a test and world."""
    ordered = tests_of(rates).sort_values(["hypothesis", "estimand", "world"], kind="stable")
    heads = (
        "hypothesis", "estimand", "world", "sets", "rejected", "rate", "95 % interval",
        "mean estimate", "sd of estimates",
    )  # fmt: skip
    return Plain(
        caption=f"One row is one test in one world; rejected: p of at most {LEVEL}.",
        columns=heads,
        rows=tuple(_rate_row(row) for row in ordered.to_dict("records")),
        numeric=frozenset({3, 4, 5, 7, 8}),
    )


def _rate_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["hypothesis"]),
        str(row["estimand"]),
        str(row["world"]),
        number(row["cases"]),
        number(row["hits"]),
        percent(row["rate"]),
        f"{percent(row['lower'])} to {percent(row['upper'])}",
        number(row["mean_estimate"]),
        number(row["sd_estimate"]),
    )


def rate_exhibit(rates: pd.DataFrame) -> Exhibit:
    """Show the rejection rates of the main tests by world."""
    found = tests_of(rates)
    shown = found[_keys(found).isin(list(SHOWN)).to_numpy()]
    told = _named(shown[shown["world"].isin(NULL_WORLDS)])
    return Exhibit(
        "rates",
        "How often do the tests reject, where there is nothing and where there is something?",
        "Points are shares of simulated sets with a p-value of at most"
        f" {LEVEL}, lines exact 95{NBSP}% intervals. Orange worlds have no effect of class: a good"
        f" test lies on the dotted line at {LEVEL}, left of it where it is cautious. In blue worlds"
        " the metrics make a mirage: further right is better. More tasks than the simulated sets"
        " have would bring more power, and more rejections where an estimate is biased.",
        f"Dot plot of rejection rates by test and world. Without effect: {told}.",
        embedded(draw_rates(shown)),
    )


def draw_rates(rates: pd.DataFrame) -> Figure:
    """Dot plot of rejection rates, a panel a world.

    Parameters
    ----------
    rates
        Rows of ``SHOWN`` tests.
    """
    worlds = sorted(rates["world"].unique())
    names = list(SHOWN.values())[::-1]
    with styled():
        figure = Figure(figsize=(1.9 + 1.55 * len(worlds), 4.2), layout="constrained")
        axes = figure.subplots(1, len(worlds), squeeze=False, sharey=True)[0]
        for axis, world in zip(axes, worlds, strict=True):
            rows = rates[rates["world"] == world]
            height = [names.index(SHOWN[key]) for key in _keys(rows)]
            colour = BLUE if rows["class_effect"].any() else VERMILION
            rate = rows["rate"].to_numpy(float)
            reach = np.abs(rows[["lower", "upper"]].to_numpy(float).T - rate)
            axis.axvline(LEVEL, color="0.35", linestyle=":", linewidth=1)
            axis.errorbar(rate, height, xerr=reach, fmt="o", color=colour, markersize=4)
            axis.set(xlim=(-0.03, 1.03), xticks=[0, 0.5, 1], title=world, xlabel="rejected")
            axis.set_yticks(range(len(names)), names)
    return figure


def verdict_table(rates: pd.DataFrame) -> Plain:
    """Lay out the verdicts on tasks by their latent, a row a world, kind of skill and verdict."""
    ordered = rates[rates["kind"] == "latent"].sort_values(["world", "estimand"], kind="stable")
    return Plain(
        caption="One row is one verdict of H3 on one kind of skill: real is false where nothing"
        " breaks, metric-explained where something does; a switch is neither.",
        columns=("world", "verdict and skill", "tasks", "so called", "rate", "95 % interval"),
        rows=tuple(
            (str(row["world"]), str(row["estimand"]), *_rate_row(row)[3:7])
            for row in ordered.to_dict("records")
        ),
        numeric=frozenset({2, 3, 4}),
    )


def page_parts(rates: pd.DataFrame, *, source: str) -> dict[str, object]:
    """Everything the selfcheck's page shows, by the names of its template.

    Parameters
    ----------
    rates
        Table ``findings.RATES``.
    source
        File it was read from.
    """
    found = tests_of(rates)
    primary = found[(found["hypothesis"] == "H2") & (found["estimand"] == "log10_width")]
    null = primary[primary["world"].isin(NULL_WORLDS)]
    first = rates.iloc[0]
    return {
        "lead": f"The primary test (H2, width) rejects at {LEVEL} in {_rates_said(null)}, where"
        " there is nothing to find.",
        "worlds": worlds_said(rates),
        "findings": findings(rates),
        "exhibit": rate_exhibit(rates),
        "table": rate_table(rates),
        "verdicts": verdict_table(rates),
        "run": {
            "table": source,
            "seed": str(first["seed"]),
            "permutations": str(first["n_draws"]),
            "versions": str(first["versions"]),
            "made by": "snakemake --cores 8 selfcheck",
        },
    }
