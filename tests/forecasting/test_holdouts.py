"""Fits without the largest sizes: closed forms, calibration, and each fit made once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import kstest, norm

from builders import GPT_3, PALM, make_curve
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.priors import PARAMETERS, UNBOUNDED_LEVEL, priors_for
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.quadrature.integrate import integrate
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.holdouts import HeldOutFits, hold_outs, mean_by_size, outlook, predict
from metamirage.forecasting.predictives import left_out, pit_ends

SIZES = np.array([8.0, 8.5, 9.2, 10.0, 11.0])


def without_last(curve: Curve) -> Curve:
    return curve.take(curve.size < curve.size[-1])


def test_three_sizes_have_to_be_left() -> None:
    kept = {n: hold_outs(make_curve(np.arange(n) + 7.0, np.full(n, 0.5))) for n in (3, 4, 5)}
    assert [d.n_left_out for d in kept[4]] == [1]
    assert kept[3] == []
    assert [(d.n_left_out, d.cutoff, d.sizes) for d in kept[5]] == [
        (1, 11.0, (11.0,)),
        (2, 10.0, (11.0, 10.0)),
    ]


def test_replicates_are_one_size() -> None:
    curve = make_curve([7, 8, 9, 10, 10], [0.1, 0.2, 0.3, 0.4, 0.6])
    assert [d.n_left_out for d in hold_outs(curve)] == [1]
    assert hold_outs(make_curve(PALM, [0.1, 0.2, 0.3])) == []


def test_mean_by_size_averages_replicates() -> None:
    curve = make_curve([7, 8, 8], [0.1, 0.2, 0.4])
    assert mean_by_size(curve) == {7.0: pytest.approx(0.1), 8.0: pytest.approx(0.3)}


def conjugate(design: FloatArray, y: FloatArray, asked: FloatArray, noise: float) -> object:
    """Predictive of a linear model whose coefficients share one Normal prior and known noise."""
    mean, sd = UNBOUNDED_LEVEL
    precision = design.T @ design / noise**2 + np.eye(design.shape[1]) / sd**2
    right = design.T @ y / noise**2 + mean / sd**2
    centre = asked @ np.linalg.solve(precision, right)
    return norm(centre, np.sqrt(asked @ np.linalg.solve(precision, asked) + noise**2))


@pytest.mark.parametrize("candidate", ["flat", "linear"])
def test_forecast_of_a_line_with_known_noise_is_bayesian_regression(candidate: str) -> None:
    # Published errors so large that the unknown noise beside them is nothing.
    noise = 8.0
    y = np.array([-5.0, 2.0, 4.0, 9.0, 21.0])
    curve = make_curve(SIZES, y, stderr=noise, bounded=False)
    train = without_last(curve)
    u = (SIZES - SIZES[0]) / (SIZES[-1] - SIZES[0])
    design = np.column_stack([1 - u, u]) if candidate == "linear" else np.ones((5, 1))
    exact = conjugate(design[:-1], y[:-1], design[-1], noise)
    rng = np.random.default_rng(1)
    posterior = integrate(train, candidate, priors_for(curve, candidate), rng=rng, window=curve)
    found = predict(curve, posterior, left_out(curve, SIZES[-1]), rng)
    log_score = logsumexp(found.log_density, b=found.weights)
    # Unknown noise of up to 0.5 widens the noise of 8 by 0.2 %; three sd out that is 0.02 nats.
    assert log_score == pytest.approx(exact.logpdf(y[-1]), abs=0.03)  # type: ignore[attr-defined]
    # Five standard errors of the mean of a few thousand draws.
    assert found.weights @ found.sample == pytest.approx(
        exact.mean(),
        abs=5 * noise / np.sqrt(posterior.ess),  # type: ignore[attr-defined]
    )


def drawn_from(candidate: str, observation: str, rng: np.random.Generator) -> Curve:
    """A curve whose parameters come from the priors of a candidate, and its scores from those."""
    items = 100 if observation == "beta_binomial" else 0
    bare = make_curve(SIZES, np.full(5, 0.5), items=items, chance=0.25, bounded=items > 0)
    priors = priors_for(bare, candidate).as_array()
    theta = np.zeros((1, 5))
    n = len(PARAMETERS[candidate])
    theta[0, :n] = rng.normal(priors[:n, 0], priors[:n, 1])
    level = expit if items else np.asarray
    left, right = level(theta[0, 0]), level(theta[0, 2])
    ends = SIZES[0], SIZES[-1]
    h = np.array([shape_at(CODES[candidate], x, *ends, theta)[0] for x in SIZES])
    mean, dispersion = left + (right - left) * h, np.exp(theta[0, 1])
    if not items:
        return make_curve(SIZES, mean + dispersion * rng.standard_normal(5), bounded=False)
    rate = rng.beta(mean * dispersion, (1 - mean) * dispersion)
    return make_curve(SIZES, rng.binomial(items, rate) / items, items=items, chance=0.25)


@pytest.mark.parametrize("observation", ["beta_binomial", "gaussian"])
@pytest.mark.parametrize("candidate", ["flat", "linear", "sigmoid"])
def test_forecasts_of_curves_from_the_prior_are_calibrated(
    candidate: str, observation: str
) -> None:
    rng = np.random.default_rng(5)
    ranks = []
    for _ in range(120):
        curve = drawn_from(candidate, observation, rng)
        priors = priors_for(curve, candidate)
        posterior = integrate(without_last(curve), candidate, priors, rng=rng, window=curve)
        left = left_out(curve, SIZES[-1])
        low, high = pit_ends(predict(curve, posterior, left, rng), left.landing)
        ranks.append(low + rng.random() * (high - low))
    # One in a thousand calibrated runs fails; one seed is run.
    assert kstest(ranks, "uniform").pvalue > 1e-3


def test_an_outlook_mixes_the_candidates_by_their_evidence() -> None:
    curve = make_curve(SIZES, np.array([0.1, 0.2, 0.3, 0.4, 0.6]), items=100, chance=0.0)
    fits = HeldOutFits({"a": curve}, FitSettings(1))
    fit = fits.below("a", SIZES[-1])
    found = outlook(fit, left_out(fit.whole, SIZES[-1]), fits.stream("a"))
    assert list(found) == [*CANDIDATES, "averaged"]
    means = [found[c].weights @ found[c].sample for c in CANDIDATES]
    averaged = found["averaged"]
    assert averaged.weights @ averaged.sample == pytest.approx(fit.weights @ means, abs=1e-12)


def test_one_training_set_is_fitted_once() -> None:
    curve = make_curve(GPT_3, np.linspace(0.1, 0.5, 8), items=100, chance=0.0)
    fits = HeldOutFits({"a": curve}, FitSettings(1))
    assert fits.below("a", GPT_3[-1]) is fits.below("a", GPT_3[-2] + 0.01)
    assert fits.below("a", GPT_3[-1]) is not fits.below("a", GPT_3[-2])


def test_a_fit_is_on_the_scale_of_its_training_scores() -> None:
    curve = make_curve(SIZES, [0.0, 0.1, 0.3, 0.2, 1.0], bounded=False, unit=40.0, origin=-7.0)
    fit = HeldOutFits({"a": curve}, FitSettings(1)).below("a", SIZES[-1])
    np.testing.assert_allclose(fit.train.z, [0, 1 / 3, 1, 2 / 3], atol=1e-12)
    assert fit.whole.z[-1] == pytest.approx(1 / 0.3)
