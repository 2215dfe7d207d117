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


def main(job: Any) -> None:
    audit = audit_curves(
        build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS)),
        read_table(job.input.fits, FITS),
        seed=job.params.seed,
        n_audit=job.params.n_audit,
        width_prior=job.params.prior,
        engine=job.params.engine,
        threads=job.threads,
    )
    write_table(audit, job.output.audit, AUDIT)


if __name__ == "__main__":
    run(main)
