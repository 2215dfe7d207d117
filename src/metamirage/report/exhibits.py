"""Figures with what a reader needs around them: the question, the caption, the text for the blind.

A caption says how to read the figure and what would change the conclusion. An exhibit that has
nothing to show keeps its place and says why.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from metamirage.base.thresholds import JUMP_MIN, MIN_SIZES_VERDICT, P_JUMP, SHARP_WIDTH
from metamirage.base.vocabulary import CANDIDATES, SAME_OUTPUTS
from metamirage.curves.curve import Curve
from metamirage.hypotheses.concentration import tested_curves
from metamirage.report.figures import charts as figures
from metamirage.report.forecasting import chosen
from metamirage.report.panels import interleaved, make_panels, sharpest, shown_pairs
from metamirage.report.terms import VERDICT_RULES
from metamirage.report.text import count_of, listed, percent, plural, s_above

N_SHARPEST = 9
N_PAIRS = 4


@dataclass(frozen=True)
class Exhibit:
    """A figure of the page.

    Parameters
    ----------
    anchor
        Id in the page.
    title
        The question the figure answers.
    caption
        How to read it and what would change the conclusion.
    alt
        What is to be seen, in words.
    image
        Data address; empty if there is nothing to draw, and ``caption`` says why.
    """

    anchor: str
    title: str
    caption: str
    alt: str = ""
    image: str = ""


def embedded(figure: Figure) -> str:
    """Turn a figure into an address that needs no file: SVG in base64."""
    return f"data:image/svg+xml;base64,{b64encode(figures.as_svg(figure)).decode('ascii')}"


def verdict_exhibit(curves: pd.DataFrame) -> Exhibit:
    """Verdicts by class of metric; columns ``verdict`` and ``metric_class``."""
    shares = figures.verdict_shares(curves)
    told = listed(
        [f"{r.verdict} under {r.metric_class} metrics {r.label}" for r in shares.itertuples()],
        most=len(shares),
    )
    return Exhibit(
        "verdicts",
        "Do sharp transitions sit in one class of metric?",
        f"Each bar is the share of a class's curves that got a verdict;"
        f" {plural(len(curves), 'curve')} in all, left-out ones included. Classes differ in their"
        " tasks as well as in their metrics, so a difference here is no effect of the metric: the"
        " tests below compare on the same outputs. Other thresholds for a verdict would move curves"
        " in and out of UNRESOLVED.",
        f"Bar chart of verdicts by class of metric: {told}.",
        embedded(figures.draw_verdicts(curves)),
    )


def width_exhibit(curves: pd.DataFrame, *, prior: str) -> Exhibit:
    """Width against location of curves that surely rise."""
    anchor, title = "widths", "How wide is the rise, and where does it lie?"
    rising = curves[curves["p_jump"] > P_JUMP]
    if rising.empty:
        return Exhibit(anchor, title, f"No curve rises with P(jump > {JUMP_MIN}) > {P_JUMP}.")
    narrow = int((rising["width_median"] < SHARP_WIDTH).sum())
    outside = int((rising["location_median"] > rising["size_max"]).sum())
    told = f"{count_of(narrow, len(rising))} have a median width below {SHARP_WIDTH:g} decade"
    return Exhibit(
        anchor,
        title,
        f"{count_of(len(rising), len(curves))} curves rise with P(jump > {JUMP_MIN}) > {P_JUMP};"
        f" {told}; the half-way point of {outside:,} lies beyond the largest model (right of the"
        " grey window), where the width is what the prior and the visible part allow. Lines: 1"
        f" decade (sharp below) and 2 decades (smooth above)."
        f" {_whisker_words(len(rising))} Prior of the width: {prior}; curves whose intervals reach"
        " over a line would move with another.",
        f"Scatter plot of width against location: {told}.",
        embedded(figures.draw_widths(rising)),
    )


def _whisker_words(n: int) -> str:
    if n <= figures.MAX_WHISKERS:
        return "Thin lines are 90 % intervals."
    return "Intervals would hide each other; the explorer gives them for each curve."


def sharpest_exhibit(
    fits: pd.DataFrame, curves: Mapping[str, Curve], *, settings: Mapping[str, object]
) -> Exhibit:
    """Small multiples of the curves with the highest P(sharp)."""
    anchor, title = "sharpest", "What do the sharpest curves look like?"
    chosen = sharpest(fits, N_SHARPEST)
    if not chosen:
        return Exhibit(anchor, title, "No curve enters the tests.")
    panels = make_panels(curves, fits, chosen, settings=settings)
    told = listed([f"{p.title}: {p.subtitle}" for p in panels], most=N_SHARPEST)
    return Exhibit(
        anchor,
        title,
        f"The {plural(len(panels), 'curve')} with the highest P(sharp transition), one a task and"
        f" metric, without those left out of the tests or with fewer than {MIN_SIZES_VERDICT}"
        " sizes, in the unit of the source. Points carry 95 % intervals (binomial where the items"
        " are known); bands are 90 % posterior intervals of the sigmoid and of the straight line,"
        f" prior {settings['prior']}, seed {settings['seed']}. SHARP needs"
        f" {VERDICT_RULES['SHARP']}. These are the extremes of {plural(len(fits), 'curve')}:"
        " chosen for height, they overstate what a second run would show. A model between two of"
        " the sizes could widen or split any of these rises.",
        f"Scores over model size with fitted bands. {told}.",
        embedded(figures.draw_panels(panels)),
    )


def pair_exhibit(
    tested: pd.DataFrame,
    fits: pd.DataFrame,
    curves: Mapping[str, Curve],
    *,
    settings: Mapping[str, object],
) -> Exhibit:
    """Curves of the same models under two metrics, side by side."""
    anchor, title = "pairs", "Does the metric change the picture on the same models?"
    pairs = shown_pairs(tested, N_PAIRS)
    if pairs.empty:
        return Exhibit(
            anchor, title, "No task of this benchmark has both a discontinuous and another metric."
        )
    panels = make_panels(curves, fits, interleaved(pairs), settings=settings)
    same = int((pairs["stratum"] == SAME_OUTPUTS).sum())
    told = listed(
        [f"{p.title}, {p.metric}: {p.subtitle}".replace("\n", " ") for p in panels],
        most=2 * N_PAIRS,
    )
    return Exhibit(
        anchor,
        title,
        "Each row is one task: left its discontinuous metric, right one that is not. Pairs shown:"
        f" {len(pairs)}; on the same outputs: {same}. Other pairs ask the same models another"
        " question, which may differ in difficulty. If the metric made the sharpness, the left band"
        " would be steeper. Points, bands and settings as in the figure above.",
        f"Pairs of curves. {told}.",
        embedded(figures.draw_panels(panels, n_columns=2)),
    )


def forecast_exhibit(forecasts: pd.DataFrame) -> Exhibit:
    """Calibration of the forecasts of the largest models."""
    anchor, title = "forecasts-figure", "Do small models tell the scores of the largest?"
    groups = _forecast_groups(forecasts)
    if not groups:
        return Exhibit(anchor, title, "No curve is long enough to leave its largest size out.")
    told = ", ".join(
        f"{name.replace(chr(10), ', ')} {percent(rows['inside_80'].astype(float).mean())}"
        for name, rows in groups.items()
    )
    return Exhibit(
        anchor,
        title,
        "Where the left-out score ranks in its forecast: 0 below everything forecast, 1 above; a"
        " count that ties with part of its forecast is spread over that part. Good"
        " forecasts fill all bars to the dashed line; bars at the right are scores higher than"
        " forecast, bars at both ends forecasts too sure of themselves, a hump in the middle"
        " forecasts too wide. Candidates and their average forecast the largest size from all"
        " others unless the title says that two sizes are left out. Curves of one benchmark share"
        " models and items, so the bars scatter more than independent counts would.",
        f"Histograms of forecast ranks. Share of scores inside the 80 % interval: {told}.",
        embedded(figures.draw_calibration(groups)),
    )


def _forecast_groups(forecasts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of each panel by its title; those with forecasts."""
    largest = chosen(forecasts, 1, 1)
    direct = {name: (largest, name) for name in (*CANDIDATES, "averaged")}
    direct |= {
        "averaged, two out\nlargest": (chosen(forecasts, 2, 1), "averaged"),
        "averaged, two out\nsecond largest": (chosen(forecasts, 2, 2), "averaged"),
    }
    one_out = forecasts[(forecasts["n_left_out"] == 1) & (forecasts["partner"] != "")]
    direct |= {
        "two-step": (one_out, "two_step"),
        "link, partner known": (one_out, "link_given_partner"),
    }
    rows = {title: table[table["predictor"] == name] for title, (table, name) in direct.items()}
    return {title: found for title, found in rows.items() if len(found)}


def disagreement_exhibit(curves: pd.DataFrame) -> Exhibit:
    """S against the posterior probability of a sharp transition."""
    anchor, title = "disagreement", "Where do S and the posterior disagree?"
    ratio = curves["breakthroughness"] / curves["null_q95"]
    drawn = curves[ratio.notna()]
    if not (np.isfinite(ratio) & (ratio > 0)).any():
        return Exhibit(anchor, title, "S is positive and finite for no curve: nothing to compare.")
    above = s_above(drawn)
    doubted = int((above & (drawn["p_sharp"] < 0.5)).sum())
    missed = int((~above & (drawn["p_sharp"] >= 0.5)).sum())
    told = (
        f"{count_of(doubted, len(drawn))} curves have S above its reference and P(sharp) below 0.5;"
        f" {missed:,} the other way round"
    )
    return Exhibit(
        anchor,
        title,
        f"Right of the dotted line, S is larger than for 95 % of flat curves of the same sizes and"
        f" items; the grey strip holds infinite S. {told}. Curves without a ratio, not drawn:"
        f" {len(curves) - len(drawn):,}. S sees the order of sizes and not their distance, and"
        " grows with the number of items; a rule that asked more than the flat reference would"
        " move the line to the right.",
        f"Scatter plot of S over its flat reference against P(sharp): {told}.",
        embedded(figures.draw_disagreement(drawn)),
    )


def all_exhibits(
    joined: pd.DataFrame,
    *,
    fits: pd.DataFrame,
    forecasts: pd.DataFrame,
    tags: pd.DataFrame,
    curves: Mapping[str, Curve],
    settings: Mapping[str, object],
) -> list[Exhibit]:
    """Make the figures of a benchmark's page, in their order.

    Parameters
    ----------
    joined
        Fits and scores with ``metric_class``, ``size_min`` and ``size_max``.
    fits, forecasts, tags
        Tables of the benchmark.
    curves
        By ``curve_id``.
    settings
        Of the run.
    """
    tested = tested_curves(fits, forecasts, tags)
    return [
        verdict_exhibit(joined),
        width_exhibit(joined, prior=str(settings["prior"])),
        sharpest_exhibit(fits, curves, settings=settings),
        pair_exhibit(tested, fits, curves, settings=settings),
        forecast_exhibit(forecasts),
        disagreement_exhibit(joined),
    ]
