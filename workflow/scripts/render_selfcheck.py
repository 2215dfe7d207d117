"""Render the page of the tests' own error rates."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.rates import read_rates
from metamirage.report import render_selfcheck


def main(job: Any) -> None:
    source = dict(job.params.rates)["rates"]
    page = render_selfcheck(read_rates(source), source=source)
    Path(job.output.page).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
