"""Measure what was predicted of networks trained here."""

from typing import Any

from _adapter import run
from metamirage.findings import LATENT, MECHANISM
from metamirage.mechanism import Tables, assess_mechanism
from metamirage.tables import FITS, FORECASTS, PROFILES, TAGS, TIDY, read_table, write_table


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
