"""Speed, accuracy and cost of the curve engine, beside its peers on the same curves.

Usage: ``make bench``, or ``PYTHONPATH=src:tests python benchmarks/bench_engine.py [--quick]``.
See README.md beside this file for what is measured and what is not.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numba
import nutpie
import pandas as pd
import pymc
import scipy

from engine_cost import (
    GOAL_GIB,
    GOAL_SECONDS,
    WHOLE,
    cost,
    resampled,
    sized_tables,
    standin_tables,
)
from engine_peers import METHODS, ON_TWO, chosen, fits_of, shipped_curves, two_at_a_time
from engine_tables import accuracy_table, choice_table, draw, peer_table
from measured import RESULTS, circumstances, keep_to_cores, measured
from metamirage.report.figures.charts import as_png
from standin.design import Design


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Parameters
    ----------
    curves
        Published curves by method.
    two
        Of these, how many also two at a time.
    n_curves, n_sizes, per_size
        Numbers of SYNTHETIC curves; numbers of sizes, and how many curves of each.
    n_tasks
        Tasks of the stand-in.
    """

    curves: dict[str, int]
    two: int
    n_curves: tuple[int, ...]
    n_sizes: tuple[int, ...]
    per_size: int
    n_tasks: int


QUICK = Extent({"engine": 6, "scipy": 6, "nutpie": 6, "pymc": 1}, 2, (100,), (5, 12), 20, 16)
USUAL = Extent(
    {"engine": 60, "scipy": 60, "nutpie": 60, "pymc": 12},
    20,
    (100, 1_000, 10_000),
    (5, 8, 12, 20, 50),
    200,
    Design().n_tasks,
)
LARGE = (WHOLE, 100_000)


def main() -> None:
    """Run the benchmark, or, as the measured process itself, one method of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look in minutes, nothing is kept")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE} curves: many minutes")
    parser.add_argument("--method", choices=METHODS, help="used by the benchmark itself")
    words = parser.parse_args()
    if words.method:
        _run_method(words.method)
        return
    keep_to_cores()
    extent = QUICK if words.quick else USUAL
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        kept = place / "results" if words.quick else RESULTS
        kept.mkdir(exist_ok=True)
        fits = _peers(extent, place, kept)
        costs = _costs(extent, place, kept, large=LARGE if words.large else ())
        (kept / "engine.png").write_bytes(as_png(draw(fits, costs), dpi=150))


def _peers(extent: Extent, place: Path, kept: Path) -> pd.DataFrame:
    """Measure every method, each in a process of its own; write and print their tables."""
    run = {**circumstances(), **_versions()}
    curves = shipped_curves(place)
    fits, two = [], []
    for method, n in extent.curves.items():
        job = (method, chosen(curves, n), extent.two if method in ON_TWO else 0)
        (place / "job.pkl").write_bytes(pickle.dumps(job))
        whole = measured(Path(__file__), [f"--method={method}"], place)
        found = pd.read_pickle(place / "fits.pkl")
        fits.append(found.assign(max_rss_gib=whole["rss"]))
        two += pickle.loads((place / "two.pkl").read_bytes())
    all_fits = pd.concat(fits, ignore_index=True)
    times = peer_table(all_fits, pd.DataFrame(two))
    rss = all_fits.groupby("method")["max_rss_gib"].max()
    _keep(times.join(rss, on="method").assign(**run), kept / "engine_peers.csv")
    _keep(accuracy_table(all_fits), kept / "engine_accuracy.csv")
    _keep(choice_table(all_fits), kept / "engine_choices.csv")
    all_fits.drop(columns="max_rss_gib").to_csv(
        kept / "engine_fits.csv", index=False, float_format="%.6g"
    )
    return all_fits


def _run_method(method: str) -> None:
    _, curves, n_two = pickle.loads(Path("job.pkl").read_bytes())
    pd.to_pickle(fits_of(method, curves), "fits.pkl")
    two = [two_at_a_time(method, curves[:n_two])] if n_two else []
    Path("two.pkl").write_bytes(pickle.dumps(two))


def _versions() -> dict[str, str]:
    return {module.__name__: module.__version__ for module in (numba, nutpie, pymc, scipy)}


def _costs(extent: Extent, place: Path, kept: Path, *, large: tuple[int, ...]) -> pd.DataFrame:
    """Measure the stage at each size; the table is written after each row."""
    rows: list[dict[str, object]] = []
    for row in _cost_rows(extent, place, large=large):
        rows.append(row)
        print(row, flush=True)
        pd.DataFrame(rows).to_csv(kept / "engine_cost.csv", index=False)
    costs = pd.DataFrame(rows)
    print(costs.to_string(index=False))
    print(f"goal at {WHOLE:,} curves: {GOAL_SECONDS} s of wall_s, {GOAL_GIB} of max_rss_gib")
    return costs


def _cost_rows(
    extent: Extent, place: Path, *, large: tuple[int, ...]
) -> Iterator[dict[str, object]]:
    for n in extent.n_sizes:
        tables = sized_tables(n, extent.per_size)
        yield cost(tables, place / f"sizes-{n}", question="sizes", data="SYNTHETIC logistic")
    standin = standin_tables(extent.n_tasks, place)
    for n in (*extent.n_curves, *large):
        tables = resampled(standin, n)
        yield cost(tables, place / f"curves-{n}", question="curves", data="SYNTHETIC BIG-bench")


def _keep(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False)
    print(f"{path.stem}\n{table.to_string(index=False)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
