"""Curves of the published tables, built as a run builds them."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np

from metamirage.curves.curve import Curve, build_curves
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy
from mirror import MIRROR, ROOT

SHIPPED = ("gpt3",)


def real_curves(benchmark: str, folder: Path) -> dict[str, Curve]:
    """Return the curves of a benchmark by their names; ``folder`` takes its files."""
    spec = load_spec(ROOT / "config" / "benchmarks" / f"{benchmark}.yaml")
    if benchmark in SHIPPED:
        shutil.copytree(ROOT / "data" / "raw" / benchmark, folder / benchmark)
    fetch(
        spec,
        mirror=None if benchmark in SHIPPED else MIRROR,
        destination=folder / benchmark,
    )
    scores, _ = tidy(spec, root=folder / benchmark)
    metrics = read_metrics(ROOT / "config" / "metrics.csv")
    tags = tag_metrics(scores, metrics, overrides=spec.tag_overrides)
    return {curve.curve_id: curve for curve in build_curves(scores, tags)}


def data_hash(curve: Curve) -> str:
    """Digest of a curve's sizes, scores and items, to nine digits."""
    numbers = np.concatenate([curve.size, curve.z, curve.n_items])
    text = ",".join(f"{value + 0.0:.9g}" for value in numbers)
    return sha256(f"{curve.observation}:{text}".encode()).hexdigest()[:12]
