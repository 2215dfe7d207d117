"""Draw the figure of the README: chosen curves with their posteriors and verdicts."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table
from metamirage.contracts.fits import FITS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.report.figures.charts import as_png, draw_panels
from metamirage.report.panels import make_panels

# Keeps the file below 150 KB.
PIXELS_PER_INCH = 105


def main(job: Any) -> None:
    tidy, tags = read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS)
    panels = make_panels(
        {curve.curve_id: curve for curve in build_curves(tidy, tags)},
        read_table(job.input.fits, FITS),
        job.params.curves,
        settings=job.params.settings,
    )
    Path(job.output.figure).write_bytes(as_png(draw_panels(panels), dpi=PIXELS_PER_INCH))


if __name__ == "__main__":
    run(main)
