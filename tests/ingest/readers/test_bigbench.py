from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metamirage.base.errors import InputError
from metamirage.ingest.readers.bigbench import read
from metamirage.ingest.registry import BenchmarkSpec
from places import DATA
from specs import toy_spec

TOY = DATA / "bigbench/toy_sums/results/scores_ToyLM_9m_T=0.json"
VALUES = ["task", "subtask", "metric", "family", "model", "n_shots", "n_params", "score", "kept"]


def spec_of(**options: Any) -> BenchmarkSpec:
    return toy_spec("bigbench", **options)


def toy() -> dict[str, Any]:
    return json.loads(TOY.read_text(encoding="utf-8"))


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "score_dict": {"exact_str_match": 0.5},
        "preferred_score": "exact_str_match",
        "number_of_shots": 0,
        "low_score": 0,
        "high_score": 1,
        "subtask_description": "toy_sums:one",
    }
    return {**plain, **changes}


def written(folder: Path, content: dict[str, Any], name: str = "scores_x.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read_entries(tmp_path: Path, *entries: dict[str, Any]) -> pd.DataFrame:
    return read([written(tmp_path, {**toy(), "scores": list(entries)})], spec_of())


def kinds(rows: pd.DataFrame) -> list[str]:
    return [issue.kind for found in rows["issues"] for issue in found]


def test_family_model_and_size_come_from_the_content_not_the_name() -> None:
    rows = read([TOY], spec_of())
    assert set(rows["family"]) == {"ToyLM T=0"}
    assert set(rows["model"]) == {"3m"}
    assert set(rows["n_params"]) == {2_500_000}
    assert set(rows["n_params_kind"]) == {"flop_matched_non_embedding"}


def test_aggregates_of_subtasks_are_dropped() -> None:
    rows = read([TOY], spec_of())
    kept = rows[rows["kept"]]
    assert sorted(zip(kept["subtask"], kept["metric"], strict=True)) == [
        ("one_digit", "bleu"),
        ("one_digit", "exact_str_match"),
        ("one_digit", "log_likelihood"),
        ("pick_the_sum", "multiple_choice_grade"),
    ]
    assert kinds(rows) == ["aggregate dropped"] * 5


def test_an_all_multiple_choice_aggregate_is_dropped_too(tmp_path: Path) -> None:
    grade = {
        "score_dict": {"multiple_choice_grade": 0.5},
        "preferred_score": "multiple_choice_grade",
    }
    rows = read_entries(tmp_path, entry(**grade), entry(**grade, subtask_description="toy_sums"))
    assert rows["kept"].tolist() == [True, False]


@pytest.mark.parametrize("description", ["toy_sums", ""])
def test_the_only_entry_of_a_task_is_kept(tmp_path: Path, description: str) -> None:
    scores = {"exact_str_match": 0.5, "normalized_aggregate_score": 50.0}
    rows = read_entries(tmp_path, entry(score_dict=scores, subtask_description=description))
    assert rows["subtask"].tolist() == ["", ""]
    assert rows["kept"].tolist() == [True, False]
    assert kinds(rows) == ["normalised score dropped"]


def test_anchors_stand_on_the_preferred_metric_only() -> None:
    rows = read([TOY], spec_of()).query("subtask == 'one_digit'").set_index("metric")
    assert rows["is_preferred"].to_dict() == {
        "exact_str_match": True,
        "bleu": False,
        "log_likelihood": False,
    }
    assert rows.loc["exact_str_match", ["low_score", "high_score"]].tolist() == [0, 1]
    assert rows.loc[["bleu", "log_likelihood"], "low_score"].isna().all()


def test_minus_one_shots_are_missing() -> None:
    rows = read([TOY], spec_of())
    assert rows[rows["subtask"] == "pick_the_sum"]["n_shots"].isna().all()


def test_trials_become_the_mean_of_one_subtask(tmp_path: Path) -> None:
    trials = [
        entry(subtask_description=f"easytrial_{i}", score_dict={"exact_str_match": score})
        for i, score in enumerate([0.25, 0.5, 0.75])
    ]
    rows = read_entries(tmp_path, *trials)
    assert rows[["subtask", "score"]].to_numpy().tolist() == [["easy", 0.5]]
    assert kinds(rows) == ["trials averaged"] * 3


def test_scores_that_are_not_finite_are_left_out_and_said(tmp_path: Path) -> None:
    scores = {"exact_str_match": float("nan"), "bleu": float("inf"), "other": 1.0}
    rows = read_entries(tmp_path, entry(score_dict=scores)).set_index("metric")
    assert rows["kept"].to_dict() == {"exact_str_match": False, "bleu": False, "other": True}
    assert kinds(rows) == ["score not finite"] * 2


def test_scores_out_of_range_are_kept_and_said(tmp_path: Path) -> None:
    scores = {"exact_str_match": 1.78, "bleu": 68.75, "log_likelihood": 0.5, "own": 700}
    rows = read_entries(tmp_path, entry(score_dict=scores)).set_index("metric")
    assert rows["kept"].all()
    said = {metric: len(found) for metric, found in rows["issues"].items()}
    assert said == {"exact_str_match": 1, "bleu": 0, "log_likelihood": 1, "own": 0}
    assert rows["issues"].iloc[0][0].detail == "1.78 lies outside [0, 1]"


def test_copies_in_a_subtasks_folder_are_dropped(tmp_path: Path) -> None:
    parent = written(tmp_path / "toy_sums/results", {**toy(), "scores": [entry()]})
    other = entry(subtask_description="toy_sums:two")
    inner = written(tmp_path / "toy_sums/one/results", {**toy(), "scores": [entry(), other]})
    rows = read([inner, parent], spec_of()).sort_values(["subtask", "source_file"])
    assert rows[rows["kept"]]["source_file"].tolist() == [str(parent), str(inner)]
    assert kinds(rows) == ["duplicate dropped"]


@pytest.mark.parametrize(
    ("family", "kept"),
    [("T5", False), ("T0", False), ("mT5", False), ("BIG-G T=0", True), ("GPT", True)],
)
def test_encoder_decoder_families_are_left_out(tmp_path: Path, family: str, kept: bool) -> None:
    content = {**toy(), "model": toy()["model"] | {"model_family": family}}
    rows = read([written(tmp_path, content)], spec_of())
    assert rows["kept"].any() == kept
    assert ("family excluded" in kinds(rows)) != kept


def test_files_that_are_no_score_files_are_passed_over(tmp_path: Path) -> None:
    task = written(tmp_path, {"name": "toy"}, "task.json")
    assert len(read([TOY, task], spec_of())) == len(read([TOY], spec_of()))


def test_no_score_file_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no score files.*scores_\*.json"):
        read([written(tmp_path, {"name": "toy"}, "task.json")], spec_of())


def test_all_faults_of_all_files_arrive_at_once(tmp_path: Path) -> None:
    cut = tmp_path / "scores_cut.json"
    cut.write_bytes(TOY.read_bytes()[:300])
    bad = toy()
    del bad["model"]["model_family"]
    bad["model"]["flop_matched_non_embedding_params"] = "3m"
    bad["scores"] = [entry(number_of_shots=True, score_dict={"bleu": None}), 7]
    with pytest.raises(InputError) as caught:
        read([written(tmp_path, bad), cut], spec_of())
    report = str(caught.value)
    assert "6 problems" in report
    assert "scores_cut.json: is not JSON" in report
    assert "scores_x.json: model.model_family: is missing. Allowed: string" in report
    assert "flop_matched_non_embedding_params: has the wrong type ('3m')" in report
    assert "scores.0.number_of_shots: has the wrong type (True). Allowed: integer" in report
    assert "scores.0.score_dict.bleu: is not a number (None)" in report
    assert "scores.1: has the wrong type ('int')" in report


def defined(tmp_path: Path, definition: dict[str, Any], *entries: dict[str, Any]) -> pd.DataFrame:
    """Read entries beside a definition of their task."""
    files = [
        written(tmp_path / "toy_sums", definition, "task.json"),
        written(tmp_path / "toy_sums/results", {**toy(), "scores": list(entries)}),
    ]
    return read(files, spec_of())


def test_items_and_keywords_come_from_the_task_definition(tmp_path: Path) -> None:
    definition = {"examples": [{"input": str(i)} for i in range(8)], "keywords": ["json", "maths"]}
    only = entry(score_dict={"exact_str_match": 0.375}, subtask_description="")
    rows = defined(tmp_path, definition, only)
    assert rows[["n_samples", "n_samples_source", "keywords"]].to_numpy().tolist() == [
        [8, "task.json", "json,maths"]
    ]


def test_a_subtask_has_a_definition_of_its_own(tmp_path: Path) -> None:
    items = [{"input": str(i)} for i in range(4)]
    one = written(tmp_path / "toy_sums/one", {"examples": items}, "task.json")
    whole = written(tmp_path / "toy_sums", {"keywords": ["json"]}, "task.json")
    content = {**toy(), "scores": [entry(score_dict={"exact_str_match": 0.75})]}
    rows = read([written(tmp_path / "toy_sums/results", content), one, whole], spec_of())
    assert rows[["n_samples", "keywords"]].to_numpy().tolist() == [[4, "json"]]


def test_repeated_items_of_a_definition_are_said(tmp_path: Path) -> None:
    items = [{"input": "1", "target_scores": {"a": 1}}] * 2
    rows = defined(tmp_path, {"examples": items}, entry(subtask_description=""))
    assert kinds(rows) == ["wrong targets"]
    detail = "1 items stand twice among the 2 of task.json; 2 items have one option only"
    assert rows["issues"].iloc[0][0].detail == detail


def test_temperatures_of_one_network_share_its_name(tmp_path: Path) -> None:
    names = ["BIG-G T=0", "BIG-G T=1", "BIG-G sparse", "GPT"]
    files = [
        written(
            tmp_path,
            {**toy(), "model": toy()["model"] | {"model_family": name}},
            f"scores_{i}.json",
        )
        for i, name in enumerate(names)
    ]
    rows = read(files, spec_of()).drop_duplicates("family").set_index("family")
    assert rows["network"].reindex(names).tolist() == ["BIG-G", "BIG-G", "BIG-G sparse", "GPT"]


def test_the_scale_of_each_metric_is_stated(tmp_path: Path) -> None:
    scores = {"exact_str_match": 0.5, "bleu": 11.5, "log_likelihood": -4.0, "full": 3}
    rows = read_entries(tmp_path, entry(score_dict=scores)).set_index("metric")
    assert rows["scale"].to_dict() == {
        "exact_str_match": "fraction",
        "bleu": "percent",
        "log_likelihood": "log",
        "full": "own",
    }


def test_human_raters_need_no_size_and_are_left_out(tmp_path: Path) -> None:
    content = {**toy(), "model": {"model_family": "Human", "model_name": "average"}}
    rows = read([written(tmp_path, content)], spec_of())
    assert not rows["kept"].any()
    assert set(kinds(rows)) == {"family excluded"}
    assert rows["issues"].iloc[0][0].detail == "people, who have no size"


def comparable(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[VALUES].sort_values(VALUES[:6], ignore_index=True)


OPTIONAL_MODEL = [
    "total_params",
    "non_embedding_params",
    "training_batch_size",
    "training_steps",
    "description",
    "decoding_params",
    "additional_details",
]
REQUIRED = [
    ("scores",),
    ("task",),
    ("model",),
    ("task", "task_name"),
    ("model", "model_family"),
    ("model", "model_name"),
    ("model", "flop_matched_non_embedding_params"),
    *[
        ("scores", i, field)
        for i in range(3)
        for field in (
            "score_dict",
            "preferred_score",
            "number_of_shots",
            "low_score",
            "high_score",
        )
    ],
]


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(range(3)),
    extra=st.dictionaries(st.text(min_size=1), st.integers()),
    absent=st.sets(st.sampled_from(OPTIONAL_MODEL)),
)
def test_order_extra_keys_and_missing_optional_keys_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    extra: dict[str, int],
    absent: set[str],
) -> None:
    plain = toy()
    shuffled = [extra | plain["scores"][i] for i in order]
    model = {key: value for key, value in plain["model"].items() if key not in absent}
    content = extra | plain | {"scores": shuffled, "model": extra | model}
    path = written(tmp_path_factory.mktemp("toy"), content)
    pd.testing.assert_frame_equal(
        comparable(read([path], spec_of())), comparable(read([TOY], spec_of()))
    )


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(range(5)))
def test_the_order_of_trials_changes_no_digit_of_their_mean(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    scores = [0.1, 0.2, 0.3, 1 / 3, 1e-9]
    trials = [
        entry(subtask_description=f"easytrial_{i}", score_dict={"exact_str_match": scores[i]})
        for i in order
    ]
    rows = read_entries(tmp_path_factory.mktemp("toy"), *trials)
    assert rows["score"].tolist() == [sum(sorted(scores)) / 5]


def damaged(content: Any, place: tuple[str | int, ...], change: str) -> Any:
    """Delete or replace what stands at a place of a JSON value."""
    if not place:
        return {"text": "x", "null": None, "list": [7]}[change]
    head, *rest = place
    copy = list(content) if isinstance(content, list) else dict(content)
    if change == "delete" and not rest:
        del copy[head]  # type: ignore[arg-type]
    else:
        copy[head] = damaged(content[head], tuple(rest), change)  # type: ignore[index, call-overload]
    return copy


@settings(max_examples=60, deadline=None)
@given(place=st.sampled_from(REQUIRED), change=st.sampled_from(["delete", "null", "list"]))
def test_any_damaged_field_is_named_with_its_file(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str | int, ...], change: str
) -> None:
    if change == "list" and place == ("scores",):
        place = ("scores", 0)
    path = written(tmp_path_factory.mktemp("toy"), damaged(toy(), place, change))
    with pytest.raises(InputError) as caught:
        read([path, TOY], spec_of())
    where = f"{path}: {'.'.join(map(str, place))}"
    assert any(offence.where == where for offence in caught.value.offences)
    assert all(offence.where.startswith(f"{path}: ") for offence in caught.value.offences)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, len(TOY.read_bytes().rstrip()) - 1))
def test_any_truncated_file_is_named(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("toy") / "scores_cut.json"
    path.write_bytes(TOY.read_bytes()[:length])
    with pytest.raises(InputError, match=r"scores_cut.json: is not JSON") as caught:
        read([path, TOY], spec_of())
    assert len(caught.value.offences) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"examples": {}}, r"task.json: examples: has the wrong type \('dict'\). Allowed: list"),
        ({"keywords": "json"}, r"task.json: keywords: has the wrong type \('str'\). Allowed: list"),
    ],
)
def test_a_damaged_definition_is_named(
    tmp_path: Path, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        defined(tmp_path, content, entry())
