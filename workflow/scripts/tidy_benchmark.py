"""Read the published files of one benchmark into one row a score, and list their defects."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.contracts.check import write_table
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tidy import tidy


def main(job: Any) -> None:
    scores, issues = tidy(load_spec(Path(job.input.spec)), root=Path(job.input.manifest).parent)
    write_table(issues, job.output.issues, ISSUES)
    write_table(scores, job.output.tidy, TIDY)


if __name__ == "__main__":
    run(main)
