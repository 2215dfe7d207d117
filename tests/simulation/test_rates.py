"""Rates: counts with exact intervals, and the table that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.base.intervals import exact_interval
from metamirage.contracts.selfcheck import TRIALS
from metamirage.simulation.rates import count_rates, read_rates, write_rates


def trials(p_values: list[float], world: str = "W0") -> pd.DataFrame:
    rows = pd.DataFrame(
        {"number": range(len(p_values)), "p_value": p_values, "estimate": np.arange(len(p_values))}
    )
    rows = rows.assign(
        world=world, kind="test", hypothesis="H2", estimand="log10_width", hits=0, cases=0, seed=1
    )
    return rows[list(TRIALS.columns)].astype({"estimate": "float64"})


def test_exact_intervals_are_those_of_the_binomial_tails() -> None:
    lower, upper = exact_interval(np.array([0.0, 1.0, 2.0, 0.0]), np.array([10.0, 10.0, 2.0, 0.0]))
    # No hit of ten: 1 - 0.025**(1/10). One: the tail 1 - (1 - p)**10 = 0.025 at the lower end.
    assert upper[0] == pytest.approx(1 - 0.025**0.1, abs=1e-12)
    assert lower[1] == pytest.approx(1 - 0.975**0.1, abs=1e-12)
    assert (lower[0], upper[2]) == (0.0, 1.0)
    assert np.isnan([lower[3], upper[3]]).all()


def test_a_set_without_a_p_value_is_no_case() -> None:
    table = count_rates(trials([0.05, 0.5, np.nan, 0.01]), n_draws=9, versions="none")
    row = table.iloc[0]
    assert (row["hits"], row["cases"], row["n_sets"]) == (2, 3, 4)
    assert row["rate"] == pytest.approx(2 / 3, abs=1e-12)
    assert not row["class_effect"]


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    every = [trials([0.01]), trials([0.2], "W2")]
    table = count_rates(pd.concat(every), n_draws=9, versions="a 1, b 2")
    write_rates(table, tmp_path / "rates.csv")
    pd.testing.assert_frame_equal(read_rates(tmp_path / "rates.csv"), table, check_dtype=False)
    assert read_rates(tmp_path / "rates.csv")["class_effect"].tolist() == [False, True]


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("world,kind\nW0,test\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rates\.csv: column 'hypothesis' is missing"):
        read_rates(tmp_path / "rates.csv")
