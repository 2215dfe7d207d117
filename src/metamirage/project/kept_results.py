"""Old results of a rule while it runs: put aside before, put back if it fails.

Snakemake deletes the outputs of a rule before it starts the rule, so bad input would cost the
result that is there. The outputs of one job are one set: put aside and put back together, so that
tables of two runs never mix.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

# Older than any input, so that Snakemake redoes the rule whatever it knows of it. Not the epoch,
# which Snakemake reads as no output at all; and a zip file holds no time before 1980.
OLD = 315_619_200.0  # 2 January 1980, 00:00 UTC, in seconds


def put_aside(outputs: Sequence[Path], folder: Path) -> None:
    """Keep the outputs of one job in a folder of their own, if all of them are there.

    A set that is not complete came from a run that was killed; what was kept before that run
    stays. Hard links take no room; where the file system has none, files are copied.

    Parameters
    ----------
    outputs
        Files of one job, relative to the working folder.
    folder
        Where sets are kept, one folder each.

    Raises
    ------
    OSError
        If there is no room; nothing is half kept then.
    """
    if not all(file.is_file() for file in outputs):
        return
    kept = _place_of(outputs, folder)
    new = kept.with_suffix(".new")
    _remove(new)
    for file in outputs:
        _link(file, new / file)
    _remove(kept)
    new.replace(kept)


def put_back(outputs: Sequence[Path], folder: Path) -> list[Path]:
    """Put the outputs of one job back if one of them is gone, and keep them no longer.

    Parameters
    ----------
    outputs, folder
        As `put_aside` had them.

    Returns
    -------
    list of Path
        Files put back, with a modification time (`OLD`) that makes Snakemake redo the job.

    Raises
    ------
    OSError
        If there is no room; the set is kept then.
    """
    kept = _place_of(outputs, folder)
    held = [file for file in outputs if (kept / file).is_file()]
    gone = [file for file in held if not file.is_file()]
    back = held if gone else []
    for file in back:
        # Before the link: no moment in which an old result looks new.
        os.utime(kept / file, (OLD, OLD))
        file.unlink(missing_ok=True)
        _link(kept / file, file)
    _remove(kept)
    return back


def _place_of(outputs: Sequence[Path], folder: Path) -> Path:
    # No two jobs share a file, so the first one names the set.
    return folder / f"{'+'.join(outputs[0].parts)}.set"


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        part = target.with_name(f".{target.name}.part")
        try:
            shutil.copy2(source, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    # Renamed first: a kill half-way through the removal must not leave half a set.
    if folder.is_dir():
        gone = folder.with_suffix(".gone")
        shutil.rmtree(gone, ignore_errors=True)
        folder.replace(gone)
        shutil.rmtree(gone)
