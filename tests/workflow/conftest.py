"""A copy of the project with tiny invented tables, run once for all tests of the workflow."""

from __future__ import annotations

import json
import shutil
from math import exp
from pathlib import Path

import pytest

from project import Project

PARTS = ("Snakefile", "config", "profiles", "src", "workflow")
SIZES = (1e8, 3e8, 1e9, 3e9, 1e10, 3e10)

HEAD = """
name: {name}
title: Invented scores
description: Invented scores of one family, to try the workflow.
licence: CC0-1.0
citation: None, the scores are invented.
source: {{kind: path, include: ["{file}"]}}
"""
TINY = """
reader:
  name: tidy_csv
  options:
    columns:
      {task: task, metric: metric, model: model, n_params: size, n_shots: shots, score: score,
       n_samples: items}
    constants: {family: invented, n_params_kind: total}
tag_overrides:
  - {metric: log_likelihood, discontinuous: "no", nonlinear: "no", query: generate, direction: up,
     reason: A sum over tokens., reference: invented}
  - {metric: exact, discontinuous: "yes", nonlinear: "yes", query: generate, direction: up,
     lower: 0, upper: 1, chance: 0, reason: All or nothing., reference: invented}
"""
HARNESS = """
reader: {name: lm_eval}
models:
  - {model: m, family: invented, n_params: 1.0e+9, n_params_kind: total}
"""


def tiny_table() -> str:
    """Four tasks, two metrics, six sizes: exact match is the fifth power of a smooth ability."""
    rows = ["task,metric,model,size,shots,score,items"]
    for task in range(4):
        for step, size in enumerate(SIZES):
            ability = 1 / (1 + exp(1.5 - 0.8 * step + 0.3 * task))
            right = round(200 * ability**5) / 200
            rows.append(f"t{task},exact,m{step},{size:.0f},0,{right},200")
            rows.append(f"t{task},log_likelihood,m{step},{size:.0f},0,{-5 + 4 * ability:.4f},200")
    return "\n".join(rows) + "\n"


def add_benchmark(root: Path, name: str, entry: str, *, file: str, text: str) -> None:
    """Register a benchmark in a project and write its one file."""
    spec = root / f"config/benchmarks/{name}.yaml"
    spec.write_text(HEAD.format(name=name, file=file) + entry, encoding="utf-8")
    target = root / "data/raw" / name / file
    target.parent.mkdir(parents=True)
    target.write_text(text, encoding="utf-8")


def tiny_json() -> str:
    """One results file of lm-evaluation-harness before 0.4, with invented numbers."""
    results = {"arc_easy": {"acc": 0.5, "acc_stderr": 0.05}}
    config = {"model": "gpt2", "model_args": "pretrained=m", "num_fewshot": 0, "limit": None}
    return json.dumps({"results": results, "versions": {"arc_easy": 0}, "config": config})


@pytest.fixture(scope="session")
def fresh_project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Project:
    """The project with its tiny tables, before any run."""
    root = tmp_path_factory.mktemp("project")
    leave = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=leave)
        else:
            shutil.copy(source, root / part)
    settings = root / "config/config.yaml"
    # Three curves show the stage; the default would take longer than all others.
    few = settings.read_text(encoding="utf-8").replace("n_audit: 64", "n_audit: 3")
    settings.write_text(few, encoding="utf-8")
    add_benchmark(root, "tiny", TINY, file="tiny.csv", text=tiny_table())
    add_benchmark(root, "harness", HARNESS, file="m.json", text=tiny_json())
    return Project(root)


@pytest.fixture(scope="session")
def project(fresh_project: Project) -> Project:
    """The project after one full run on the tiny benchmark."""
    result = fresh_project.snakemake()
    assert result.status == 0, result.text
    return fresh_project
