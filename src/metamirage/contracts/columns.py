"""Kinds of column that the contracts of the tables are written in."""

from __future__ import annotations

from collections.abc import Sequence

import pandera.pandas as pa


def text(description: str, among: Sequence[str] | None = None) -> pa.Column:
    """Return a column of strings, of a given set if ``among`` is given."""
    checks = pa.Check.isin(list(among)) if among else None
    return pa.Column(str, checks, nullable=False, description=description)


def real(
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    nullable: bool = True,
) -> pa.Column:
    """Return a column of floats within closed bounds."""
    checks = []
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return pa.Column(float, checks, nullable=nullable, description=description)


def share(description: str) -> pa.Column:
    """Return a column of floats in [0, 1]."""
    return real(description, 0.0, 1.0)


def count(description: str, low: int = 0, *, nullable: bool = False) -> pa.Column:
    """Return a column of whole numbers from ``low`` on."""
    dtype = "Int64" if nullable else "int64"
    return pa.Column(dtype, pa.Check.ge(low), nullable=nullable, description=description)


def flag(description: str) -> pa.Column:
    """Return a column of truth values."""
    return pa.Column(bool, nullable=False, description=description)


def maybe(description: str) -> pa.Column:
    """Return a column of truth values, some unknown."""
    return pa.Column("boolean", nullable=True, description=description)


def schema(name: str, columns: dict[str, pa.Column], unique: list[str]) -> pa.DataFrameSchema:
    """Return the contract of one table: its columns, and which of them together name a row."""
    return pa.DataFrameSchema(columns, name=name, unique=unique, strict=False, ordered=False)


def quantiles(
    name: str,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    median: str | None = None,
) -> dict[str, pa.Column]:
    """Return columns of a median, under the measure's own name unless told, and two quantiles."""
    return {
        median or name: real(f"{description} median.", low, high),
        f"{name}_q05": real(f"{description} 5 % quantile.", low, high),
        f"{name}_q95": real(f"{description} 95 % quantile.", low, high),
    }


def moments(name: str, description: str) -> dict[str, pa.Column]:
    """Return columns of a mean and of an sd."""
    return {
        f"{name}_mean": real(f"{description} mean."),
        f"{name}_sd": real(f"{description} sd.", 0.0),
    }


CURVE_COLUMNS = {
    "benchmark": text("Name of the registry entry."),
    "task": text("Task as the source names it."),
    "subtask": text("Subtask, or empty."),
    "metric": text("Metric as the source names it."),
    "family": text("Models that differ in size only."),
    "n_shots": count(
        "Examples in the prompt; missing where the notion does not apply.", 0, nullable=True
    ),
}

CURVE_ROW = {"curve_id": text("Stable name of the curve."), **CURVE_COLUMNS}
