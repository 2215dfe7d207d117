"""Render the page in which every curve of one benchmark can be found and looked at."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.ingest.registry import load_spec
from metamirage.report.pages import Explored, render_explorer


def main(job: Any) -> None:
    spec = load_spec(Path(job.input.spec))
    paths = {name: str(path) for name, path in job.input.items()}
    explored = Explored.read(paths, title=spec.title, benchmark=spec.name)
    Path(job.output.page).write_text(render_explorer(explored), encoding="utf-8")


if __name__ == "__main__":
    run(main)
