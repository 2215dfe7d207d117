"""How many items stand behind a score: definition and cap propose, the scores decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metamirage.ingest.bigbench.definitions import Definition
from metamirage.ingest.bigbench.items import count_items

GRADE, MATCH = "multiple_choice_grade", "exact_str_match"


def rows(scores: Sequence[float], **columns: object) -> pd.DataFrame:
    """One score per model of one network, at 0 shots under multiple choice unless said."""
    frame = pd.DataFrame({"score": np.array(scores, float)})
    defaults: dict[str, object] = {
        "task": "t",
        "subtask": "",
        "metric": GRADE,
        "family": "PaLM",
        "network": "PaLM",
        "model": [f"m{i}" for i in range(len(frame))],
        "n_shots": 0.0,
    }
    return frame.assign(**(defaults | columns))


def defined(n: int, subtask: str = "") -> dict[tuple[str, str], Definition]:
    return {("t", subtask): Definition(n, ())}


def found(scores: pd.DataFrame, definitions: dict[tuple[str, str], Definition]) -> list[object]:
    counted = count_items(scores, definitions).drop_duplicates()
    return counted.to_numpy().tolist()


def test_the_items_of_the_definition_are_confirmed_by_the_scores() -> None:
    assert found(rows([7 / 40, 13 / 40]), defined(40)) == [[40, "task.json"]]


def test_examples_of_the_prompt_are_taken_off() -> None:
    scores = rows([17 / 67, 23 / 67, 40 / 67], n_shots=3.0)
    assert found(scores, defined(70)) == [[67, "task.json less prompt examples"]]


def test_the_number_taken_off_may_grow_with_the_shots() -> None:
    scores = pd.concat(
        [rows([17 / n, 23 / n, 41 / n], n_shots=float(70 - n)) for n in (70, 69, 68)]
    )
    counts = count_items(scores.reset_index(drop=True), defined(70))
    assert counts["n_samples"].tolist() == [70] * 3 + [69] * 3 + [68] * 3


@pytest.mark.parametrize(
    ("network", "cap"), [("BIG-G", 1024), ("BIG-G sparse", 1024), ("GPT", 1000)]
)
def test_the_cap_is_that_of_the_network(network: str, cap: int) -> None:
    scores = rows([1 / cap, 333 / cap], family=f"{network} T=0", network=network)
    assert found(scores, defined(5000)) == [[cap, "task.json"]]


def test_subtasks_share_the_cap() -> None:
    scores = pd.concat(
        [rows([1 / 250, 33 / 250], subtask=name) for name in "abcd"], ignore_index=True
    )
    definitions = {("t", name): Definition(900, ()) for name in "abcd"}
    assert found(scores, definitions) == [[250, "task.json"]]


def test_a_graded_metric_has_the_items_of_its_neighbour() -> None:
    scores = pd.concat([rows([0.25, 1 / 3]), rows([51.23, 0.7], metric="bleu")], ignore_index=True)
    assert found(scores, defined(12)) == [[12, "task.json"]]


def test_graded_metrics_alone_cannot_check_the_definition() -> None:
    scores = rows([51.23, 0.7], metric="bleu")
    assert found(scores, defined(12)) == [[12, "task.json, no metric to check it"]]


def test_without_a_definition_the_smallest_common_denominator_counts() -> None:
    assert found(rows([1 / 6, 1 / 4, 1 / 2]), {}) == [[12, "smallest common denominator"]]


def test_a_network_with_few_scores_learns_from_its_siblings() -> None:
    many = rows([k / 60 for k in (7, 11, 13, 22)], family="GPT", network="GPT")
    few = rows([30 / 60, 15 / 60])
    scores = pd.concat([few, many], ignore_index=True)
    assert found(scores, {}) == [[60, "smallest common denominator"]]


def test_scores_above_one_do_not_count_items() -> None:
    assert found(rows([1.78, 7 / 40, 13 / 40]), defined(40)) == [[40, "task.json"]]


@pytest.mark.parametrize("definitions", [{}, defined(0)])
def test_zeros_and_ones_say_nothing(definitions: dict[tuple[str, str], Definition]) -> None:
    ((n, source),) = found(rows([0, 1, 0]), definitions)
    assert np.isnan(n)
    assert source == "unknown"


def test_scores_that_are_no_share_leave_the_number_unknown() -> None:
    ((n, source),) = found(rows([0.1414213562, 0.2718281828]), {})
    assert np.isnan(n)
    assert source == "unknown"


def test_parts_of_an_item_are_recognised() -> None:
    scores = rows([k / 80 for k in (1, 3, 17, 51)])
    assert found(scores, defined(40)) == [[40, "task.json, scores finer than items"]]


def test_fewer_items_than_defined_are_believed_if_chance_cannot_explain_them() -> None:
    scores = rows([k / 50 for k in range(1, 31)])
    assert found(scores, defined(100)) == [[50, "smallest common denominator, unlike task.json"]]


def test_a_few_even_numbers_of_items_do_not_halve_them() -> None:
    assert found(rows([4 / 100, 6 / 100, 10 / 100]), defined(100)) == [[100, "task.json"]]


def test_models_with_items_of_their_own_get_their_own_number() -> None:
    scores = rows([7 / 97, 13 / 89, 40 / 101, 5 / 53])
    counts = count_items(scores, {})
    assert counts["n_samples"].tolist() == [97, 89, 101, 53]
    assert set(counts["n_samples_source"]) == {"smallest denominator of this model"}


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 1000),
    seed=st.integers(0, 99),
    right=st.lists(st.integers(0, 1000), min_size=3, max_size=12),
)
def test_the_order_of_the_rows_changes_nothing(n: int, seed: int, right: list[int]) -> None:
    scores = rows([(k % (n + 1)) / n for k in right])
    mixed = scores.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        count_items(mixed, {}).sort_index(), count_items(scores, {}), check_dtype=True
    )


@settings(max_examples=40, deadline=None)
@given(n=st.integers(20, 1000), right=st.lists(st.integers(1, 999), min_size=3, max_size=12))
def test_true_counts_never_contradict_their_definition(n: int, right: list[int]) -> None:
    scores = rows([(k % (n + 1)) / n for k in right])
    ((found_n, source),) = found(scores, defined(n))
    assert (found_n, source) == (n, "task.json")
