"""The page of the mechanism: a toy model, networks trained here, and what was predicted of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metamirage.base.vocabulary import VERDICTS
from metamirage.contracts.check import read_table
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.fits import FITS
from metamirage.contracts.latent import LATENT, LATENT_VERDICTS
from metamirage.contracts.mechanism import MECHANISM
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.ingest.registry import BenchmarkSpec, load_spec
from metamirage.networks import toy_model as toy
from metamirage.report.exhibits import Exhibit, embedded
from metamirage.report.figures.charts import BLUE, GREEN, ORANGE, SKY, VERMILION, styled
from metamirage.report.layouts import Plain
from metamirage.report.results import H1_ROW, H2_ROW, H4_ROW, chosen_row, interval_text, p_text
from metamirage.report.text import NBSP, listed, number, plural

# The toy's numbers: c at a billion parameters, and an exponent steep enough to see a whole rise.
SCALE, EXPONENT = 9.0, 0.6
SIZES = np.linspace(6.0, 13.0, 281)
LENGTHS = (1, 2, 4, 8)
ITEMS = (100, 1000, 10000)
COLOURS = (BLUE, SKY, ORANGE, VERMILION)
NAMES = {
    "metric_swap": "Another metric of the same outputs takes the sharpness away",
    "resolution": "More test items show success where few show none",
    "target_length": "A longer target compounds in exact match and adds up in edit distance",
    "threshold": "A threshold on a smooth error makes a sharp transition",
    "subset": "Asking for K right in a row makes the rise come later",
    "real": "Positive control: the transition is sharp under continuous metrics too",
}
# Benchmark, task, and the metrics that its figure shows beside each other.
SHOWN = {
    "digits": ("reconstruct 4", ("reconstructed", "mse")),
    "arithmetic": (
        "addition of 4 digits",
        ("exact_match", "token_edit_distance", "log_likelihood"),
    ),
    "compositional": ("parity of 4 of 10 bits", ("accuracy", "log_likelihood", "brier")),
}


@dataclass(frozen=True)
class MechanismInputs:
    """Everything the page is made from, by benchmark.

    Parameters
    ----------
    specs
        Registry entries: of networks trained here, and of published scores beside them.
    mechanism, tidy, tags
        Tables of networks trained here.
    fits, latent, concentration
        Tables of all of them.
    run
        Facts of the run, by name.
    """

    specs: Mapping[str, BenchmarkSpec]
    mechanism: Mapping[str, pd.DataFrame]
    tidy: Mapping[str, pd.DataFrame]
    tags: Mapping[str, pd.DataFrame]
    fits: Mapping[str, pd.DataFrame]
    latent: Mapping[str, pd.DataFrame]
    concentration: Mapping[str, pd.DataFrame]
    run: Mapping[str, str]

    @classmethod
    def read(cls, paths: Mapping[str, Sequence[str]], *, run: Mapping[str, str]) -> MechanismInputs:
        """Read the files of the page.

        Parameters
        ----------
        paths
            ``specs`` and one list a table, by the names of the fields; files bear the benchmark's
            name.
        run
            As in the class.

        Raises
        ------
        InputError
            If a table breaks its contract, or a registry entry is faulty.
        """
        contracts = (MECHANISM, TIDY, TAGS, FITS, LATENT, CONCENTRATION)
        tables = {
            c.name: {Path(path).stem: read_table(path, c) for path in paths[c.name]}
            for c in contracts
        }
        entries = [load_spec(Path(path)) for path in paths["specs"]]
        return cls(specs={entry.name: entry for entry in entries}, run=run, **tables)


def page_parts(inputs: MechanismInputs) -> dict[str, object]:
    """Everything the page shows, by the names of its template."""
    found = pd.concat(list(inputs.mechanism.values()), ignore_index=True)
    return {
        "lead": lead(found),
        "toys": toy_exhibits(),
        "defaults": {"scale": SCALE, "exponent": EXPONENT},
        "outcomes": {NAMES[name]: sentences(found, name) for name in _in_order(found)},
        "measured": [
            measured_exhibit(inputs.tidy[name], inputs.tags[name]) for name in inputs.tidy
        ],
        "predictions": prediction_table(found),
        "comparison": comparison_table(inputs),
        "titles": {name: spec.title for name, spec in inputs.specs.items()},
        "run": inputs.run,
    }


def _in_order(found: pd.DataFrame) -> list[str]:
    return [name for name in NAMES if name in set(found["prediction"])]


def lead(found: pd.DataFrame) -> str:
    """Count how the measures of the predictions came out."""
    judged = found[found["outcome"] != "told"]
    counts = judged["outcome"].value_counts()
    held, failed, left = (counts.get(name, 0) for name in ("holds", "fails", "open"))
    return (
        f"What the explanation of 2023 predicts of networks trained here was measured in"
        f" {plural(len(judged), 'way')}: it holds in {held:,}, fails in {failed:,}, and {left:,}"
        " cannot tell."
    )


def sentences(found: pd.DataFrame, prediction: str) -> list[str]:
    """Put every measure of one prediction into a sentence."""
    rows = found[found["prediction"] == prediction]
    return [_sentence(row) for row in rows.to_dict("records")]


def _sentence(row: Mapping[Any, Any]) -> str:
    value = f"{number(row['estimate'])} {row['unit']}"
    if np.isnan(row["estimate"]):
        value = "nothing to measure"
    facts = [f"n = {row['n']:,} in {plural(int(row['n_tasks']), 'task')}"]
    if not np.isnan(row["lower"]):
        facts.insert(0, interval_text(row["lower"], row["upper"], int(row["n_tasks"])))
    said = f"{row['benchmark']}, {row['measure']}: {value} ({'; '.join(facts)})."
    return said if row["outcome"] == "told" else f"{said} The prediction {_VERBS[row['outcome']]}."


_VERBS = {"holds": "holds", "fails": "fails", "open": "stays open"}


def prediction_table(found: pd.DataFrame) -> Plain:
    """Lay out all measures with their ranges."""
    heads = ("benchmark", "measure", "estimate", "95 % interval", "agrees", "outcome", "tasks", "n")
    return Plain(
        caption="One row is one measure. It holds if its whole interval lies in the range that"
        " agrees, fails if none of it does, and is open otherwise; rows without a range only tell.",
        columns=heads,
        rows=tuple(_prediction_row(row) for row in found.to_dict("records")),
        numeric=frozenset({2, 6, 7}),
    )


def _prediction_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        row["benchmark"],
        f"{row['measure']} ({row['unit']})",
        number(row["estimate"]),
        "" if np.isnan(row["lower"]) else f"{number(row['lower'])} to {number(row['upper'])}",
        "" if np.isnan(row["low"]) else f"{number(row['low'])} to {number(row['high'])}",
        row["outcome"],
        number(row["n_tasks"]),
        number(row["n"]),
    )


def comparison_table(inputs: MechanismInputs) -> Plain:
    """Lay the concentration of these benchmarks beside that of published scores."""
    heads = ("benchmark", "what", "estimate", "95 % interval", "p", "tasks")
    rows = [row for name in inputs.concentration for row in _comparison_rows(inputs, name)]
    return Plain(
        caption="The tests of every benchmark, discontinuous against not discontinuous metrics, and"
        " what the latent stage says of its tasks.",
        columns=heads,
        rows=tuple(rows),
        numeric=frozenset({2, 5}),
    )


_COMPARED = {
    "H1: more often SHARP": H1_ROW,
    "H2: narrower on the same outputs, log10 decades": H2_ROW,
    "H4: better foretold through the partner, nats": H4_ROW,
}


def _comparison_rows(inputs: MechanismInputs, name: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for words, wanted in _COMPARED.items():
        row = chosen_row(inputs.concentration[name], wanted)
        if row is not None:
            interval = f"{number(row['lower'])} to {number(row['upper'])}"
            p = p_text(row["p_value"])
            values = (number(row["estimate"]), interval, p, number(row["n_tasks"]))
            rows.append((name, f"{words} ({row['stratum']})", *values))
    verdicts = inputs.fits[name]["verdict"].value_counts()
    told = listed([f"{verdicts.get(v, 0):,} {v}" for v in VERDICTS], most=len(VERDICTS))
    rows.append((name, f"verdicts of curves: {told}", "", "", "", ""))
    latent = inputs.latent[name]["verdict"].value_counts()
    told = listed([f"{latent.get(v, 0):,} {v}" for v in LATENT_VERDICTS], most=3)
    tasks = number(len(inputs.latent[name]))
    rows.append((name, f"tasks, by their latent (H3): {told}", "", "", "", tasks))
    return rows


def toy_exhibits() -> list[Exhibit]:
    """Draw the five parts of the explanation; all of it computed."""
    return [_compounding(), _resolution(), _sparse(), _threshold(), _translation()]


def _axes(n: int, *, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(max(4.2 * n, 8.4), height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, n)))


def _success() -> np.ndarray[Any, Any]:
    return toy.token_success(SIZES, scale=SCALE, exponent=EXPONENT)


def _compounding() -> Exhibit:
    p, four = np.linspace(0, 1, 201), [float(toy.exact_match(np.array(q), 4)) for q in (0.98, 0.6)]
    with styled():
        figure, (left, right) = _axes(2)
        for length, colour in zip(LENGTHS, COLOURS, strict=True):
            left.plot(p, toy.exact_match(p, length), color=colour, label=f"{length}")
            right.plot(p, toy.edit_distance(p, length), color=colour)
        left.set(xlabel="probability of a right token", ylabel="exact match")
        right.set(xlabel="probability of a right token", ylabel="token edit distance")
        right.invert_yaxis()
        left.legend(title="tokens")
    return Exhibit(
        "compounding",
        "What does all-or-nothing make of errors that are rare?",
        f"Computed. Four digits, each right with probability 0.98, are all right in"
        f" {100 * four[0]:.0f}{NBSP}% of answers; with 0.6 in {100 * four[1]:.0f}{NBSP}%. Edit"
        " distance only adds the errors up: a straight line at every length.",
        "Exact match bends down with more tokens; edit distance falls on straight lines.",
        embedded(figure),
    )


def _resolution() -> Exhibit:
    score = toy.exact_match(_success(), 4)
    least = toy.least_seen(np.array(ITEMS, float))
    at = toy.size_of_score(least, length=4, scale=SCALE, exponent=EXPONENT)
    told = listed([f"{n:,} items: 10^{x:.1f}" for n, x in zip(ITEMS, at, strict=True)])
    with styled():
        figure, (axis,) = _axes(1)
        axis.plot(SIZES, np.maximum(score, 1e-9), color=BLUE)
        for n, y, x, colour in zip(ITEMS, least, at, COLOURS[1:], strict=True):
            axis.axhline(y, color=colour, linestyle="--", label=f"{n:,}")
            axis.plot(x, y, "o", color=colour)
        axis.set(
            yscale="log",
            ylim=(1e-6, 1.5),
            xlabel="log10 parameters",
            ylabel="exact match, 4 tokens",
        )
        axis.legend(title="items", loc="lower right")
    return Exhibit(
        "resolution",
        "Which success can a test set of n items see at all?",
        "Computed. Below a dashed line a test set more probably than not shows no success. The"
        f" smallest model that is seen above zero: {told} parameters. Nothing changed but the"
        " items.",
        "Exact match on a logarithmic scale with three lines of least visible accuracy.",
        embedded(figure),
    )


def _sparse() -> Exhibit:
    dense = np.arange(6.0, 13.1, 0.25)
    score = toy.exact_match(toy.token_success(dense, scale=SCALE, exponent=EXPONENT), 4)
    few = slice(0, None, 8)
    steps = [toy.largest_step(score), toy.largest_step(score[few])]
    with styled():
        figure, (axis,) = _axes(1)
        axis.plot(dense, score, "o-", color=SKY, markersize=3, label=f"{len(dense)} sizes")
        axis.plot(dense[few], score[few], "s--", color=VERMILION, label=f"{len(dense[few])} sizes")
        axis.set(xlabel="log10 parameters", ylabel="exact match, 4 tokens")
        axis.legend()
    return Exhibit(
        "sparse",
        "What do few sizes hide?",
        f"Computed. Of one curve, the largest step between neighbours is {100 * steps[0]:.0f}"
        f"{NBSP}% of the rise with {len(dense)} sizes and {100 * steps[1]:.0f}{NBSP}% with"
        f" {len(dense[few])}. A step between two sizes says that nothing was measured there.",
        "One rising curve at many sizes and at few.",
        embedded(figure),
    )


def _threshold() -> Exhibit:
    rate, spreads = 1.0, (0.25, 0.5, 1.0)
    widths = [toy.threshold_width(rate=rate, spread=s) for s in spreads]
    told = listed([f"{s} gives {w:.2f}" for s, w in zip(spreads, widths, strict=True)])
    with styled():
        figure, (axis,) = _axes(1)
        for spread, colour in zip(spreads, COLOURS, strict=False):
            share = toy.threshold_share(SIZES, threshold=9.5, rate=rate, spread=spread)
            axis.plot(SIZES, share, color=colour, label=f"{spread}")
        axis.set(xlabel="log10 parameters", ylabel="share above the threshold")
        axis.legend(title="spread of items")
    return Exhibit(
        "threshold",
        "What does a threshold make of quality that grows evenly?",
        "Computed. Every item gets better by one unit a decade, and none jumps. The share of items"
        " past a threshold is an S-curve all the same; a spread of"
        f" {told} decades from 10 to 90{NBSP}%.",
        "Three S-curves, steeper where the items are more alike.",
        embedded(figure),
    )


def _translation() -> Exhibit:
    width = toy.rise_width(EXPONENT)
    shifts = [toy.length_shift(length, exponent=EXPONENT) for length in LENGTHS]
    told = listed([f"{n} tokens {s:.2f}" for n, s in zip(LENGTHS, shifts, strict=True) if n > 1])
    with styled():
        figure, (axis,) = _axes(1)
        for length, colour in zip(LENGTHS, COLOURS, strict=True):
            axis.plot(SIZES, toy.exact_match(_success(), length), color=colour, label=f"{length}")
        axis.axvspan(SIZES[0], 9.0, color=GREEN, alpha=0.12)
        axis.set(xlabel="log10 parameters", ylabel="exact match")
        axis.legend(title="tokens")
    return Exhibit(
        "translation",
        "Does a longer target make the rise sharper?",
        f"Computed. Not in this model: the curve comes later (decades: {told}) and takes"
        f" {width:.2f} decades from 10 to 90{NBSP}% at every length. What a longer target does is"
        " to leave an observed window, such as the shaded one, with nothing but the floor.",
        "Four parallel curves, each further right than the one before.",
        embedded(figure),
    )


def measured_exhibit(tidy: pd.DataFrame, tags: pd.DataFrame) -> Exhibit:
    """Show one task of one benchmark under its metrics, every network a point."""
    name = str(tidy["benchmark"].iloc[0])
    task, metrics = SHOWN[name]
    of_task = tidy[tidy["task"] == task]
    # Of several test sets the largest, which has the least noise.
    chosen = of_task[of_task["n_samples"] == of_task["n_samples"].max()]
    down = set(tags.loc[(tags["task"] == task) & (tags["direction"] == "down"), "metric"])
    with styled():
        figure, axes = _axes(len(metrics))
        for axis, metric in zip(axes, metrics, strict=True):
            _draw_networks(axis, chosen[chosen["metric"] == metric], descending=metric in down)
            axis.set(xlabel="log10 parameters", ylabel=metric)
    n = chosen["model"].nunique()
    return Exhibit(
        f"measured-{name}",
        f"How does {name} look under its metrics: {task}?",
        f"Measured on {plural(n, 'network')} trained here. A point is one network, the line their"
        " mean; axes of losses are turned, so that up is better. All panels are of the same"
        " networks and, within one question, of the same outputs.",
        f"{task} under {listed(list(metrics))}, by size.",
        embedded(figure),
    )


def _draw_networks(axis: Axes, scores: pd.DataFrame, *, descending: bool) -> None:
    size = np.log10(scores["n_params"].to_numpy(float))
    axis.plot(size, scores["score"], "o", color=SKY, markersize=3)
    means = scores.groupby("n_params")["score"].mean()
    axis.plot(np.log10(means.index.to_numpy(float)), means, color=BLUE)
    if descending:
        axis.invert_yaxis()
