"""Judge every task of one benchmark that has both kinds of metric."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.latent import LATENT
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.settings import FitSettings
from metamirage.hypotheses.h3_latent import judge_tasks


def main(job: Any) -> None:
    tags = read_table(job.input.tags, TAGS)
    latent = judge_tasks(
        build_curves(read_table(job.input.tidy, TIDY), tags),
        tags,
        read_table(job.input.forecasts, FORECASTS),
        FitSettings(job.params.seed, job.params.prior, threads=job.threads),
    )
    write_table(latent, job.output.latent, LATENT)


if __name__ == "__main__":
    run(main)
