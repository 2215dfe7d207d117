from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.ingest.readers.tidy_csv import read
from metamirage.ingest.registry import BenchmarkSpec
from places import DATA
from specs import toy_spec

TOY = DATA / "tidy_csv" / "toy.csv"
COLUMNS = {
    "task": "task",
    "metric": "metric",
    "model": "model",
    "n_shots": "shots",
    "score": "value",
    "n_samples": "items",
}


def spec_of(**options: Any) -> BenchmarkSpec:
    return toy_spec("tidy_csv", **{"columns": COLUMNS, **options})


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "toy.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_and_constants_become_ours() -> None:
    rows = read([TOY], spec_of(constants={"family": "toy"}))
    assert rows["score"].tolist() == [12.5, 37.5, 10.0]
    assert rows["n_samples"].tolist()[:2] == [80, 80]
    assert set(rows["family"]) == {"toy"}
    assert set(rows["source_file"]) == {str(TOY)}


def test_an_empty_cell_is_missing() -> None:
    rows = read([TOY], spec_of())
    assert rows[["n_shots", "n_samples"]].isna().to_numpy().tolist() == [
        [False, False],
        [False, False],
        [True, True],
    ]


def test_a_count_of_the_registry_replaces_the_tables() -> None:
    assert read([TOY], spec_of(n_samples={"sums": 79}))["n_samples"].tolist() == [79, 79, 79]
    assert read([TOY], spec_of(n_samples={"sums": None}))["n_samples"].isna().all()


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "toy.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TOY.read_bytes())
    columns = ["task", "score", "n_shots"]
    pd.testing.assert_frame_equal(read([path], spec_of())[columns], read([TOY], spec_of())[columns])


def test_every_bad_cell_is_reported_at_once(tmp_path: Path) -> None:
    text = "task,metric,model,shots,value,items\ns,acc,m,0.5,n/a,9\n,acc,m,0,inf,many\n"
    with pytest.raises(InputError) as caught:
        read([written(tmp_path, text)], spec_of())
    report = str(caught.value)
    assert "5 problems" in report
    assert "line 2 column 'value': is not a number ('n/a'). Allowed: a finite number" in report
    assert "line 2 column 'shots': is not a whole number ('0.5')" in report
    assert "line 3 column 'task': is empty" in report
    assert "line 3 column 'value': is not a number ('inf')" in report
    assert "line 3 column 'items': is not a number ('many')" in report


def test_every_bad_file_is_reported_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("task,é\n".encode("latin-1"))
    with pytest.raises(
        InputError, match=r"(?s)empty.csv: is empty.*latin.csv: is not UTF-8 at byte 5"
    ):
        read([empty, latin], spec_of())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("task,metric,model,shots,items\ns,acc,m,0,9\n", r"has no column \('value'\)"),
        ("task,metric,model,shots,value,items\n", "has a header but no rows"),
        ("task,task,model,shots,value,items\na,b,c,0,1,2\n", "columns stand twice"),
        ("task,metric,model,shots,value,items\na,b,c,0,1,2,3\n", "is not a table"),
    ],
)
def test_a_table_of_the_wrong_shape_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read([written(tmp_path, text)], spec_of())


def test_a_misspelt_column_of_ours_gets_the_nearest_spelling() -> None:
    with pytest.raises(InputError, match=r"unknown key \('stder'\).*Did you mean 'stderr'"):
        read([TOY], spec_of(columns={**COLUMNS, "stder": "x"}))


def test_an_unmapped_score_is_refused() -> None:
    columns = {ours: theirs for ours, theirs in COLUMNS.items() if ours != "score"}
    with pytest.raises(InputError, match="no column for score"):
        read([TOY], spec_of(columns=columns))


def test_flags_are_read_as_flags(tmp_path: Path) -> None:
    text = "task,metric,model,shots,value,items,best\ns,acc,m,0,1,9,yes\ns,acc,n,0,1,9,\n"
    options = {"columns": {**COLUMNS, "is_preferred": "best"}}
    rows = read([written(tmp_path, text)], spec_of(**options))
    assert rows["is_preferred"].tolist() == [True, pd.NA]
