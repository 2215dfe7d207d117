"""Find the tasks of one benchmark that are sharp under every metric, and what goes with it."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_TESTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.settings import FitSettings
from metamirage.robustness.residual import find_residual, relate_residual


def main(job: Any) -> None:
    fits, tidy = read_table(job.input.fits, FITS), read_table(job.input.tidy, TIDY)
    tags = read_table(job.input.tags, TAGS)
    tests = relate_residual(
        fits,
        tidy,
        build_curves(tidy, tags),
        FitSettings(job.params.seed, job.params.prior, threads=job.threads),
        n_permutations=job.params.n_permutations,
    )
    write_table(find_residual(fits, tags), job.output.residual, RESIDUAL)
    write_table(tests, job.output.tests, RESIDUAL_TESTS)


if __name__ == "__main__":
    run(main)
