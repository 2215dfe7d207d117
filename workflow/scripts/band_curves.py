"""Take the posterior band of every candidate on every curve of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.bands import BANDS, band_curves
from metamirage.curves import build_curves
from metamirage.tables import TAGS, TIDY, read_table, write_table


def main(job: Any) -> None:
    curves = build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS))
    bands = band_curves(
        curves, seed=job.params.seed, width_prior=job.params.prior, threads=job.threads
    )
    write_table(bands, job.output.bands, BANDS)


if __name__ == "__main__":
    run(main)
