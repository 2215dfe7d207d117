"""Count how often the tests reject in each simulated world."""

from typing import Any

import pandas as pd

from _adapter import run
from metamirage.contracts.check import read_table
from metamirage.contracts.selfcheck import TRIALS
from metamirage.simulation.rates import count_rates, versions_text, write_rates


def main(job: Any) -> None:
    trials = pd.concat([read_table(path, TRIALS) for path in job.input.trials])
    rates = count_rates(
        trials,
        n_draws=job.params.n_permutations,
        versions=versions_text(job.params.libraries),
    )
    write_rates(rates, job.output.rates)


if __name__ == "__main__":
    run(main)
