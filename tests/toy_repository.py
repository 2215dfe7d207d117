"""A small invented repository in the layout of BIG-bench, and how it is fetched in tests."""

from __future__ import annotations

import json
import random
import resource
from pathlib import Path

from git_server import git, publish
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import BenchmarkSpec, Source

TASKS = 12
INCLUDE = ("*/results/scores_*.json", "*/task.json", "*/*/task.json")
# Not wanted, and together ten times as large as everything that is.
PLOT_BYTES = 50_000
TOY = Path("raw/toy")
CLONE = Path(".cache/metamirage/git/toy")


def write(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def build(folder: Path) -> Path:
    """Make the repository; its plots must not be fetched."""
    rng = random.Random(1)
    for i in range(TASKS):
        task = folder / "bench" / f"t{i:02}"
        for size in ("2m", "16m"):
            values = [rng.random() for _ in range(120)]
            write(task / "results" / f"scores_{size}.json", json.dumps(values).encode())
        write(task / "results" / "plot.png", rng.randbytes(PLOT_BYTES))
        write(task / "task.json", b'{"name": "t%02d"}' % i)
    write(folder / "bench" / "t00" / "sub" / "task.json", b"{}")
    write(folder / "LICENSE", b"Invented.\n")
    (folder / "bench" / "t00" / "results" / "scores_link.json").symlink_to("scores_2m.json")
    git(folder, "init", "-q")
    publish(folder)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def published(upstream: Path) -> dict[str, bytes]:
    """What should arrive, chosen by hand and not by the patterns."""
    bench = upstream / "bench"
    wanted = [*bench.glob("t??/results/scores_*m.json"), *bench.rglob("task.json")]
    files = {path.relative_to(bench).as_posix(): path.read_bytes() for path in wanted}
    return dict(sorted({**files, "LICENSE": b"Invented.\n"}.items()))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the manifest, hidden ones included."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "MANIFEST.json"
    }


def spec_of(source: Source) -> BenchmarkSpec:
    """Registry entry of a benchmark called toy."""
    return BenchmarkSpec(
        name="toy",
        title="Toy",
        description="Invented.",
        source=source,
        reader="bigbench",
        licence="CC0-1.0",
        citation="Invented.",
        options={},
    )


def spec_for(url: str, commit: str) -> BenchmarkSpec:
    """Registry entry of the repository."""
    return spec_of(Source("git", INCLUDE, url=url, commit=commit, root="bench"))


def bring(spec: BenchmarkSpec, mirror: Path | None = None) -> None:
    """Fetch it to where the tests look."""
    fetch(spec, mirror=mirror, destination=TOY)


def limit_file_sizes() -> None:
    """Let no file of this process, or of those it starts, grow past 4 KiB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
