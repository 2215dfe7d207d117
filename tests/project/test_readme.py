"""The README's example of a user's own table, copied out and run through the first stages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metamirage.base.vocabulary import VERDICTS
from metamirage.curves.curve import build_curves
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy

EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", re.S)


@pytest.fixture
def copied(tmp_path: Path, repository: Path) -> Path:
    """A folder with the files that the README shows."""
    for name, text in EXAMPLE.findall((repository / "README.md").read_text(encoding="utf-8")):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_readme_example_gives_its_two_curves(copied: Path, repository: Path) -> None:
    spec = load_spec(copied / "config/benchmarks/mine.yaml")
    fetch(spec, mirror=None, destination=copied / "data/raw/mine")
    scores, issues = tidy(spec, root=copied / "data/raw/mine")
    metrics = read_metrics(repository / "config/metrics.csv")
    tags = tag_metrics(scores, metrics, overrides=spec.tag_overrides)
    assert list(issues["kind"]) == []
    assert {c.key["metric"]: c.n_sizes for c in build_curves(scores, tags)} == {
        "exact_match": 5,
        "log_likelihood": 5,
    }
    assert dict(zip(tags["metric"], tags["discontinuous"], strict=True)) == {
        "exact_match": "yes",
        "log_likelihood": "no",
    }


def test_the_readme_names_every_verdict(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    assert [verdict for verdict in VERDICTS if f"| {verdict} |" not in text] == []
