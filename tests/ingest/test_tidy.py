from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.ingest.download import fetch
from metamirage.ingest.reading import find_reader
from metamirage.ingest.registry import BenchmarkSpec, KnownDefect, ModelRule, Source, load_spec
from metamirage.ingest.tidy import tidy
from places import ROOT

HEADER = "task,metric,model,shots,value,when\n"
MODELS = (
    ModelRule("toy", model="small", n_params=1e6, n_params_kind="total"),
    ModelRule("toy", match="big.*", n_params=1e8, n_params_kind="total"),
)
SPEC = BenchmarkSpec(
    name="toy",
    title="Toy",
    description="Invented.",
    source=Source("path", ("*.csv",)),
    reader="tidy_csv",
    licence="CC0-1.0",
    citation="Invented.",
    options={
        "columns": {
            "task": "task",
            "metric": "metric",
            "model": "model",
            "n_shots": "shots",
            "score": "value",
            "order": "when",
        }
    },
    models=MODELS,
)


def tidied(
    tmp_path: Path, text: str, spec: BenchmarkSpec = SPEC
) -> tuple[pd.DataFrame, pd.DataFrame]:
    root = tmp_path / "toy"
    root.mkdir()
    (root / "a.csv").write_text(HEADER + text, encoding="utf-8")
    fetch(spec, mirror=None, destination=root)
    return tidy(spec, root=root)


def test_families_and_sizes_are_joined_from_the_registry(tmp_path: Path) -> None:
    scores, _ = tidied(tmp_path, "s,acc,big-1,0,2,0\ns,acc,small,0,1,0\n")
    assert scores["model"].tolist() == ["small", "big-1"]
    assert scores["n_params"].tolist() == [1e6, 1e8]
    assert set(scores["family"]) == {"toy"}
    assert set(scores["source_file"]) == {"a.csv"}


def test_columns_have_the_types_of_the_contract(tmp_path: Path) -> None:
    scores, issues = tidied(tmp_path, "s,acc,small,,1,0\n")
    assert list(scores.columns) == list(TIDY.columns)
    found = {column: str(dtype) for column, dtype in scores.dtypes.items()}
    assert (found["n_shots"], found["n_samples"]) == ("Int64", "Int64")
    assert (found["subtask"], found["score"], found["is_preferred"]) == (
        "str",
        "float64",
        "boolean",
    )
    assert len(issues) == 0
    assert list(issues.columns) == list(ISSUES.columns)


def test_the_order_of_the_rows_in_the_file_does_not_matter(tmp_path: Path) -> None:
    lines = ["s,acc,small,0,1,0\n", "s,acc,big-1,0,2,0\n", "r,acc,small,,3,0\n"]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, _ = tidied(tmp_path / "one", "".join(lines))
    two, _ = tidied(tmp_path / "two", "".join(reversed(lines)))
    pd.testing.assert_frame_equal(one, two)


def test_two_models_of_one_size_both_stay(tmp_path: Path) -> None:
    scores, issues = tidied(tmp_path, "s,acc,big-1,0,1,0\ns,acc,big-2,0,2,0\n")
    assert scores[["model", "n_params"]].to_numpy().tolist() == [["big-1", 1e8], ["big-2", 1e8]]
    assert len(issues) == 0


def test_models_without_a_size_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)2 problems.*'huge'.*'tiny'.*unlisted_models: skip"):
        tidied(tmp_path, "s,acc,tiny,0,1,0\ns,acc,huge,0,1,0\ns,acc,small,0,1,0\n")


def test_skipped_models_are_listed(tmp_path: Path) -> None:
    spec = replace(SPEC, unlisted_models="skip")
    text = "s,acc,tiny,0,1,0\nr,acc,tiny,0,1,0\ns,acc,small,0,1,0\n"
    scores, issues = tidied(tmp_path, text, spec)
    assert scores["model"].tolist() == ["small"]
    assert issues[["kind", "where", "n_rows", "known"]].to_numpy().tolist() == [
        ["model not listed", "tiny", 2, False]
    ]


REPEATS = "s,acc,small,0,3,7\ns,acc,small,0,1,9\ns,acc,big-1,0,5,0\n"


def test_repeated_scores_stop_by_default(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"a.csv: small, s, 0-shot: acc stands 2 times \(\[3, 1\]\)"
    ):
        tidied(tmp_path, REPEATS)


@pytest.mark.parametrize(("policy", "score"), [("latest", 1), ("first", 3), ("mean", 2)])
def test_repeated_scores_follow_the_policy(tmp_path: Path, policy: str, score: float) -> None:
    scores, issues = tidied(tmp_path, REPEATS, replace(SPEC, duplicates=policy))
    assert scores["score"].tolist() == [score, 5]
    assert issues[["kind", "where", "n_rows"]].to_numpy().tolist() == [
        ["repeated score", "small, s, 0-shot", 2]
    ]


def test_latest_needs_dates(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="latest where the runs have dates"):
        tidied(tmp_path, REPEATS.replace(",7", ",9"), replace(SPEC, duplicates="latest"))


def test_scores_with_missing_shots_repeat_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="small, s: acc stands 2 times"):
        tidied(tmp_path, "s,acc,small,,3,7\ns,acc,small,,1,9\n")


def test_one_family_counts_its_parameters_in_one_way(tmp_path: Path) -> None:
    models = (MODELS[0], replace(MODELS[1], n_params_kind="non_embedding"))
    with pytest.raises(InputError, match=r"family toy mixes kinds of size"):
        tidied(tmp_path, REPEATS, replace(SPEC, models=models, duplicates="first"))


def test_a_finding_that_the_registry_lists_is_known(tmp_path: Path) -> None:
    listed = KnownDefect("repeated score", "*, s, 0-shot", "Invented.", "kept")
    spec = replace(SPEC, duplicates="first", known_defects=(listed,))
    _, issues = tidied(tmp_path, REPEATS, spec)
    assert issues[["where", "known"]].to_numpy().tolist() == [["small, s, 0-shot", True]]


def test_a_listed_defect_that_no_reader_finds_is_reported_with_its_rows(tmp_path: Path) -> None:
    rows = (("task", ("s",)), ("n_shots", (None, 3)))
    listed = KnownDefect("all scores zero", "s", "Invented.", "kept", rows)
    text = "s,acc,small,,0,0\ns,acc,small,3,0,0\ns,acc,small,1,0,0\nr,acc,small,3,0,0\n"
    _, issues = tidied(tmp_path, text, replace(SPEC, known_defects=(listed,)))
    assert issues[["kind", "n_rows", "known"]].to_numpy().tolist() == [["all scores zero", 2, True]]


def test_a_file_that_the_manifest_lists_must_be_there(tmp_path: Path) -> None:
    tidied(tmp_path, REPEATS, replace(SPEC, duplicates="first"))
    (tmp_path / "toy" / "a.csv").unlink()
    with pytest.raises(InputError, match=r"a.csv: is listed in the manifest but missing"):
        tidy(SPEC, root=tmp_path / "toy")


def test_without_a_manifest_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"MANIFEST.json: cannot be read.*Run the download stage"):
        tidy(SPEC, root=tmp_path)


def test_an_unknown_reader_lists_the_readers() -> None:
    with pytest.raises(InputError, match=r"'csv'.*bigbench, lm_eval, tidy_csv, wide_csv"):
        find_reader(replace(SPEC, reader="csv"))


@pytest.fixture(scope="module")
def gpt3(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    root = tmp_path_factory.mktemp("raw") / "gpt3"
    root.mkdir()
    table = ROOT / "data/raw/gpt3/gpt3_table_h1.csv"
    (root / table.name).write_bytes(table.read_bytes())
    spec = load_spec(ROOT / "config/benchmarks/gpt3.yaml")
    fetch(spec, mirror=None, destination=root)
    return tidy(spec, root=root)


def test_gpt3_has_189_curves_of_eight_sizes(gpt3: tuple[pd.DataFrame, Any]) -> None:
    sizes = gpt3[0].groupby(list(CURVE_KEY), dropna=False)["n_params"].nunique()
    assert (len(sizes), set(sizes)) == (189, {8})


def test_the_defects_listed_for_gpt3_are_in_its_table(gpt3: tuple[Any, pd.DataFrame]) -> None:
    counts = gpt3[1].set_index("where")["n_rows"].to_dict()
    assert counts == {
        "WiC, 0-shot": 8,
        "GPT-3 Small, CB, 0-shot": 2,
        "MultiRC, 0-shot and 1-shot": 32,
        "SuperGLUE, few-shot": 8,
    }


def test_the_stated_artefacts_of_gpt3_hold(gpt3: tuple[pd.DataFrame, Any]) -> None:
    scores = gpt3[0]
    wic = scores.query("task == 'WiC' and n_shots == 0")["score"]
    assert wic.tolist() == [0.0] * 8
    multirc = scores.query("task == 'MultiRC' and n_shots in [0, 1]")
    cells = multirc.pivot_table(index=["metric", "model"], columns="n_shots", values="score")
    assert cells[0].tolist() == cells[1].tolist()
    assert len(cells) == 16
