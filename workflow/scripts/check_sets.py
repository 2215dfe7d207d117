"""Take simulated benchmarks of one world through fits and tests."""

from typing import Any

from _adapter import run
from metamirage.contracts.check import write_table
from metamirage.contracts.selfcheck import TRIALS
from metamirage.simulation.selfcheck import check_sets


def main(job: Any) -> None:
    trials = check_sets(
        job.wildcards.world,
        range(*job.params.sets),
        seed=job.params.seed,
        n_draws=job.params.n_permutations,
        forecast_sets=job.params.forecast_sets,
    )
    write_table(trials, job.output.trials, TRIALS)


if __name__ == "__main__":
    run(main)
