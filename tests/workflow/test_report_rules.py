"""What is made of a finished run on demand: an archive, Snakemake's own report, screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from project import Project

ARCHIVE = "reports/metamirage.zip"


@pytest.fixture
def archive(project: Project) -> Iterator[Path]:
    file = project.root / ARCHIVE
    result = project.snakemake(ARCHIVE)
    assert result.status == 0, result.text
    yield file
    file.unlink()


def test_the_archive_holds_the_run_and_is_the_same_every_time(
    project: Project, archive: Path
) -> None:
    first = archive.read_bytes()
    with ZipFile(archive) as opened:
        names = set(opened.namelist())
    assert {"SHA256SUMS", "settings.json", "versions.json", "config/metrics.csv"} <= names
    assert {"reports/index.html", "reports/methods.html", "data/raw/tiny/MANIFEST.json"} <= names
    stems = {p.name for p in (project.root / "data/processed").rglob("tiny*.parquet")}
    assert stems == {Path(name).name for name in names if Path(name).name.startswith("tiny.")} - {
        "tiny.yaml"
    }
    archive.unlink()
    assert project.snakemake(ARCHIVE, "--cores", "1").status == 0
    assert archive.read_bytes() == first


def test_snakemake_reports_the_pages_with_captions(project: Project, tmp_path: Path) -> None:
    result = project.snakemake("--report", str(tmp_path / "report.html"))
    assert result.status == 0, result.text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Overview", "Benchmarks", "how it changes with other choices", "What tiny holds"):
        assert words in page


def test_screenshots_are_planned_at_two_widths_for_every_kind_of_page(project: Project) -> None:
    result = project.snakemake("screenshots", "--dry-run", "--verbose")
    assert result.status == 0, result.text
    for name in ("index", "methods", "benchmark-index", "benchmark-explorer"):
        assert f"reports/screenshots/{name}-desktop.png" in result.text
        assert f"reports/screenshots/{name}-phone.png" in result.text
