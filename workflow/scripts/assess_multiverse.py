"""Estimate every specification on one benchmark, and test the curve as a whole."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS, PROFILES
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.multiverse import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.contracts.scores import SCORES
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.robustness.multiverse import assess_multiverse


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
