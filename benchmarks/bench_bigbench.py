"""Time and memory of a whole BIG-bench: download from loopback, read, check, write.

Usage: ``make bench``, or ``PYTHONPATH=src:tests python benchmarks/bench_bigbench.py [--tasks N]``.
See README.md beside this file for what is measured and what is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from git_server import serve_git
from measured import RESULTS as FOLDER
from measured import ROOT, append, circumstances, keep_to_cores, measured
from metamirage.base.thresholds import MIN_SIZES, MIN_SIZES_VERDICT
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.contracts.check import write_table
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import BenchmarkSpec, load_spec
from metamirage.ingest.tidy import tidy
from standin.design import Design
from standin.draw import Standin, draw_standin, git_repository, score_table, write_files

RESULTS = FOLDER / "bigbench.csv"
SEED = 20_240_101
GOAL_SECONDS, GOAL_GIB = 120, 3


def main() -> None:
    """Run the benchmark, or, as the measured process itself, one stage of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=Design().n_tasks)
    parser.add_argument("--stage", choices=sorted(STAGES), help="used by the benchmark itself")
    parser.add_argument("--url", default="")
    parser.add_argument("--commit", default="")
    words = parser.parse_args()
    if words.stage:
        STAGES[words.stage](_spec(words.url, words.commit))
        return
    row = _benchmark(words.tasks)
    append(row, RESULTS)
    print("\n".join(f"{name:28} {value}" for name, value in row.items()))
    print(
        f"goal at {Design().n_tasks} tasks: {GOAL_SECONDS} s of wall_s, {GOAL_GIB} of max_rss_gib"
    )


def _spec(url: str, commit: str) -> BenchmarkSpec:
    spec = load_spec(ROOT / "config/benchmarks/bigbench.yaml")
    return replace(spec, source=replace(spec.source, url=url, commit=commit))


def _fetch(spec: BenchmarkSpec) -> None:
    fetch(spec, mirror=None, destination=Path("data/raw/bigbench"))


def _tidy(spec: BenchmarkSpec) -> None:
    scores, issues = tidy(spec, root=Path("data/raw/bigbench"))
    write_table(issues, "issues.parquet", ISSUES)
    write_table(scores, "tidy.parquet", TIDY)


STAGES = {"fetch": _fetch, "tidy": _tidy}


def _benchmark(n_tasks: int) -> dict[str, object]:
    keep_to_cores()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        standin, made = _made(n_tasks, place)
        with serve_git(place) as server:
            source = [f"--url={server.url}/standin.git", f"--commit={made.pop('commit')}"]
            first = _measured("fetch", source, place)
            sent, requests = server.sent, len(server.requests)
            again = _measured("fetch", source, place)
            table = _measured("tidy", source, place)
        return {
            **_circumstances(n_tasks),
            **made,
            **_sizes(standin, place),
            "mb_sent": round(sent / 1e6, 1),
            "requests": requests,
            "fetch_s": first["wall"],
            "fetch_again_s": again["wall"],
            "tidy_s": table["wall"],
            "wall_s": round(first["wall"] + table["wall"], 1),
            "cpu_s": round(first["cpu"] + table["cpu"], 1),
            "fetch_rss_gib": first["rss"],
            "tidy_rss_gib": table["rss"],
            "max_rss_gib": max(first["rss"], table["rss"]),
        }


def _circumstances(n_tasks: int) -> dict[str, object]:
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True)
    return {
        **circumstances(),
        "pandas": pd.__version__,
        "git": git.stdout.split()[2],
        "tasks": n_tasks,
    }


def _made(n_tasks: int, place: Path) -> tuple[Standin, dict[str, object]]:
    times: dict[str, object] = {}
    with _timed(times, "draw_s"):
        standin = draw_standin(Design(n_tasks=n_tasks), np.random.default_rng(SEED))
    with _timed(times, "write_s"):
        write_files(standin, place / "files")
    with _timed(times, "commit_s"):
        times["commit"] = git_repository(place / "files", place / "standin.git")
    return standin, times


@contextmanager
def _timed(times: dict[str, object], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times[name] = round(time.perf_counter() - start, 1)


def _measured(stage: str, source: list[str], place: Path) -> dict[str, float]:
    return measured(Path(__file__), [f"--stage={stage}", *source], place)


def _sizes(standin: Standin, place: Path) -> dict[str, object]:
    manifest = json.loads((place / "data/raw/bigbench/MANIFEST.json").read_text(encoding="utf-8"))
    scores = pd.read_parquet(place / "tidy.parquet")
    _check(standin, scores)
    sizes = scores.groupby(list(CURVE_KEY), dropna=False)["n_params"].nunique()
    repository = sum(p.stat().st_size for p in (place / "standin.git").rglob("*") if p.is_file())
    return {
        "repository_mb": round(repository / 1e6, 1),
        "files": manifest["file_count"],
        "wanted_mb": round(manifest["bytes"] / 1e6, 1),
        "scores": len(scores),
        f"curves_{MIN_SIZES}_sizes": int((sizes >= MIN_SIZES).sum()),
        f"curves_{MIN_SIZES_VERDICT}_sizes": int((sizes >= MIN_SIZES_VERDICT).sum()),
        "issues": len(pd.read_parquet(place / "issues.parquet")),
    }


def _check(standin: Standin, scores: pd.DataFrame) -> None:
    """Refuse to report the speed of a wrong result."""
    truth = score_table(standin)
    kept = truth[np.isfinite(truth["score"]) & (truth["trial"] == 0) & (truth["family"] != "T5")]
    if len(kept) != len(scores):
        sys.exit(f"{len(scores)} scores were read, {len(kept)} had been written")


if __name__ == "__main__":
    main()
