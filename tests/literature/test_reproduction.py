"""Numbers of the papers, recomputed from invented scores whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders import BIG_G, PALM, tags_row, tidy_rows
from metamirage.contracts.check import check
from metamirage.contracts.reproduction import REPRODUCTION
from metamirage.literature.facts import Facts, read_facts
from metamirage.literature.readings import (
    DIRECTION,
    INFINITE,
    SHOTS,
    SUBTASKS,
    Reading,
    curve_scores,
    emergent_curves,
    over_shots,
    preferred_scores,
)
from metamirage.literature.reproduction import discontinuity, reproduce_claims

GRADE, MATCH, BRIER = (
    "multiple_choice_grade",
    "exact_str_match",
    "calibration_multiple_choice_brier_score",
)
LINE = list(np.linspace(0.1, 0.9, 12))
STEP = [0.0] * 6 + [1.0] * 6
# Sums of a few doubles.
EXACT = 1e-12


@pytest.fixture(scope="module")
def facts(repository: Path) -> Facts:
    return read_facts(repository / "config/facts")


def rows(task: str, metric: str, scores: list[float], **columns: object) -> pd.DataFrame:
    sizes = 10 ** (PALM if len(scores) == 3 else BIG_G)
    family = "PaLM" if len(scores) == 3 else "BIG-G T=0"
    defaults = {"family": family, "scale": "fraction", "low_score": 0.0, "high_score": 1.0}
    return tidy_rows(list(sizes), scores, task=task, metric=metric, **(defaults | columns))


def tags_of(tidy: pd.DataFrame, **directions: str) -> pd.DataFrame:
    pairs = tidy[["task", "metric"]].drop_duplicates().itertuples(index=False)
    tags = [tags_row(task=t, metric=m, direction=directions.get(t, "up")) for t, m in pairs]
    return pd.concat(tags, ignore_index=True)


def claims(facts: Facts, *tables: pd.DataFrame) -> pd.DataFrame:
    tidy = pd.concat(tables, ignore_index=True)
    found = reproduce_claims(tidy, tags_of(tidy), facts=facts)
    return check(found, REPRODUCTION, source="test").set_index("name")


def reading(**changes: object) -> Reading:
    plain = {
        "threshold": 50,
        "families": "all families",
        "shots": SHOTS[0],
        "subtasks": SUBTASKS[0],
        "infinite": INFINITE[0],
        "direction": DIRECTION[0],
    }
    return Reading(**(plain | changes))  # type: ignore[arg-type]


def called(tidy: pd.DataFrame, how: Reading, **directions: str) -> list[str]:
    preferred = preferred_scores(tidy, tags_of(tidy, **directions), how.subtasks)
    chosen, emergent = emergent_curves(curve_scores(over_shots(preferred, how.shots)), how)
    return sorted(chosen.loc[emergent, "task"])


def test_metrics_are_counted_by_score(facts: Facts) -> None:
    found = claims(facts, rows("a", GRADE, STEP), rows("b", MATCH, LINE), rows("c", "bleu", LINE))
    assert found.loc["preferred_metrics", "estimate"] == 3
    assert found.loc["emergent_metrics_by_score", ["estimate", "n"]].tolist() == [1, 3]
    assert found.loc["two_metrics_share_by_score", "estimate"] == 1
    # Two of three evaluated curves are under one of the two metrics.
    assert found.loc["two_metrics_enrichment_by_score", "estimate"] == pytest.approx(3 / 2)


def test_the_range_covers_the_readings(facts: Facts) -> None:
    found = claims(facts, rows("a", GRADE, STEP), rows("b", MATCH, LINE))
    row = found.loc["emergent_metrics_by_score"]
    # A step's S is infinite, so it drops out where infinite scores do not count.
    assert (row["lowest"], row["estimate"], row["highest"]) == (0, 1, 1)
    assert row["n_readings"] > 100
    assert row["reading"].startswith("S > 50; all families; each shot count; subtasks apart")


def test_infinite_scores_count_only_where_the_reading_says_so() -> None:
    step = rows("a", GRADE, STEP)
    assert called(step, reading()) == ["a"]
    assert called(step, reading(infinite=INFINITE[1])) == []


def test_a_falling_step_is_emergent_where_less_is_better() -> None:
    falling = rows("a", BRIER, STEP[::-1])
    assert called(falling, reading(), a="down") == ["a"]
    assert called(falling, reading(direction=DIRECTION[1]), a="down") == []


def test_the_best_of_the_shots_hides_a_step_that_one_has() -> None:
    step, line = rows("a", GRADE, STEP), rows("a", GRADE, LINE, n_shots=1)
    both = pd.concat([step, line], ignore_index=True)
    assert called(both, reading()) == ["a"]
    assert called(both, reading(shots=SHOTS[1])) == []


def test_the_best_of_the_shots_is_the_lowest_where_less_is_better() -> None:
    both = pd.concat([rows("a", BRIER, [0.5] * 12), rows("a", BRIER, LINE, n_shots=1)])
    preferred = preferred_scores(both, tags_of(both, a="down"), SUBTASKS[0])
    assert over_shots(preferred, SHOTS[1])["score"].max() == 0.5
    assert over_shots(preferred, SHOTS[1])["score"].min() == LINE[0]


def test_subtasks_of_one_metric_are_averaged_in_it() -> None:
    parts = [rows("a", GRADE, LINE, subtask="x"), rows("a", GRADE, LINE[::-1], subtask="y")]
    tidy = pd.concat(parts, ignore_index=True)
    averaged = preferred_scores(tidy, tags_of(tidy), SUBTASKS[1])
    assert set(averaged["metric"]) == {GRADE}
    np.testing.assert_allclose(averaged["score"], 0.5, atol=EXACT)


def test_mixed_subtasks_become_the_normalised_aggregate() -> None:
    chance = rows("a", GRADE, [0.25] * 12, subtask="x", low_score=0.25)
    half = rows("a", MATCH, [0.5] * 12, subtask="y")
    tidy = pd.concat([chance, half], ignore_index=True)
    averaged = preferred_scores(tidy, tags_of(tidy), SUBTASKS[1])
    assert set(averaged["metric"]) == {"normalized_aggregate_score"}
    np.testing.assert_allclose(averaged["score"], 25, atol=EXACT)


def test_labels_give_the_share_and_its_enrichment(facts: Facts) -> None:
    labelled = [rows("codenames", GRADE, LINE), rows("hindu_knowledge", MATCH, LINE)]
    others = [rows("color", GRADE, LINE), rows("gem", "bleu", LINE), rows("rephrase", "bleu", LINE)]
    found = claims(facts, *labelled, *others)
    assert found.loc["wei_tasks", ["published", "estimate", "n"]].tolist() == [67, 2, 5]
    assert found.loc["emergent_metrics_by_hand", "estimate"] == 2
    assert found.loc["two_metrics_share", "estimate"] == 1
    assert found.loc["two_metrics_share_evaluated", "estimate"] == pytest.approx(3 / 5)
    assert found.loc["two_metrics_enrichment", "estimate"] == pytest.approx(5 / 3)


def test_triplets_need_the_family_of_the_label(facts: Facts) -> None:
    # codenames is labelled at GPT-3: its BIG-G curve is no labelled triplet.
    found = claims(facts, rows("codenames", GRADE, LINE), rows("gem", "bleu", LINE))
    assert found.loc["emergent_metrics_by_hand", "n_readings"] == 4
    assert "pairs" in found.loc["emergent_metrics_by_hand", "reading"]


def test_without_labelled_tasks_the_row_says_so(facts: Facts) -> None:
    row = claims(facts, rows("invented", GRADE, LINE)).loc["two_metrics_share"]
    assert np.isnan(row["estimate"])
    assert row["n_readings"] == 0
    assert row["note"] == "no labelled task has scores here"


def test_the_projection_of_the_papers_sizes() -> None:
    # Worked by hand: the factor from 8 and 62 to 540 billion is 1.0570.
    jump = discontinuity(np.array([[0.0, 1.0, 0.0]]), np.log10([8e9, 62e9, 540e9]))
    assert jump[0] == pytest.approx(-2.0570, abs=1e-4)


def test_jumps_of_palm_are_counted(facts: Facts) -> None:
    flat, small, large = [0.2, 0.2, 0.2], [0.2, 0.2, 0.35], [0.2, 0.2, 0.45]
    tables = [rows(f"t{i}", GRADE, y) for i, y in enumerate([flat, flat, small, large])]
    found = claims(facts, *tables)
    assert found.loc["palm_tasks", ["published", "estimate"]].tolist() == [150, 4]
    assert found.loc["palm_above_10", ["published", "estimate"]].tolist() == [0.25, 0.5]
    assert found.loc["palm_above_20", ["published", "estimate"]].tolist() == [0.15, 0.25]


def test_normalised_and_raw_points_span_the_range(facts: Facts) -> None:
    # From 0.60 to 0.75 is 15 points raw and 30 of the half that chance leaves.
    found = claims(facts, rows("t", GRADE, [0.6, 0.6, 0.75], low_score=0.5))
    row = found.loc["palm_above_20"]
    assert (row["estimate"], row["lowest"], row["highest"]) == (1, 0, 1)


def test_without_palm_the_row_says_so(facts: Facts) -> None:
    row = claims(facts, rows("t", GRADE, LINE)).loc["palm_above_10"]
    assert np.isnan(row["estimate"])
    assert row["note"] == "the scores hold 0 sizes of a family PaLM; three are needed"


def test_every_printed_number_has_a_row(facts: Facts) -> None:
    found = claims(facts, rows("t", GRADE, LINE))
    assert set(facts.published_claims["claim"]) <= set(found.index)
    assert "nothing here computes this number" not in set(found["note"])


def test_the_order_of_the_rows_changes_nothing(facts: Facts) -> None:
    tables = [rows("a", GRADE, STEP), rows("codenames", MATCH, LINE), rows("c", MATCH, [0, 0, 1])]
    tidy = pd.concat(tables, ignore_index=True)
    mixed = tidy.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(claims(facts, mixed), claims(facts, tidy))
