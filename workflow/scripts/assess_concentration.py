"""Test the hypotheses on one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.fits import FITS, PROFILES
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.hypotheses.concentration import assess_concentration


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
