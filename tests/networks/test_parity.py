"""Networks on parity: the task, a tiny case, and the table that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.networks.parity import COLUMNS, SEEDS, TASKS, WIDTHS, patterns, train_parities


def test_no_part_of_the_bits_that_count_tells_anything() -> None:
    signs, parity = patterns(3, 5)
    assert signs.shape == (32, 5)
    product = np.prod(signs[:, :3], axis=1)
    # Three bits multiply to the parity; no single one and no two of them go along with it.
    assert (product == np.where(parity == 1, 1, -1)).all()
    truth = 2.0 * parity - 1.0
    assert (truth @ signs == 0).all()
    assert truth @ (signs[:, 0] * signs[:, 1]) == 0


def test_a_seed_gives_the_same_table_again() -> None:
    first, second = (train_parities(seeds=[3], widths=[4], tasks=[(2, 6)]) for _ in range(2))
    assert list(first.columns) == list(COLUMNS)
    assert first.equals(second)
    # Four units from six bits and one bias each, and one unit from these.
    assert set(first["n_params"]) == {4 * 6 + 4 + 4 + 1}


def test_a_wide_network_composes_what_one_unit_cannot() -> None:
    table = train_parities(seeds=[0], widths=[1, 32], tasks=[(3, 8)]).set_index(["model", "metric"])
    loss = table["score"].xs("log_likelihood", level="metric")
    # Guessing loses log 2 = 0.69 nats.
    assert loss["h01-s0"] < -0.5
    assert loss["h32-s0"] > -0.1


def test_the_shipped_table_is_whole(repository: Path) -> None:
    table = pd.read_csv(repository / "data/raw/compositional/scores.csv")
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == len(TASKS) * len(WIDTHS) * len(SEEDS) * 3
    assert not table.duplicated(["task", "metric", "model"]).any()


def test_the_shipped_table_comes_again_within_the_spread_of_its_seeds(repository: Path) -> None:
    table = pd.read_csv(repository / "data/raw/compositional/scores.csv")
    before = table[(table["task"] == "parity of 4 of 8 bits") & (table["metric"] == "brier")]
    width = before["model"].str[:3]
    again = train_parities(seeds=[91, 92, 93], widths=[2, 32], tasks=[(4, 8)])
    for name in ("h02", "h32"):
        old = before.loc[width == name, "score"]
        new = again.loc[(again["metric"] == "brier") & (again["model"].str[:3] == name), "score"]
        # Four standard errors of a difference of means of five and of three seeds, and what
        # probabilities near one round away.
        reach = 4 * np.hypot(old.std() / 5**0.5, old.std() / 3**0.5) + 0.01
        assert new.mean() == pytest.approx(old.mean(), abs=reach)
