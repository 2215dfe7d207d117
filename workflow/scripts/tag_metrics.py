"""Tag every metric of one benchmark."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tags import read_metrics, tag_metrics


def main(job: Any) -> None:
    tags = tag_metrics(
        read_table(job.input.tidy, TIDY),
        read_metrics(Path(job.input.metrics)),
        overrides=load_spec(Path(job.input.spec)).tag_overrides,
    )
    write_table(tags, job.output.tags, TAGS)


if __name__ == "__main__":
    run(main)
