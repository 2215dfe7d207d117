"""Rows of tags as text: reading ``config/metrics.csv`` and finding every fault in a row.

A row is a mapping from the columns of the tags contract to cells. Rows come from the table and
from the ``tag_overrides`` of a registry entry, where they may be partial.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.base.vocabulary import DIRECTIONS, QUERIES, TERNARY

METRICS_FILE = "config/metrics.csv"
KEY = ("benchmark", "task", "metric")
WORDS: dict[str, Sequence[str]] = {
    "discontinuous": TERNARY,
    "nonlinear": TERNARY,
    "query": QUERIES,
    "direction": DIRECTIONS,
}
NUMBERS = ("lower", "upper", "chance")
PROSE = ("reason", "reference")
COLUMNS = (*KEY, *WORDS, *NUMBERS, "excluded", *PROSE)
# Fields without which a metric is not tagged.
REQUIRED = frozenset((*WORDS, *PROSE))

Row = Mapping[str, object]


def read_rows(path: Path) -> dict[int, dict[str, str]]:
    """Read the rows of the file, cells stripped, by line number.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing or strange, or a row is too long.
    """
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""), restkey="", restval="")
    offences = header_offences(reader.fieldnames or [], str(path))
    rows: dict[int, dict[str, str]] = {}
    for cells in reader:
        if "" in cells:
            offences.append(_surplus_offence(f"{path} line {reader.line_num}", cells.pop("")))
        rows[reader.line_num] = {name: cell.strip() for name, cell in cells.items()}
    if not rows and not offences:
        offences.append(Offence(str(path), "holds no rows", remedy="Add one row per metric"))
    if offences:
        raise InputError(offences)
    return rows


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        remedy = f"Restore the file or save it as UTF-8 ({exc})"
        offence = Offence(str(path), "cannot be read as UTF-8 text", remedy=remedy)
        raise InputError([offence]) from exc


def _surplus_offence(where: str, surplus: object) -> Offence:
    remedy = "Put quotes around a cell that holds a comma"
    return Offence(where, "more cells than columns", surplus, f"{len(COLUMNS)} cells", remedy)


def header_offences(found: Sequence[str], source: str) -> list[Offence]:
    """Find columns that are missing, unknown or doubled."""
    missing = [
        Offence(source, f"column {name!r} is missing", "", ",".join(COLUMNS), "Add it")
        for name in COLUMNS
        if name not in found
    ]
    twice = sorted({name for name in found if list(found).count(name) > 1})
    doubled = [Offence(source, "column stands twice", name) for name in twice]
    return missing + unknown_offences(found, source) + doubled


def unknown_offences(names: Iterable[str], where: str) -> list[Offence]:
    """Find names that are no column of the table, with the nearest that is."""
    return [
        Offence(where, "unknown column", name, ",".join(COLUMNS), f"Drop it or write {near!r}")
        for name in names
        if name not in COLUMNS
        for near in difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.0)
    ]


def row_offences(row: Row, where: str) -> list[Offence]:
    """Find the faults of the cells that a row gives; a row may be partial."""
    where = f"{where} ({name_of(row)})"
    required = [
        Offence(where, f"{name} is blank", remedy="Fill it in")
        for name in (*KEY, *PROSE)
        if name in row and not str(row[name]).strip()
    ]
    words = [
        Offence(where, f"{name} is not an allowed word", row[name], ", ".join(allowed))
        for name, allowed in WORDS.items()
        if name in row and row[name] not in allowed
    ]
    return required + words + number_offences(row, where)


def name_of(row: Row) -> str:
    """Name a row by its benchmark, task and metric."""
    return ",".join(str(row[name]) for name in KEY)


def number_offences(row: Row, where: str) -> list[Offence]:
    """Find numbers that are none, or that contradict each other."""
    wrong = [
        Offence(where, f"{name} is not a number", row[name], "a finite number, or blank if unknown")
        for name in NUMBERS
        if not _is_number(row.get(name, ""))
    ]
    if wrong:
        return wrong
    lower, upper, chance = (number(row.get(name, "")) for name in NUMBERS)
    # A missing bound compares false with everything, so it never makes an offence.
    if lower >= upper:
        return [Offence(where, "lower is not below upper", lower, f"less than {upper:g}")]
    if chance < lower or chance > upper:
        allowed = f"between lower {lower:g} and upper {upper:g}"
        return [Offence(where, "chance is outside the range", chance, allowed)]
    return []


def _is_number(cell: object) -> bool:
    try:
        return cell == "" or math.isfinite(float(str(cell)))
    except ValueError:
        return False


def number(cell: object) -> float:
    """Turn a cell into a number, missing where blank."""
    return math.nan if cell == "" else float(str(cell))


def duplicate_offences(rows: Mapping[int, Row], source: str) -> list[Offence]:
    """Find rows whose benchmark, task and metric stand further up."""
    first: dict[str, int] = {}
    for line, row in rows.items():
        first.setdefault(name_of(row), line)
    return [
        Offence(
            where=f"{source} line {line}",
            problem=f"repeats the benchmark, task and metric of line {first[name_of(row)]}",
            value=name_of(row),
            remedy="Keep one",
        )
        for line, row in rows.items()
        if first[name_of(row)] != line
    ]


def as_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Lay out complete rows as a frame of ``COLUMNS`` with the types of the tags contract."""
    frame = pd.DataFrame([{name: row.get(name, "") for name in COLUMNS} for row in rows])
    frame = frame.reindex(columns=list(COLUMNS))
    text = [name for name in COLUMNS if name not in NUMBERS]
    numbers = {name: frame[name].map(number).astype(float) for name in NUMBERS}
    return frame.assign(**numbers).astype(dict.fromkeys(text, "str"))


def as_csv(rows: Sequence[Row]) -> str:
    """Write rows as lines of the table, cells that they lack left to fill."""
    blank = dict.fromkeys(COLUMNS, "") | {"discontinuous": "unknown", "nonlinear": "unknown"}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writerows(blank | dict(row) for row in rows)
    return buffer.getvalue()
