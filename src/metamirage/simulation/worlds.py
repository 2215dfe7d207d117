"""Simulated benchmarks of which the truth is known: worlds W0 to W5.

A world draws tasks of two types, a latent skill of each over model size, and the scores that two
metrics of the same outputs would publish: tables ``tables.TIDY`` and ``tables.TAGS``, as a reader
and the tags stage make them from real files. Everything is named ``synthetic``.

Identity-like links (W0, W1, W3, W5): both metrics follow one mean curve, apart by a small shift and
stretch of either sign, so no class effect; their noise is unequal, as counts of right answers are
noisier than graded scores. True links (W2, W4), from a latent theta in logits: exact match is the
mean over items of sigmoid(theta - b)**L against sigmoid(theta - b) for token overlap; the grade of
multiple choice is Phi(theta / s) against the mean of sigmoid(theta + s z) for the probability of
the right option, both above the floor of guessing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, roots_hermitenorm

from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.fitting.priors import LOGISTIC_WIDTH

SENTENCES = {
    "W0": "No model is better than the smallest: every mean is flat.",
    "W1": "Skills grow smoothly and both metrics show the same growth, one of them more noisily.",
    "W2": "Skills grow smoothly and the metrics transform them as their definitions say: a mirage.",
    "W3": "Some skills break within half a decade, the others grow smoothly; both metrics agree.",
    "W4": "Some skills break as in W3, and the metrics transform all of them as in W2.",
    "W5": "Training runs end in one of two states, more often in the better one as models grow.",
}
WORLDS = tuple(SENTENCES)
TRUE_LINKS = ("W2", "W4")
# Type-I error is measured here.
NULL_WORLDS = ("W0", "W1")
# In these the metric's class changes nothing, so a test of class that rejects is wrong.
NO_CLASS_EFFECT = tuple(world for world in WORLDS if world not in TRUE_LINKS)

# Nominal parameters of the two families that most of BIG-bench was run on.
SIZES = {
    "BIG-G": (2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9),
    "GPT-3": (0.125e9, 0.35e9, 0.76e9, 1.3e9, 2.7e9, 6.7e9, 13e9, 175e9),
}
# A size is missing this often, for both metrics of a block, down to so many.
P_MISSING, SIZES_KEPT = 0.15, 7
STEPPED = {"generate": "exact_str_match", "cond_log_prob": "multiple_choice_grade"}
GRADED = {"generate": "token_overlap", "cond_log_prob": "option_probability"}
# Tasks with both metrics, with the stepped one only, and with the graded one only.
N_BOTH, N_STEPPED, N_GRADED = 14, 3, 3
SMOOTH_WIDTHS, BREAK_WIDTHS = (2.0, 5.0), (0.15, 0.5)
LOCATIONS = (8.5, 10.5)
# Logits per decade of a smooth latent under true links.
SLOPES = (0.8, 1.6)
# Shift (decades) and stretch (log10) between the metrics of one task, of either sign.
SHIFT_SD, STRETCH_SD = 0.2, 0.1
# Location of a family about its task's, decades.
FAMILY_SD = 0.15
# Half the height of a latent's break, logits.
BREAK_HEIGHT = (2.5, 4.0)

_NODES, _WEIGHTS = roots_hermitenorm(32)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Task:
    """What a world drew for one task.

    Parameters
    ----------
    name, query
        Query is ``generate`` or ``cond_log_prob``.
    metrics
        Published ones.
    kind
        Of the latent: ``flat``, ``smooth``, ``break`` or ``switch``.
    n_items
        Behind each score.
    floor, top
        Levels of the mean under identity-like links; the floor is chance under multiple choice.
    location, width
        Of the latent's rise: log10 parameters, decades.
    slope, height
        Of the latent under true links: logits per decade of a smooth one, half the height of a
        break.
    length, spread
        Tokens of the target; sd of the items' difficulty, logits.
    shift, stretch
        Stepped over graded metric: decades, log10 of widths.
    graded_noise
        Variance of one graded item over that of a right-or-wrong item of the same mean.
    dispersion
        Of the beta distribution of runs.
    """

    name: str
    query: str
    metrics: tuple[str, ...]
    kind: str
    n_items: int
    floor: float
    top: float
    location: float
    width: float
    slope: float
    height: float
    length: int
    spread: float
    shift: float
    stretch: float
    graded_noise: float
    dispersion: float


class Synthetic(NamedTuple):
    """One simulated benchmark.

    Parameters
    ----------
    tidy, tags
        Tables ``tables.TIDY`` and ``tables.TAGS``.
    truth
        One row a curve: ``tables.CURVE_KEY``, ``kind``, and ``width`` (decades) and ``location``
        (log10 parameters) of its mean, missing where the mean is no logistic curve.
    """

    tidy: pd.DataFrame
    tags: pd.DataFrame
    truth: pd.DataFrame


def make_world(world: str, rng: np.random.Generator, *, benchmark: str) -> Synthetic:
    """Draw one benchmark.

    Parameters
    ----------
    world
        One of ``WORLDS``.
    rng
        All draws come from it.
    benchmark
        Its name in the tables; should say that it is synthetic.
    """
    tasks = draw_tasks(world, rng)
    rows: list[dict[str, object]] = []
    truths: list[dict[str, object]] = []
    for task in tasks:
        for family in SIZES:
            scores, known = _draw_block(world, task, family, rng)
            rows += scores
            truths += known
    truth = pd.DataFrame(truths).assign(benchmark=benchmark, subtask="", n_shots=0)
    return Synthetic(
        tidy=_tidy(rows, benchmark),
        tags=_tags(tasks, benchmark),
        truth=truth.astype({"n_shots": "Int64"})[[*CURVE_KEY, "kind", "width", "location"]],
    )


def draw_tasks(world: str, rng: np.random.Generator) -> list[Task]:
    """Draw the tasks of a world, types in turn."""
    n = N_BOTH + N_STEPPED + N_GRADED
    kinds = _kinds(world, n, rng)
    tasks = []
    for i in range(n):
        query = ("generate", "cond_log_prob")[i % 2]
        both = (STEPPED[query], GRADED[query])
        metrics = both if i < N_BOTH else both[:1] if i < N_BOTH + N_STEPPED else both[1:]
        tasks.append(_draw_task(f"task {i:02d}", query, metrics, kind=kinds[i], rng=rng))
    return tasks


def _kinds(world: str, n: int, rng: np.random.Generator) -> list[str]:
    if world in ("W3", "W4"):
        # A share of 10 to 30 % of the tasks.
        broken = rng.permutation(n) < round(n * rng.uniform(0.1, 0.3))
        return ["break" if b else "smooth" for b in broken]
    return [{"W0": "flat", "W5": "switch"}.get(world, "smooth")] * n


def _draw_task(
    name: str, query: str, metrics: tuple[str, ...], *, kind: str, rng: np.random.Generator
) -> Task:
    chance = 1 / rng.integers(2, 6)
    widths = BREAK_WIDTHS if kind == "break" else SMOOTH_WIDTHS
    return Task(
        name=name,
        query=query,
        metrics=metrics,
        kind=kind,
        # BIG-bench tasks have some 30 to some 2,000 items.
        n_items=int(np.exp(rng.uniform(np.log(50), np.log(1000)))),
        floor=float(chance if query == "cond_log_prob" else rng.uniform(0.0, 0.05)),
        top=float(rng.uniform(0.6, 0.95)),
        location=float(rng.uniform(*LOCATIONS)),
        width=float(np.exp(rng.uniform(*np.log(widths)))),
        slope=float(rng.uniform(*SLOPES)),
        height=float(rng.uniform(*BREAK_HEIGHT)),
        length=int(rng.integers(2, 11)),
        spread=float(rng.uniform(0.25, 1.5)),
        shift=float(rng.normal(0.0, SHIFT_SD)),
        stretch=float(rng.normal(0.0, STRETCH_SD)),
        graded_noise=float(rng.uniform(0.1, 0.4)),
        dispersion=float(np.exp(rng.normal(np.log(300), 0.7))),
    )


def latent(task: Task, x: FloatArray) -> FloatArray:
    """Skill in logits at sizes ``x`` (log10 parameters), for true links.

    Linear in x for a smooth latent; for a break a logistic of ``task.width`` decades, from
    ``-task.height`` to ``task.height``.
    """
    if task.kind == "break":
        return task.height * (2 * _rise(x, task.location, task.width) - 1)
    return task.slope * (x - task.location)


def linked(task: Task, metric: str, theta: FloatArray) -> FloatArray:
    """Mean score of a metric at a skill, by its definition.

    Parameters
    ----------
    task
        Its length, spread and floor enter.
    metric
        One of ``STEPPED`` or ``GRADED``.
    theta
        Logits, shape (n,).
    """
    right = expit(theta[:, None] - task.spread * _NODES)
    if task.query == "generate":
        power = task.length if metric in STEPPED.values() else 1
        return np.asarray(right**power @ _WEIGHTS)
    above = ndtr(theta / task.spread) if metric in STEPPED.values() else right @ _WEIGHTS
    return np.asarray(task.floor + (1 - task.floor) * above)


def mean_curve(world: str, task: Task, metric: str, x: FloatArray) -> FloatArray:
    """Mean score of a metric at sizes ``x`` (log10 parameters), shape (n,), in [0, 1]."""
    if world in TRUE_LINKS:
        return linked(task, metric, latent(task, x))
    if task.kind == "flat":
        return np.full(len(x), task.floor)
    location, width = seen_rise(task, metric)
    return task.floor + (task.top - task.floor) * _rise(x, location, width)


def seen_rise(task: Task, metric: str) -> tuple[float, float]:
    """Location and width of a metric's mean under identity-like links."""
    side = 0.5 if metric in STEPPED.values() else -0.5
    return task.location + side * task.shift, task.width * 10 ** (side * task.stretch)


def _rise(x: FloatArray, location: float, width: float) -> FloatArray:
    return np.asarray(expit(LOGISTIC_WIDTH * (x - location) / width))


def _draw_block(
    world: str, task: Task, family: str, rng: np.random.Generator
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Scores and truths of a task's metrics on one family."""
    moved = Task(**(vars(task) | {"location": task.location + rng.normal(0.0, FAMILY_SD)}))
    sizes = _kept(np.array(SIZES[family]), rng)
    x = np.log10(sizes)
    # Both metrics score the same outputs, so a run's state is the same for both.
    state = rng.random(len(x)) < _rise(x, moved.location, moved.width)
    rows: list[dict[str, object]] = []
    truths: list[dict[str, object]] = []
    for metric in task.metrics:
        mean = mean_curve(world, moved, metric, x)
        if task.kind == "switch":
            mean = np.where(state, task.top, task.floor)
        score, stderr = draw_scores(moved, metric, mean, rng)
        head = {"task": task.name, "metric": metric, "family": family}
        rows += [
            head | {"n_params": n, "score": y, "stderr": e, "n_samples": task.n_items}
            for n, y, e in zip(sizes, score, stderr, strict=True)
        ]
        location, width = seen_rise(moved, metric)
        known = world not in TRUE_LINKS and task.kind in ("smooth", "break")
        truth = {"width": width, "location": location} if known else {}
        truths.append(head | {"kind": task.kind, "width": np.nan, "location": np.nan} | truth)
    return rows, truths


def _kept(sizes: FloatArray, rng: np.random.Generator) -> FloatArray:
    order = np.where(rng.random(len(sizes)) < P_MISSING, rng.random(len(sizes)), 2.0)
    n = max(SIZES_KEPT, int((order == 2.0).sum()))
    return sizes[np.sort(np.argsort(-order, kind="stable")[:n])]


def draw_scores(
    task: Task, metric: str, mean: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw published scores and standard errors about a mean.

    Right-or-wrong items: beta-binomial shares, no standard error. Graded items: a beta with the
    variance of their mean over items and runs; a generated answer's comes with the standard error
    over items, as evaluation harnesses print it, and an option's without.

    Returns
    -------
    (score, stderr)
        Each of the shape of ``mean``; missing standard errors are NaN.
    """
    mu = np.clip(mean, 1e-6, 1 - 1e-6)
    if metric in STEPPED.values():
        runs = rng.beta(mu * task.dispersion, (1 - mu) * task.dispersion)
        return rng.binomial(task.n_items, runs) / task.n_items, np.full(len(mu), np.nan)
    share = task.graded_noise / task.n_items
    # Graded scores of runs differ by as much less as their items do.
    spread = share + task.graded_noise / (1 + task.dispersion)
    score = rng.beta(mu * (1 / spread - 1), (1 - mu) * (1 / spread - 1))
    if metric != GRADED["generate"]:
        return score, np.full(len(mu), np.nan)
    return score, np.sqrt(share * np.maximum(score * (1 - score), 1 / task.n_items))


def _tidy(rows: list[dict[str, object]], benchmark: str) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table = table.assign(
        benchmark=benchmark,
        subtask="",
        n_shots=0,
        model=[f"{f} {n:.3g}" for f, n in zip(table["family"], table["n_params"], strict=True)],
        n_params_kind="non_embedding",
        low_score=np.nan,
        high_score=np.nan,
        is_preferred=table["metric"].isin(STEPPED.values()),
        source_file="simulated, no file",
    )
    kinds = {"n_shots": "Int64", "n_samples": "Int64", "is_preferred": "boolean"}
    return table.astype(kinds)[list(TIDY.columns)]


def _tags(tasks: list[Task], benchmark: str) -> pd.DataFrame:
    rows = [
        {
            "benchmark": benchmark,
            "task": task.name,
            "metric": metric,
            "discontinuous": "yes" if metric in STEPPED.values() else "no",
            "nonlinear": "no" if metric == GRADED["generate"] else "yes",
            "query": task.query,
            "direction": "up",
            "lower": 0.0,
            "upper": 1.0,
            "chance": task.floor if task.query == "cond_log_prob" else 0.0,
            "excluded": "",
            "reason": "Simulated.",
            "reference": "metamirage.worlds",
        }
        for task in tasks
        for metric in task.metrics
    ]
    return pd.DataFrame(rows)[list(TAGS.columns)]
