from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metamirage.base.errors import InputError
from metamirage.ingest.readers.wide_csv import read
from metamirage.ingest.registry import BenchmarkSpec
from places import DATA
from specs import toy_spec

DATA = DATA / "wide_csv"
FILES = [DATA / "base.csv", DATA / "more.csv"]
OPTIONS: dict[str, Any] = {
    "model": "Name",
    "n_params_kind": "active",
    "join": {"table": "base.csv", "size": "Size (B)", "factor": 1e9, "family": "Family"},
    "tables": {
        "base.csv": {
            "ignore": ["Family", "Size (B)"],
            "columns": {"quiz": {"task": "quiz", "metric": "acc"}},
        },
        "more.csv": {
            "pattern": r"(?P<task>.+)_(?P<n_shots>\d+)_(?P<metric>bleu|exact_match,.+)",
            "n_samples": {"sums": 16},
        },
    },
}


def spec_of(**changes: Any) -> BenchmarkSpec:
    return toy_spec("wide_csv", **{**OPTIONS, **changes})


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pattern_splits_a_column_into_task_shots_and_metric() -> None:
    rows = read(FILES, spec_of())
    sums = rows[rows["task"] == "sums"]
    assert sorted(set(sums["metric"])) == ["bleu", "exact_match,strict-match"]
    assert set(sums["n_shots"]) == {2}
    assert set(sums["n_samples"]) == {16}
    assert sums[sums["metric"] == "bleu"]["score"].tolist() == [11.5, 31.25]


def test_an_empty_cell_is_no_row() -> None:
    rows = read(FILES, spec_of())
    assert rows[rows["task"] == "quiz"]["model"].tolist() == ["m-small"]


def test_size_and_family_come_from_the_joined_table() -> None:
    rows = read(FILES, spec_of()).drop_duplicates("model").set_index("model")
    assert rows["n_params"].to_dict() == {"m-small": 111_000_000, "m-big": 1_300_000_000}
    assert set(rows["family"]) == {"M"}
    assert set(rows["n_params_kind"]) == {"active"}


def test_a_subtask_may_have_its_own_count(tmp_path: Path) -> None:
    path = written(
        tmp_path, "more.csv", "Name,bbh_a_3_acc,bbh_b_3_acc,bbh_c_3_acc\nm-big,0.5,0.5,0.5\n"
    )
    layout = {
        "pattern": r"(?P<task>bbh)_(?P<subtask>\w)_(?P<n_shots>\d)_(?P<metric>acc)",
        "n_samples": {"bbh": 10, "bbh/b": 6, "bbh/c": None},
    }
    spec = spec_of(tables={**OPTIONS["tables"], "more.csv": layout})
    rows = read([FILES[0], path], spec)
    counts = rows[rows["task"] == "bbh"].set_index("subtask")["n_samples"]
    assert counts.fillna(0).to_dict() == {"a": 10, "b": 6, "c": 0}


def test_every_bad_column_and_cell_is_reported_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "more.csv", "Name,sums_2_bleu,other\nm-big,a lot,1\nm-big,2,3\n")
    with pytest.raises(InputError) as caught:
        read([FILES[0], path], spec_of())
    report = str(caught.value)
    assert "3 problems" in report
    assert "no option explains column ('other')" in report
    assert "line 2 column 'sums_2_bleu': is not a number ('a lot')" in report
    assert "has two rows for one model ('m-big')" in report


def test_a_model_without_a_size_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "more.csv", "Name,sums_2_bleu\nstranger,1\n")
    with pytest.raises(InputError, match=r"no row in base.csv \('stranger'\)"):
        read([FILES[0], path], spec_of())


def test_a_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path, "base.csv", "Name,Family,Size (B),quiz\nm-small,M,-1,0.25\nm-big,M,7B,1\n"
    )
    with pytest.raises(InputError, match=r"(?s)'-1'.*a number above 0.*'7B'"):
        read([path, FILES[1]], spec_of())


def test_a_described_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "base.csv", "Name,Family,Size (B)\nm-small,M,1\nm-big,M,2\n")
    with pytest.raises(InputError, match=r"a described column is missing \('quiz'\)"):
        read([path, FILES[1]], spec_of())


def test_an_undescribed_table_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "third.csv", "Name,x\nm-big,1\n")
    with pytest.raises(InputError, match=r"third.csv: is not described"):
        read([*FILES, path], spec_of())


def test_a_misspelt_option_gets_the_nearest_spelling() -> None:
    with pytest.raises(InputError, match="Did you mean 'factor'"):
        read(FILES, spec_of(join={**OPTIONS["join"], "facto": 1}))


def test_the_join_table_must_be_fetched() -> None:
    with pytest.raises(InputError, match=r"table was not fetched \('base.csv'\)"):
        read(FILES[1:], spec_of())
