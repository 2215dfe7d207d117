"""Sample some curves of one benchmark with NUTS and compare with the quadrature."""

from typing import Any

from _adapter import run
from metamirage.contracts.audit import AUDIT
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.fits import FITS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.fitting.audit import audit_curves
from metamirage.fitting.settings import FitSettings


def main(job: Any) -> None:
    audit = audit_curves(
        build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS)),
        read_table(job.input.fits, FITS),
        FitSettings(job.params.seed, job.params.prior, job.params.engine, threads=job.threads),
        n_audit=job.params.n_audit,
    )
    write_table(audit, job.output.audit, AUDIT)


if __name__ == "__main__":
    run(main)
