"""Design of the synthetic BIG-bench: metrics, worlds, tasks with known truth.

Task names are invented; metric names are those of BIG-bench, so that whatever handles the
published files meets the same words here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from standin.families import FAMILIES, Family

# Form of the latent ability of a task over log10 size: constant, straight line, sigmoid narrower
# than half a decade, falling line, and networks that have learned the task or not (Zhao et al.
# 2025, arXiv:2502.17356).
FORMS = ("flat", "smooth", "break", "inverse", "bimodal")
# Worlds of known truth: shares of the forms, and whether each metric has its own link to the
# ability or all share one ("common", where no metric can look sharper than another).
WORLDS: dict[str, tuple[Mapping[str, float], str]] = {
    "W0": ({"flat": 1.0}, "metric"),
    "W1": ({"smooth": 1.0}, "common"),
    "W2": ({"smooth": 1.0}, "metric"),
    "W3": ({"smooth": 0.8, "break": 0.2}, "common"),
    "W4": ({"flat": 0.2, "smooth": 0.5, "break": 0.2, "inverse": 0.1}, "metric"),
    "W5": ({"smooth": 0.8, "bimodal": 0.2}, "metric"),
}


@dataclass(frozen=True)
class Metric:
    """A metric and its link to the ability, see `metamirage.standin.scores`.

    Parameters
    ----------
    name, link
        Metric as BIG-bench names it, and the link function.
    noise
        ``count`` of right items, ``mean`` of graded items or ``gauss``.
    low, high
        Score at no and at full ability; None for the chance level.
    later
        Added after the older families were scored.
    """

    name: str
    link: str
    noise: str
    low: float | None = 0.0
    high: float = 1.0
    later: bool = False


# ASSUME: bleurt and the calibration error are missing for the families that were scored early.
METRICS = {
    metric.name: metric
    for metric in (
        Metric("multiple_choice_grade", "choice", "count", None),
        Metric("calibration_multiple_choice_brier_score", "brier", "mean", 1.0, 0.0),
        Metric("expected_calibration_error", "calibration", "mean", 0.3, 0.05, later=True),
        Metric("log_likelihood", "log", "gauss"),
        Metric("exact_str_match", "exact", "count"),
        Metric("numeric_match_with_0_1_relative_error", "bigram", "count"),
        Metric("bleu", "bleu", "mean", 0.0, 100.0),
        Metric("rouge1", "token", "mean", 0.0, 100.0),
        Metric("rouge2", "bigram", "mean", 0.0, 100.0),
        Metric("rougeLsum", "subsequence", "mean", 0.0, 100.0),
        Metric("bleurt", "subsequence", "mean", -0.1, 1.0, later=True),
        Metric("full", "token", "mean"),
        Metric("correctness", "exact", "count"),
        Metric("alignment_score", "token", "mean"),
        Metric("custom_score", "bigram", "mean"),
        Metric("correct", "exact", "count"),
    )
}
_TEXT = ("exact_str_match", "bleu", "rouge1", "rouge2", "rougeLsum")
_CHOICE = (
    "multiple_choice_grade",
    "calibration_multiple_choice_brier_score",
    "expected_calibration_error",
)
# The first metric is the preferred one.
METRIC_SETS = {
    "choice": _CHOICE,
    "choice_loss": (*_CHOICE, "log_likelihood"),
    "text": (*_TEXT, "bleurt"),
    "numeric": ("numeric_match_with_0_1_relative_error", *_TEXT),
    "summary": ("rougeLsum", "exact_str_match", "bleu", "rouge1", "rouge2", "bleurt"),
    "program": ("full", "correctness"),
    "program_aligned": ("alignment_score",),
    "program_custom": ("custom_score", "correct"),
}


@dataclass(frozen=True)
class _Template:
    """What a task is made of; ``subtasks`` gives their metric sets in turn."""

    subtasks: tuple[str, ...]
    several: bool = False
    trials: int = 0
    shots: bool = True


# Tasks take these in turn, so that a stand-in of sixteen tasks has every kind.
_TEMPLATES = (
    _Template(("choice",)),
    _Template(("text",)),
    _Template(("choice_loss",), several=True),
    _Template(("choice_loss",)),
    _Template(("program",), trials=3),
    _Template(("text",), several=True),
    _Template(("numeric",)),
    _Template(("choice_loss",)),
    _Template(("text", "choice_loss"), several=True),
    _Template(("program_custom",), shots=False),
    _Template(("choice",)),
    _Template(("summary",)),
    _Template(("choice_loss",)),
    _Template(("text", "numeric"), several=True),
    _Template(("program_aligned",)),
    _Template(("choice",), several=True),
)
KEYWORDS = ("arithmetic", "common sense", "logical reasoning", "translation", "word puzzles")


@dataclass(frozen=True)
class Design:
    """Size and truth of a stand-in.

    Parameters
    ----------
    world
        One of `WORLDS`.
    n_tasks, max_subtasks, max_items
        Size; the defaults are those of BIG-bench. Subtasks: at least 2.
    families
        Which models were evaluated.
    network_sd
        Standard deviation of the ability between networks of one size; all metrics, shots and
        temperatures of a network share the deviation.
    dispersion
        Precision of the beta-binomial; the larger, the nearer to a binomial.
    blob_bytes
        Bytes of query logs and plots per task that nobody wants.
    defects
        Kinds of defects to plant, of `metamirage.standin.defects.KINDS`; None for all.
    """

    world: str = "W4"
    n_tasks: int = 207
    max_subtasks: int = 18
    max_items: int = 2000
    families: tuple[Family, ...] = field(default=FAMILIES)
    network_sd: float = 0.15
    dispersion: float = 400.0
    blob_bytes: int = 200_000
    defects: tuple[str, ...] | None = None


def draw_leaves(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the tasks and their subtasks with all that their scores depend on.

    Parameters
    ----------
    design
        Size and world.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        One row per subtask, or per task without subtasks: task, subtask, metric_set, n_subtasks,
        n_trials, has_shots, n_items, choices, chance (0 where text is generated),
        n_tokens, item_sd, shot_gain, form, location and width (log10 size and decades of the latent
        rise; missing where there is none), low and high (ability below and above a break).
    """
    shares, _ = WORLDS[design.world]
    forms = _quota(shares, design.n_tasks, rng=rng)
    tasks = [
        _task_rows(i, _TEMPLATES[i % len(_TEMPLATES)], design=design, rng=rng)
        for i in range(design.n_tasks)
    ]
    leaves = pd.DataFrame([row for rows in tasks for row in rows])
    per_leaf = forms[leaves["task_number"].to_numpy()]
    chance = (1 / leaves["choices"]).where(leaves["metric_set"].str.startswith("choice"), 0.0)
    return leaves.assign(chance=chance, form=per_leaf, **_latents(leaves, per_leaf, rng=rng))


def draw_present(leaves: pd.DataFrame, design: Design, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw which families were scored on which tasks.

    Returns
    -------
    pandas.DataFrame
        One row per task and family with files: task, family. One task of each kind has all.
    """
    tasks = leaves["task"].unique()
    parts = []
    for family in design.families:
        optional = tasks[len(_TEMPLATES) :]
        n_missing = min(round((1 - family.share) * len(tasks)), len(optional))
        missing = rng.choice(optional, n_missing, replace=False)
        there = tasks[~np.isin(tasks, missing)]
        parts.append(pd.DataFrame({"task": there, "family": family.name}))
    return pd.concat(parts, ignore_index=True)


def _quota(shares: Mapping[str, float], n: int, *, rng: np.random.Generator) -> np.ndarray:
    edges = np.cumsum([0.0, *shares.values()])
    places = (np.arange(n) + 0.5) / n
    ordered = np.array(list(shares))[np.searchsorted(edges[1:-1], places)]
    return rng.permutation(ordered)


def _task_rows(
    number: int, template: _Template, *, design: Design, rng: np.random.Generator
) -> list[dict[str, object]]:
    # Every number of subtasks in turn: if drawn, the size of a stand-in would be a matter of luck.
    n = 2 + 7 * number % (design.max_subtasks - 1) if template.several else 1
    shared = {
        "task_number": number,
        "task": f"synthetic_task_{number + 1:03d}",
        "n_subtasks": n,
        "n_trials": template.trials,
        "has_shots": template.shots,
    }
    # ASSUME: items, choices and target lengths vary as widely as those of the published tasks;
    # the heterogeneity of items is a guess, since item scores are not published.
    drawn = {
        "n_items": np.exp(rng.uniform(np.log(60), np.log(design.max_items), n)).astype(int),
        "choices": rng.choice([2, 3, 4, 5, 10], n),
        "n_tokens": rng.choice([1, 2, 3, 5, 8, 16], n),
        "item_sd": rng.uniform(0.7, 2.0, n),
        "shot_gain": rng.uniform(0.0, 0.3, n),
    }
    return [
        {
            **shared,
            "subtask": _subtask_name(template, i),
            "metric_set": template.subtasks[i % len(template.subtasks)],
            **{name: values[i].item() for name, values in drawn.items()},
        }
        for i in range(n)
    ]


def _subtask_name(template: _Template, i: int) -> str:
    if template.trials:
        return "easy"
    return f"part_{i + 1:02d}" if template.several else ""


def _latents(
    leaves: pd.DataFrame, form: np.ndarray, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    n_tasks = int(leaves["task_number"].max()) + 1
    task = leaves["task_number"].to_numpy()
    # Subtasks of a task break within a quarter of a decade of each other, and are equally sharp.
    near = rng.normal(0.0, 0.1, len(leaves))
    inside = rng.uniform(8.2, 10.3, n_tasks)[task] + near
    anywhere = rng.normal(9.5, 1.2, n_tasks)[task] + near
    narrow, wide = rng.uniform(0.1, 0.45, n_tasks)[task], rng.uniform(2.2, 6.0, n_tasks)[task]
    is_break = form == "break"
    width = np.select([is_break, form != "flat"], [narrow, wide], np.nan)
    location = np.select([is_break, form != "flat"], [inside, anywhere], np.nan)
    return {
        "location": location,
        "width": width,
        "low": np.where(form == "flat", rng.uniform(-6, -1, len(leaves)), -4.0),
        "high": rng.uniform(0.5, 3.0, n_tasks)[task],
    }
