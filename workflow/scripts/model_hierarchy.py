"""Estimate the class effect on width beside the spread of metrics, tasks and families."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS, PROFILES
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.contracts.tags import TAGS
from metamirage.robustness.hierarchy.stage import model_hierarchy


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
