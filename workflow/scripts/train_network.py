"""Train one transformer and write its scores."""

import os
from pathlib import Path
from typing import Any

from _adapter import run

# Read once, when JAX loads: sums must not depend on the number of cores.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from metamirage.networks.experiments import ARITHMETIC
from metamirage.networks.transformer import run_one


def main(job: Any) -> None:
    scores = run_one(ARITHMETIC, job.wildcards.model, seed=int(job.wildcards.seed))
    scores.to_csv(Path(job.output.scores), index=False, float_format="%.7g")


if __name__ == "__main__":
    run(main)
