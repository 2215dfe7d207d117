"""What every benchmark shares: a process of its own under GNU time, and the circumstances."""

from __future__ import annotations

import csv
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
CORES = 2


def keep_to_cores() -> None:
    """Bind this process and its children to the first two cores it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def circumstances() -> dict[str, object]:
    """Say when and where: date, machine, cores, load of the five minutes before, Python."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()} {_processor()}",
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[1], 1),
        "python": platform.python_version(),
    }


def append(row: Mapping[str, object], path: Path) -> None:
    """Add a row to a table of results; the first one writes the head."""
    path.parent.mkdir(exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _processor() -> str:
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return models[0] if models else "unknown processor"


def measured(script: Path, words: Sequence[str], place: Path) -> dict[str, float]:
    """Run a script in a folder, in a process of its own under GNU time.

    Returns
    -------
    dict
        ``wall`` and ``cpu``, seconds, and ``rss``, GiB, of the process and its children.
    """
    timer = shutil.which("time")
    if timer is None:
        sys.exit("benchmarks need GNU time (package time) as the command time")
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
    # As in the workflow's scripts: sums of linear algebra on one thread.
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [timer, "-v", sys.executable, str(script), *words],
        cwd=place,
        env={**os.environ, **alone, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr}")
    report = dict(line.strip().rsplit(": ", 1) for line in done.stderr.splitlines() if ": " in line)
    cpu = float(report["User time (seconds)"]) + float(report["System time (seconds)"])
    return {"wall": _seconds(report), "cpu": round(cpu, 1), "rss": _gib(report)}


def _seconds(report: Mapping[str, str]) -> float:
    clock = report["Elapsed (wall clock) time (h:mm:ss or m:ss)"].split(":")
    hours, minutes, seconds = [0.0, *map(float, clock)][-3:]
    return round(3600 * hours + 60 * minutes + seconds, 1)


def _gib(report: Mapping[str, str]) -> float:
    return round(int(report["Maximum resident set size (kbytes)"]) / 2**20, 2)
