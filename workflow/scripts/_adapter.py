"""What each script does around its one step: log to file and terminal, and end cleanly.

Scripts import this before anything else: the sums of the linear algebra libraries must not
depend on the number of cores, and those libraries read their thread count once, at import.
"""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Snakemake sets these to the rule's threads; with more than one, sums change their order and
# tables their last digits. The package does its own parallel work, one curve at a time.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from metamirage.base.errors import InputError

log = logging.getLogger("metamirage")


def run(step: Callable[[Any], None]) -> None:
    """Run one step with the ``snakemake`` object that Snakemake puts into the script.

    Parameters
    ----------
    step
        Reads what ``job.input`` names, calls the package and writes ``job.output``.

    Raises
    ------
    SystemExit
        With status 1, if the step fails; bad input shows its text, a fault of ours its traceback.
    """
    job = vars(sys.modules["__main__"])["snakemake"]
    _log_to(Path(job.log[0]))
    try:
        step(job)
    except InputError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.exception("%s failed; please report this with the lines below", job.rule)
        sys.exit(1)


def _log_to(path: Path) -> None:
    handlers: list[logging.Handler] = [
        logging.StreamHandler(),
        logging.FileHandler(path, mode="w", encoding="utf-8"),
    ]
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=handlers)
    # Ours alone: the samplers' libraries tell how they found their compilers.
    log.setLevel(logging.INFO)
    logging.captureWarnings(True)
