from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.contracts.check import check
from metamirage.contracts.tags import TAGS
from metamirage.ingest.tag_rows import COLUMNS
from metamirage.ingest.tags import read_metrics, tag_metrics

Build = Callable[..., pd.DataFrame]

ROW = {
    "benchmark": "*",
    "task": "*",
    "metric": "acc",
    "discontinuous": "yes",
    "nonlinear": "yes",
    "query": "cond_log_prob",
    "direction": "up",
    "lower": "0",
    "upper": "1",
    "chance": "0.25",
    "excluded": "",
    "reason": "An argmax.",
    "reference": "Invented.",
}


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ROW | row for row in rows)
    return path


@pytest.fixture
def metrics(tmp_path: Path) -> Build:
    def build(*rows: dict[str, str]) -> pd.DataFrame:
        return read_metrics(write(tmp_path / "metrics.csv", *rows))

    return build


def tidy(
    scores: list[float],
    task: str = "shapes",
    metric: str = "acc",
    low_score: float | None = None,
) -> pd.DataFrame:
    n = len(scores)
    low = pd.Series([low_score] * n, dtype=float)
    names = {"benchmark": ["toy"] * n, "task": [task] * n, "metric": [metric] * n}
    return pd.DataFrame(names | {"score": scores}).assign(low_score=low)


def message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_metrics(path)
    return str(caught.value)


# Reading


def test_blank_numbers_are_missing_and_blank_text_is_empty(metrics: Build) -> None:
    row = metrics({"upper": "", "chance": "", "lower": " -1 "}).iloc[0]
    assert row["lower"] == -1
    assert pd.isna(row["upper"])
    assert row["excluded"] == ""


def test_quoted_metric_keeps_its_comma(metrics: Build) -> None:
    assert (
        metrics({"metric": "exact_match,strict-match"})["metric"][0] == "exact_match,strict-match"
    )


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"discontinuous": "maybe"}, "discontinuous is not an allowed word ('maybe')"),
        ({"query": ""}, "query is not an allowed word. Allowed: generate, cond_log_prob, other"),
        ({"direction": "higher"}, "Allowed: up, down"),
        ({"upper": "one"}, "upper is not a number ('one')"),
        ({"lower": "nan"}, "lower is not a number ('nan')"),
        ({"lower": "1"}, "lower is not below upper (1.0). Allowed: less than 1"),
        (
            {"chance": "25"},
            "chance is outside the range (25.0). Allowed: between lower 0 and upper 1",
        ),
        ({"reason": " "}, "reason is blank"),
        ({"reference": ""}, "reference is blank"),
        ({"task": ""}, "task is blank"),
    ],
)
def test_faulty_cell_is_named(tmp_path: Path, fault: dict[str, str], expected: str) -> None:
    text = message(write(tmp_path / "metrics.csv", {"metric": "f1"}, fault))
    assert "1 problem" in text
    assert "line 3" in text
    assert expected in text


def test_all_faults_arrive_in_one_report(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.csv", {"query": "ask"}, {"metric": "f1", "reason": ""})
    text = message(path)
    assert "2 problems" in text
    assert "line 2" in text
    assert "line 3" in text


def test_repeated_row_names_both_lines(tmp_path: Path) -> None:
    text = message(write(tmp_path / "metrics.csv", {}, {"metric": "f1"}, {}))
    assert "line 4: repeats the benchmark, task and metric of line 2 ('*,*,acc')" in text


def test_chance_may_stand_without_bounds(metrics: Build) -> None:
    assert metrics({"lower": "", "upper": "", "chance": "7"})["chance"][0] == 7


def test_misspelt_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.csv", {})
    path.write_text(
        path.read_text(encoding="utf-8").replace("chance", "chanse", 1), encoding="utf-8"
    )
    text = message(path)
    assert "column 'chance' is missing" in text
    assert "unknown column ('chanse')" in text
    assert "write 'chance'" in text


def test_unquoted_comma_is_reported_as_a_surplus_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.csv", {})
    path.write_text(
        path.read_text(encoding="utf-8") + "*,*,a,b,c" + "," * 9 + "\n", encoding="utf-8"
    )
    text = message(path)
    assert "line 3: more cells than columns" in text
    assert "Put quotes around a cell that holds a comma" in text


@pytest.mark.parametrize("content", [b"", b"benchmark,task\n"])
def test_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    assert str(path) in message(path)


def test_other_encoding_than_utf8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.csv", {"reason": "Café."})
    path.write_bytes(path.read_bytes().decode("utf-8").encode("latin-1"))
    assert "cannot be read as UTF-8 text" in message(path)


def test_header_without_rows_is_refused(tmp_path: Path) -> None:
    assert "holds no rows" in message(write(tmp_path / "metrics.csv"))


# Matching


def test_tags_keep_their_contract_and_are_sorted(metrics: Build) -> None:
    scores = pd.concat([tidy([0.5], "b"), tidy([0.5], "a", "f1"), tidy([0.5], "a")])
    tags = tag_metrics(scores, metrics({}, {"metric": "f1"}))
    assert list(check(tags, TAGS, source="tags").columns) == list(TAGS.columns)
    assert list(zip(tags["task"], tags["metric"], strict=True)) == [
        ("a", "acc"),
        ("a", "f1"),
        ("b", "acc"),
    ]


@pytest.mark.parametrize(
    ("loose", "close"),
    [
        ({"task": "*"}, {"task": "sh*"}),
        ({"task": "sh*"}, {"task": "shap*"}),
        ({"task": "shapes*"}, {"task": "shapes"}),
        ({"task": "shapes", "metric": "*"}, {"task": "shapes"}),
        ({"task": "*", "metric": "acc"}, {"task": "s*", "metric": "*"}),
        ({"task": "shapes"}, {"benchmark": "t*", "task": "*", "metric": "a*"}),
        ({"task": "[rst]*"}, {"task": "s*"}),
    ],
)
def test_most_specific_row_wins_in_either_order(
    metrics: Build, loose: dict[str, str], close: dict[str, str]
) -> None:
    first, second = loose | {"reason": "loose"}, close | {"reason": "close"}
    for table in (metrics(first, second), metrics(second, first)):
        assert list(tag_metrics(tidy([0.5]), table)["reason"]) == ["close"]


def test_matching_minds_case(metrics: Build) -> None:
    with pytest.raises(InputError, match="no complete row"):
        tag_metrics(tidy([0.5], "SHAPES"), metrics({"task": "shapes"}))


def test_two_equally_specific_rows_are_both_named(metrics: Build) -> None:
    table = metrics({"task": "shap*"}, {"task": "*apes"})
    with pytest.raises(InputError) as caught:
        tag_metrics(tidy([0.5]), table)
    assert "rows '*,shap*,acc' and '*,*apes,acc' match toy,shapes,acc equally well" in str(
        caught.value
    )


def test_every_unknown_metric_is_listed_however_many(metrics: Build) -> None:
    scores = pd.concat([tidy([0.5], metric=f"m{i}") for i in range(25)])
    with pytest.raises(InputError) as caught:
        tag_metrics(scores, metrics({}))
    missing = [
        i for i in range(25) if f"toy,shapes,m{i},unknown,unknown,," not in str(caught.value)
    ]
    assert missing == []
    assert "no complete row for 25 (task, metric)" in str(caught.value)


def test_pasted_rows_are_read_once_filled(tmp_path: Path, metrics: Build) -> None:
    scores = tidy([0.5], metric="exact_match,strict-match")
    with pytest.raises(InputError) as caught:
        tag_metrics(scores, metrics({}))
    header, row = str(caught.value).splitlines()[2:4]
    filled = row.replace(",unknown,unknown,,,,,,,,", ",unknown,unknown,generate,up,,,,,Why.,Where.")
    path = tmp_path / "pasted.csv"
    path.write_text(f"{header}\n{filled}\n", encoding="utf-8")
    assert list(tag_metrics(scores, read_metrics(path))["reason"]) == ["Why."]


def test_empty_table_of_scores_gives_an_empty_table_of_tags(metrics: Build) -> None:
    tags = tag_metrics(tidy([0.5]).iloc[:0], metrics({}))
    assert len(check(tags, TAGS, source="tags")) == 0


# Chance


def test_published_low_score_comes_before_the_table(metrics: Build) -> None:
    scores = pd.concat([tidy([0.5], low_score=low) for low in (0.1, 0.2, 0.5)])
    assert list(tag_metrics(scores, metrics({}))["chance"]) == [0.2]


def test_table_gives_the_chance_where_none_is_published(metrics: Build) -> None:
    assert list(tag_metrics(tidy([0.5]), metrics({}))["chance"]) == [0.25]


# Overrides


def test_override_changes_only_what_it_gives(metrics: Build) -> None:
    override = {"task": "shapes", "metric": "acc", "chance": 0.5}
    row = tag_metrics(tidy([0.5]), metrics({}), overrides=[override]).iloc[0]
    assert (row["chance"], row["reason"]) == (0.5, "An argmax.")


def test_override_may_tag_an_unknown_metric(metrics: Build) -> None:
    names = {"metric": "novel", "discontinuous": False, "nonlinear": "unknown", "query": "other"}
    override = names | {"direction": "up", "upper": None, "reason": "Why.", "reference": "Where."}
    row = tag_metrics(tidy([0.5], metric="novel"), metrics({}), overrides=[override]).iloc[0]
    assert row["discontinuous"] == "no"
    assert pd.isna(row["upper"])


def test_partial_override_of_an_unknown_metric_is_not_enough(metrics: Build) -> None:
    override = {"metric": "novel", "query": "generate"}
    with pytest.raises(InputError, match="toy,shapes,novel,unknown,unknown,generate,,"):
        tag_metrics(tidy([0.5], metric="novel"), metrics({}), overrides=[override])


def test_faulty_overrides_are_reported_together(metrics: Build) -> None:
    overrides = [{"metric": "acc", "query": "ask"}, {"metric": "acx"}, {"metric": "acc", "uper": 1}]
    with pytest.raises(InputError) as caught:
        tag_metrics(tidy([0.5]), metrics({}), overrides=overrides)
    text = str(caught.value)
    assert "tag_overrides entry 1 (*,*,acc): query is not an allowed word ('ask')" in text
    assert "tag_overrides entry 2: matches no metric of the benchmark ('*,*,acx')" in text
    assert "tag_overrides entry 3: unknown column ('uper')" in text


def test_override_may_not_contradict_the_row_it_changes(metrics: Build) -> None:
    with pytest.raises(InputError, match="chance is outside the range"):
        tag_metrics(tidy([0.5]), metrics({}), overrides=[{"metric": "acc", "lower": 0.5}])


def test_arguments_are_left_as_they_were(metrics: Build) -> None:
    table, override = metrics({}), {"metric": "acc", "chance": 0.5}
    before = table.copy()
    tag_metrics(tidy([0.5]), table, overrides=[override])
    pd.testing.assert_frame_equal(table, before)
    assert override == {"metric": "acc", "chance": 0.5}


# Percent against fraction

PERCENT = {"upper": "100", "chance": "0"}


@pytest.mark.parametrize("scores", [[27.0, 40.0, 61.0], [0.0, 0.0, 0.0, 0.0, 3.0, 80.0]])
def test_percent_under_a_fraction_is_refused(metrics: Build, scores: list[float]) -> None:
    with pytest.raises(InputError, match=r"toy,shapes,acc: \d scores look like percent"):
        tag_metrics(tidy(scores), metrics({}))


@pytest.mark.parametrize("scores", [[0.0, 0.0, 1.78], [1.0, 1.0, 1.0001], [-0.2, 0.0, 0.3]])
def test_fractions_with_a_defect_are_no_percent(metrics: Build, scores: list[float]) -> None:
    assert len(tag_metrics(tidy(scores), metrics({}))) == 1


def test_fractions_under_a_percentage_are_refused(metrics: Build) -> None:
    with pytest.raises(InputError, match="look like fractions") as caught:
        tag_metrics(tidy([0.1, 0.3, 0.3, 0.4, 0.5, 0.5, 0.6, 0.7, 0.8, 1.0]), metrics(PERCENT))
    assert "Multiply the scores by 100" in str(caught.value)


def test_chance_in_percent_betrays_even_three_fractions(metrics: Build) -> None:
    with pytest.raises(InputError, match="look like fractions"):
        tag_metrics(tidy([0.25, 0.3, 0.4]), metrics(PERCENT | {"chance": "25"}))


@pytest.mark.parametrize(
    ("scores", "chance"),
    [
        ([0.0, 0.02, 0.03, 0.1, 0.48] * 4, "0"),
        ([0.0, 0.1, 0.1, 0.1, 0.9] * 3, "0"),
        ([0.4, 0.5, 0.6], "0"),
        ([0.0] * 24, "50"),
        ([0.3, 0.5, 0.6, 0.9] * 5 + [9.0], "0"),
    ],
)
def test_hard_tasks_in_percent_raise_no_alarm(
    metrics: Build, scores: list[float], chance: str
) -> None:
    assert len(tag_metrics(tidy(scores), metrics(PERCENT | {"chance": chance}))) == 1
