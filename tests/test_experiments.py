"""What is trained, and how answers become a table; no network is needed for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.answers import Answers
from metamirage.experiments import (
    EXPERIMENTS,
    compare_seeds,
    draw_items,
    score_network,
)
from metamirage.problems import Batch
from metamirage.registry import load_spec
from metamirage.tags import read_metrics, tag_metrics

SMALL = replace(EXPERIMENTS["arithmetic"], test_sizes=(10, 20))


def all_right(items: Batch) -> Answers:
    """Answer as a perfect network would."""
    target = items.tokens[:, items.is_answer[0]]
    return Answers(target, target, np.zeros(target.shape), np.zeros(target.shape))


def test_a_perfect_network_scores_perfectly_on_every_test_set() -> None:
    best = {"exact_match": 1, "token_accuracy": 1}
    table = score_network(SMALL, all_right)
    assert (table["score"] == table["metric"].map(best).fillna(0)).all()
    assert set(zip(table["subtask"], table["n_samples"], strict=True)) == {
        ("10 items", 10),
        ("20 items", 20),
    }
    assert table["task"].nunique() == 8


def test_all_networks_get_the_same_items_and_each_test_set_its_own() -> None:
    task = SMALL.suite.tasks[3]
    items = draw_items(task, 10).tokens
    assert (items == draw_items(task, 10).tokens).all()
    assert (items != draw_items(task, 20).tokens[:10]).any()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_has_ten_sizes_and_six_tasks_at_least(name: str) -> None:
    experiment = EXPERIMENTS[name]
    assert len(set(experiment.shapes.values())) >= 10
    assert len(experiment.suite.tasks) >= 6
    assert all(shape.width % shape.heads == 0 for shape in experiment.shapes.values())


def table_of(scores: list[float], *, stderr: float = 0.0) -> pd.DataFrame:
    """One cell, a row a seed; one test set has no name in a file."""
    rows = pd.DataFrame({"score": scores, "seed": range(len(scores)), "stderr": stderr})
    return rows.assign(task="t", subtask=np.nan, metric="m", n_params=10, n_samples=5)


def test_a_table_made_again_is_within_the_spread_of_seeds_or_not() -> None:
    shipped = table_of([0.4, 0.5, 0.6])
    # t of 2 degrees of freedom, 4.303, times 0.1 times the root of 2 / 3.
    found = compare_seeds(shipped, table_of([0.8, 0.8, 0.8]))
    assert found["reach"][0] == pytest.approx(0.3513, abs=1e-4)  # the t quantile's four digits
    assert list(found["within"]) == [True]
    assert not compare_seeds(shipped, table_of([0.9, 0.9, 0.9]))["within"][0]


def test_seeds_that_agree_by_chance_leave_the_error_of_the_items() -> None:
    shipped = table_of([0.5, 0.5, 0.5], stderr=0.05)
    assert compare_seeds(shipped, table_of([0.51]))["within"][0]
    assert not compare_seeds(shipped, table_of([0.9]))["within"][0]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_shipped_table_is_whole_and_every_metric_of_it_tagged(
    name: str, repository: Path
) -> None:
    experiment = EXPERIMENTS[name]
    spec = load_spec(repository / f"config/benchmarks/{name}.yaml")
    raw = pd.read_csv(repository / f"data/raw/{name}/scores.csv")
    seeds = raw["seed"].nunique()
    cells = [
        len(experiment.suite.tasks), len(experiment.test_sizes), len(experiment.metrics),
        len(experiment.shapes), seeds,
    ]  # fmt: skip
    assert seeds >= 3
    assert len(raw) == np.prod(cells)
    scores = raw.assign(benchmark=name, subtask=raw.get("subtask", ""))
    tags = tag_metrics(
        scores, read_metrics(repository / "config/metrics.csv"), overrides=spec.tag_overrides
    )
    assert set(tags["metric"]) == set(experiment.metrics)
    bound = tags[tags["metric"] == "token_edit_distance"].set_index("task")["upper"].to_dict()
    lengths = {task.name: task.answer_length for task in experiment.suite.tasks}
    assert bound in ({}, lengths)
