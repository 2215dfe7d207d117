"""The whole workflow on a small stand-in of BIG-bench, fetched from a git server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from git_server import Served, git, serve_git
from project import Project
from standin.design import Design
from standin.draw import Standin, draw_standin, git_repository, score_table, write_files
from standin.families import FAMILIES

CHOSEN = tuple(f for f in FAMILIES if f.name in ("BIG-G T=0", "BIG-G T=1", "PaLM"))
DESIGN = Design(
    n_tasks=4,
    max_subtasks=2,
    max_items=300,
    families=CHOSEN,
    blob_bytes=800_000,
    defects=("few items",),
)


@pytest.fixture(scope="module")
def standin() -> Standin:
    return draw_standin(DESIGN, np.random.default_rng(1))


@pytest.fixture(scope="module")
def upstream(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the stand-in, with its bare repository beside them."""
    folder = tmp_path_factory.mktemp("upstream")
    write_files(standin, folder / "files")
    git_repository(folder / "files", folder / "standin.git")
    return folder


@pytest.fixture(scope="module")
def server(upstream: Path) -> Iterator[Served]:
    with serve_git(upstream) as served:
        yield served


@pytest.fixture(scope="module")
def read(
    fresh_project: Project,
    upstream: Path,
    server: Served,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    copy = fresh_project.copied(tmp_path_factory.mktemp("bigbench"))
    entry = copy.root / "config/benchmarks/bigbench.yaml"
    spec = yaml.safe_load(entry.read_text(encoding="utf-8"))
    commit = git(upstream / "standin.git", "rev-parse", "HEAD")
    spec["source"] |= {"url": f"{server.url}/standin.git", "commit": commit}
    entry.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    result = copy.snakemake(config='benchmarks=["bigbench"]')
    assert result.status == 0, result.text
    return copy


def table(project: Project, stage: str, name: str = "bigbench") -> pd.DataFrame:
    return pd.read_parquet(project.root / f"data/processed/{stage}/{name}.parquet")


def test_only_wanted_blobs_leave_the_server(read: Project, upstream: Path, server: Served) -> None:
    unwanted = [p for p in (upstream / "files").rglob("*") if "full-logs" in p.name]
    assert sum(p.stat().st_size for p in unwanted) > 1_000_000
    assert server.sent < 500_000
    raw = read.root / "data/raw/bigbench"
    kinds = {p.name.split("_")[0] for p in raw.rglob("*.json")}
    assert kinds == {"scores", "task.json", "MANIFEST.json"}
    published = upstream / "files/bigbench/benchmark_tasks"
    fetched = [p.relative_to(raw) for p in raw.rglob("scores_*.json")]
    assert len(fetched) == len(list(published.rglob("scores_*.json")))
    assert all((raw / p).read_bytes() == (published / p).read_bytes() for p in fetched)


def test_every_task_metric_and_family_that_was_drawn_is_read(
    read: Project, standin: Standin
) -> None:
    key = ["task", "metric", "family"]
    drawn = score_table(standin)
    assert set(table(read, "tidy")[key].itertuples(index=False, name=None)) == set(
        drawn[key].itertuples(index=False, name=None)
    )


def test_planted_defects_are_listed(read: Project) -> None:
    found = set(table(read, "tidy", "bigbench.issues")["kind"])
    assert "few items" in found


def test_two_temperatures_are_one_network(read: Project) -> None:
    networks = table(read, "tidy").groupby("network")["family"].unique().map(set).to_dict()
    assert networks["BIG-G"] == {"BIG-G T=0", "BIG-G T=1"}


def test_three_sizes_get_no_verdict(read: Project) -> None:
    palm = table(read, "fits").query("family == 'PaLM'")
    assert len(palm) > 0
    assert set(palm["verdict"]) == {"UNRESOLVED"}


def test_pairs_on_the_same_outputs_are_tested(read: Project) -> None:
    tested = table(read, "concentration").query("hypothesis == 'H2' and stratum == 'same outputs'")
    assert tested["n_tasks"].max() >= 2


def test_the_page_shows_the_printed_numbers_and_says_that_scores_are_synthetic(
    read: Project,
) -> None:
    page = (read.root / "reports/bigbench/index.html").read_text(encoding="utf-8")
    assert 'id="reproduction"' in page
    assert "synthetic" in page.lower()
