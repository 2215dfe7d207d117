"""Metrics of BIG-bench: scales, and the one row that catches those of a task's own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from builders import tidy_rows
from metamirage.base.errors import InputError
from metamirage.ingest.bigbench.metrics import COUNTED, RANGES, SCALES
from metamirage.ingest.tags import read_metrics, tag_metrics


@pytest.fixture(scope="module")
def metrics(repository: Path) -> pd.DataFrame:
    return read_metrics(repository / "config/metrics.csv")


def scores(benchmark: str, metric: str) -> pd.DataFrame:
    return tidy_rows([1e6, 1e8, 1e9], [0.1, 0.2, 0.4], benchmark=benchmark, metric=metric)


def test_a_metric_that_nobody_could_foresee_is_excluded_not_fatal(metrics: pd.DataFrame) -> None:
    tag = tag_metrics(scores("bigbench", "games_won"), metrics).iloc[0]
    assert tag["excluded"] == "task-specific metric, class not known"
    assert (tag["discontinuous"], tag["nonlinear"], tag["query"]) == ("unknown", "unknown", "other")


@pytest.mark.parametrize("metric", sorted(SCALES))
def test_metrics_of_the_api_keep_their_own_row(metrics: pd.DataFrame, metric: str) -> None:
    tag = tag_metrics(scores("bigbench", metric), metrics).iloc[0]
    assert tag["excluded"] != "task-specific metric, class not known"


def test_a_task_with_a_row_of_its_own_keeps_it(metrics: pd.DataFrame) -> None:
    own = scores("bigbench", "correct").assign(task="python_programming_challenge")
    assert tag_metrics(own, metrics).iloc[0]["discontinuous"] == "yes"


@pytest.mark.parametrize("benchmark", ["bigbench-mc-3shot", "bigbench2", "mine"])
def test_unknown_metrics_stop_every_other_benchmark(metrics: pd.DataFrame, benchmark: str) -> None:
    with pytest.raises(InputError, match="no complete row for 1"):
        tag_metrics(scores(benchmark, "games_won"), metrics)


def test_what_counts_items_is_a_fraction() -> None:
    assert {SCALES[metric] for metric in COUNTED} == {"fraction"}
    assert {RANGES[metric] for metric in COUNTED} == {(0.0, 1.0)}


def test_bounds_follow_the_scale_on_disk() -> None:
    upper = {"fraction": 1.0, "percent": 100.0, "log": 0.0}
    assert all(high == upper[SCALES[metric]] for metric, (_, high) in RANGES.items())
