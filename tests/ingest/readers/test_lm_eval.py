from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.ingest.readers.lm_eval import derive_counts, read
from metamirage.ingest.registry import BenchmarkSpec
from places import DATA
from specs import toy_spec

DATA = DATA / "lm_eval"
OLD, NEW = DATA / "old.json", DATA / "new.json"


def spec_of(**options: Any) -> BenchmarkSpec:
    return toy_spec("lm_eval", **options)


def changed(path: Path, tmp_path: Path, **changes: Any) -> Path:
    content = json.loads(path.read_text(encoding="utf-8"))
    for place, value in changes.items():
        content[place] = content[place] | value if isinstance(value, dict) else value
    target = tmp_path / path.name
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


def by_key(rows: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["task"], row["metric"]): row for row in rows.to_dict("records")}


def kinds(row: dict[str, Any]) -> list[str]:
    return [issue.kind for issue in row["issues"]]


def test_old_files_give_one_row_a_metric() -> None:
    rows = by_key(read([OLD], spec_of()))
    assert set(rows) == {("toy_task", "acc"), ("toy_task", "ppl"), ("toy_other", "f1")}
    assert rows["toy_task", "ppl"]["score"] == 12.5
    assert rows["toy_task", "ppl"]["stderr"] == 0.5
    assert np.isnan(rows["toy_other", "f1"]["stderr"])
    assert {row["n_shots"] for row in rows.values()} == {5}


def test_a_stderr_without_its_metric_is_a_metric_of_its_own(tmp_path: Path) -> None:
    path = changed(OLD, tmp_path, results={"odd": {"lost_stderr": 0.5}})
    assert by_key(read([path], spec_of()))["odd", "lost_stderr"]["score"] == 0.5


def test_the_filter_stays_in_the_name_unless_it_is_none() -> None:
    assert set(by_key(read([NEW], spec_of()))) == {
        ("a", "acc"),
        ("b", "exact_match,strict-match"),
        ("all", "acc"),
    }


def test_a_group_whose_tasks_are_listed_is_dropped_and_said() -> None:
    rows = by_key(read([NEW], spec_of()))
    assert {task: row["kept"] for (task, _), row in rows.items()} == {
        "a": True,
        "b": True,
        "all": False,
    }
    assert kinds(rows["all", "acc"]) == ["aggregate dropped"]


def test_a_group_without_its_tasks_is_kept(tmp_path: Path) -> None:
    path = changed(NEW, tmp_path, group_subtasks={"all": ["c", "d"]})
    assert by_key(read([path], spec_of()))["all", "acc"]["kept"]


def test_new_files_state_shots_items_and_date() -> None:
    rows = by_key(read([NEW], spec_of()))
    found = [(row["n_shots"], row["n_samples"]) for (task, _), row in rows.items() if task != "all"]
    assert found == [(3, 40), (2, 60)]
    assert rows["a", "acc"]["order"] == 1741217792.25
    assert np.isnan(rows["a", "acc"]["stderr"])


@pytest.mark.parametrize(
    ("path", "options", "model"),
    [
        (OLD, {}, "toy/model-1m"),
        (NEW, {}, "toy/model-1m"),
        (NEW, {"model_from": "model_name", "model_pattern": "/(?P<model>.*)-1m"}, "model"),
        (OLD, {"model_from": "path"}, "lm_eval"),
    ],
)
def test_the_model_comes_from_where_the_registry_says(
    path: Path, options: dict[str, str], model: str
) -> None:
    assert set(read([path], spec_of(**options))["model"]) == {model}


def test_a_file_without_the_model_is_named() -> None:
    with pytest.raises(InputError, match=r"old.json: no model name in model_name"):
        read([OLD], spec_of(model_from="model_name"))


def test_a_limited_run_is_kept_and_said(tmp_path: Path) -> None:
    path = changed(OLD, tmp_path, config={"limit": 100})
    rows = read([path], spec_of())
    assert rows["kept"].all()
    assert {kind for row in rows.to_dict("records") for kind in kinds(row)} == {"truncated run"}


def test_a_score_that_is_not_finite_is_left_out_and_said(tmp_path: Path) -> None:
    path = changed(OLD, tmp_path, results={"bad": {"acc": float("nan")}})
    row = by_key(read([path], spec_of()))["bad", "acc"]
    assert not row["kept"]
    assert kinds(row) == ["score not finite"]


def test_all_faults_of_all_files_arrive_at_once(tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes(OLD.read_bytes()[:200])
    bad = changed(
        OLD, tmp_path, results={"t": {"acc": "0.5"}, "u": 3}, config={"num_fewshot": None}
    )
    with pytest.raises(InputError) as caught:
        read([bad, cut], spec_of())
    report = str(caught.value)
    assert "4 problems" in report
    assert "old.json: results.t.acc: is not a number ('0.5')" in report
    assert "old.json: results.u: has the wrong type ('int')" in report
    assert "old.json: config.num_fewshot: has the wrong type (None). Allowed: integer" in report
    assert "cut.json: is not JSON" in report


def count_rows(score: list[float], stderr: list[float], **columns: Any) -> pd.DataFrame:
    n = len(score)
    defaults = {"task": "t", "metric": "acc", "n_samples": np.nan, "kept": True}
    issues = pd.Series([()] * n, dtype=object)
    values = {**defaults, **columns, "score": score, "stderr": stderr}
    return pd.DataFrame(values, index=range(n)).assign(issues=issues)


def stderr_of(p: float, n: int) -> float:
    return float(np.sqrt(p * (1 - p) / (n - 1)))


def test_the_count_follows_from_the_standard_error() -> None:
    rows = count_rows([0.25, 0.5], [stderr_of(0.25, 100), stderr_of(0.5, 100)])
    assert derive_counts(rows)["n_samples"].tolist() == [100, 100]


def test_a_derived_count_serves_all_rows_of_its_task() -> None:
    rows = count_rows(
        [0.25, 0.0, 9.5], [stderr_of(0.25, 64), 0.0, 1.0], metric=["acc", "acc", "ppl"]
    )
    assert derive_counts(rows)["n_samples"].tolist() == [64, 64, 64]


def test_disagreeing_counts_stay_missing_and_are_said() -> None:
    rows = derive_counts(count_rows([0.25, 0.25], [stderr_of(0.25, 64), stderr_of(0.25, 66)]))
    assert rows["n_samples"].isna().all()
    assert kinds(rows.to_dict("records")[0]) == ["items disagree"]


def test_a_metric_that_is_no_share_of_items_gives_no_count() -> None:
    rows = count_rows([0.25], [stderr_of(0.25, 64)], metric="f1")
    assert derive_counts(rows)["n_samples"].isna().all()


def test_a_stated_count_is_kept() -> None:
    rows = count_rows([0.25], [stderr_of(0.25, 64)], n_samples=50.0)
    assert derive_counts(rows)["n_samples"].tolist() == [50]
