"""A run that fails, or is killed, leaves the results that were there before it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from test_reruns import since

from project import Project

CSV = "data/raw/tiny/tiny.csv"
FAULT = "has no column ('score')"
PUT_BACK = "Put back as before this run: "


def misname(text: str) -> str:
    return text.replace("score", "scroe", 1)


def before_line(line: str, what: str) -> Callable[[str], str]:
    """Return an edit that puts a statement before a line of a script."""
    return lambda text: text.replace(f"    {line}", f"    {what}\n    {line}", 1)


@pytest.fixture
def done(project: Project, tmp_path: Path) -> Project:
    """A copy of the project after its full run, to be spoilt."""
    return project.copied(tmp_path)


def test_only_the_rule_that_failed_puts_back(done: Project) -> None:
    with done.edited(CSV, misname):
        text = done.snakemake().text
    stem = "data/processed/tidy/tiny"
    assert f"{PUT_BACK}{stem}.parquet, {stem}.issues.parquet\n" in text
    assert text.count(PUT_BACK) == 1
    assert list((done.root / ".snakemake/kept").iterdir()) == []


def test_the_rule_reruns_although_its_input_is_what_it_was(done: Project) -> None:
    before = done.fingerprint()
    with done.edited(CSV, misname):
        assert done.snakemake().status != 0
    assert done.planned() >= since("tidy_benchmark")
    for more in ({"tidy_benchmark", "tag_metrics"}, set()):
        result = done.snakemake("--until", "tag_metrics")
        assert result.status == 0
        assert result.rules - {"download_benchmark"} == more
    assert done.fingerprint() == before


def test_the_rule_fails_again_whatever_snakemake_remembers(done: Project) -> None:
    before = done.fingerprint()
    with done.edited(CSV, misname):
        assert done.snakemake().status != 0
        assert FAULT in done.snakemake("--rerun-triggers", "mtime").text
        for records in ("metadata", "incomplete"):
            shutil.rmtree(done.root / ".snakemake" / records, ignore_errors=True)
        assert FAULT in done.snakemake().text
        assert done.fingerprint() == before


def test_several_rules_fail_and_each_puts_its_tables_back(done: Project) -> None:
    tables = [f"data/processed/tidy/{name}.parquet" for name in ("tiny", "harness")]
    assert done.snakemake(*tables).status == 0
    before = done.fingerprint()
    with done.edited(CSV, misname), done.edited("data/raw/harness/m.json", lambda text: text[:40]):
        text = done.snakemake("--keep-going", *tables).text
    assert FAULT in text
    assert "m.json: is not JSON" in text
    assert done.fingerprint() == before


def test_tables_of_two_runs_never_mix(done: Project) -> None:
    # Three tables a job: the first is written anew, then the rule fails.
    before = done.fingerprint()
    fail = before_line("write_table(fitted.models", "raise SystemExit(1)")
    with done.edited("workflow/scripts/fit_curves.py", fail):
        result = done.snakemake("--until", "fit_curves", config='benchmarks=["tiny"] seed=7')
    assert result.status != 0
    assert f"{PUT_BACK}data/processed/fits/tiny.parquet" in result.text
    assert done.fingerprint() == before
    assert done.snakemake("--until", "fit_curves").status == 0
    assert done.fingerprint() == before


def test_a_run_after_a_killed_one_can_still_put_back(done: Project) -> None:
    before = done.fingerprint()
    kill = before_line("write_table(fitted.models", "import os; os.killpg(0, 9)")
    with done.edited("workflow/scripts/fit_curves.py", kill):
        assert done.snakemake().status == -9
    assert done.fingerprint() != before
    assert done.snakemake("--unlock").status == 0
    fail = before_line("write_table(fitted.fits", "raise SystemExit(1)")
    with done.edited("workflow/scripts/fit_curves.py", fail):
        assert done.snakemake().status == 1
    assert done.fingerprint() == before


def test_a_dry_run_touches_nothing(done: Project) -> None:
    files = [file for file in done.root.glob("data/**/*") if file.is_file()]
    kept = sorted((done.root / ".snakemake/kept").rglob("*"))
    times = [file.stat().st_mtime_ns for file in files]
    with done.edited(CSV, misname):
        assert done.planned() == since("download_benchmark")
    assert [file.stat().st_mtime_ns for file in files if file.name != "tiny.csv"] == [
        time for file, time in zip(files, times, strict=True) if file.name != "tiny.csv"
    ]
    assert sorted((done.root / ".snakemake/kept").rglob("*")) == kept
