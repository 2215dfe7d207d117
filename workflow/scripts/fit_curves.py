"""Fit every candidate to every curve of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS, MODELS, PROFILES
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.fits import fit_curves
from metamirage.fitting.settings import FitSettings


def main(job: Any) -> None:
    curves = build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS))
    fitted = fit_curves(
        curves,
        FitSettings(job.params.seed, job.params.prior, job.params.engine, threads=job.threads),
    )
    write_table(fitted.fits, job.output.fits, FITS)
    write_table(fitted.models, job.output.models, MODELS)
    write_table(fitted.profiles, job.output.profiles, PROFILES)


if __name__ == "__main__":
    run(main)
