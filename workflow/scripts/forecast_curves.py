"""Predict the scores of the largest models of every curve of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import forecast_curves


def main(job: Any) -> None:
    tags = read_table(job.input.tags, TAGS)
    forecasts = forecast_curves(
        build_curves(read_table(job.input.tidy, TIDY), tags),
        tags,
        FitSettings(job.params.seed, job.params.prior, job.params.engine, threads=job.threads),
    )
    write_table(forecasts, job.output.forecasts, FORECASTS)


if __name__ == "__main__":
    run(main)
