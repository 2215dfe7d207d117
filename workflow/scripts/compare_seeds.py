"""Hold a table made again against the spread over seeds of the one that ships."""

from typing import Any

import pandas as pd

from _adapter import log, run
from metamirage.networks.experiments import compare_seeds


def main(job: Any) -> None:
    shipped, remade = (pd.read_csv(file) for file in (job.input.shipped, job.input.remade))
    agreement = compare_seeds(shipped, remade)
    agreement.to_csv(job.output.agreement, index=False, float_format="%.7g")
    log.info(
        "%s: %d of %d means lie within the spread over seeds of the shipped table",
        job.wildcards.experiment,
        int(agreement["within"].sum()),
        len(agreement),
    )


if __name__ == "__main__":
    run(main)
