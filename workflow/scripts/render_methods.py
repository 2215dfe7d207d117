"""Render the page of methods."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.project.assumptions import Assumption
from metamirage.report.pages import render_methods


def main(job: Any) -> None:
    page = render_methods(
        [Assumption(*parts) for parts in job.params.assumptions],
        settings=job.params.settings,
        libraries=job.params.libraries,
        pages=dict(job.params.pages),
    )
    Path(job.output.page).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
