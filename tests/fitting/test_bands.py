from __future__ import annotations

import numpy as np
import pytest

from builders import make_curve
from metamirage.base.vocabulary import CANDIDATES
from metamirage.contracts.bands import BANDS
from metamirage.contracts.check import check
from metamirage.curves.curve import Curve, build_curves
from metamirage.fitting.bands import N_NODES, band_curves, mean_band
from metamirage.fitting.engines import integrate_all
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.settings import FitSettings
from report_builders import SEED, report_inputs


def draws(candidate: str, theta: list[list[float]]) -> Posterior:
    weights = np.full(len(theta), 1 / len(theta))
    return Posterior(candidate, np.array(theta), weights, 0.0, 0.0, 9.0, np.empty(0))


@pytest.fixture
def curves() -> list[Curve]:
    inputs = report_inputs()
    return build_curves(inputs.tidy, inputs.tags)


def test_a_line_of_known_ends_gives_the_line() -> None:
    curve = make_curve(np.linspace(8, 11, 7), np.linspace(0.2, 0.8, 7), items=100)
    # Levels of 0.2 and 0.8 through the logistic, in every draw.
    ends = [np.log(0.25), 0.0, np.log(4.0), 0.0, 0.0]
    band = mean_band(curve, draws("linear", [ends] * 3), n_nodes=4)
    np.testing.assert_allclose(band.median, [0.2, 0.4, 0.6, 0.8], atol=1e-12)
    np.testing.assert_allclose(band.lower, band.upper, atol=1e-12)


def test_a_flat_band_has_one_height() -> None:
    curve = make_curve(np.linspace(8, 11, 7), np.full(7, 0.5), items=100)
    band = mean_band(curve, draws("flat", [[z, 0, 0, 0, 0] for z in (-1.0, 0.0, 1.0)]))
    assert len(band.size) == N_NODES
    assert len(set(band.lower)) == len(set(band.median)) == 1
    assert band.lower[0] < 0.5 < band.upper[0]


def test_bands_are_those_of_the_posteriors_that_gave_the_verdict(curves: list[Curve]) -> None:
    table = band_curves(curves[:1], FitSettings(SEED))
    posterior = integrate_all(curves[0], curves[0], FitSettings(SEED))["sigmoid"]
    expected = mean_band(curves[0], posterior)
    # The same draws from the same stream: nothing but the order of sums could differ.
    np.testing.assert_allclose(table["sigmoid_median"], expected.median, rtol=1e-12)
    np.testing.assert_allclose(table["sigmoid_q95"], expected.upper, rtol=1e-12)


def test_the_table_keeps_its_contract_and_ends_are_in_order(curves: list[Curve]) -> None:
    table = check(band_curves(curves, FitSettings(SEED)), BANDS, source="invented")
    assert len(table) == N_NODES * len(curves)
    for candidate in CANDIDATES:
        low, middle, high = (table[f"{candidate}_{q}"] for q in ("q05", "median", "q95"))
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_a_metric_where_less_is_better_is_drawn_as_published(curves: list[Curve]) -> None:
    loss = next(curve for curve in curves if curve.sign < 0)
    band = band_curves([loss], FitSettings(SEED))
    # Published losses run from 9 down to 0.5.
    assert band["linear_median"].iloc[0] > 7
    assert band["linear_median"].iloc[-1] < 2


def test_bands_do_not_depend_on_threads_or_company(curves: list[Curve]) -> None:
    together = band_curves(curves, FitSettings(SEED, threads=2))
    alone = band_curves(curves[2:3], FitSettings(SEED))
    kept = together[together["curve_id"] == curves[2].curve_id].reset_index(drop=True)
    assert kept.equals(alone)
