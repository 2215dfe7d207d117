"""Sample some curves of one benchmark with NUTS and compare with the quadrature."""

from typing import Any

from _adapter import run
from metamirage.audit import audit_curves
from metamirage.curves import build_curves
from metamirage.tables import AUDIT, FITS, TAGS, TIDY, read_table, write_table


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
