"""List by name what speaks against the mirage on one benchmark."""

from typing import Any

from _adapter import run
from metamirage.against import list_contrary
from metamirage.findings import AGAINST, CONCENTRATION
from metamirage.tables import FITS, FORECASTS, TAGS, read_table, write_table


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
