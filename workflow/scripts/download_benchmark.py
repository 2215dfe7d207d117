"""Fetch and verify the published tables of one benchmark."""

import sys
from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec


def main(job: Any) -> None:
    # The mirror is read from config, not from params: where the bytes come from must not rerun
    # what was computed from them.
    mirror = job.config["mirror"]
    try:
        fetch(
            load_spec(Path(job.input.spec)),
            mirror=Path(mirror) if mirror else None,
            destination=Path(job.output.manifest).parent,
        )
    except KeyboardInterrupt:
        # The log already says how to go on; a traceback would hide it.
        sys.exit(1)


if __name__ == "__main__":
    run(main)
