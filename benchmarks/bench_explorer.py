"""Size and speed of the explorer with as many curves as a whole BIG-bench has.

Usage: ``make bench``, or ``PYTHONPATH=src:tests python benchmarks/bench_explorer.py [--curves N]``.
See README.md beside this file for what is measured and what is not. Needs chromium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright

from measured import CORES, ROOT, append, circumstances, keep_to_cores
from measured import RESULTS as FOLDER
from metamirage.curves.curve import build_curves
from metamirage.curves.scores import score_curves
from metamirage.fitting.bands import band_curves
from metamirage.fitting.fits import fit_curves
from metamirage.fitting.settings import FitSettings
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics
from metamirage.ingest.tidy import tidy
from metamirage.report.pages import Explored, render_explorer

RESULTS = FOLDER / "explorer.csv"
SEED = 20_240_101
CURVES = 55_000
GOAL_SECONDS, GOAL_MB = 3, 60
READY = "performance.getEntriesByName('{}').length > 0"
# Changes a field of the form and waits until the table has been drawn anew.
CHANGE = """async ([name, value]) => {
  const field = document.querySelector(`#filters [name="${name}"]`);
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - start;
}"""
SORT = """async () => {
  const start = performance.now();
  document.querySelector("#curves thead th:last-child").click();
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - start;
}"""


def main() -> None:
    """Make the stand-in, render its explorer, use it in a browser, and append what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=CURVES)
    words = parser.parse_args()
    keep_to_cores()
    with tempfile.TemporaryDirectory() as folder:
        where = circumstances()
        made = standin(published(Path(folder)), words.curves, np.random.default_rng(SEED))
        start = time.perf_counter()
        page = render_explorer(made)
        row = {
            **where,
            "curves": len(made.fits),
            "render_s": round(time.perf_counter() - start, 1),
            "page_mb": round(len(page.encode()) / 1e6, 1),
        }
        file = Path(folder) / "explorer.html"
        file.write_text(page, encoding="utf-8")
        row |= used(file, str(made.fits["curve_id"].max()))
    append(row, RESULTS)
    print("\n".join(f"{name:20} {value}" for name, value in row.items()))
    print(f"goal at {CURVES} curves: {GOAL_SECONDS} s of table_s, {GOAL_MB} of page_mb")


def published(folder: Path) -> Explored:
    """Take the GPT-3 table that ships through the stages that the explorer shows."""
    spec = load_spec(ROOT / "config/benchmarks/gpt3.yaml")
    shutil.copytree(ROOT / "data/raw/gpt3", folder / "gpt3")
    fetch(spec, mirror=None, destination=folder / "gpt3")
    scores, _ = tidy(spec, root=folder / "gpt3")
    metrics = read_metrics(ROOT / "config/metrics.csv")
    tags = tag_metrics(scores, metrics, overrides=spec.tag_overrides)
    curves = build_curves(scores, tags)
    fitted = fit_curves(curves, FitSettings(SEED, threads=CORES))
    return Explored(
        title="SYNTHETIC stand-in",
        benchmark="synthetic",
        tidy=scores,
        tags=tags,
        scores=score_curves(curves, seed=SEED),
        fits=fitted.fits,
        models=fitted.models,
        bands=band_curves(curves, FitSettings(SEED, threads=CORES)),
    )


def standin(real: Explored, n_curves: int, rng: np.random.Generator) -> Explored:
    """Repeat the curves under new names of tasks, every number moved a little.

    Without the moves the copies would compress to nothing. Probabilities stay in [0, 1].
    """
    kept = {}
    n_copies = -(-n_curves // len(real.fits))
    for name in ("tidy", "tags", "scores", "fits", "models", "bands"):
        copies = [renamed(getattr(real, name), copy) for copy in range(n_copies)]
        kept[name] = moved(pd.concat(copies, ignore_index=True), rng)
    return replace(real, **kept)


def renamed(table: pd.DataFrame, copy: int) -> pd.DataFrame:
    """Give one copy of a table tasks of its own; its curves are named after them."""
    changes: dict[str, object] = {}
    if "task" in table:
        changes |= {"task": table["task"] + f" {copy:03}", "benchmark": "synthetic"}
    if "curve_id" in table:
        parts = table["curve_id"].str.split("|", n=2, expand=True)
        changes["curve_id"] = "synthetic|" + parts[1] + f" {copy:03}|" + parts[2]
    return table.assign(**changes)


def moved(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move floats by about a hundredth; sizes, bounds and shares keep what they mean."""
    fixed = {"n_params", "size", "lower", "upper", "chance"}
    columns = [c for c in table.select_dtypes("float") if c not in fixed]
    values = table[columns].to_numpy()
    changed = values * (1 + 0.01 * rng.standard_normal(values.shape))
    shares = ((table[columns].min() >= 0) & (table[columns].max() <= 1)).to_numpy()
    changed[:, shares] = changed[:, shares].clip(0, 1)
    ready = table.assign(**dict(zip(columns, changed.T, strict=True)))
    # Percentages; perplexities are above a hundred for the smallest model alone.
    return ready.assign(score=ready["score"].clip(upper=100)) if "score" in ready else ready


def used(file: Path, last: str) -> dict[str, float]:
    """Open the page in a browser without a network, and use it as a reader would."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_context(offline=True).new_page()
        page.goto(file.as_uri())
        row = {f"{mark}_s": marked(page, f"{mark}-shown") for mark in ("table", "curve")}
        row["words_ms"] = round(page.evaluate(CHANGE, ["words", "acc 2d+ 017"]))
        # All curves again: the most there is to sort and to hold against a choice.
        row["all_ms"] = round(page.evaluate(CHANGE, ["words", ""]))
        row["sort_ms"] = round(page.evaluate(SORT))
        row["choice_ms"] = round(page.evaluate(CHANGE, ["verdict", "SHARP"]))
        page.goto("about:blank")
        page.goto(f"{file.as_uri()}#curve={quote(last)}")
        row["link_s"] = marked(page, "curve-shown")
        browser.close()
    return row


def marked(page: Page, mark: str) -> float:
    """Seconds from the start of the page to a mark that its script sets."""
    page.wait_for_function(READY.format(mark), timeout=60_000)
    start = page.evaluate(f"performance.getEntriesByName('{mark}')[0].startTime")
    return round(start / 1000, 2)


if __name__ == "__main__":
    main()
