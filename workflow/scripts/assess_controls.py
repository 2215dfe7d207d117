"""Run the negative controls of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.controls import assess_controls
from metamirage.findings import CONTROLS
from metamirage.tables import FITS, PROFILES, TAGS, read_table, write_table


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
