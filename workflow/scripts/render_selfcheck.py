"""Render the page of the tests' own error rates."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.report.pages import render_selfcheck
from metamirage.simulation.rates import read_rates


def main(job: Any) -> None:
    source = dict(job.params.rates)["rates"]
    page = render_selfcheck(read_rates(source), source=source)
    Path(job.output.page).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
