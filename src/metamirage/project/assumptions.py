"""The modelling choices that the code marks as such, for the report to list.

The workflow reads them when it starts, and a changed one renders the pages again: this module
imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from metamirage.project.code_graph import ROOT

_ASSUME = re.compile(r"\s*# ASSUME: (.*)")
_GOES_ON = re.compile(r"\s*# (.*)")


class Assumption(NamedTuple):
    """A modelling choice as the code states it: module, text, and the line of code below it."""

    module: str
    text: str
    code: str


def collect_assumptions(root: Path = ROOT) -> list[Assumption]:
    """Read every ``# ASSUME:`` comment of the package, in the order of files and lines."""
    return [found for file in sorted(root.rglob("*.py")) for found in _assumptions(file, root)]


def _assumptions(file: Path, root: Path) -> Iterator[Assumption]:
    module = str(file.relative_to(root).with_suffix("")).replace("/", ".")
    lines = file.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        if first := _ASSUME.fullmatch(line):
            rest = list(_continued(lines[i + 1 :]))
            below = lines[i + 1 + len(rest)] if i + 1 + len(rest) < len(lines) else ""
            yield Assumption(module, " ".join([first[1], *rest]), below.strip())


def _continued(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        more = _GOES_ON.fullmatch(line)
        if more is None or _ASSUME.fullmatch(line):
            return
        yield more[1]
