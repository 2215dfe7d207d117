"""Join the scores of all networks of an experiment, and compare them with the shipped ones."""

from typing import Any

import pandas as pd

from _adapter import log, run
from metamirage.experiments import compare_seeds


def main(job: Any) -> None:
    joined = pd.concat([pd.read_csv(file) for file in job.input.scores], ignore_index=True)
    joined.to_csv(job.output.joined, index=False, float_format="%.7g")
    agreement = compare_seeds(pd.read_csv(job.input.shipped), joined)
    agreement.to_csv(job.output.agreement, index=False, float_format="%.7g")
    log.info(
        "%s: %d of %d means lie within the spread over seeds of the shipped table",
        job.wildcards.experiment,
        int(agreement["within"].sum()),
        len(agreement),
    )


if __name__ == "__main__":
    run(main)
