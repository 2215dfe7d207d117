from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from metamirage.base.vocabulary import CANDIDATES, CURVE_KEY
from metamirage.contracts.fits import FITS
from metamirage.curves.curve import Curve, build_curves
from metamirage.fitting.bands import N_NODES
from metamirage.fitting.verdicts import verdict
from metamirage.report import explorer
from metamirage.report.pages import join_curves, render_explorer
from report_builders import explored, report_inputs


def curves() -> list[Curve]:
    inputs = report_inputs()
    return build_curves(inputs.tidy, inputs.tags)


@cache
def columns() -> dict[str, Any]:
    e = explored()
    return explorer.table_columns(join_curves(e.fits, e.scores, e.tags, e.tidy), e.tags)


@cache
def shown() -> list[dict[str, Any]]:
    groups = explorer.curve_groups(curves(), models=explored().models, bands=explored().bands)
    return [curve for group in groups for curve in group]


def words(head: str) -> list[str]:
    return [columns()[head]["words"][code] for code in columns()[head]["codes"]]


def test_names_made_from_the_columns_are_the_names_of_the_curves() -> None:
    # The page writes no curve_id: it joins these columns.
    heads = ("task", "subtask", "metric", "family", "shots")
    assert [explorer.COLUMNS[head] for head in heads] == list(CURVE_KEY[1:])
    names = ["|".join(("invented", *key)) for key in zip(*map(words, heads), strict=True)]
    assert names == sorted(explored().fits["curve_id"])


def test_every_verdict_follows_from_the_conditions_that_the_page_shows() -> None:
    rng = np.random.default_rng(3)
    needs = {head for rule in explorer.verdict_rules() for head, _, _ in rule["needs"]}
    for _ in range(300):
        row = {head: rng.choice([0.0, 0.5, 0.91, 0.96, 1.0]) for head in needs}
        met = [
            rule["verdict"]
            for rule in explorer.verdict_rules()
            if all(row[head] > least for head, _, least in rule["needs"])
        ]
        known = {explorer.COLUMNS[head]: value for head, value in row.items()}
        assert (met or ["UNRESOLVED"])[0] == verdict(known, 9)


def test_numbers_of_the_table_are_those_of_the_fits() -> None:
    ordered = explored().fits.sort_values("curve_id")
    # Half a unit of the fourth digit.
    for head in ("P(sharp)", "width", "location 95 %", "P(falls)"):
        expected = ordered[explorer.COLUMNS[head]].to_numpy()
        np.testing.assert_allclose(columns()[head]["values"], expected, rtol=5.001e-4)


def test_points_and_weights_are_those_of_the_tables() -> None:
    models = explored().models.pivot(index="curve_id", columns="model", values="weight")
    for curve, packed in zip(curves(), shown(), strict=True):
        np.testing.assert_allclose(packed["score"], curve.score, rtol=5.001e-4)
        np.testing.assert_allclose(packed["size"], curve.size, rtol=5.001e-4)
        weights = models.loc[curve.curve_id, list(CANDIDATES)]
        np.testing.assert_allclose(packed["weights"], weights, rtol=5.001e-4)
        assert all(np.array(packed["lower"]) <= np.array(packed["score"]))


def unfolded(packed: dict[str, Any], column: int) -> np.ndarray:
    """Heights of a band as the page's script reads them."""
    moves = packed["bands"][column]
    heights = np.cumsum(moves) if len(moves) > 1 else np.full(N_NODES, moves[0])
    low, high = packed["window"]
    return low + (high - low) * heights / explorer.BAND_STEPS


@pytest.mark.parametrize("column", range(15))
def test_bands_are_those_of_the_table_to_half_a_step(column: int) -> None:
    table = explored().bands
    name = list(table.columns[3:])[column]
    for curve, packed in zip(curves(), shown(), strict=True):
        low, high = packed["window"]
        rows = table[table["curve_id"] == curve.curve_id]
        ends = np.array(explorer.BAND_REACH) / explorer.BAND_STEPS
        expected = rows[name].clip(*(low + (high - low) * ends))
        step = (high - low) / explorer.BAND_STEPS
        np.testing.assert_allclose(unfolded(packed, column), expected, atol=0.51 * step)


def test_the_window_holds_every_point() -> None:
    for packed in shown():
        low, high = packed["window"]
        assert low < min(packed["lower"])
        assert high > max(packed["upper"])


def test_equal_scores_still_have_a_window() -> None:
    low, high = explorer.window(np.full(5, 12345.678))
    assert low < 12345.678 < high


def test_columns_are_explained_by_the_contracts() -> None:
    glossary = explorer.glossary()
    assert set(glossary) == set(explorer.COLUMNS)
    assert glossary["floor"] == FITS.columns["floor_length"].description


def test_the_page_escapes_its_title_and_is_the_same_every_time() -> None:
    page = render_explorer(explored())
    assert "Every curve of Invented &lt;benchmark&gt;" in page
    assert page == render_explorer(explored())
