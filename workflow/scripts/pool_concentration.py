"""Pool the estimates over all enabled benchmarks."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.hypotheses.pooling import pool_concentration


def main(job: Any) -> None:
    frames = [read_table(path, CONCENTRATION) for path in job.input.concentration]
    write_table(pool_concentration(frames), job.output.pooled, CONCENTRATION)


if __name__ == "__main__":
    run(main)
