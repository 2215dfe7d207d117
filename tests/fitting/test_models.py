"""The PyMC models, which define the candidates, and their compiled twins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytest
from scipy.stats import betabinom, norm

from builders import GPT_3, TWO_LN_9, make_curve, step
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.models import build_model
from metamirage.fitting.priors import PARAMETERS, Priors, priors_for
from metamirage.fitting.quadrature.densities import (
    CODES,
    log_base,
    log_likelihood_counts,
    log_likelihood_scores,
    log_prior,
    make_ladder,
    shape,
)

# Twelve differences of log gammas of up to 1e4 lose five digits of sixteen; the rest is a margin.
# Relative and absolute, whichever allows more.
SAME = 1e-8
N_POINTS = 30
NAMES = ("left", "dispersion", "right", "shape1", "shape2")

# Every difficulty of an observation at once: none and all of the items right, unequal items and
# standard errors, none of them published, replicates at one size.
MIXED_SIZE = [7.0, 7.5, 8.0, 8.0, 9.0, 10.5]
MIXED = {
    "counts": make_curve(
        MIXED_SIZE, [0, 0.3, 0.25, 0.5, 0.75, 1], items=[10, 10, 1000, 4, 20, 250], chance=0.25
    ),
    "scores": make_curve(
        MIXED_SIZE, [-0.1, 0, 0.2, 0.3, 1, 1.3], stderr=[0, 0.01, 0, 0.2, 1e-4, 0.03]
    ),
}
CURVES = {
    "none right": make_curve(GPT_3, np.zeros(8), items=100, chance=0.0),
    "all right": make_curve(GPT_3, np.ones(8), items=1000, chance=0.5),
    "step": make_curve(GPT_3, step(8, at=3), items=250, chance=0.0),
    "no standard error": make_curve(GPT_3, step(8, at=7)),
    "standard error": make_curve(GPT_3, np.linspace(1, 0, 8), stderr=0.05, chance=0.5),
    "unbounded": make_curve(GPT_3, np.linspace(0, 1, 8), bounded=False),
}


def points(prior: Priors, candidate: str) -> FloatArray:
    """Draws from a prior of twice the width: everywhere the engine looks, and beyond."""
    mean, sd = prior.as_array().T
    thetas = mean + 2 * sd * np.random.default_rng(11).standard_normal((N_POINTS, 5))
    thetas[:, len(PARAMETERS[candidate]) :] = 0.0
    return np.asarray(thetas)


def compiled_density(curve: Curve, candidate: str, prior: Priors, theta: FloatArray) -> float:
    counted = curve.observation == "beta_binomial"
    y, spread = (curve.counts, curve.n_items) if counted else (curve.z, curve.stderr)
    ends = (curve.size[0], curve.size[-1])
    h = np.array([shape(CODES[candidate], x, *ends, theta[3], theta[4]) for x in curve.size])
    base = log_base(counted, y, spread)
    if counted:
        likelihood = log_likelihood_counts(h, base, theta, make_ladder(y, spread))
    else:
        likelihood = log_likelihood_scores(h, y, spread, base, theta)
    return float(likelihood + log_prior(CODES[candidate], theta, prior.as_array()))


def assert_same(curve: Curve, candidate: str, logp: Callable[[dict[str, float]], float]) -> None:
    prior = priors_for(curve, candidate)
    thetas = points(prior, candidate)
    ours = [compiled_density(curve, candidate, prior, theta) for theta in thetas]
    names = PARAMETERS[candidate]
    theirs = [float(logp(dict(zip(names, theta, strict=False)))) for theta in thetas]
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("kind", MIXED)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_compiled_density_is_that_of_the_pymc_model(candidate: str, kind: str) -> None:
    curve = MIXED[kind]
    model = build_model(curve, candidate, priors_for(curve, candidate))
    assert_same(curve, candidate, model.compile_logp())


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_so_it_is_for_other_curves(candidate: str, name: str) -> None:
    curve = CURVES[name]
    model = build_model(curve, candidate, priors_for(curve, candidate))
    # The same graph without rewrites, which compiles ten times faster.
    assert_same(curve, candidate, model.compile_logp(mode="FAST_COMPILE"))


def log_density(curve: Curve, candidate: str, **values: float) -> float:
    prior = priors_for(curve, candidate)
    model = build_model(curve, candidate, prior)
    return float(model.compile_logp(mode="FAST_COMPILE")(values))


def prior_density(curve: Curve, candidate: str, **values: float) -> float:
    prior = priors_for(curve, candidate)
    return float(sum(norm.logpdf(v, *getattr(prior, name)) for name, v in values.items()))


def test_flat_counts_by_hand() -> None:
    curve = make_curve([7, 8, 9], [0.2, 0.4, 0.0], items=[10, 20, 5], chance=0.25)
    theta = {"left": np.log(1 / 3), "dispersion": np.log(8.0)}
    by_hand = betabinom.logpmf([2, 8, 0], [10, 20, 5], 2.0, 6.0).sum()
    expected = by_hand + prior_density(curve, "flat", **theta)
    assert log_density(curve, "flat", **theta) == pytest.approx(expected, abs=SAME)


def test_linear_scores_by_hand() -> None:
    curve = make_curve([7, 8, 11], [0.1, 0.4, 0.8], stderr=[0.03, 0.0, 0.04])
    theta = {"left": 0.2, "dispersion": np.log(0.04), "right": 0.6}
    by_hand = norm.logpdf(curve.z, [0.2, 0.3, 0.6], np.hypot(curve.stderr, 0.04)).sum()
    expected = by_hand + prior_density(curve, "linear", **theta)
    assert log_density(curve, "linear", **theta) == pytest.approx(expected, abs=SAME)


def test_power_grows_by_its_exponent_each_decade() -> None:
    # Exponent log10(2): each decade's rise is twice the one before; 1 + 2 + 4 = 7 parts.
    curve = make_curve([7, 8, 9, 10], [0.1, 0.4, 0.8, 0.7])
    theta = {"left": 0.0, "dispersion": np.log(0.1), "right": 0.7, "shape1": np.log10(2)}
    by_hand = norm.logpdf(curve.z, [0.0, 0.1, 0.3, 0.7], 0.1).sum()
    expected = by_hand + prior_density(curve, "power", **theta)
    assert log_density(curve, "power", **theta) == pytest.approx(expected, abs=SAME)


def test_power_of_exponent_zero_is_the_line() -> None:
    curve = CURVES["no standard error"]
    theta = {"left": 0.1, "dispersion": -2.0, "right": 0.5}
    line = log_density(curve, "linear", **theta) - prior_density(curve, "linear", **theta)
    bent = theta | {"shape1": 0.0}
    power = log_density(curve, "power", **bent) - prior_density(curve, "power", **bent)
    assert power == pytest.approx(line, abs=SAME)


def test_sigmoid_makes_a_tenth_and_nine_tenths_a_width_apart() -> None:
    curve = make_curve([7, 8, 9], [0.1, 0.4, 0.8])
    theta = {"left": 0.0, "dispersion": np.log(0.1), "right": 1.0}
    theta |= {"shape1": 8.0, "shape2": np.log(2.0)}
    by_hand = norm.logpdf(curve.z, [0.1, 0.5, 0.9], 0.1).sum()
    expected = by_hand + prior_density(curve, "sigmoid", **theta)
    assert log_density(curve, "sigmoid", **theta) == pytest.approx(expected, abs=SAME)


def test_quadratic_turns_where_it_says() -> None:
    # Turning point a quarter of the window below its middle, at 8; the farther end is three decades
    # off, so the score has made 1, 0, 1 and 9 ninths of the way.
    curve = make_curve([7, 8, 9, 11], [0.3, 0.2, 0.4, 0.9])
    theta = {"left": 0.1, "dispersion": np.log(0.1), "right": 1.0, "shape1": -0.25}
    by_hand = norm.logpdf(curve.z, [0.2, 0.1, 0.2, 1.0], 0.1).sum()
    expected = by_hand + prior_density(curve, "quadratic", **theta)
    assert log_density(curve, "quadratic", **theta) == pytest.approx(expected, abs=SAME)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_every_parameter_is_free_on_the_whole_line(candidate: str) -> None:
    model = build_model(MIXED["counts"], candidate, priors_for(MIXED["counts"], candidate))
    assert tuple(v.name for v in model.value_vars) == PARAMETERS[candidate]
    assert all(v.owner.op.name == "normal" for v in model.free_RVs)
    assert [v.name for v in model.observed_RVs] == ["score"]


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_a_sampler_can_start_at_the_prior_mean(candidate: str) -> None:
    curve = CURVES["step"]
    model = build_model(curve, candidate, priors_for(curve, candidate))
    assert np.isfinite(model.compile_logp(mode="FAST_COMPILE")(model.initial_point()))


def test_the_model_is_a_plain_pymc_model() -> None:
    assert isinstance(
        build_model(CURVES["step"], "flat", priors_for(CURVES["step"], "flat")), pm.Model
    )


def test_ten_percent_and_ninety_percent_are_two_ln_nine_apart() -> None:
    assert pytest.approx(2 * np.log(9.0), abs=1e-15) == TWO_LN_9
