"""What a task definition says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from metamirage.base.errors import InputError
from metamirage.ingest.bigbench.definitions import Definition, definition_names, read_definition


def test_a_definition_counts_items_repeats_and_single_options() -> None:
    item = {"input": "1 + 1", "target_scores": {"2": 1, "3": 0}}
    single = {"input": "1 + 2", "target_scores": {"3": 1}}
    content = {"examples": [item, single, dict(item)], "keywords": ["arithmetic", "json"]}
    definition = read_definition(Path("task.json"), content)
    assert definition == Definition(3, ("arithmetic", "json"), n_repeated=1, n_single=1)


def test_a_definition_needs_neither_items_nor_keywords() -> None:
    assert read_definition(Path("task.json"), {"name": "t"}) == Definition(0, ())


@pytest.mark.parametrize("field", ["examples", "keywords"])
def test_a_definition_of_the_wrong_type_is_named(field: str) -> None:
    with pytest.raises(InputError, match=rf"a/task.json: {field}: has the wrong type \('str'\)"):
        read_definition(Path("a/task.json"), {field: "x"})


def test_a_path_may_name_a_task_or_a_subtask() -> None:
    names = list(definition_names(Path("root/arithmetic/one_digit/task.json")))
    assert names == [("one_digit", ""), ("arithmetic", "one_digit")]
