"""Stage reproduction: numbers that earlier papers printed, next to the same from the scores.

Where a paper leaves open how its number was made, the estimate follows one reading and stands in
the range of all. Schaeffer, Miranda and Koyejo (arXiv:2304.15004), sec. 4; Chowdhery et al.
(arXiv:2204.02311), sec. 6.2, for the discontinuity; Wei et al. (arXiv:2206.07682) for the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.thresholds import MIN_SIZES
from metamirage.literature.facts import Facts
from metamirage.literature.readings import (
    ALL,
    GRADE,
    SHOTS,
    SUBTASKS,
    curve_scores,
    emergent_curves,
    over_shots,
    preferred_scores,
    readings,
)

TWO_METRICS = (GRADE, "exact_str_match")
# ASSUME: the models that Wei et al. name are these families of the score files; LaMDA stands for
# what BIG-bench calls BIG-G.
FAMILY_OF_LABEL = {"gpt3": "GPT", "lamda": "BIG-G", "palm": "PaLM"}
PALM = "PaLM"
PALM_NOMINAL = (8e9, 62e9, 540e9)
LABELLED = ("all 67 labels", "labels of models other than PaLM")
UNITS = ("task-metric pairs", "task-metric-family triplets")
RAW, NORMALISED_SCORE = "score in points", "normalised score"

# Value, units behind it, reading.
Value = tuple[float, int, str]


@dataclass(frozen=True)
class _Companion:
    """A number that was not printed but belongs beside one that was."""

    claim: str
    source: str
    statement: str
    unit: str
    number: float = np.nan


_SCHAEFFER = "arXiv:2304.15004"
COMPANIONS = (
    _Companion(
        "two_metrics_share_evaluated",
        _SCHAEFFER,
        "Share of all evaluated preferred metrics that are one of the same two",
        "share",
    ),
    _Companion(
        "two_metrics_enrichment",
        _SCHAEFFER,
        "Share among hand-labelled over share among evaluated",
        "ratio",
    ),
    _Companion(
        "two_metrics_share_by_score",
        _SCHAEFFER,
        "Share of the same two metrics among curves emergent by the emergence score",
        "share",
    ),
    _Companion(
        "two_metrics_enrichment_by_score",
        _SCHAEFFER,
        "Share among emergent by the score over share among evaluated",
        "ratio",
    ),
)


def reproduce_claims(tidy: pd.DataFrame, tags: pd.DataFrame, *, facts: Facts) -> pd.DataFrame:
    """Compute every printed number that the scores allow, with its range over readings.

    Parameters
    ----------
    tidy, tags
        Tables of those names, of BIG-bench or of scores of the same form.
    facts
        Labels and printed numbers.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.REPRODUCTION``, one row a printed number or its companion.
    """
    source = _Source(tidy, tags)
    found: dict[str, tuple[list[Value], str]] = {
        **_counts(tidy),
        **_by_score(source),
        **_by_label(source, facts.emergent),
        **_palm(source, tidy),
    }
    beside = pd.DataFrame([vars(companion) for companion in COMPANIONS])
    claims = pd.concat([facts.published_claims, beside], ignore_index=True)
    nothing: tuple[list[Value], str] = ([], "nothing here computes this number")
    rows = [_row(claim, *found.get(str(claim["claim"]), nothing)) for _, claim in claims.iterrows()]
    return pd.DataFrame(rows)


class _Source:
    """Preferred scores and their curves, made once for each choice of subtasks and shots."""

    def __init__(self, tidy: pd.DataFrame, tags: pd.DataFrame) -> None:
        self.preferred = {how: preferred_scores(tidy, tags, how) for how in SUBTASKS}
        self.families = sorted(tidy["family"].unique())
        self.curves = cache(self._curves)

    def _curves(self, subtasks: str, shots: str) -> pd.DataFrame:
        return curve_scores(over_shots(self.preferred[subtasks], shots))


def _row(claim: pd.Series[Any], values: Sequence[Value], note: str) -> dict[str, object]:
    known = [value for value in values if np.isfinite(value[0])]
    estimate, n, reading = known[0] if known else (np.nan, 0, "")
    numbers = [value for value, *_ in known]
    return {
        "name": claim["claim"],
        "source": claim["source"],
        "claim": claim["statement"],
        "unit": claim["unit"],
        "published": claim["number"],
        "estimate": float(estimate),
        "lowest": float(min(numbers, default=np.nan)),
        "highest": float(max(numbers, default=np.nan)),
        "n_readings": len(known),
        "reading": reading,
        "n": n,
        "note": note,
    }


def _counts(tidy: pd.DataFrame) -> dict[str, tuple[list[Value], str]]:
    preferred = tidy[tidy["is_preferred"].fillna(False).astype(bool)]
    which = {"all metrics": tidy, "preferred metrics only": preferred}

    def counted(columns: list[str]) -> list[Value]:
        return [
            (len(rows[columns].drop_duplicates()), len(rows), how) for how, rows in which.items()
        ]

    note = "n counts scores; T=0 and T=1 of a network count as two families"
    return {
        "n_tasks": (counted(["task"]), "n counts scores"),
        "n_metrics": (counted(["metric"]), "n counts scores; names, not metrics of one task"),
        "n_families": (counted(["family"]), note),
        "n_triplets": (counted(["task", "metric", "family"]), note),
    }


def _by_score(source: _Source) -> dict[str, tuple[list[Value], str]]:
    counts: list[Value] = []
    shares: list[Value] = []
    enrichments: list[Value] = []
    for reading in readings(source.families):
        curves = source.curves(reading.subtasks, reading.shots)
        chosen, called = emergent_curves(curves, reading)
        if chosen.empty:
            continue
        emergent = chosen.loc[called, "metric"]
        two, base = emergent.isin(TWO_METRICS), chosen["metric"].isin(TWO_METRICS)
        share = float(two.mean())
        counts.append((emergent.nunique(), chosen["metric"].nunique(), str(reading)))
        shares.append((share, len(emergent), str(reading)))
        enrichments.append((_ratio(share, float(base.mean())), len(chosen), str(reading)))
    short = _short_note(source)
    return {
        "preferred_metrics": (_metric_counts(source), "n counts tasks"),
        "emergent_metrics_by_score": (counts, f"n counts preferred metrics; {short}"),
        "two_metrics_share_by_score": (shares, f"n counts emergent curves; {short}"),
        "two_metrics_enrichment_by_score": (enrichments, f"n counts evaluated curves; {short}"),
    }


def _short_note(source: _Source) -> str:
    curves = source.curves(SUBTASKS[0], SHOTS[0])
    k = int((curves["n_sizes"] == MIN_SIZES).sum())
    return f"{k} of {len(curves)} curves have three sizes, where no rising curve has S above 2"


def _metric_counts(source: _Source) -> list[Value]:
    values: list[Value] = []
    for how, family in product(SUBTASKS, [ALL, *source.families]):
        rows = source.preferred[how]
        rows = rows if family == ALL else rows[rows["family"] == family]
        values.append((rows["metric"].nunique(), rows["task"].nunique(), f"{family}; {how}"))
    return [value for value in values if value[1]]


def _ratio(share: float, base: float) -> float:
    return share / base if base else np.nan


def _by_label(source: _Source, emergent: Mapping[str, str]) -> dict[str, tuple[list[Value], str]]:
    metrics: list[Value] = []
    shares: list[Value] = []
    bases: list[Value] = []
    enrichments: list[Value] = []
    for which, how, unit in product(LABELLED, SUBTASKS, UNITS):
        labels = {t: m for t, m in emergent.items() if which == LABELLED[0] or "palm" not in m}
        units = _units(source.preferred[how], unit)
        called = units[_is_labelled(units, labels)]
        reading = f"{which}; {unit}; {how}"
        share = float(called["metric"].isin(TWO_METRICS).mean())
        base = float(units["metric"].isin(TWO_METRICS).mean())
        metrics.append(
            (called["metric"].nunique() if len(called) else np.nan, len(called), reading)
        )
        shares.append((share, len(called), reading))
        bases.append((base, len(units), reading))
        enrichments.append((_ratio(share, base), len(units), reading))
    here = source.preferred[SUBTASKS[0]]["task"]
    tasks = [
        (float(here[here.isin(list(emergent))].nunique()), here.nunique(), "tasks with scores")
    ]
    labelled = "n counts labelled units" if tasks[0][0] else "no labelled task has scores here"
    return {
        "wei_tasks": (tasks, "labelled tasks that the scores hold; n counts all tasks"),
        "emergent_metrics_by_hand": (metrics, labelled),
        "two_metrics_share": (shares, labelled),
        "two_metrics_share_evaluated": (bases, "n counts evaluated units"),
        "two_metrics_enrichment": (enrichments, "n counts evaluated units"),
    }


def _units(rows: pd.DataFrame, unit: str) -> pd.DataFrame:
    columns = ["task", "metric"] if unit == UNITS[0] else ["task", "metric", "family"]
    return rows[columns].drop_duplicates()


def _is_labelled(units: pd.DataFrame, labels: Mapping[str, str]) -> pd.Series[bool]:
    """Mark tasks with a label; of triplets those of the family that the label names."""
    named = units["task"].isin(list(labels))
    if "family" not in units:
        return named
    prefix = units["task"].map({t: FAMILY_OF_LABEL[m.split("_")[0]] for t, m in labels.items()})
    pairs = zip(units["family"], prefix.fillna("-"), strict=True)
    right = [family.startswith(start) for family, start in pairs]
    return named & pd.Series(right, index=units.index)


def _palm(source: _Source, tidy: pd.DataFrame) -> dict[str, tuple[list[Value], str]]:
    names = ("palm_tasks", "palm_above_10", "palm_above_20")
    sizes = np.sort(tidy.loc[tidy["family"] == PALM, "n_params"].unique())
    if len(sizes) != MIN_SIZES:
        note = f"the scores hold {len(sizes)} sizes of a family {PALM}; three are needed"
        return {name: ([], note) for name in names}
    jumps = list(_palm_jumps(source, tidy, sizes))
    points = {name: limit for name, limit in zip(names[1:], (10, 20), strict=True)}
    note = "n counts tasks with three sizes, or their subtasks where these stand apart"
    counts = [(float(len(d)), len(d), reading) for d, reading in jumps]
    shares = {
        name: ([(float((d > limit).mean()), len(d), reading) for d, reading in jumps], note)
        for name, limit in points.items()
    }
    return {names[0]: (counts, note), **shares}


def _palm_jumps(
    source: _Source, tidy: pd.DataFrame, sizes: np.ndarray
) -> Iterator[tuple[np.ndarray, str]]:
    """Yield, by reading, the score at 540B above the log-linear projection, in points."""
    grids = {"sizes of the score files": sizes, "nominal sizes": np.array(PALM_NOMINAL)}
    units = _points_per_unit(tidy)
    for how, value in product(reversed(SUBTASKS), (NORMALISED_SCORE, RAW)):
        rows = source.preferred[how]
        palm = rows[rows["family"] == PALM]
        points = palm["normalised"] if value == NORMALISED_SCORE else _in_points(palm, units)
        scored = palm.assign(points=points).dropna(subset="points")
        for shots, y in _palm_curves(scored, sizes):
            for grid, x in grids.items():
                yield discontinuity(y, np.log10(x)), f"{value}; {shots}; {how}; {grid}"


def discontinuity(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """PaLM's discontinuity: third score minus the line through the first two.

    Parameters
    ----------
    y
        Shape (m, 3).
    x
        log10 sizes, shape (3,).

    Returns
    -------
    ndarray
        Shape (m,), unit of ``y``.
    """
    slope = (y[:, 1] - y[:, 0]) / (x[1] - x[0])
    return np.asarray(y[:, 2] - (y[:, 1] + slope * (x[2] - x[1])))


def _points_per_unit(tidy: pd.DataFrame) -> pd.Series[float]:
    if "scale" not in tidy:
        return pd.Series(dtype=float)
    scale = tidy.drop_duplicates("metric").set_index("metric")["scale"]
    return scale.map({"fraction": 100.0, "percent": 1.0}).astype(float)


def _in_points(rows: pd.DataFrame, units: pd.Series[float]) -> pd.Series[float]:
    """Scores in points of 100, better upwards; missing for metrics on a scale of their own."""
    return rows["score"] * rows["sign"] * rows["metric"].map(units).astype(float)


def _palm_curves(rows: pd.DataFrame, sizes: np.ndarray) -> Iterable[tuple[str, np.ndarray]]:
    counts = rows["n_shots"].fillna(-1)
    most = counts == counts.groupby([rows["task"], rows["subtask"]]).transform("max")
    choices = {"most shots": rows[most], "best shot count": rows, "mean over shot counts": rows}
    choices |= {f"{n:.0f} shots": rows[counts == n] for n in sorted(set(counts)) if n >= 0}
    for name, chosen in choices.items():
        cell = chosen.groupby(["task", "subtask", "n_params"])["points"]
        best = cell.max() if name == "best shot count" else cell.mean()
        wide = best.unstack("n_params").reindex(columns=sizes).dropna()
        if len(wide):
            yield name, wide.to_numpy(float)
