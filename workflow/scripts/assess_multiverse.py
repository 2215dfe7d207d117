"""Estimate every specification on one benchmark, and test the curve as a whole."""

from typing import Any

from _adapter import run
from metamirage.findings import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.multiverse import assess_multiverse
from metamirage.tables import FITS, FORECASTS, PROFILES, SCORES, TAGS, TIDY, read_table, write_table


def main(job: Any) -> None:
    specifications, joint = assess_multiverse(
        read_table(job.input.fits, FITS),
        read_table(job.input.scores, SCORES),
        read_table(job.input.forecasts, FORECASTS),
        read_table(job.input.tags, TAGS),
        tidy=read_table(job.input.tidy, TIDY),
        profiles=read_table(job.input.profiles, PROFILES),
        seed=job.params.seed,
    )
    write_table(specifications, job.output.multiverse, MULTIVERSE)
    write_table(joint, job.output.joint, MULTIVERSE_JOINT)


if __name__ == "__main__":
    run(main)
