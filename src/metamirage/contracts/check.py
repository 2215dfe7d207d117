"""Contracts of the tables that pass from stage to stage, and their only reader and writer.

A contract names every column with its type, range and meaning. A table is validated lazily, so
that all faults arrive in one report, both when it is written and when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from metamirage.base.errors import InputError, Offence


def check(table: pd.DataFrame, schema: pa.DataFrameSchema, *, source: str) -> pd.DataFrame:
    """Hold a table against its contract.

    Parameters
    ----------
    table
        Any frame.
    schema
        Of this module or of ``findings``.
    source
        File named in the report.

    Returns
    -------
    pandas.DataFrame
        The same rows with the contract's columns first, in the contract's order.

    Raises
    ------
    InputError
        With one offence per failing cell or column.
    """
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as exc:
        raise InputError(_offences(exc.failure_cases, schema, source)) from exc
    first = list(schema.columns)
    return table[first + [c for c in table.columns if c not in first]]


def _offences(cases: pd.DataFrame, schema: pa.DataFrameSchema, source: str) -> list[Offence]:
    return [_offence(case, schema, source) for case in cases.to_dict("records")]


def _offence(case: dict[Hashable, Any], schema: pa.DataFrameSchema, source: str) -> Offence:
    row = "" if pd.isna(case["index"]) else f" row {case['index']}"
    remedy = f"See the {schema.name} table in docs/tables.md"
    if case["check"] == "column_in_dataframe":
        missing = str(case["failure_case"])
        allowed = ", ".join(schema.columns)
        return Offence(source, f"column {missing!r} is missing", "", f"columns {allowed}", remedy)
    column = str(case["column"])
    return Offence(
        where=f"{source}{row}",
        problem=f"column {column!r} breaks its contract",
        value=case["failure_case"],
        allowed=str(case["check"]),
        remedy=remedy,
    )


def write_table(table: pd.DataFrame, path: str | Path, schema: pa.DataFrameSchema) -> None:
    """Check a table and write it as Parquet, all or nothing.

    The file appears under its name only when it is whole: a full disk or a kill leaves the earlier
    file in place.

    Raises
    ------
    InputError
        If the table breaks its contract.
    """
    path = Path(path)
    ready = check(table.reset_index(drop=True), schema, source=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        ready.to_parquet(part, index=False)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_table(path: str | Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a Parquet table and hold it against its contract.

    Raises
    ------
    InputError
        If the file is no Parquet table, or breaks its contract.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as exc:
        remedy = f"Delete it and run snakemake again ({exc})"
        raise InputError(
            [Offence(str(path), "not a readable Parquet table", "", "", remedy)]
        ) from exc
    return check(table, schema, source=str(path))
