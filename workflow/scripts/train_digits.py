"""Train small networks on handwritten digits, and write their scores."""

import os
from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.networks.digits import load_images, train_digits


def main(job: Any) -> None:
    scores = train_digits(
        load_images(job.input.images or None),
        seeds=range(job.params.n_seeds),
        threshold=job.params.threshold,
    )
    target = Path(job.output.scores)
    part = target.with_name(f".{target.name}.part")
    scores.to_csv(part, index=False, float_format="%.6g")
    os.replace(part, target)


if __name__ == "__main__":
    run(main)
