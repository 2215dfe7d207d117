"""Test the hypotheses on one benchmark."""

from typing import Any

from _adapter import run
from metamirage.concentration import assess_concentration
from metamirage.findings import CONCENTRATION
from metamirage.tables import FITS, FORECASTS, PROFILES, TAGS, TIDY, read_table, write_table


def main(job: Any) -> None:
    estimates = assess_concentration(
        read_table(job.input.fits, FITS),
        read_table(job.input.forecasts, FORECASTS),
        read_table(job.input.tags, TAGS),
        tidy=read_table(job.input.tidy, TIDY),
        profiles=read_table(job.input.profiles, PROFILES),
        seed=job.params.seed,
        n_permutations=job.params.n_permutations,
    )
    write_table(estimates, job.output.concentration, CONCENTRATION)


if __name__ == "__main__":
    run(main)
