"""Experiments: which transformers are trained on arithmetic, and what becomes of their answers.

Free of JAX, so that the workflow and the tests can read it anywhere; ``networks`` trains.

ASSUME: seeds are replicates of one size and not families of their own. Networks of two sizes have
nothing in common by a seed they share, and test items are the same for all; as replicates their
spread is what the noise of a curve is made of: over-dispersion of counts beside the known number of
items, unknown noise beside the known standard error of a graded score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from metamirage.base.seeds import named_stream
from metamirage.networks.problems import Batch, Suite, Task, arithmetic, draw_problems
from metamirage.networks.scoring import Answers, score_items, summarise

COLUMNS = (
    "task", "subtask", "metric", "model", "n_params", "seed", "score", "stderr", "n_samples",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Size of a network: embedding width, layers, heads."""

    width: int
    layers: int
    heads: int


@dataclass(frozen=True)
class Budget:
    """Training: steps, rows a step, peak learning rate at width 32."""

    steps: int
    rows: int
    rate: float


@dataclass(frozen=True)
class Experiment:
    """What is trained and asked.

    Parameters
    ----------
    suite
        Tasks.
    shapes
        Sizes by the name of the model, small to large.
    budget
        Training of each.
    test_sizes
        Items of each test set.
    """

    suite: Suite
    shapes: dict[str, Shape]
    budget: Budget
    test_sizes: tuple[int, ...]


# ASSUME: networks differ in width alone; two layers let an answer be composed of what a first look
# found, and two heads look at both numbers where the width can be halved.
ARITHMETIC = Experiment(
    suite=arithmetic(),
    shapes={f"w{w:02d}": Shape(w, 2, 2 - w % 2) for w in (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)},
    budget=Budget(steps=3000, rows=64, rate=8e-3),
    test_sizes=(100, 1000, 10000),
)


def score_network(experiment: Experiment, ask: Callable[[Batch], Answers]) -> pd.DataFrame:
    """Score one network on every test set.

    Parameters
    ----------
    experiment
        Names the test sets.
    ask
        Items of one task to the network's answers.

    Returns
    -------
    pandas.DataFrame
        The ``COLUMNS`` that scores have; ``subtask`` names the test set.
    """
    parts = []
    for task in experiment.suite.tasks:
        for n in experiment.test_sizes:
            part = summarise(score_items(ask(draw_items(task, n))))
            parts.append(part.assign(task=task.name, subtask=f"{n} items"))
    return pd.concat(parts, ignore_index=True)


def draw_items(task: Task, n: int) -> Batch:
    """Draw a test set: the same for all networks, another for each task and number of items."""
    # ASSUME: test sets of one task are drawn apart, not one inside the other, so that the noise of
    # a small one is not part of a large one. With replacement: then a score over n items has the
    # binomial noise of n draws from all problems that are held out.
    rng = np.random.default_rng(named_stream(n, "arithmetic, items", task.name))
    return task.write(draw_problems(task, rng, n, held_out=True))


def compare_seeds(shipped: pd.DataFrame, remade: pd.DataFrame) -> pd.DataFrame:
    """Hold a table made again against the spread over seeds of the one that ships.

    Parameters
    ----------
    shipped, remade
        ``COLUMNS``, perhaps without ``subtask``; ``remade`` may hold some of the sizes only, and
        other seeds.

    Returns
    -------
    pandas.DataFrame
        One row a task, test set, metric and size of both: means ``shipped`` and ``remade``,
        ``reach``, half of the interval that holds 95 % of such differences, and ``within``.
    """
    cell = [c for c in ("task", "subtask", "metric", "n_params") if c in shipped]
    ours, theirs = (
        t.groupby(cell)["score"].agg(["mean", "std", "count"]) for t in (shipped, remade)
    )
    both = ours.add_suffix("_shipped").join(theirs.add_suffix("_remade"), how="inner")
    errors = shipped.groupby(cell)["stderr"].mean().reindex(both.index)
    n, m = both["count_shipped"], both["count_remade"]
    # Student's t, since the spread itself is known from few seeds; where seeds agree by chance, or
    # because a score cannot move, the error of the items remains.
    spread = np.hypot(both["std_shipped"].fillna(0.0), errors)
    reach = student.ppf(0.975, np.maximum(n - 1, 1)) * spread * np.sqrt(1 / n + 1 / m)
    means = both[["mean_shipped", "mean_remade"]].set_axis(["shipped", "remade"], axis=1)
    within = (means["remade"] - means["shipped"]).abs() <= reach
    return means.assign(reach=reach, within=within).reset_index()
