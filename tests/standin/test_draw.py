"""The synthetic stand-in of BIG-bench: bytes, truth, defects, and what the reader makes of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from git_server import serve_git
from metamirage.base.errors import InputError
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import BenchmarkSpec, load_spec
from metamirage.ingest.tidy import tidy
from standin.defects import KINDS
from standin.design import WORLDS, Design, draw_leaves
from standin.draw import (
    Standin,
    draw_standin,
    files,
    git_repository,
    score_table,
    write_files,
    write_truth,
)
from standin.families import FAMILIES
from standin.files import NORMALISED, TASKS
from standin.scores import expected_score, latent

TINY = Design(n_tasks=20, max_subtasks=3, max_items=120, blob_bytes=100_000)
KEY = ["task", "subtask", "metric", "family", "model", "n_shots"]
# Standard errors of a mean or a spread that chance exceeds once in 15,000 runs.
FAR = 4.0
# Kinds of planted defects that the reader names by task. The others leave no trace in a score
# table, or the reader is right to pass over them: keys and file names.
DETECTED = (
    "few items",
    "score out of range",
    "all scores zero",
    "score not finite",
    "differing items",
    "items not 0 or 1",
    "wrong targets",
    "equal at two sizes",
    "equal at two temperatures",
    "family missing",
    "duplicate dropped",
    "normalised score dropped",
    "aggregate dropped",
    "trials averaged",
)


def drawn(design: Design = TINY, seed: int = 1) -> Standin:
    return draw_standin(design, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def standin() -> Standin:
    return drawn()


@pytest.fixture(scope="module")
def contents(standin: Standin) -> dict[str, bytes]:
    return dict(files(standin))


@pytest.fixture(scope="module")
def folder(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("standin")
    write_files(standin, folder / "files")
    return folder


@pytest.fixture(scope="module")
def commit(folder: Path) -> str:
    return git_repository(folder / "files", folder / "standin.git")


@pytest.fixture(scope="module")
def spec(repository: Path) -> BenchmarkSpec:
    return load_spec(repository / "config/benchmarks/bigbench.yaml")


@pytest.fixture(scope="module")
def tables(
    folder: Path, commit: str, spec: BenchmarkSpec
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Tidy scores and issues of the tiny stand-in, fetched by http, and the bytes that took."""
    with serve_git(folder) as server:
        source = replace(spec.source, url=f"{server.url}/standin.git", commit=commit)
        place = folder / "raw" / "bigbench"
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            fetch(replace(spec, source=source), mirror=None, destination=place)
        sent = server.sent
    return *tidy(spec, root=place), sent


def score_file(contents: dict[str, bytes], task: str, name: str) -> Any:
    return json.loads(contents[f"{TASKS}/{task}/results/scores_{name}.json"])


def task_with(standin: Standin, kind: str) -> str:
    return str(standin.planted.set_index("kind").loc[[kind], "task"].iloc[0])


def expected_rows(standin: Standin) -> pd.DataFrame:
    """What a faultless reader keeps: finite scores of decoders, trials averaged."""
    scores = score_table(standin)
    kept = scores[(scores["family"] != "T5") & np.isfinite(scores["score"])]
    rows = kept.astype({"metric": "str"}).groupby(KEY, as_index=False)["score"].mean()
    return rows.assign(n_shots=rows["n_shots"].astype("Int64").replace(-1, pd.NA))


# Labels, bytes and size


def test_every_file_says_that_it_is_synthetic(contents: dict[str, bytes]) -> None:
    assert [name for name, content in contents.items() if b"SYNTHETIC" not in content] == []


def test_every_task_name_says_that_it_is_synthetic(standin: Standin) -> None:
    assert standin.truth["task"].str.fullmatch(r"synthetic_task_\d{3}").all()


def digest(standin: Standin) -> str:
    parts = [name.encode() + content for name, content in files(standin)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert digest(drawn(seed=1)) == digest(drawn(seed=1)) != digest(drawn(seed=2))


def test_full_size_is_that_of_big_bench() -> None:
    one = drawn(Design())
    n_files = len(one.cells.drop_duplicates(["task_number", "family", "model"]))
    scores = score_table(one)
    kept = scores[(scores["trial"] == 0) & (scores["family"] != "T5")]
    sizes = kept.groupby([k for k in KEY if k != "model"], observed=True).size()
    assert one.truth["task"].nunique() == 207
    assert n_files == pytest.approx(9_500, rel=0.01)
    assert len(kept) == pytest.approx(600_000, rel=0.05)
    assert (sizes >= 5).sum() == pytest.approx(55_000, rel=0.1)


def test_too_few_tasks_for_the_defects_are_an_error() -> None:
    report = (
        r"no task for defect \('equal at two sizes'\)\. Raise n_tasks to 16, or name other defects"
    )
    with pytest.raises(InputError, match=report):
        drawn(replace(TINY, n_tasks=1, families=FAMILIES[:1]))


def test_sixteen_tasks_hold_every_defect() -> None:
    planted = drawn(replace(TINY, n_tasks=16)).planted["kind"]
    assert set(KINDS) <= set(planted)


# Truth


def leaf(form: str, **changes: float) -> pd.DataFrame:
    plain = {"location": 9.0, "width": 0.4, "low": -4.0, "high": 2.0}
    return pd.DataFrame([{"form": form, **plain, **changes}])


@pytest.mark.parametrize(("x", "share"), [(8.8, 0.1), (9.0, 0.5), (9.2, 0.9)])
def test_a_break_rises_from_10_to_90_percent_over_its_width(x: float, share: float) -> None:
    ability = latent(np.array([x]), leaf("break"), luck=np.zeros(1))
    assert ability == pytest.approx(-4 + 6 * share, abs=1e-12)


@pytest.mark.parametrize(("form", "sign"), [("smooth", 1), ("inverse", -1), ("flat", 0)])
def test_other_forms_are_straight_lines(form: str, sign: int) -> None:
    at = leaf(form, width=3.0, low=0.0).loc[[0, 0]]
    ability = latent(np.array([7.5, 10.5]), at, luck=np.zeros(2))
    assert ability == pytest.approx([-sign * np.log(9), sign * np.log(9)], abs=1e-12)


def test_a_bimodal_task_is_learned_by_a_share_of_the_networks() -> None:
    luck = np.linspace(0, 1, 1001)
    ability = latent(np.full(1001, 9.2), leaf("bimodal").loc[[0] * 1001], luck=luck)
    assert set(ability) == {-4.0, 2.0}
    assert np.mean(ability == 2.0) == pytest.approx(0.9, abs=0.002)


def expected(metric: str, theta: float, links: str = "metric", item_sd: float = 1e-9) -> float:
    at = {"item_sd": np.array([item_sd]), "n_tokens": np.array([3]), "chance": np.array([0.25])}
    return expected_score(metric, np.array([theta]), **at, links=links).item()


@pytest.mark.parametrize(
    ("metric", "score"),
    [
        ("exact_str_match", 0.5**3),
        ("rouge1", 50.0),
        ("rouge2", 25.0),
        ("bleu", 100 * 0.5**2.5),
        ("log_likelihood", 3 * np.log(0.5)),
        ("multiple_choice_grade", 0.25 + 0.75 / 2),
        ("calibration_multiple_choice_brier_score", (0.75 / 2) ** 2),
    ],
)
def test_each_metric_is_its_function_of_the_chance_of_one_token(metric: str, score: float) -> None:
    assert expected(metric, 0.0) == pytest.approx(score, rel=1e-6)


def test_in_the_common_world_all_metrics_are_one_function() -> None:
    theta = [-2.0, 0.0, 1.0]
    exact = [expected("exact_str_match", t, "common", 1.0) for t in theta]
    bleu = [expected("bleu", t, "common", 1.0) for t in theta]
    grade = [expected("multiple_choice_grade", t, "common", 1.0) for t in theta]
    assert bleu == pytest.approx([100 * e for e in exact])
    assert grade == pytest.approx([0.25 + 0.75 * e for e in exact])


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_has_its_shares_of_forms(world: str) -> None:
    leaves = draw_leaves(Design(world=world, n_tasks=100), np.random.default_rng(3))
    forms = leaves.drop_duplicates("task")["form"].value_counts(normalize=True).to_dict()
    assert forms == pytest.approx(dict(WORLDS[world][0]))


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_has_scores_within_the_metrics_bounds(world: str) -> None:
    design = replace(TINY, world=world, families=FAMILIES[:1], defects=())
    scores = score_table(drawn(design))
    grades = scores.loc[scores["metric"] == "exact_str_match", "score"]
    losses = scores.loc[scores["metric"] == "log_likelihood", "score"]
    assert scores["score"].notna().all()
    assert grades.between(0, 1).all()
    assert (losses <= 0).all()


def test_breaks_are_narrower_than_half_a_decade_and_slopes_wider_than_two() -> None:
    leaves = draw_leaves(Design(), np.random.default_rng(4))
    width = leaves.groupby("form")["width"].agg(["min", "max", "count"])
    assert width.loc["break", "max"] < 0.5
    assert width.loc["smooth", "min"] > 2
    assert width.loc["flat", "count"] == 0


def test_both_temperatures_are_the_same_networks(standin: Standin) -> None:
    scores = score_table(standin)
    choices = scores.query("metric == 'multiple_choice_grade' and family.str.startswith('BIG-G')")
    ability = choices.pivot(index=[*KEY[:3], "model", "n_shots"], columns="family", values="theta")
    assert (ability["BIG-G T=0"] == ability["BIG-G T=1"]).all()
    clipped = ability["BIG-G T=0"].abs() == 8
    assert (clipped | (ability["BIG-G T=0"] != ability["BIG-G sparse"])).all()


@pytest.mark.parametrize("metric", ["multiple_choice_grade", "exact_str_match"])
def test_counted_scores_scatter_as_a_beta_binomial(metric: str) -> None:
    design = replace(TINY, n_tasks=60, defects=(), dispersion=50.0)
    scores = score_table(drawn(design)).query("metric == @metric and 0.05 < mean < 0.95")
    n, mean = scores["n_evaluated"], scores["mean"]
    variance = mean * (1 - mean) / n * (1 + (n - 1) / (design.dispersion + 1))
    z = (scores["score"] - mean) / np.sqrt(variance)
    assert abs(z.mean()) < FAR / np.sqrt(len(z))
    assert z.var() == pytest.approx(1, abs=FAR * np.sqrt(2 / len(z)))


def test_truth_is_written_beside_the_files(standin: Standin, tmp_path: Path) -> None:
    write_truth(standin, tmp_path)
    truth = pd.read_parquet(tmp_path / "truth.parquet")
    assert {"task", "subtask", "family", "world", "form", "location", "width"} <= set(truth)
    assert len(truth) == len(standin.leaves) * len(FAMILIES)
    assert len(pd.read_csv(tmp_path / "planted.csv")) == len(standin.planted)
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == len(standin.scores)


# Files


def test_aggregates_are_means_over_subtasks(standin: Standin, contents: dict[str, bytes]) -> None:
    task = "synthetic_task_009"
    entries = score_file(contents, task, "BIG-G_2m_T=0")["scores"]
    zero = [e for e in entries if e["number_of_shots"] == 0]
    whole = next(e for e in zero if e["subtask_description"] == task)
    parts = [e for e in zero if e is not whole]
    assert [e["subtask_description"] for e in parts] == [f"{task}:part_{i:02d}" for i in (1, 2)]
    exact = parts[0]["score_dict"]["exact_str_match"]
    grade, low = parts[1]["score_dict"]["multiple_choice_grade"], parts[1]["low_score"]
    assert whole["score_dict"]["exact_str_match"] == exact
    mean = 100 * (exact + (grade - low) / (1 - low)) / 2
    assert whole["score_dict"][NORMALISED] == pytest.approx(mean)
    assert (whole["preferred_score"], whole["high_score"]) == (NORMALISED, 100)


def test_an_aggregate_of_choices_prefers_their_grade(contents: dict[str, bytes]) -> None:
    task = "synthetic_task_016"
    entries = score_file(contents, task, "BIG-G_2m_T=0")["scores"]
    zero = [e for e in entries if e["number_of_shots"] == 0]
    *parts, whole = sorted(zero, key=lambda e: e["subtask_description"] == task)
    assert whole["preferred_score"] == "multiple_choice_grade"
    assert whole["low_score"] == pytest.approx(np.mean([e["low_score"] for e in parts]))


def test_trials_and_meaningless_shots_stand_in_the_files(contents: dict[str, bytes]) -> None:
    trials = score_file(contents, "synthetic_task_005", "BIG-G_2m_T=0")["scores"]
    names = {entry["subtask_description"] for entry in trials}
    assert names == {"easytrial_0", "easytrial_1", "easytrial_2", "synthetic_task_005"}
    (only,) = score_file(contents, "synthetic_task_010", "BIG-G_2m_T=0")["scores"]
    assert only["number_of_shots"] == -1


def test_file_names_that_disagree_are_planted(standin: Standin, contents: dict[str, bytes]) -> None:
    task = task_with(standin, "file name disagrees")
    assert score_file(contents, task, "BIG-G_125m_T=0")["model"]["model_name"] == "244m"
    assert score_file(contents, task, "BIG-G_244m_T=0")["model"]["model_name"] == "125m"


def test_extra_and_missing_keys_are_planted(standin: Standin, contents: dict[str, bytes]) -> None:
    more = score_file(contents, task_with(standin, "extra keys"), "GPT_GPT-3-XL")
    assert all("note" in part for part in (more, more["task"], more["model"], *more["scores"]))
    less = score_file(contents, task_with(standin, "missing keys"), "GPT_GPT-3-XL")
    assert "additional_details" not in less["model"]
    assert not any("subtask_description" in entry for entry in less["scores"])


def test_tokens_that_strict_parsers_refuse_are_planted(
    standin: Standin, contents: dict[str, bytes]
) -> None:
    task = task_with(standin, "score not finite")
    text = contents[f"{TASKS}/{task}/results/scores_BIG-G_1b_T=0.json"].decode()
    assert all(f'"bleu": {token},' in text for token in ("NaN", "Infinity", "-Infinity"))


def test_repeated_items_are_planted(standin: Standin, contents: dict[str, bytes]) -> None:
    task = task_with(standin, "wrong targets")
    examples = json.loads(contents[f"{TASKS}/{task}/task.json"])["examples"]
    assert len(examples) == len({item["input"] for item in examples}) + 10


def test_definitions_count_the_items(standin: Standin, contents: dict[str, bytes]) -> None:
    for row in standin.leaves.to_dict("records"):
        if not row["metric_set"].startswith("program"):
            path = f"{TASKS}/{row['task']}/{row['subtask']}/task.json".replace("//", "/")
            assert len(json.loads(contents[path])["examples"]) == row["n_items"]


def test_the_repository_holds_the_files_and_nothing_else(
    folder: Path, commit: str, contents: dict[str, bytes]
) -> None:
    listed = subprocess.run(
        ["git", "--git-dir", folder / "standin.git", "ls-tree", "-r", "-l", commit],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found = {line.split("\t")[1]: int(line.split()[3]) for line in listed}
    assert found == {name: len(content) for name, content in contents.items()}


def test_the_same_files_give_the_same_commit(folder: Path, commit: str, tmp_path: Path) -> None:
    assert git_repository(folder / "files", tmp_path / "again.git") == commit


# What the pipeline makes of it


def test_a_download_leaves_the_blobs_at_the_server(
    folder: Path,
    contents: dict[str, bytes],
    tables: tuple[pd.DataFrame, pd.DataFrame, int],
) -> None:
    blobs = [name for name in contents if name.endswith((".lrz", ".png"))]
    fetched = {path.name for path in (folder / "raw").rglob("*") if path.is_file()}
    assert fetched & {Path(name).name for name in blobs} == set()
    # The blobs are noise, which no compression makes smaller.
    assert tables[2] < sum(len(contents[name]) for name in blobs)


def test_the_tidy_table_has_every_score_and_no_other(
    standin: Standin, tables: tuple[pd.DataFrame, pd.DataFrame, int]
) -> None:
    wanted = expected_rows(standin).sort_values(KEY, ignore_index=True)
    found = tables[0][[*KEY, "score"]].sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-12)


def test_sizes_come_from_the_files(tables: tuple[pd.DataFrame, pd.DataFrame, int]) -> None:
    stated = {(f.name, m.name): float(m.flop_matched) for f in FAMILIES for m in f.models}
    found = tables[0].drop_duplicates(["family", "model"]).set_index(["family", "model"])
    assert found["n_params"].to_dict() == {k: v for k, v in stated.items() if k[0] != "T5"}


@pytest.mark.parametrize("metric", ["exact_str_match", "multiple_choice_grade"])
def test_the_items_evaluated_are_found(
    metric: str, standin: Standin, tables: tuple[pd.DataFrame, pd.DataFrame, int]
) -> None:
    truth = score_table(standin).query("metric == @metric").drop_duplicates(KEY)
    both = tables[0].merge(truth.astype({"n_shots": "Int64", "metric": "str"}), on=KEY)
    gap = (both["n_samples"] - both["n_evaluated"]).abs()
    assert len(both) > 1000
    # Scores of zero do not tell how many examples the prompt took away, which is five at most.
    assert gap.max() <= 5
    assert (gap == 0).mean() > 0.8


@pytest.mark.parametrize("kind", DETECTED)
def test_planted_defects_are_found(
    kind: str, standin: Standin, tables: tuple[pd.DataFrame, pd.DataFrame, int]
) -> None:
    issues = tables[1]
    where = issues.loc[issues["kind"] == kind, "where"]
    planted = standin.planted.loc[standin.planted["kind"] == kind, "task"]
    assert len(planted) > 0
    assert [task for task in planted if not where.str.contains(task).any()] == []
