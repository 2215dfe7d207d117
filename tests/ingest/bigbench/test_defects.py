"""Defects that only the whole table shows: found, named, counted, never removed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from builders import tidy_rows
from metamirage.ingest.bigbench.defects import find_defects

SIZES = [8e9, 64e9, 535e9]
MODELS = ["8b", "64b", "535b"]


def scores(values: list[float], **columns: object) -> pd.DataFrame:
    defaults: dict[str, object] = {
        "metric": "multiple_choice_grade",
        "family": "PaLM",
        "network": "PaLM",
        "model": MODELS,
        "scale": "fraction",
        "n_samples_source": "task.json",
    }
    return tidy_rows(SIZES, values, **(defaults | columns))


def found(*tables: pd.DataFrame) -> dict[str, tuple[str, str, int]]:
    table = pd.concat(tables, ignore_index=True)
    return {i.kind: (i.where, i.detail, n) for i, n in find_defects(table)}


def test_sound_scores_have_no_defects() -> None:
    assert found(scores([0.3, 0.4, 0.6])) == {}


def test_a_task_that_is_zero_throughout_is_found() -> None:
    where, _, n = found(scores([0, 0, 0], subtask="easy"), scores([0, 0, 1]))["all scores zero"]
    assert (where, n) == ("t:easy", 3)


def test_few_items_are_found() -> None:
    few, enough = scores([0.3, 0.4, 0.6], n_samples=49), scores([0.3, 0.4, 0.6], task="u")
    assert found(few, enough)["few items"] == ("t", "49 items", 3)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("task.json, scores finer than items", "items not 0 or 1"),
        ("unknown", "number of items unknown"),
        ("smallest common denominator, unlike task.json", "differing items"),
        ("smallest denominator of this model", "differing items"),
    ],
)
def test_doubts_about_the_items_become_defects(source: str, kind: str) -> None:
    assert found(scores([0.3, 0.4, 0.6], n_samples_source=source))[kind][::2] == ("t", 3)


def test_differing_items_are_listed_by_network() -> None:
    other = scores([0.1, 0.2, 0.3], n_samples=50, family="GPT", network="GPT")
    other["n_samples_source"] = "smallest common denominator, unlike task.json"
    detail = found(scores([0.3, 0.4, 0.6]), other)["differing items"][1]
    assert detail.endswith("GPT 50, PaLM 100")


def test_metrics_of_a_task_are_listed() -> None:
    own = scores([0.3, 0.4, 0.6], metric="full", scale="own")
    assert found(own)["task-specific metric"][::2] == ("t, full", 3)


def test_equal_graded_scores_at_two_sizes_are_found() -> None:
    brier = scores([0.5, 0.21, 0.21], metric="calibration_multiple_choice_brier_score")
    where, detail, n = found(scores([0.3, 0.4, 0.4]), brier)["equal at two sizes"]
    assert (where, n) == ("t, PaLM", 4)
    assert detail == "535b and 64b have equal scores (0-shot)"


def test_one_equal_share_at_two_sizes_is_a_coincidence() -> None:
    assert found(scores([0.3, 0.4, 0.4])) == {}


def test_one_differing_score_is_no_copy() -> None:
    brier = scores([0.5, 0.21, 0.21], metric="calibration_multiple_choice_brier_score")
    assert found(scores([0.3, 0.4, 0.5]), brier) == {}


def test_equal_scores_of_one_network_at_two_temperatures_are_found() -> None:
    greedy = scores([0.3, 0.4, 0.6], family="BIG-G T=0", network="BIG-G")
    sampled = scores([0.3, 0.4, 0.6], family="BIG-G T=1", network="BIG-G")
    where, detail, n = found(greedy, sampled)["equal at two temperatures"]
    assert (where, n) == ("t, BIG-G", 6)
    assert detail.startswith("BIG-G T=0 and BIG-G T=1 are one network")


def test_some_equal_shares_at_two_temperatures_are_coincidences() -> None:
    greedy = scores([0.3, 0.4, 0.6], family="BIG-G T=0", network="BIG-G")
    sampled = scores([0.3, 0.4, 0.5], family="BIG-G T=1", network="BIG-G")
    assert found(greedy, sampled) == {}


def test_a_family_without_scores_is_found_where_most_tasks_have_it() -> None:
    gpt = [scores([0.1, 0.2, 0.3], task=t, family="GPT", network="GPT") for t in "tuv"]
    palm = [scores([0.3, 0.4, 0.6], task=t) for t in "tu"]
    detail = "3 of 3 models have no scores: 535b, 64b, 8b"
    assert found(*gpt, *palm)["family missing"] == ("v, PaLM", detail, 0)


def test_a_missing_size_is_found() -> None:
    whole = [scores([0.3, 0.4, 0.6], task=t) for t in "tu"]
    part = scores([0.3, 0.4, 0.6], task="v").iloc[:2]
    detail = "1 of 3 models have no scores: 535b"
    assert found(*whole, part)["models missing"] == ("v, PaLM", detail, 0)


def test_a_rare_family_is_missed_nowhere() -> None:
    gpt = [scores([0.1, 0.2, 0.3], task=t, family="GPT", network="GPT") for t in "tuv"]
    assert found(*gpt, scores([0.3, 0.4, 0.6])) == {}


def test_missing_numbers_of_items_are_not_few() -> None:
    unknown = scores([0.3, 0.4, 0.6], n_samples=np.nan, n_samples_source="unknown")
    assert "few items" not in found(unknown)
