"""List by name what speaks against the mirage on one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.counterexamples import AGAINST
from metamirage.contracts.fits import FITS
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.tags import TAGS
from metamirage.robustness.counterexamples import list_contrary


def main(job: Any) -> None:
    cases = list_contrary(
        read_table(job.input.fits, FITS),
        read_table(job.input.forecasts, FORECASTS),
        read_table(job.input.tags, TAGS),
        concentration=read_table(job.input.concentration, CONCENTRATION),
    )
    write_table(cases, job.output.against, AGAINST)


if __name__ == "__main__":
    run(main)
