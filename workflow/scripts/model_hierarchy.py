"""Estimate the class effect on width beside the spread of metrics, tasks and families."""

from typing import Any

from _adapter import run
from metamirage.findings import HIERARCHY
from metamirage.hierarchy import model_hierarchy
from metamirage.tables import FITS, PROFILES, TAGS, read_table, write_table


def main(job: Any) -> None:
    estimates = model_hierarchy(
        read_table(job.input.fits, FITS),
        read_table(job.input.profiles, PROFILES),
        read_table(job.input.tags, TAGS),
        seed=job.params.seed,
        threads=job.threads,
    )
    write_table(estimates, job.output.hierarchy, HIERARCHY)


if __name__ == "__main__":
    run(main)
