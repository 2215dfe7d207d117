"""Reader for wide tables: one model a row, one column per task, shots and metric.

Options (``reader.options`` of the registry)
--------------------------------------------
model
    Column with the model's name.
join
    Where size and family stand: ``table`` (file name), ``size`` and ``family`` (columns of it) and
    ``factor`` (parameters per unit of size). The other tables are joined to it by model.
n_params_kind
    What the sizes count.
tables
    File name to its score columns: ``columns`` (column to task, metric, n_shots, subtask),
    ``pattern`` (regular expression with groups task, metric, and optionally n_shots and subtask,
    for the columns not listed), ``ignore`` (columns that are no scores), and ``n_samples`` (items
    by ``task/subtask`` or ``task``; null for unknown).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.readers.tidy_csv import read_csv_text
from metamirage.ingest.reading import check_options, read_each
from metamirage.ingest.registry import BenchmarkSpec, unknown_key

OPTIONS = ("model", "join", "n_params_kind", "tables")
JOIN_KEYS = ("table", "size", "family", "factor")
TABLE_KEYS = ("columns", "pattern", "ignore", "n_samples")
COLUMN_KEYS = ("task", "metric", "n_shots", "subtask")


def read(files: Sequence[Path], spec: BenchmarkSpec) -> pd.DataFrame:
    """Read wide CSV files.

    Parameters
    ----------
    files
        CSV files, UTF-8, with a header row; an empty cell is a score that was not published.
    spec
        Its options say what the columns of each file are.

    Returns
    -------
    pandas.DataFrame
        Raw score rows, see `metamirage.readers`.

    Raises
    ------
    InputError
        With every fault of every file: a file without options, a column that no option explains,
        text for a number, a model twice or without a size.
    """
    check_options(spec, allowed=OPTIONS, required=OPTIONS)
    _check_keys(spec)
    texts = dict(read_each(files, read_csv_text))
    sizes = _sizes(texts, spec)
    tables = read_each(files, lambda path: _read_one(path, texts[path], spec))
    long = pd.concat([table for _, table in tables], ignore_index=True)
    return _joined(long, sizes, spec)


def _check_keys(spec: BenchmarkSpec) -> None:
    where = f"config/benchmarks/{spec.name}.yaml: reader.options"
    join = spec.options["join"]
    offences = [
        unknown_key(k, JOIN_KEYS, where=f"{where}.join") for k in join if k not in JOIN_KEYS
    ]
    offences += [
        Offence(f"{where}.join", f"key {k} is missing", remedy="Add it")
        for k in JOIN_KEYS
        if k not in join
    ]
    for name, table in spec.options["tables"].items():
        place = f"{where}.tables.{name}"
        offences += [unknown_key(k, TABLE_KEYS, where=place) for k in table if k not in TABLE_KEYS]
        for column, meaning in table.get("columns", {}).items():
            inside = f"{place}.columns.{column}"
            offences += [
                unknown_key(k, COLUMN_KEYS, where=inside) for k in meaning if k not in COLUMN_KEYS
            ]
    if offences:
        raise InputError(offences)


def _sizes(texts: Mapping[Path, pd.DataFrame], spec: BenchmarkSpec) -> pd.DataFrame:
    join, model = spec.options["join"], spec.options["model"]
    path = next((p for p in texts if p.name == join["table"]), None)
    where = f"config/benchmarks/{spec.name}.yaml: reader.options.join"
    if path is None:
        names = ", ".join(p.name for p in texts)
        raise InputError(
            [Offence(where, "table was not fetched", join["table"], names, "Correct it")]
        )
    table = texts[path]
    missing = [c for c in (model, join["size"], join["family"]) if c not in table]
    if missing:
        columns = ", ".join(table.columns)
        raise InputError(
            Offence(str(path), "has no column", c, columns, f"Correct {where}") for c in missing
        )
    numbers = pd.to_numeric(table[join["size"]], errors="coerce")
    offences = [
        Offence(
            f"{path} line {row + 2} column {join['size']!r}",
            "is not a size",
            value,
            "a number above 0",
            "Correct it",
        )
        for row, value in table.loc[
            ~(numbers > 0) & (table[join["size"]] != ""), join["size"]
        ].items()
    ] + _twice(table[model], path)
    if offences:
        raise InputError(offences)
    # Whole numbers, so that 0.111 x 1e9 does not end in a rounding error.
    sizes = (numbers * join["factor"]).round()
    return pd.DataFrame({"model": table[model], "family": table[join["family"]], "n_params": sizes})


def _twice(models: pd.Series, path: Path) -> list[Offence]:
    names = sorted(set(models[models.duplicated()]))
    return [
        Offence(str(path), "has two rows for one model", name, "", "Remove one") for name in names
    ]


def _read_one(path: Path, table: pd.DataFrame, spec: BenchmarkSpec) -> pd.DataFrame:
    layout = spec.options["tables"].get(path.name)
    where = f"config/benchmarks/{spec.name}.yaml: reader.options.tables"
    if layout is None:
        names = ", ".join(spec.options["tables"])
        raise InputError(
            [Offence(str(path), "is not described", path.name, names, f"Add it to {where}")]
        )
    model = spec.options["model"]
    if model not in table:
        raise InputError(
            [Offence(str(path), "has no column", model, ", ".join(table.columns), "Correct it")]
        )
    columns = [c for c in table.columns if c != model and c not in layout.get("ignore", ())]
    meanings = {column: _meaning(column, layout) for column in columns}
    offences = _column_offences(table, meanings, layout, path=path) + _twice(table[model], path)
    if offences:
        raise InputError(offences)
    return pd.concat(
        [_scores(table[[model, c]], {**m}, layout, path=path) for c, m in meanings.items() if m],
        ignore_index=True,
    )


def _meaning(column: str, layout: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if column in layout.get("columns", {}):
        return dict(layout["columns"][column])
    found = re.fullmatch(layout.get("pattern", "(?!)"), column)
    return found.groupdict() if found else None


def _column_offences(
    table: pd.DataFrame,
    meanings: Mapping[str, Mapping[str, Any] | None],
    layout: Mapping[str, Any],
    *,
    path: Path,
) -> list[Offence]:
    allowed = (
        f"a column that pattern fits, or one of {', '.join(layout.get('columns', {})) or 'none'}"
    )
    remedy = "Describe it under columns or pattern, or list it under ignore"
    offences = [
        Offence(str(path), "no option explains column", column, allowed, remedy)
        for column, meaning in meanings.items()
        if meaning is None
    ]
    offences += [
        Offence(
            str(path),
            "a described column is missing",
            column,
            "",
            "Correct the registry or the table",
        )
        for column in layout.get("columns", {})
        if column not in table
    ]
    for column in meanings:
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = table.loc[~np.isfinite(numbers) & (table[column].str.strip() != ""), column]
        offences += [
            Offence(
                f"{path} line {row + 2} column {column!r}",
                "is not a number",
                value,
                "a finite number",
                "Correct it",
            )
            for row, value in bad.items()
        ]
    return offences


def _scores(
    cells: pd.DataFrame, meaning: Mapping[str, Any], layout: Mapping[str, Any], *, path: Path
) -> pd.DataFrame:
    task, subtask = meaning["task"], meaning.get("subtask") or ""
    counts = layout.get("n_samples", {})
    shots = meaning.get("n_shots")
    return pd.DataFrame(
        {
            "task": task,
            "subtask": subtask,
            "metric": meaning["metric"],
            "n_shots": float("nan") if shots is None else float(shots),
            "model": cells.iloc[:, 0],
            "score": pd.to_numeric(cells.iloc[:, 1]),
            "n_samples": pd.to_numeric(counts.get(f"{task}/{subtask}", counts.get(task))),
            "source_file": str(path),
        }
    ).dropna(subset="score")


def _joined(long: pd.DataFrame, sizes: pd.DataFrame, spec: BenchmarkSpec) -> pd.DataFrame:
    strangers = sorted(set(long["model"]) - set(sizes["model"]))
    if strangers:
        table = spec.options["join"]["table"]
        where = f"benchmark {spec.name}"
        raise InputError(
            Offence(
                where, f"a model has no row in {table}", name, "", "Add the row or correct the name"
            )
            for name in strangers
        )
    joined = long.merge(sizes, on="model", how="left", validate="many_to_one")
    return joined.assign(n_params_kind=spec.options["n_params_kind"])
