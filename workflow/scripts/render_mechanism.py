"""Render the page of the mechanism."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.report.mechanism import MechanismInputs
from metamirage.report.pages import render_mechanism
from metamirage.report.provenance import run_facts

TABLES = ("mechanism", "tidy", "tags", "fits", "latent", "concentration", "specs")


def main(job: Any) -> None:
    paths = {name: list(getattr(job.input, name)) for name in TABLES}
    run_of = run_facts(job.params.settings, job.params.libraries)
    page = render_mechanism(MechanismInputs.read(paths, run=run_of))
    Path(job.output.page).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
