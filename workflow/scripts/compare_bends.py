"""Say which way the curves of one benchmark bend, and whether that goes with the metric."""

from typing import Any

from _adapter import run
from metamirage.findings import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.superlinear import compare_classes, find_superlinear
from metamirage.tables import FITS, MODELS, TAGS, TIDY, read_table, write_table


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
