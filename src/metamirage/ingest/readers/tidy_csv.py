"""Reader for long tables: one published score a row, the columns under any name.

Options (``reader.options`` of the registry)
--------------------------------------------
columns
    Our column to theirs, for instance ``{score: value, n_shots: shots}``. task, metric, model,
    n_shots and score are needed, here or among the constants. order, a number that grows with the
    date of the run, serves the duplicates policy ``latest``.
constants
    Our column to one value for all rows.
n_samples
    Task to its number of items, where the table's own count is wrong; null makes it missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.reading import OPTIONAL, REQUIRED, check_options, read_each
from metamirage.ingest.registry import BenchmarkSpec, unknown_key

NUMBERS = (
    "n_shots",
    "score",
    "n_params",
    "stderr",
    "n_samples",
    "low_score",
    "high_score",
    "order",
)
WHOLE = ("n_shots", "n_samples")
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# A score without any of these cannot be placed on a curve.
NEEDED = ("task", "metric", "model", "score")


def read(files: Sequence[Path], spec: BenchmarkSpec) -> pd.DataFrame:
    """Read long CSV files.

    Parameters
    ----------
    files
        CSV files, UTF-8, comma-separated, with a header row; an empty cell is missing.
    spec
        Its options map the columns.

    Returns
    -------
    pandas.DataFrame
        Raw score rows, see `metamirage.readers`.

    Raises
    ------
    InputError
        With every fault of every file: encoding, missing columns, empty cells, text for a number.
    """
    check_options(spec, allowed=("columns", "constants", "n_samples"), required=("columns",))
    _check_names(spec)
    tables = read_each(files, lambda path: _read_one(path, spec))
    return pd.concat([table for _, table in tables], ignore_index=True)


def _check_names(spec: BenchmarkSpec) -> None:
    where = f"config/benchmarks/{spec.name}.yaml: reader.options"
    given = [*spec.options["columns"], *spec.options.get("constants", {})]
    allowed = (*REQUIRED, *OPTIONAL, "order")
    offences = [unknown_key(name, allowed, where=where) for name in given if name not in allowed]
    missing = [name for name in REQUIRED if name not in given]
    remedy = "Name the column under columns, or a value for all rows under constants"
    offences += [Offence(where, f"no column for {name}", remedy=remedy) for name in missing]
    if offences:
        raise InputError(offences)


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a CSV file with every cell as text, and the empty ones as empty strings.

    Raises
    ------
    InputError
        If the file is empty, not UTF-8, has no rows, a ragged row or a repeated column.
    """
    remedy = "Save the table as comma-separated UTF-8 with a header row"
    try:
        # utf-8-sig also takes the byte order mark that spreadsheets write.
        text = path.read_bytes().decode("utf-8-sig")
        table = pd.read_csv(
            StringIO(text), dtype=str, keep_default_na=False, index_col=False, header=None
        )
    except UnicodeDecodeError as exc:
        raise InputError(
            [Offence(str(path), f"is not UTF-8 at byte {exc.start}", "", "", remedy)]
        ) from exc
    except pd.errors.EmptyDataError as exc:
        raise InputError([Offence(str(path), "is empty", "", "", remedy)]) from exc
    except pd.errors.ParserError as exc:
        raise InputError([Offence(str(path), f"is not a table: {exc}", "", "", remedy)]) from exc
    header = table.iloc[0].str.strip()
    repeated = sorted(set(header[header.duplicated()]))
    if repeated:
        raise InputError([Offence(str(path), "columns stand twice", repeated, "", "Rename them")])
    if len(table) == 1:
        raise InputError([Offence(str(path), "has a header but no rows", "", "", remedy)])
    return table.iloc[1:].set_axis(list(header), axis=1).reset_index(drop=True)


def _read_one(path: Path, spec: BenchmarkSpec) -> pd.DataFrame:
    table = read_csv_text(path)
    columns: Mapping[str, str] = spec.options["columns"]
    missing = [theirs for theirs in columns.values() if theirs not in table]
    if missing:
        allowed = ", ".join(table.columns)
        remedy = f"Correct reader.options.columns of config/benchmarks/{spec.name}.yaml"
        raise InputError(Offence(str(path), "has no column", m, allowed, remedy) for m in missing)
    offences = [
        o
        for ours, theirs in columns.items()
        for o in _cell_offences(table[theirs], ours, path=path)
    ]
    if offences:
        raise InputError(offences)
    converted = {ours: _converted(table[theirs], ours) for ours, theirs in columns.items()}
    rows = pd.DataFrame(converted).assign(
        **spec.options.get("constants", {}), source_file=str(path)
    )
    return _with_counts(rows, spec.options.get("n_samples", {}))


def _with_counts(rows: pd.DataFrame, counts: Mapping[str, int | None]) -> pd.DataFrame:
    if not counts:
        return rows
    listed = rows["task"].isin(counts)
    corrected = pd.to_numeric(rows["task"].map(counts))
    return rows.assign(n_samples=corrected.where(listed, rows.get("n_samples", np.nan)))


def _cell_offences(cells: pd.Series, ours: str, *, path: Path) -> Iterator[Offence]:
    text = cells.str.strip()
    bad: list[tuple[pd.Series, str, str]] = []
    if ours in NEEDED:
        bad.append((text == "", "is empty", "a value"))
    if ours in NUMBERS:
        numbers = pd.to_numeric(text, errors="coerce")
        bad.append(((text != "") & ~np.isfinite(numbers), "is not a number", "a finite number"))
        if ours in WHOLE:
            bad.append(
                (np.isfinite(numbers) & (numbers % 1 != 0), "is not a whole number", "0, 1, 2, …")
            )
    if ours == "is_preferred":
        bad.append((~text.str.lower().isin(["", *FLAGS]), "is not a flag", ", ".join(FLAGS)))
    for mask, problem, allowed in bad:
        for row in cells.index[mask]:
            # The header is line 1, so the first row of data is line 2.
            where = f"{path} line {row + 2} column {cells.name!r}"
            yield Offence(where, problem, cells[row], allowed, "Correct the cell")


def _converted(cells: pd.Series, ours: str) -> pd.Series:
    text = cells.str.strip()
    if ours in NUMBERS:
        return pd.to_numeric(text, errors="coerce")
    return text.str.lower().map(FLAGS).astype("boolean") if ours == "is_preferred" else text
