"""Train one network and write its scores."""

import os
from pathlib import Path
from typing import Any

from _adapter import run

# Read once, when JAX loads: sums must not depend on the number of cores.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from metamirage.experiments import EXPERIMENTS
from metamirage.networks import run_one


def main(job: Any) -> None:
    named = job.wildcards
    scores = run_one(EXPERIMENTS[named.experiment], named.model, seed=int(named.seed))
    scores.to_csv(Path(job.output.scores), index=False, float_format="%.7g")


if __name__ == "__main__":
    run(main)
