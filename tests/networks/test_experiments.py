"""What is trained, and how answers become a table; no network is needed for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.networks.experiments import ARITHMETIC, compare_seeds, draw_items, score_network
from metamirage.networks.problems import Batch
from metamirage.networks.scoring import METRICS, Answers
from places import ROOT

SMALL = replace(ARITHMETIC, test_sizes=(10, 20))
CELL = ["task", "subtask", "metric", "model"]


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


def test_there_are_ten_sizes_and_heads_that_divide_their_width() -> None:
    shapes = ARITHMETIC.shapes.values()
    assert len(set(shapes)) >= 10
    assert all(shape.width % shape.heads == 0 for shape in shapes)


def table_of(scores: list[float], *, stderr: float = 0.0) -> pd.DataFrame:
    """One cell, a row a seed."""
    rows = pd.DataFrame({"score": scores, "seed": range(len(scores)), "stderr": stderr})
    return rows.assign(task="t", metric="m", n_params=10, n_samples=5)


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


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    return pd.read_csv(ROOT / "data/raw/arithmetic/scores.csv")


def test_the_shipped_table_is_whole(shipped: pd.DataFrame) -> None:
    assert set(shipped["task"]) == {task.name for task in ARITHMETIC.suite.tasks}
    assert set(shipped["model"].str.split("-").str[0]) == set(ARITHMETIC.shapes)
    assert set(shipped["n_samples"]) == set(ARITHMETIC.test_sizes)
    assert not shipped.duplicated(CELL).any()
    seeds = shipped["seed"].nunique()
    assert seeds >= 3
    cells = (8, len(ARITHMETIC.test_sizes), len(METRICS), len(ARITHMETIC.shapes), seeds)
    assert len(shipped) == np.prod(cells)


def test_the_registry_tags_every_metric_and_bounds_each_distance_by_its_length(
    shipped: pd.DataFrame, repository: Path
) -> None:
    spec = load_spec(repository / "config/benchmarks/arithmetic.yaml")
    metrics = read_metrics(repository / "config/metrics.csv")
    scores = shipped.assign(benchmark="arithmetic", low_score=np.nan)
    tags = tag_metrics(scores, metrics, overrides=spec.tag_overrides)
    assert set(tags["metric"]) == set(METRICS)
    bounds = tags[tags["metric"] == "token_edit_distance"].set_index("task")["upper"]
    assert bounds.to_dict() == {task.name: task.answer_length for task in ARITHMETIC.suite.tasks}
