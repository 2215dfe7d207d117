"""Compare the numbers that earlier papers printed with the scores."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.reproduction import REPRODUCTION
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.literature.facts import read_facts
from metamirage.literature.reproduction import reproduce_claims


def main(job: Any) -> None:
    claims = reproduce_claims(
        read_table(job.input.tidy, TIDY),
        read_table(job.input.tags, TAGS),
        facts=read_facts(Path(job.input.facts[0]).parent),
    )
    write_table(claims, job.output.reproduction, REPRODUCTION)


if __name__ == "__main__":
    run(main)
