"""Compute the emergence score and linearity of every curve of one benchmark."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import read_table, write_table
from metamirage.contracts.scores import SCORES
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import build_curves
from metamirage.curves.scores import score_curves


def main(job: Any) -> None:
    curves = build_curves(read_table(job.input.tidy, TIDY), read_table(job.input.tags, TAGS))
    write_table(score_curves(curves, seed=job.params.seed), job.output.scores, SCORES)


if __name__ == "__main__":
    run(main)
