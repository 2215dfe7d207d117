"""The hierarchical model: its likelihood against closed forms, its answers against known truth."""

from __future__ import annotations

import numpy as np
import nutpie
import pytest
from scipy.stats import norm

from hierarchy_builders import NODES, benchmark
from metamirage import concentration
from metamirage._hierarchy_design import Design, make_design, modelled_curves
from metamirage._hierarchy_rows import quantities, residual_ranks
from metamirage._width_mixture import cell_edges, mixture, profile_weights
from metamirage.hierarchy import HYPER_PRIORS, build_model, model_hierarchy, sample
from metamirage.tables import HIERARCHY, check

EDGES = cell_edges(NODES)
STEP = NODES[1] - NODES[0]
# Sums of a few dozen terms.
EXACT = 1e-12


def spikes(*nodes: int) -> np.ndarray:
    profiles = np.full((len(nodes), len(NODES)), -1e6)
    profiles[np.arange(len(nodes)), nodes] = 0.0
    return profile_weights(profiles)


def test_two_known_widths_give_a_normal_regression() -> None:
    # The cell's mean density is the node's to (step / tau)^2 / 24 = 0.0014 times z^2 - 1.
    mu, tau = np.array([0.2, -0.1]), 1.0
    value, by_mu, by_tau = mixture(mu, tau, spikes(20, 12), np.array([0, 1, 2]), EDGES)
    z = (NODES[[20, 12]] - mu) / tau
    assert value == pytest.approx(norm.logpdf(z).sum() + 2 * np.log(STEP), abs=0.01)
    assert by_mu == pytest.approx(z / tau, abs=0.01)
    assert by_tau == pytest.approx(((z**2 - 1) / tau).sum(), abs=0.01)


def test_a_known_width_has_exactly_the_probability_of_its_cell() -> None:
    value, _, _ = mixture(np.array([0.2]), 0.4, spikes(20), np.array([0, 1]), EDGES)
    low, high = norm.cdf((EDGES[19:21] - 0.2) / 0.4)
    assert value == pytest.approx(np.log(high - low), abs=EXACT)


@pytest.mark.parametrize("mu", [-50.0, 0.3, 50.0])
@pytest.mark.parametrize("tau", [1e-3, 0.5, 30.0])
def test_flat_profiles_add_nothing_wherever_the_mean_is(mu: float, tau: float) -> None:
    weights = profile_weights(np.full((3, len(NODES)), -7.0))
    value, by_mu, by_tau = mixture(np.array([mu]), tau, weights, np.array([0, 3]), EDGES)
    assert value == pytest.approx(0.0, abs=EXACT)
    assert by_mu == pytest.approx([0.0], abs=1e-9)
    assert by_tau == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("mu", [-9.0, -0.4, 0.7, 9.0])
def test_gradient_is_that_of_finite_differences(mu: float) -> None:
    rng = np.random.default_rng(1)
    weights = profile_weights(rng.normal(0, 3, (4, len(NODES))))
    starts, h = np.array([0, 3, 4]), 1e-5
    means = np.array([mu, 0.1])

    def value(shift: float, stretch: float) -> float:
        moved = means + np.array([shift, 0.0])
        return float(mixture(moved, 0.6 + stretch, weights, starts, EDGES)[0])

    _, by_mu, by_tau = mixture(means, 0.6, weights, starts, EDGES)
    # Central differences are off by h^2 and by rounding over h.
    assert by_mu[0] == pytest.approx((value(h, 0) - value(-h, 0)) / (2 * h), abs=1e-6)
    assert by_tau == pytest.approx((value(0, h) - value(0, -h)) / (2 * h), abs=1e-6)


def design_of(seed: int, beta: float) -> Design:
    made = benchmark(np.random.default_rng(seed), beta=beta)
    curves = modelled_curves(made.fits, made.tags)
    return make_design(
        curves.assign(label=concentration.classify(curves, "discontinuous")), made.profiles
    )


def test_recovers_a_class_effect_of_200_curves() -> None:
    design = design_of(3, -0.7)
    compiled = nutpie.compile_pymc_model(build_model(design, HYPER_PRIORS["default"]))
    trace = sample(compiled, HYPER_PRIORS["default"], seed=3, threads=1)
    draws = quantities(trace, design)
    for name, truth in {"beta": -0.7, "tau": 0.5}.items():
        low, high = np.quantile(draws[name], [0.05, 0.95])
        assert low < truth < high
    shares = sum(draws[name] for name in draws if name.startswith("share"))
    assert shares == pytest.approx(np.ones_like(shares), abs=EXACT)
    # One transition in a hundred; more would say that spreads near zero were not entered.
    assert int(trace.sample_stats["diverging"].sum()) <= 20


def test_ranks_are_uniform_under_the_model_and_not_under_a_wrong_one() -> None:
    design = design_of(4, 0.0)
    n_groups = len(design.starts) - 1
    flat = design._replace(weights=np.ones_like(design.weights))
    ranks = residual_ranks(flat, np.zeros(n_groups), 0.8, rng=np.random.default_rng(1))
    # 200 uniform ranks: five standard errors of a mean.
    assert ranks.mean() == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / 200))
    wrong = residual_ranks(design, np.full(n_groups, 3.0), 0.5, rng=np.random.default_rng(1))
    assert wrong.mean() < 0.1


def test_curves_are_those_of_the_other_tests() -> None:
    made = benchmark(np.random.default_rng(1), beta=0.0)
    fits = made.fits.assign(verdict="SHARP")
    fits.loc[0, "excluded"], fits.loc[1, "n_sizes"] = "bias score", 4
    forecasts = fits[["curve_id"]].assign(predictor="averaged", log_score=0.0)
    expected = concentration.tested_curves(fits, forecasts, made.tags)
    assert modelled_curves(fits, made.tags)["curve_id"].tolist() == expected["curve_id"].tolist()
    assert len(expected) == 198


@pytest.mark.parametrize(
    ("chosen", "note"),
    [("m7", "metrics of one class only"), ("t1", "fewer than 6 tasks")],
)
def test_a_benchmark_that_cannot_tell_says_why(chosen: str, note: str) -> None:
    made = benchmark(np.random.default_rng(1), beta=0.0)
    column = "metric" if chosen.startswith("m") else "task"
    fits = made.fits[made.fits[column] == chosen]
    table = model_hierarchy(fits, made.profiles, made.tags, seed=1)
    check(table, HIERARCHY, source="test")
    assert table["estimate"].isna().all()
    assert table["note"].str.startswith(note).all()
    assert len(table.query("parameter == 'beta'")) == 9
