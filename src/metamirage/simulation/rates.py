"""Rates of the selfcheck: how often simulated sets were rejected, covered or called what.

A rate comes with the exact binomial interval over sets. For curves, which come in sets, that
interval takes them as independent and is too short.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from metamirage import __version__
from metamirage.base.errors import InputError, Offence
from metamirage.base.intervals import exact_interval
from metamirage.contracts.check import check
from metamirage.contracts.selfcheck import RATES
from metamirage.simulation.worlds import NO_CLASS_EFFECT

LEVEL = 0.05
KEY = ["world", "kind", "hypothesis", "estimand"]


def count_rates(trials: pd.DataFrame, *, n_draws: int, versions: str) -> pd.DataFrame:
    """Count the trials of all worlds.

    Parameters
    ----------
    trials
        Table ``findings.TRIALS``.
    n_draws
        Behind its p-values.
    versions
        Of the libraries that computed, in words.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.RATES``.
    """
    is_test = trials["kind"] == "test"
    tried = trials.assign(
        hits=trials["hits"].where(~is_test, (trials["p_value"] <= LEVEL).astype("int64")),
        cases=trials["cases"].where(~is_test, trials["p_value"].notna().astype("int64")),
    )
    grouped = tried.groupby(KEY, sort=False)
    table = grouped.agg(
        n_sets=("number", "nunique"),
        cases=("cases", "sum"),
        hits=("hits", "sum"),
        mean_estimate=("estimate", "mean"),
        sd_estimate=("estimate", "std"),
        seed=("seed", "first"),
    ).reset_index()
    hits, cases = table["hits"].to_numpy(float), table["cases"].to_numpy(float)
    lower, upper = exact_interval(hits, cases)
    table = table.assign(
        class_effect=~table["world"].isin(NO_CLASS_EFFECT),
        rate=hits / np.where(cases > 0, cases, np.nan),
        lower=lower,
        upper=upper,
        n_draws=n_draws,
        versions=versions,
    )
    return table.sort_values(KEY, ignore_index=True)[list(RATES.columns)]


def versions_text(libraries: Mapping[str, str]) -> str:
    """Write the versions of what computed, this package first."""
    named = [f"{name} {version}" for name, version in sorted(libraries.items())]
    return ", ".join([f"metamirage {__version__}", *named])


def write_rates(rates: pd.DataFrame, path: str | Path) -> None:
    """Check a table of rates and write it as CSV, for people and for version control.

    Raises
    ------
    InputError
        If the table breaks its contract.
    """
    check(rates, RATES, source=str(path)).to_csv(path, index=False)


def read_rates(path: str | Path) -> pd.DataFrame:
    """Read a table of rates and hold it against its contract.

    Raises
    ------
    InputError
        If it cannot be read, or breaks its contract.
    """
    texts = dict.fromkeys(["world", "kind", "hypothesis", "estimand", "versions"], "str")
    try:
        table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as exc:
        remedy = f"Delete it, or put the shipped one back ({exc})"
        raise InputError([Offence(str(path), "not a readable CSV table", "", "", remedy)]) from exc
    if "hypothesis" in table:
        table["hypothesis"] = table["hypothesis"].fillna("")
    return check(table, RATES, source=str(path))
