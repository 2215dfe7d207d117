"""Measure what was predicted of networks trained here."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS, PROFILES
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.latent import LATENT
from metamirage.contracts.mechanism import MECHANISM
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.networks.mechanism import Tables, assess_mechanism


def main(job: Any) -> None:
    contracts = (TIDY, TAGS, FITS, PROFILES, FORECASTS, LATENT)
    found = assess_mechanism(
        Tables(**{c.name: read_table(getattr(job.input, c.name), c) for c in contracts}),
        seed=job.params.seed,
        n_permutations=job.params.n_permutations,
    )
    write_table(found, job.output.mechanism, MECHANISM)


if __name__ == "__main__":
    run(main)
