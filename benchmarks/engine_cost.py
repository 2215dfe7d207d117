"""What the stage fits costs against the number of curves and of sizes, on SYNTHETIC scores."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from measured import ROOT, circumstances, measured
from metamirage.base.thresholds import MIN_SIZES
from metamirage.base.vocabulary import CANDIDATES, CURVE_KEY
from metamirage.contracts.check import check, read_table, write_table
from metamirage.contracts.fits import FITS, MODELS, PROFILES
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.fits import fit_curves
from metamirage.fitting.settings import FitSettings
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy
from standin.design import Design
from standin.draw import draw_standin, write_files

SEED = 20_240_101
THREADS = 2
# BIG-bench, as the stand-in has it, in the goal's round number.
WHOLE = 55_000
GOAL_SECONDS, GOAL_GIB = 600, 4
KEY = list(CURVE_KEY)
N_ITEMS = 200

type Tables = tuple[pd.DataFrame, pd.DataFrame]


def standin_tables(n_tasks: int, place: Path) -> Tables:
    """Draw a SYNTHETIC BIG-bench and read it as the workflow does: its tidy table and its tags."""
    standin = draw_standin(Design(n_tasks=n_tasks, blob_bytes=0), np.random.default_rng(SEED))
    write_files(standin, place / "files")
    mirror = place / "mirror"
    mirror.mkdir()
    (place / "files/bigbench/benchmark_tasks").rename(mirror / "bigbench")
    spec = load_spec(ROOT / "config/benchmarks/bigbench.yaml")
    fetch(spec, mirror=mirror, destination=place / "raw/bigbench")
    scores, _ = tidy(spec, root=place / "raw/bigbench")
    metrics = read_metrics(ROOT / "config/metrics.csv")
    return scores, tag_metrics(scores, metrics, overrides=spec.tag_overrides)


def resampled(tables: Tables, n_curves: int) -> Tables:
    """Draw curves without replacement; what is wanted beyond all of them, from all of them again.

    A copy is told by its task, so that its name and with it its random numbers are its own.
    """
    scores, tags = tables
    number = scores.groupby(KEY, dropna=False).ngroup()
    sizes = scores.groupby(number)["n_params"].nunique()
    long = sizes.index[sizes >= MIN_SIZES].to_numpy()
    rng = np.random.default_rng(SEED)
    parts = []
    for copy, start in enumerate(range(0, n_curves, len(long))):
        drawn = rng.permutation(long)[: n_curves - start]
        parts.append([_renamed(scores[number.isin(drawn)], copy), _renamed(tags, copy)])
    return tuple(pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))  # type: ignore[return-value]


def _renamed(table: pd.DataFrame, copy: int) -> pd.DataFrame:
    return table.assign(task=table["task"] + f"~{copy}") if copy else table


def sized_tables(n_sizes: int, n_curves: int) -> Tables:
    """Draw SYNTHETIC curves of one number of sizes over four decades: counts about a logistic."""
    rng = np.random.default_rng(SEED)
    size = np.linspace(7, 11, n_sizes)
    location, width = rng.uniform(6, 12, (n_curves, 1)), 10 ** rng.uniform(-0.5, 1, (n_curves, 1))
    mean = 0.05 + 0.8 / (1 + np.exp(2 * np.log(9) * (location - size) / width))
    right = rng.binomial(N_ITEMS, rng.beta(100 * mean, 100 * (1 - mean)))
    curve, point = np.indices(mean.shape).reshape(2, -1)
    shared = {
        "benchmark": "synthetic",
        "subtask": "",
        "metric": "accuracy",
        "family": "SYNTHETIC",
        "n_shots": 0,
        "n_params_kind": "total",
        "stderr": np.nan,
        "n_samples": N_ITEMS,
        "low_score": np.nan,
        "high_score": np.nan,
        "is_preferred": True,
        "source_file": "none",
    }
    scores = pd.DataFrame(
        {
            "task": [f"t{i:05d}" for i in curve],
            "model": [f"m{i:02d}" for i in point],
            "n_params": 10 ** size[point],
            "score": right.ravel() / N_ITEMS,
            **shared,
        }
    ).astype({"n_shots": "Int64", "n_samples": "Int64", "is_preferred": "boolean"})
    tags = scores[["benchmark", "task", "metric"]].drop_duplicates(ignore_index=True)
    kind = {"discontinuous": "yes", "nonlinear": "yes", "query": "generate", "direction": "up"}
    scale = {"lower": 0.0, "upper": 1.0, "chance": 0.0, "excluded": ""}
    tags = tags.assign(**kind, **scale, reason="synthetic", reference="none")
    return check(scores, TIDY, source="synthetic"), check(tags, TAGS, source="synthetic")


def cost(tables: Tables, place: Path, *, question: str, data: str) -> dict[str, object]:
    """Measure the stage on tables, in a process of its own: a row of ``engine_cost.csv``."""
    place.mkdir()
    write_table(tables[0], place / "tidy.parquet", TIDY)
    write_table(tables[1], place / "tags.parquet", TAGS)
    before = circumstances()
    whole = measured(Path(__file__), [], place)
    inner = json.loads((place / "inner.json").read_text(encoding="utf-8"))
    return {
        "question": question,
        "data": data,
        **inner,
        "wall_s": whole["wall"],
        "cpu_s": whole["cpu"],
        "max_rss_gib": whole["rss"],
        "cpu_ms_per_curve_and_candidate": round(
            1000 * inner["fit_cpu_s"] / (inner["curves"] * len(CANDIDATES)), 3
        ),
        "load_before": before["load_before"],
    }


def stage() -> None:
    """Do what the workflow's script fit_curves.py does, in the working folder."""
    start = time.perf_counter()
    curves = build_curves(
        read_table(Path("tidy.parquet"), TIDY), read_table(Path("tags.parquet"), TAGS)
    )
    # Compiled code is read from its cache, or made, before the clock of the fits starts.
    fit_curves(curves[:1], FitSettings(SEED))
    ready, cpu = time.perf_counter(), time.process_time()
    fitted = fit_curves(curves, FitSettings(SEED, threads=THREADS))
    done, cpu_done = time.perf_counter(), time.process_time()
    write_table(fitted.fits, Path("fits.parquet"), FITS)
    write_table(fitted.models, Path("models.parquet"), MODELS)
    write_table(fitted.profiles, Path("profiles.parquet"), PROFILES)
    inner = {
        "curves": len(curves),
        "sizes_median": float(np.median([curve.n_sizes for curve in curves])),
        "ready_s": round(ready - start, 1),
        "fit_s": round(done - ready, 2),
        "fit_cpu_s": round(cpu_done - cpu, 2),
    }
    Path("inner.json").write_text(json.dumps(inner), encoding="utf-8")


if __name__ == "__main__":
    stage()
