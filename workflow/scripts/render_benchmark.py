"""Render the page of one benchmark."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.project.assumptions import Assumption
from metamirage.report.pages import ReportInputs, render_benchmark


def main(job: Any) -> None:
    inputs = ReportInputs.read(
        {name: str(path) for name, path in [*job.input.items(), *job.params.rates] if path},
        settings=job.params.settings,
        libraries=job.params.libraries,
        assumptions=[Assumption(*parts) for parts in job.params.assumptions],
    )
    Path(job.output.page).write_text(render_benchmark(inputs), encoding="utf-8")


if __name__ == "__main__":
    run(main)
