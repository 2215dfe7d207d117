"""Run the negative controls of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.controls import CONTROLS
from metamirage.contracts.fits import FITS, PROFILES
from metamirage.contracts.tags import TAGS
from metamirage.robustness.controls import assess_controls


def main(job: Any) -> None:
    controls = assess_controls(
        read_table(job.input.fits, FITS),
        read_table(job.input.tags, TAGS),
        profiles=read_table(job.input.profiles, PROFILES),
        seed=job.params.seed,
        n_permutations=job.params.n_permutations,
    )
    write_table(controls, job.output.controls, CONTROLS)


if __name__ == "__main__":
    run(main)
