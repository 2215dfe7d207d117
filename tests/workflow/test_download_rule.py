"""The download rule against a git server, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from git_server import Served, git, serve_git
from project import Project
from toy_repository import INCLUDE, build, contents, published

MANIFEST = "data/raw/toy/MANIFEST.json"
CONFIG = 'benchmarks=["toy"]'


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("server") / "upstream")


@pytest.fixture
def server(upstream: Path) -> Iterator[Served]:
    with serve_git(upstream.parent) as served:
        yield served


@pytest.fixture
def remote(fresh_project: Project, server: Served, upstream: Path, tmp_path: Path) -> Project:
    """The project with one registered benchmark more, which a git server holds."""
    shutil.copytree(fresh_project.root, tmp_path / "project")
    register(tmp_path / "project", f"{server.url}/upstream", git(upstream, "rev-parse", "HEAD"))
    return Project(tmp_path / "project")


def register(root: Path, url: str, commit: str) -> None:
    source = {"kind": "git", "url": url, "commit": commit, "root": "bench"}
    texts = {
        "name": "toy",
        "title": "Toy",
        "description": "Invented.",
        "licence": "CC0-1.0",
        "citation": "Invented.",
    }
    entry = {
        **texts,
        "source": source | {"include": list(INCLUDE)},
        "reader": {"name": "bigbench"},
    }
    path = root / "config/benchmarks/toy.yaml"
    path.write_text(yaml.safe_dump(entry), encoding="utf-8")


def test_a_killed_rule_ends_in_the_same_tree_when_run_again(
    remote: Project, server: Served, upstream: Path
) -> None:
    server.seconds_per_chunk = 0.2
    command = [sys.executable, "-m", "snakemake", "--cores", "1", MANIFEST, "--config", CONFIG]
    with subprocess.Popen(
        command, cwd=remote.root, start_new_session=True, stderr=subprocess.DEVNULL
    ) as process:
        arrived = server.under_way.wait(60)
        os.killpg(process.pid, signal.SIGKILL)
    assert arrived, "the pack was never under way"
    assert not [path for path in remote.root.glob("data/raw/toy/**/*") if path.is_file()]
    server.seconds_per_chunk = 0.0
    assert remote.snakemake("--unlock", config=CONFIG).status == 0
    result = remote.snakemake(MANIFEST, config=CONFIG)
    assert result.status == 0, result.text
    assert contents(remote.root / "data/raw/toy") == published(upstream)
    found = json.loads((remote.root / MANIFEST).read_text(encoding="utf-8"))
    assert found["file_count"] == len(published(upstream)) - 1
    log = (remote.root / "logs/download/toy.log").read_text(encoding="utf-8")
    assert "fetching files, up to" in log
    assert "fetching files, up to" in result.text


def test_a_wrong_commit_is_explained_without_a_traceback(remote: Project, server: Served) -> None:
    register(remote.root, f"{server.url}/upstream", "1" * 40)
    result = remote.snakemake(MANIFEST, config=CONFIG)
    assert result.status != 0
    assert f"source {server.url}/upstream: git fetch of commit {'1' * 40} failed" in result.text
    assert "METAMIRAGE_MIRROR, or run make demo" in result.text
    assert "Traceback" not in result.text
    assert "not our ref" in (remote.root / "logs/download/toy.log").read_text(encoding="utf-8")
    assert not [path for path in remote.root.glob("data/raw/toy/**/*") if path.is_file()]
