"""Say which way the curves of one benchmark bend, and whether that goes with the metric."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS, MODELS
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.robustness.superlinear import compare_classes, find_superlinear


def main(job: Any) -> None:
    models = read_table(job.input.models, MODELS)
    superlinear = find_superlinear(read_table(job.input.fits, FITS), models)
    tests = compare_classes(
        superlinear,
        read_table(job.input.tags, TAGS),
        tidy=read_table(job.input.tidy, TIDY),
        seed=job.params.seed,
        n_permutations=job.params.n_permutations,
    )
    write_table(superlinear, job.output.superlinear, SUPERLINEAR)
    write_table(tests, job.output.tests, SUPERLINEAR_TESTS)


if __name__ == "__main__":
    run(main)
