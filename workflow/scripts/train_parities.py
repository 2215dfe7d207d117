"""Train small networks on sparse parity, and write their scores."""

from typing import Any

from _adapter import run
from metamirage.networks.parity import train_parities


def main(job: Any) -> None:
    train_parities().to_csv(job.output.scores, index=False, float_format="%.7g")


if __name__ == "__main__":
    run(main)
