"""Runs: one network of one size and seed, trained, asked, and its scores as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metamirage.curves import curve_seed
from metamirage.answers import METRICS, score_items, summarise
from metamirage.networks import Budget, Shape, ask, count_params, train
from metamirage.problems import Suite, Task, arithmetic, compositional, draw_problems

COLUMNS = (
    "task", "subtask", "metric", "model", "n_params", "seed", "score", "stderr", "n_samples",
)  # fmt: skip


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
    metrics
        That the table holds.
    """

    suite: Suite
    shapes: dict[str, Shape]
    budget: Budget
    test_sizes: tuple[int, ...]
    metrics: tuple[str, ...]


def _shapes(*sizes: tuple[int, int]) -> dict[str, Shape]:
    # ASSUME: networks differ in width alone; two layers let an answer be composed of what a first
    # look found.
    return {f"w{width:02d}": Shape(width, 2, heads) for width, heads in sizes}


EXPERIMENTS = {
    "arithmetic": Experiment(
        arithmetic(),
        # Two heads where the width can be halved.
        _shapes(*((w, 2 - w % 2) for w in (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32))),
        Budget(steps=3000, rows=64, rate=8e-3),
        (100, 1000, 10000),
        METRICS,
    ),
    # One token is right or wrong, so distance and share of tokens would say the same again.
    "compositional": Experiment(
        compositional(),
        _shapes(*((w, 1) for w in (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24))),
        Budget(steps=3000, rows=128, rate=6e-3),
        (1000,),
        ("exact_match", "log_likelihood", "brier"),
    ),
}


def run_one(experiment: Experiment, model: str, *, seed: int) -> pd.DataFrame:
    """Train one network and score it on every test set.

    Parameters
    ----------
    experiment
        One of ``EXPERIMENTS``, or a smaller one.
    model
        Name of a shape.
    seed
        Of this run; that of the network derives from it and the model's name.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``; ``subtask`` names the test set, empty where there is only one.
    """
    suite = experiment.suite
    state = curve_seed(seed, f"{suite.name}|{model}").generate_state(1)
    network = train(suite, experiment.shapes[model], experiment.budget, seed=int(state[0]))
    several = len(experiment.test_sizes) > 1
    parts = []
    for task in suite.tasks:
        for n in experiment.test_sizes:
            items = task.write(draw_problems(task, test_rng(task, n), n, held_out=True))
            scores = score_items(ask(network, items))
            chosen = {metric: scores[metric] for metric in experiment.metrics}
            part = summarise(chosen)
            parts.append(part.assign(task=task.name, subtask=f"{n} items" if several else ""))
    table = pd.concat(parts, ignore_index=True)
    named = table.assign(model=f"{model}-s{seed}", n_params=count_params(network), seed=seed)
    return named[list(COLUMNS)]


def test_rng(task: Task, n: int) -> np.random.Generator:
    """Draw of a test set: the same for all networks, another for each task and number of items."""
    # ASSUME: test sets of one task are drawn apart, not one inside the other, so that the noise of
    # a small one is not part of a large one.
    return np.random.default_rng(curve_seed(n, task.name))
