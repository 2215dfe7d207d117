"""Simulated worlds of known truth for the tests of the latent: curves and tags, without files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from metamirage.contracts.check import check
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import Curve, build_curves
from metamirage.ingest.tags import read_metrics, tag_metrics
from standin.design import WORLDS, Design, draw_leaves, draw_present
from standin.draw import Standin, score_table
from standin.families import FAMILIES
from standin.scores import draw_cells, draw_scores

METRICS = Path(__file__).parents[1] / "config/metrics.csv"
# The benchmark's name decides which rows of the metric table apply.
BENCHMARK = "bigbench"
# A latent that breaks in every task, each metric with its own link.
WORLDS_OF_TESTS = {"breaks": ({"break": 1.0}, "metric"), "mirage": WORLDS["W2"]}


def draw_world(
    world: str,
    n_tasks: int,
    rng: np.random.Generator,
    item_spread: float = 1.0,
    **changes: object,
) -> tuple[list[Curve], pd.DataFrame]:
    """Draw the curves of a world and their tags.

    Parameters
    ----------
    world
        One of ``metamirage.standin.design.WORLDS``.
    n_tasks
        At least 16, so that every kind of task is there.
    rng
        Source of randomness.
    item_spread
        Factor to the spread of items: the alike they are, the sharper a choice's grade.
    changes
        Of ``metamirage.standin.design.Design``.
    """
    wanted = {"max_subtasks": 2, "defects": (), "families": FAMILIES[:1]} | changes
    design = Design(world=world, n_tasks=n_tasks, **wanted)  # type: ignore[arg-type]
    leaves = draw_leaves(design, rng)
    leaves = leaves.assign(item_sd=leaves["item_sd"] * item_spread)
    cells = draw_cells(leaves, draw_present(leaves, design, rng=rng), design=design, rng=rng)
    scores = draw_scores(cells, leaves, design=design, rng=rng).assign(defect="")
    none = pd.DataFrame()
    standin = Standin(design, none, none, leaves, cells, scores, blob_seed=0)
    tidy = tidy_of(score_table(standin), leaves)
    tags = tag_metrics(tidy, read_metrics(METRICS))
    return build_curves(tidy, tags), tags


def tidy_of(scores: pd.DataFrame, leaves: pd.DataFrame) -> pd.DataFrame:
    """Bring the scores of a stand-in under the contract of the tidy table; first trials only."""
    first = scores[scores["trial"] == 0]
    chance = leaves[["task", "subtask", "chance"]]
    rows = first.merge(chance, on=["task", "subtask"]).assign(
        benchmark=BENCHMARK,
        metric=lambda t: t["metric"].astype(str),
        n_params_kind="flop_matched_non_embedding",
        stderr=np.nan,
        high_score=np.nan,
        is_preferred=None,
        source_file="drawn",
    )
    graded = rows["metric"] == "multiple_choice_grade"
    rows = rows.assign(
        low_score=rows["chance"].where(graded),
        n_samples=rows["n_evaluated"],
        n_shots=rows["n_shots"].where(rows["n_shots"] >= 0),
    )
    types = {
        "n_shots": "Int64",
        "n_samples": "Int64",
        "is_preferred": "boolean",
        "low_score": float,
    }
    return check(rows.astype(types), TIDY, source="drawn")[list(TIDY.columns)]
