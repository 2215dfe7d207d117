"""Pool the estimates over all enabled benchmarks."""

from typing import Any

from _adapter import run
from metamirage.findings import CONCENTRATION
from metamirage.pooling import pool_concentration
from metamirage.tables import read_table, write_table


def main(job: Any) -> None:
    frames = [read_table(path, CONCENTRATION) for path in job.input.concentration]
    write_table(pool_concentration(frames), job.output.pooled, CONCENTRATION)


if __name__ == "__main__":
    run(main)
