"""Take the posterior band of every candidate on every curve of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.bands import BANDS
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.bands import band_curves
from metamirage.fitting.settings import FitSettings


def main(job: Any) -> None:
    curves = build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS))
    bands = band_curves(curves, FitSettings(job.params.seed, job.params.prior, threads=job.threads))
    write_table(bands, job.output.bands, BANDS)


if __name__ == "__main__":
    run(main)
