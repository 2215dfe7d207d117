"""Render the overview: the pooled answer and a link to every benchmark."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.report.pages import IndexInputs, render_index


def main(job: Any) -> None:
    inputs = IndexInputs.read(
        specs=job.input.specs,
        fits=job.input.fits,
        audit=job.input.audit,
        concentration=job.input.concentration,
        against=job.input.against,
        multiverse_joint=job.input.multiverse_joint,
        pooled=job.input.pooled,
        answering=job.params.answering,
        settings=job.params.settings,
        libraries=job.params.libraries,
        rates=dict(job.params.rates).get("rates"),
        pages=dict(job.params.pages),
        reproduced=job.params.reproduced,
    )
    Path(job.output.page).write_text(render_index(inputs), encoding="utf-8")


if __name__ == "__main__":
    run(main)
