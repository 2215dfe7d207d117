"""Judge every task of one benchmark that has both kinds of metric."""

from typing import Any

from _adapter import run
from metamirage.curves import build_curves
from metamirage.findings import LATENT
from metamirage.latent import judge_tasks
from metamirage.tables import FORECASTS, TAGS, TIDY, read_table, write_table


def main(job: Any) -> None:
    tags = read_table(job.input.tags, TAGS)
    latent = judge_tasks(
        build_curves(read_table(job.input.tidy, TIDY), tags),
        tags,
        read_table(job.input.forecasts, FORECASTS),
        seed=job.params.seed,
        width_prior=job.params.prior,
        threads=job.threads,
    )
    write_table(latent, job.output.latent, LATENT)


if __name__ == "__main__":
    run(main)
