"""Published facts about BIG-bench as reviewable tables: ``config/facts/*.csv``.

What people wrote about the benchmark is kept as data with its source and certainty, apart from the
code that compares it with the scores. ``config/facts/README.md`` says where each table is from.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from metamirage.base.errors import InputError, Offence

CERTAINTIES = ("verified", "secondary", "derived", "unverified")


@dataclass(frozen=True)
class Form:
    """What a table of facts must look like.

    Parameters
    ----------
    columns
        In the order of the file.
    key
        Columns that name a row.
    words
        Column to its allowed words.
    blank
        Columns that may be blank.
    numbers
        Columns of numbers.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    words: Mapping[str, Sequence[str]]
    blank: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


_SETS = ("emergent", "control", "mmlu", "mmlu_candidate", "individual", "prompting")
WEI_LABELS = Form(
    columns=("set", "label", "task", "source", "certainty"),
    key=("set", "task", "label"),
    words={"set": _SETS, "certainty": CERTAINTIES},
)
BIGBENCH_LISTS = Form(
    columns=("list", "task", "note", "source", "certainty"),
    key=("list", "task"),
    words={"list": ("lite", "hard"), "certainty": CERTAINTIES},
    blank=("note",),
)
PUBLISHED_CLAIMS = Form(
    columns=("claim", "source", "place", "statement", "number", "unit", "certainty"),
    key=("claim",),
    words={"certainty": CERTAINTIES},
    numbers=("number",),
)


@dataclass(frozen=True)
class Facts:
    """The three tables.

    Parameters
    ----------
    wei_labels
        set, label, task, source, certainty: tasks that Wei et al. (2022) and Jason Wei's list
        call emergent, smooth, flat or other, MMLU subjects, individual tasks and prompting.
    bigbench_lists
        list, task, note, source, certainty: BIG-bench Lite and BIG-bench Hard.
    published_claims
        claim, source, place, statement, number, unit, certainty: printed numbers.
    """

    wei_labels: pd.DataFrame
    bigbench_lists: pd.DataFrame
    published_claims: pd.DataFrame

    @property
    def emergent(self) -> dict[str, str]:
        """Tasks called emergent, with the model at which they were."""
        called = self.wei_labels[self.wei_labels["set"] == "emergent"]
        return dict(zip(called["task"], called["label"], strict=True))


def read_facts(folder: Path) -> Facts:
    """Read and check all tables of facts.

    Parameters
    ----------
    folder
        ``config/facts``.

    Raises
    ------
    InputError
        With one offence per faulty cell, row, column or file of all tables.
    """
    forms = {
        "wei_labels": WEI_LABELS,
        "bigbench_lists": BIGBENCH_LISTS,
        "published_claims": PUBLISHED_CLAIMS,
    }
    found: dict[str, pd.DataFrame] = {}
    offences: list[Offence] = []
    for name, form in forms.items():
        try:
            found[name] = read_table_of_facts(folder / f"{name}.csv", form)
        except InputError as error:
            offences.extend(error.offences)
    if offences:
        raise InputError(offences)
    return Facts(**found)


def read_table_of_facts(path: Path, form: Form) -> pd.DataFrame:
    """Read one table of facts: text, numbers as floats.

    Raises
    ------
    InputError
        If it cannot be read or breaks its form.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        remedy = f"Restore the file or save it as UTF-8 ({exc})"
        raise InputError(
            [Offence(str(path), "cannot be read as UTF-8 text", remedy=remedy)]
        ) from exc
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    names = tuple(reader.fieldnames or ())
    if names != form.columns:
        allowed = ",".join(form.columns)
        raise InputError([Offence(str(path), "has other columns", ",".join(names), allowed)])
    rows: dict[int, dict[str, str]] = {}
    for row in reader:
        rows[reader.line_num] = row
    offences = [
        offence for line, row in rows.items() for offence in _row_offences(row, form, path, line)
    ]
    offences += _key_offences(rows, form, path)
    if offences or not rows:
        raise InputError(offences or [Offence(str(path), "holds no rows")])
    frame = pd.DataFrame(list(rows.values()), columns=list(form.columns), dtype="str")
    return frame.astype(dict.fromkeys(form.numbers, "float64"))


def _row_offences(row: Mapping[str, str], form: Form, path: Path, line: int) -> list[Offence]:
    where = f"{path} line {line}"
    if "" in row:
        return [Offence(where, "more cells than columns", row[""], f"{len(form.columns)} cells")]
    blank = [
        Offence(where, f"{name} is blank", remedy="Fill it in")
        for name in form.columns
        if name not in form.blank and not row[name].strip()
    ]
    words = [
        Offence(where, f"{name} is not an allowed word", row[name], ", ".join(allowed))
        for name, allowed in form.words.items()
        if row[name].strip() and row[name] not in allowed
    ]
    numbers = [
        Offence(where, f"{name} is not a number", row[name], "a finite number")
        for name in form.numbers
        if row[name].strip() and not _is_finite(row[name])
    ]
    return blank + words + numbers


def _is_finite(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _key_offences(rows: Mapping[int, Mapping[str, str]], form: Form, path: Path) -> list[Offence]:
    first: dict[tuple[str, ...], int] = {}
    offences = []
    for line, row in rows.items():
        key = tuple(row[name] for name in form.key)
        if key in first:
            problem = f"repeats the {', '.join(form.key)} of line {first[key]}"
            offences.append(Offence(f"{path} line {line}", problem, ", ".join(key), "", "Keep one"))
        first.setdefault(key, line)
    return offences
