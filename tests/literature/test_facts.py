"""The shipped facts are whole, and faults in them are named by line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metamirage.base.errors import InputError
from metamirage.literature.facts import Facts, read_facts


@pytest.fixture(scope="module")
def facts(repository: Path) -> Facts:
    return read_facts(repository / "config/facts")


def copy(repository: Path, folder: Path) -> Path:
    return Path(shutil.copytree(repository / "config/facts", folder / "facts"))


def test_67_tasks_are_called_emergent_at_six_models(facts: Facts) -> None:
    emergent = facts.wei_labels.query("set == 'emergent'")
    assert emergent["label"].value_counts().to_dict() == {
        "palm_540b": 25,
        "gpt3_175b": 15,
        "palm_64b": 14,
        "lamda_137b": 8,
        "palm_8b": 3,
        "gpt3_13b": 2,
    }
    assert len(facts.emergent) == 67
    assert facts.emergent["modified_arithmetic"] == "gpt3_13b"


def test_no_task_has_two_classes(facts: Facts) -> None:
    classes = facts.wei_labels.query("set in ('emergent', 'control')")
    assert not classes["task"].duplicated().any()
    control = classes.query("set == 'control'")["label"].value_counts().to_dict()
    assert control == {"smooth": 58, "flat": 45, "other": 27, "in_no_class": 11}


def test_the_subjects_of_mmlu_are_57_with_the_candidates(facts: Facts) -> None:
    subjects = facts.wei_labels.query("set in ('mmlu', 'mmlu_candidate')")
    assert subjects["task"].nunique() == len(subjects) == 57


def test_lite_has_24_tasks_and_hard_23(facts: Facts) -> None:
    assert facts.bigbench_lists["list"].value_counts().to_dict() == {"lite": 24, "hard": 23}


def test_lists_and_labels_name_tasks_alike(facts: Facts) -> None:
    known = set(facts.wei_labels.query("set in ('emergent', 'control')")["task"])
    assert set(facts.bigbench_lists["task"]) - known == set()


def test_the_numbers_of_the_papers(facts: Facts) -> None:
    numbers = facts.published_claims.set_index("claim")["number"]
    assert numbers["preferred_metrics"] == 39
    assert numbers["two_metrics_share"] == 0.92
    assert numbers[["palm_above_10", "palm_above_20"]].tolist() == [0.25, 0.15]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("bigbench_lists", "lite,emoji_movie", "light,emoji_movie", "list is not an allowed word"),
        ("bigbench_lists", "lite,winowhy", "lite,operators", "repeats the list, task of line"),
        ("published_claims", ",39,", ",many,", r"number is not a number \('many'\)"),
        ("published_claims", ",39,", ",,", "line 2: number is blank"),
        ("published_claims", ",39,", ",39,0,", "more cells than columns"),
        ("wei_labels", "set,label", "set,lable", "wei_labels.csv: has other columns"),
    ],
)
def test_a_fault_is_named_with_its_file(
    repository: Path, tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = copy(repository, tmp_path)
    path = folder / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_facts(folder)


def test_faults_of_all_tables_arrive_at_once(repository: Path, tmp_path: Path) -> None:
    folder = copy(repository, tmp_path)
    (folder / "wei_labels.csv").unlink()
    (folder / "bigbench_lists.csv").write_text("list,task,note,source,certainty\n")
    with pytest.raises(InputError) as caught:
        read_facts(folder)
    assert "wei_labels.csv: cannot be read" in str(caught.value)
    assert "bigbench_lists.csv: holds no rows" in str(caught.value)
