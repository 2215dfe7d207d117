from __future__ import annotations

import pandas as pd
import pytest

from builders import tags_row, tidy_rows
from metamirage.hypotheses.strata import choose_strata, describe_curves


def units(n: int, *, third: str) -> pd.DataFrame:
    """N values of each class whose thirds of items are told by ``third``."""
    table = pd.DataFrame({"label": [1.0] * n + [0.0] * n, "query": "generate"})
    shared = [str(i % 3) for i in range(n)] * 2
    apart = ["0"] * n + ["1"] * n
    return table.assign(
        preferred_query="generate", items_third=shared if third == "shared" else apart
    )


def test_strata_are_as_fine_as_the_tasks_allow() -> None:
    strata = choose_strata(units(9, third="shared"))
    assert strata.keys == ("query", "preferred_query", "items_third")
    assert strata.note() == "3 of 3 strata hold both classes"


def test_a_split_that_parts_the_classes_is_not_made() -> None:
    strata = choose_strata(units(9, third="apart"))
    assert strata.keys == ("query", "preferred_query")
    assert strata.n_informative == 1


def test_a_handful_of_tasks_is_split_by_query_only() -> None:
    assert choose_strata(units(3, third="shared")).keys == ("query",)


def test_curves_are_described_from_the_published_scores() -> None:
    tidy = pd.concat(
        [
            tidy_rows([1e8, 1e11], [0.1, 0.9], task=task, n_samples=items, is_preferred=preferred)
            for task, items, preferred in (("a", 10, True), ("b", 50, False), ("c", 900, True))
        ]
    )
    tags = pd.concat([tags_row(task=task, query="generate") for task in "abc"])
    key = ["benchmark", "task", "subtask", "metric", "family", "n_shots"]
    found = describe_curves(tidy[key].drop_duplicates(), tidy=tidy, tags=tags).set_index("task")
    assert found["span_decades"].tolist() == pytest.approx([3.0] * 3, abs=1e-12)
    assert found["items_third"].tolist() == ["0", "1", "2"]
    assert found["preferred_query"].tolist() == ["generate", "unstated", "generate"]
