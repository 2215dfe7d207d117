"""The engine: width profile against brute force, recovery, symmetries, helpers of a posterior.

Evidence: ``test_engine_evidence``; posterior: ``test_engine_calibration``, ``test_engine_nuts``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import betaln, expit, gammaln, logsumexp
from scipy.stats import norm

from builders import BIG_G, GPT_3, counted, logistic, make_curve, reference_curves
from metamirage.curves import Curve, FloatArray
from metamirage.engine import Posterior, integrate, width_rows
from metamirage.priors import LOG10_WIDTH_NODES, Priors, priors_for
from metamirage.tables import CANDIDATES
from reference_set import fingerprint

PROFILES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "reference" / "profiles.json").read_text(encoding="utf-8")
)["curves"]
# What the project promises of an evidence, nats.
PROMISE = 0.05
CURVES = reference_curves()


def fit(curve: Curve, candidate: str, *, seed: int = 1, window: Curve | None = None) -> Posterior:
    priors = priors_for(window or curve, candidate)
    return integrate(curve, candidate, priors, rng=np.random.default_rng(seed), window=window)


def lattice(log_density: Callable[..., FloatArray], priors: FloatArray, side: int) -> float:
    """Log integral on a lattice, whose box is narrowed to the points within 30 nats of the best.

    For a Normal that leaves a spacing under one standard deviation, where the sum over a lattice
    is exact to 1e-8.
    """
    low, high = (priors[:, 0] + sign * 8 * priors[:, 1] for sign in (-1, 1))
    for _ in range(12):
        axes = [np.linspace(a, b, side) for a, b in zip(low, high, strict=True)]
        values = log_density(*np.meshgrid(*axes, indexing="ij", sparse=True))
        found = np.argwhere(values > values.max() - 30)
        first = np.maximum(found.min(axis=0) - 1, 0)
        last = np.minimum(found.max(axis=0) + 1, side - 1)
        low, high = (
            np.array([axis[i] for axis, i in zip(axes, ends, strict=True)])
            for ends in (first, last)
        )
    steps = [axis[1] - axis[0] for axis in axes]
    return float(logsumexp(values) + np.log(steps).sum())


def count_density(curve: Curve, h: FloatArray, priors: Priors) -> Callable[..., FloatArray]:
    k, n = curve.counts, curve.n_items

    def log_density(left: FloatArray, nu: FloatArray, right: FloatArray | None = None) -> Any:
        total = norm.logpdf(left, *priors.left) + norm.logpdf(nu, *priors.dispersion)
        total = total + (norm.logpdf(right, *priors.right) if right is not None else 0.0)
        for i in range(len(k)):
            mu = expit(left) * (1 - h[i]) + (expit(right) * h[i] if right is not None else 0.0)
            a, b = mu * np.exp(nu), (1 - mu) * np.exp(nu)
            total = total + betaln(k[i] + a, n[i] - k[i] + b) - betaln(a, b)
        choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return total + choose.sum()

    return log_density


def position(curve: Curve, window: Curve) -> FloatArray:
    return (curve.size - window.size[0]) / (window.size[-1] - window.size[0])


@pytest.mark.parametrize("name", CURVES)
def test_the_stored_profiles_belong_to_these_curves_and_priors(name: str) -> None:
    # If curves or priors have changed, run tests/reference/make_profiles.py again.
    assert PROFILES[name]["data"] == fingerprint(CURVES[name])


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second = (fit(CURVES["three"], "sigmoid", seed=5) for _ in range(2))
    assert (first.theta == second.theta).all()
    assert (first.weights == second.weights).all()
    assert first.log_evidence == second.log_evidence


@pytest.mark.parametrize("name", CURVES)
def test_the_profile_integrates_to_the_evidence(name: str) -> None:
    posterior, priors = fit(CURVES[name], "sigmoid"), priors_for(CURVES[name], "sigmoid")
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    edges = np.log(10) * np.append(LOG10_WIDTH_NODES - step / 2, LOG10_WIDTH_NODES[-1] + step / 2)
    # The complement of the upper tail keeps its digits.
    mass = np.abs(np.diff(norm.sf(edges, *priors.shape2)))
    total = logsumexp(posterior.profile, b=mass)
    assert total == pytest.approx(posterior.log_evidence, abs=1e-6)


def node_shares(name: str, profile: FloatArray) -> FloatArray:
    """Posterior probability of each node of width."""
    prior = norm.logpdf(np.log(10) * LOG10_WIDTH_NODES, *priors_for(CURVES[name], "sigmoid").shape2)
    return np.asarray(np.exp(profile + prior - logsumexp(profile + prior)))


@pytest.mark.parametrize("name", CURVES)
def test_the_profile_gives_the_distribution_of_brute_force(name: str) -> None:
    stored = np.array(PROFILES[name]["profile"])
    ours = np.cumsum(node_shares(name, fit(CURVES[name], "sigmoid").profile))
    # Thirty seeds of each curve stayed within 0.04; most within 0.015.
    assert np.abs(ours - np.cumsum(node_shares(name, stored))).max() < 0.05


@pytest.mark.parametrize("name", CURVES)
def test_the_profile_is_known_at_each_node(name: str) -> None:
    reference = np.array(PROFILES[name]["profile"])
    known = np.array(PROFILES[name]["se"]) < 0.1
    gap = fit(CURVES[name], "sigmoid").profile - reference
    # A node with a hundredth of the posterior has draws by the dozen, any other some fifteen.
    heavy = known & (node_shares(name, reference) > 0.01)
    assert heavy.sum() >= 3
    assert np.abs(gap[heavy]).max() < 0.6
    assert np.median(np.abs(gap[known])) < 0.25


WIDTHS = (0.4, 1.0, 2.0, 4.0)


@pytest.mark.parametrize("width", WIDTHS)
def test_width_and_location_of_clean_counts_are_recovered(width: float) -> None:
    mean = 0.02 + 0.7 * logistic(BIG_G, location=8.9, width=width)
    posterior = fit(counted(BIG_G, mean, items=20_000), "sigmoid")
    for values, truth in ((posterior.theta[:, 4], np.log(width)), (posterior.theta[:, 3], 8.9)):
        assert abs(posterior.mean(values) - truth) < 3 * posterior.sd(values)
        # Clean data must also tell: the prior's sd is 0.7 in log width and 2 in location.
        assert posterior.sd(values) < 0.2


@pytest.mark.parametrize("width", WIDTHS)
def test_width_and_location_of_clean_scores_are_recovered(width: float) -> None:
    mean = 0.1 + 0.7 * logistic(BIG_G, location=8.9, width=width)
    posterior = fit(make_curve(BIG_G, mean, stderr=0.005, chance=0.1), "sigmoid")
    for values, truth in ((posterior.theta[:, 4], np.log(width)), (posterior.theta[:, 3], 8.9)):
        assert abs(posterior.mean(values) - truth) < 3 * posterior.sd(values)
        assert posterior.sd(values) < 0.2


def test_a_window_anchors_the_line_beyond_the_points() -> None:
    whole = CURVES["falling"]
    part = whole.take(whole.size < whole.size[-1])
    priors = priors_for(whole, "linear")
    density = count_density(part, position(part, whole), priors)
    expected = lattice(density, priors.as_array()[:3], 36)
    assert abs(fit(part, "linear", window=whole).log_evidence - expected) < PROMISE


def test_sizes_in_another_unit_move_the_location_alone() -> None:
    curve = CURVES["step"]
    moved = replace(curve, size=curve.size + 2.0)
    here, there = fit(curve, "sigmoid"), fit(moved, "sigmoid")
    assert there.log_evidence == pytest.approx(here.log_evidence, abs=1e-6)
    shift = there.mean(there.theta[:, 3]) - here.mean(here.theta[:, 3])
    assert shift == pytest.approx(2.0, abs=1e-6)


def test_the_order_of_replicates_does_not_matter() -> None:
    size = [7.0, 8.0, 8.0, 9.0, 10.0]
    first = make_curve(size, [0.1, 0.2, 0.4, 0.6, 0.7], items=50)
    second = make_curve(size, [0.1, 0.4, 0.2, 0.6, 0.7], items=50)
    gap = fit(first, "sigmoid").log_evidence - fit(second, "sigmoid").log_evidence
    assert gap == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("z", [0.0, 1.0])
def test_all_or_nothing_of_many_items_has_an_evidence(z: float) -> None:
    curve = make_curve(GPT_3, np.full(8, z), items=10_000, chance=0.5)
    for candidate in CANDIDATES:
        posterior = fit(curve, candidate)
        assert np.isfinite(posterior.log_evidence)
        assert posterior.error < PROMISE


def small_posterior(weights: list[float]) -> Posterior:
    return Posterior(
        candidate="flat",
        theta=np.zeros((len(weights), 5)),
        weights=np.array(weights),
        log_evidence=0.0,
        error=0.0,
        ess=1.0,
        profile=np.empty(0),
    )


def test_means_and_sds_are_weighted() -> None:
    values = np.array([0.0, 4.0])
    assert small_posterior([0.75, 0.25]).mean(values) == pytest.approx(1.0)
    assert small_posterior([0.75, 0.25]).sd(values) == pytest.approx(np.sqrt(3.0))


def test_quantiles_are_weighted() -> None:
    posterior = small_posterior([0.5, 0.25, 0.25])
    # Mid-ranks: 3.0 at 0.125, 5.0 at 0.375, 7.0 at 0.75.
    found = posterior.quantile(np.array([7.0, 3.0, 5.0]), (0.125, 0.25, 0.75, 0.99))
    assert found == pytest.approx((3.0, 4.0, 7.0, 7.0))


def test_each_width_belongs_to_its_nearest_node() -> None:
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    widths = np.array([LOG10_WIDTH_NODES[4] + 0.49 * step, LOG10_WIDTH_NODES[4] + 0.51 * step])
    assert width_rows(widths).tolist() == [4, 5]
    assert width_rows(np.array([-9.0, 9.0])).tolist() == [0, len(LOG10_WIDTH_NODES) - 1]
