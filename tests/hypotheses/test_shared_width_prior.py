"""Widths under the prior that all curves of a benchmark share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.base.arrays import FloatArray
from metamirage.fitting.priors import LOG10_WIDTH_NODES
from metamirage.hypotheses.shared_width_prior import DEFAULT, MIN_SD, add_own_widths, learn_prior

SEED = 2
# The iteration stops at steps of 1e-4 and nodes lie 0.08 decades apart.
ITERATED = 2e-3


def normal_profiles(centre: FloatArray, sd: float | FloatArray) -> FloatArray:
    away = (LOG10_WIDTH_NODES - centre[:, None]) / np.broadcast_to(sd, centre.shape)[:, None]
    return np.asarray(-0.5 * away**2)


def test_moments_of_the_prior_are_those_of_the_centres_less_their_noise() -> None:
    prior = learn_prior(normal_profiles(np.array([-0.2, 0.4]), 0.1))
    assert prior.mean == pytest.approx(0.1, abs=ITERATED)
    assert prior.sd == pytest.approx(np.sqrt(0.3**2 - 0.1**2), abs=ITERATED)


def test_curves_that_say_nothing_get_one_width_and_differ_by_nothing() -> None:
    curves = pd.DataFrame({"curve_id": ["a", "b"]})
    profiles = pd.DataFrame(
        {
            "curve_id": np.repeat(["a", "b"], len(LOG10_WIDTH_NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, 2),
            "log_marginal": np.zeros(2 * len(LOG10_WIDTH_NODES)),
        }
    )
    found = add_own_widths(curves, profiles)
    assert np.ptp(found["log10_width_own"]) == 0.0
    assert (found["own_prior_sd"] >= MIN_SD).all()


def test_noisier_curves_of_the_same_widths_are_not_narrower_on_average() -> None:
    rng = np.random.default_rng(SEED)
    truth, noise = rng.normal(0.5, 0.15, 400), np.where(np.arange(400) % 2, 0.1, 0.4)
    profiles = normal_profiles(rng.normal(truth, noise), noise)
    curves = pd.DataFrame({"curve_id": [f"{i:03d}" for i in range(400)]})
    table = pd.DataFrame(
        {
            "curve_id": np.repeat(curves["curve_id"], len(LOG10_WIDTH_NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, 400),
            "log_marginal": profiles.ravel(),
        }
    )
    own = add_own_widths(curves, table)["log10_width_own"].to_numpy(float)
    # Three standard errors; under the prior of the fits the two would differ by 0.17.
    assert own[noise == 0.4].mean() == pytest.approx(own[noise == 0.1].mean(), abs=0.05)


def test_the_prior_is_learnt_from_curves_of_enough_sizes_alone() -> None:
    narrow, wide = normal_profiles(np.full(4, -0.5), 0.1), normal_profiles(np.full(2, 1.0), 0.1)
    names = list("abcdef")
    table = pd.DataFrame(
        {
            "curve_id": np.repeat(names, len(LOG10_WIDTH_NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, 6),
            "log_marginal": np.concatenate([narrow, wide]).ravel(),
        }
    )
    curves = pd.DataFrame({"curve_id": names, "n_sizes": [8] * 4 + [3] * 2})
    chosen = add_own_widths(curves, table, min_sizes=5)
    alone = add_own_widths(curves[:4], table)
    assert chosen["own_prior_sd"].iloc[0] == alone["own_prior_sd"].iloc[0]
    assert chosen["log10_width_own"][:4].tolist() == alone["log10_width_own"].tolist()
    # Nothing long enough: the prior of the fits.
    none = add_own_widths(curves.assign(n_sizes=3), table, min_sizes=5)
    assert (none["own_prior_sd"] == DEFAULT.sd).all()


def test_what_is_known_of_a_width_is_the_share_of_its_prior_that_the_scores_take_away() -> None:
    rng = np.random.default_rng(SEED)
    noise = np.repeat([0.1, 2.0], 200)
    profiles = normal_profiles(rng.normal(0.5, 0.3, 400), noise)
    names = [f"{i:03d}" for i in range(400)]
    table = pd.DataFrame(
        {
            "curve_id": np.repeat(names, len(LOG10_WIDTH_NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, 400),
            "log_marginal": profiles.ravel(),
        }
    )
    own = add_own_widths(pd.DataFrame({"curve_id": names}), table)
    expected = own["own_prior_sd"] ** 2 / (own["own_prior_sd"] ** 2 + noise**2)
    # Nodes 0.08 apart stand for the line, with an end at 30 decades.
    np.testing.assert_allclose(own["width_known"], expected, atol=0.03)


def test_no_curves_have_no_widths() -> None:
    empty = pd.DataFrame({"curve_id": pd.Series(dtype="str")})
    assert add_own_widths(empty, pd.DataFrame())["log10_width_own"].empty
