"""Readers: published files to raw score rows, one module a format, found by its name.

A reader is a module of this package with one function ``read(files, spec)``. It returns one row
per published score, the ones it leaves out included:

task, metric, model, n_shots, score
    Required.
subtask, family, n_params, n_params_kind, stderr, n_samples, low_score, high_score, is_preferred
    Where the source states them; the registry fills in family and size otherwise.
source_file
    Path of the file, as it was passed in.
order
    A number that grows with the date of the run, for the duplicates policy ``latest``.
issues
    Tuple of `Issue`: what was found about this score.
kept
    False for a score that is left out; at least one issue says why.
network, n_samples_source, scale, keywords
    Text that a reader may add about a score; the tidy table keeps these columns.

A module may also have a function ``defects(scores)``: given the tidy table, it returns the issues
that only the whole table shows, each with the number of scores concerned.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest import readers
from metamirage.ingest.registry import BenchmarkSpec, unknown_key

REQUIRED = ("task", "metric", "model", "n_shots", "score")
OPTIONAL = (
    "subtask",
    "family",
    "n_params",
    "n_params_kind",
    "stderr",
    "n_samples",
    "low_score",
    "high_score",
    "is_preferred",
)
EXTRA = ("network", "n_samples_source", "scale", "keywords")


@dataclass(frozen=True)
class Issue:
    """Something about a published score that a reader of the report should know.

    Parameters
    ----------
    kind
        Short name of the defect; findings of one kind and place become one row of the report.
    where
        File, task or model: enough to find it.
    detail, action
        What was found and what was done.
    """

    kind: str
    where: str
    detail: str
    action: str


class Read(Protocol):
    """The one function of a reader module."""

    def __call__(self, files: Sequence[Path], spec: BenchmarkSpec) -> pd.DataFrame:
        """Read the files into raw score rows."""


def find_reader(spec: BenchmarkSpec) -> Read:
    """Find the reader that a registry entry names.

    Raises
    ------
    InputError
        If no module of this package has that name.
    """
    read: Read = _module(spec).read
    return read


def find_defects(spec: BenchmarkSpec) -> Callable[[pd.DataFrame], Iterable[tuple[Issue, int]]]:
    """Find the check of whole tables that a registry entry's reader brings along, if any.

    Raises
    ------
    InputError
        If no module of this package has that name.
    """
    check: Callable[[pd.DataFrame], Iterable[tuple[Issue, int]]]
    check = getattr(_module(spec), "defects", lambda _: ())
    return check


def _module(spec: BenchmarkSpec) -> ModuleType:
    names = sorted(m.name for m in pkgutil.iter_modules(readers.__path__))
    if spec.reader not in names:
        where = f"config/benchmarks/{spec.name}.yaml: reader.name"
        remedy = "Correct it, or add a module of that name to metamirage.ingest.readers"
        raise InputError([Offence(where, "no such reader", spec.reader, ", ".join(names), remedy)])
    return importlib.import_module(f"metamirage.ingest.readers.{spec.reader}")


def check_options(
    spec: BenchmarkSpec, *, allowed: Sequence[str], required: Sequence[str] = ()
) -> None:
    """Refuse reader options that nothing reads, and missing ones.

    Raises
    ------
    InputError
        With one offence per unknown or missing option.
    """
    where = f"config/benchmarks/{spec.name}.yaml: reader.options"
    offences = [unknown_key(k, allowed, where=where) for k in spec.options if k not in allowed]
    missing = [k for k in required if k not in spec.options]
    offences += [Offence(where, f"key {key} is missing", remedy="Add it") for key in missing]
    if offences:
        raise InputError(offences)


def read_each[T](files: Sequence[Path], read_one: Callable[[Path], T]) -> list[tuple[Path, T]]:
    """Read every file before complaining about any.

    Parameters
    ----------
    files
        In the order in which they are read.
    read_one
        Reads one file, and raises `InputError` with what is wrong in it.

    Raises
    ------
    InputError
        With the offences of all files.
    """
    results: list[tuple[Path, T]] = []
    offences: list[Offence] = []
    for path in files:
        try:
            results.append((path, read_one(path)))
        except InputError as exc:
            offences.extend(exc.offences)
    if offences:
        raise InputError(offences)
    return results


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; NaN and Infinity tokens come back as floats.

    Raises
    ------
    InputError
        If the file is empty, truncated, not UTF-8 or not an object.
    """
    remedy = "Delete the file and fetch the benchmark again"
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise InputError(
            [Offence(str(path), f"is not UTF-8 at byte {exc.start}", "", "", remedy)]
        ) from exc
    except json.JSONDecodeError as exc:
        problem = f"is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}"
        raise InputError([Offence(str(path), problem, "", "", remedy)]) from exc
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise InputError([Offence(str(path), "holds no JSON object", kind, "object", remedy)])
    return content


_JSON_NAMES: dict[type, str] = {
    dict: "object",
    list: "list",
    str: "string",
    int: "integer",
    float: "number",
    bool: "true or false",
}


def field_offences(
    holder: Mapping[str, Any], fields: Mapping[str, type], *, where: str
) -> Iterator[Offence]:
    """Check that fields are there and of their type.

    Parameters
    ----------
    holder
        A JSON object.
    fields
        Name to type; ``float`` takes whole numbers too, and true and false are no numbers.
    where
        File and place of the object, for the report.
    """
    for name, kind in fields.items():
        if name not in holder:
            yield Offence(
                f"{where}{name}", "is missing", "", _JSON_NAMES[kind], "Check the file's format"
            )
        elif not has_type(holder[name], kind):
            value = (
                holder[name]
                if not isinstance(holder[name], dict | list)
                else type(holder[name]).__name__
            )
            yield Offence(
                f"{where}{name}",
                "has the wrong type",
                value,
                _JSON_NAMES[kind],
                "Check the file's format",
            )


def has_type(value: object, kind: type) -> bool:
    """Tell whether a JSON value is of a type; true and false are not numbers."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
