"""Join the scores of all transformers."""

from typing import Any

import pandas as pd

from _adapter import run


def main(job: Any) -> None:
    joined = pd.concat([pd.read_csv(file) for file in job.input.scores], ignore_index=True)
    joined.to_csv(job.output.scores, index=False, float_format="%.7g")


if __name__ == "__main__":
    run(main)
