"""The whole workflow on tiny tables: it runs, it stops running, and it refuses bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from project import Project

WRONG_COLUMN = (
    "data/raw/tiny/tiny.csv",
    lambda text: text.replace("score", "scroe", 1),
    "tiny.csv: has no column ('score'). Allowed: task, metric, model, size, shots, scroe, items.",
    set(),
)
UNKNOWN_METRIC = (
    "data/raw/tiny/tiny.csv",
    lambda text: text.replace("t0,exact,", "t0,exakt,"),
    "tiny,t0,exakt,unknown,unknown,",
    # Its rule did not fail: the table has the new metric.
    {"tidy"},
)
UNKNOWN_KEY = (
    "config/benchmarks/tiny.yaml",
    lambda text: text.replace("licence:", "lisence:"),
    "Did you mean 'licence'",
    set(),
)
MISSPELT_SETTING = (
    "config/config.yaml",
    lambda text: text.replace("n_permutations:", "n_permutation:"),
    "unknown key ('n_permutation')",
    set(),
)


def test_a_run_leaves_a_page_for_each_benchmark_and_an_index(project: Project) -> None:
    assert (project.root / "reports/index.html").stat().st_size > 0
    assert (project.root / "reports/tiny/index.html").stat().st_size > 0


def test_a_second_run_has_nothing_to_do(project: Project) -> None:
    assert "Nothing to be done" in project.snakemake().text


def test_the_profile_is_found(project: Project) -> None:
    assert "workflow specific profile profiles/default" in project.snakemake("--dry-run").text


@pytest.mark.parametrize(
    ("file", "damage", "message", "redone"),
    [WRONG_COLUMN, UNKNOWN_METRIC, UNKNOWN_KEY, MISSPELT_SETTING],
    ids=["wrong column", "unknown metric", "unknown registry key", "misspelt setting"],
)
def test_bad_input_is_explained_and_costs_no_result(
    project: Project, file: str, damage: Callable[[str], str], message: str, redone: set[str]
) -> None:
    before = project.fingerprint()
    with project.edited(file, damage):
        result = project.snakemake()
        after = project.fingerprint()
        again = project.snakemake()
    assert result.status != 0
    assert message in result.text
    assert "Traceback" not in result.text
    assert again.status != 0, "the second run passed over the fault"
    assert message in again.text
    assert without(redone, after) == without(redone, before)
    # Mended, on one core where the first run had two: the same bytes.
    assert project.snakemake("--cores", "1").status == 0
    assert project.fingerprint() == before


def without(stages: set[str], files: dict[str, str]) -> dict[str, str]:
    return {name: sha for name, sha in files.items() if Path(name).parent.name not in stages}


def test_truncated_json_is_named_and_costs_no_result(project: Project) -> None:
    target = "data/processed/tidy/harness.parquet"
    assert project.snakemake(target).status == 0
    before = project.fingerprint()
    with project.edited("data/raw/harness/m.json", lambda text: text[:40]):
        result, again = project.snakemake(target), project.snakemake(target)
        assert project.fingerprint() == before
    assert result.status != 0
    assert again.status != 0
    assert "m.json: is not JSON" in result.text
    assert "m.json: is not JSON" in again.text
    assert "Traceback" not in result.text


def test_an_unknown_benchmark_lists_the_registered_ones(project: Project) -> None:
    result = project.snakemake(config='benchmarks=["tinny"]')
    assert result.status != 0
    assert "unknown benchmark ('tinny')" in result.text
    assert "Did you mean 'tiny'" in result.text


def test_networks_on_digits_are_trained_as_a_step_of_the_run_and_others_are_not(
    fresh_project: Project,
) -> None:
    result = fresh_project.snakemake("--dry-run", config='benchmarks=["digits"]')
    assert result.status == 0, result.text
    assert {"train_digits", "assess_mechanism", "render_mechanism"} <= result.rules
    assert not {"train_network", "train_parities", "compare_seeds"} & result.rules


def test_the_archive_holds_what_was_predicted_of_the_networks(fresh_project: Project) -> None:
    result = fresh_project.snakemake(
        "--dry-run", "--verbose", "reports/metamirage.zip", config='benchmarks=["digits"]'
    )
    assert result.status == 0, result.text
    archived = result.text.split("rule archive_report:", 1)[1].split("output:", 1)[0]
    assert "data/processed/mechanism/digits.parquet" in archived


def test_a_run_without_networks_has_no_page_of_the_mechanism(fresh_project: Project) -> None:
    result = fresh_project.snakemake("--dry-run")
    assert "render_mechanism" not in result.rules
