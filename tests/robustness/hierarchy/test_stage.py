"""The hierarchical model: its likelihood against closed forms, its answers against known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from hierarchy_builders import NODES, benchmark, design_of
from metamirage.base.arrays import FloatArray
from metamirage.contracts.check import check
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.hypotheses import concentration
from metamirage.robustness.hierarchy import stage as hierarchy
from metamirage.robustness.hierarchy.density import Layout, dimension, log_density
from metamirage.robustness.hierarchy.design import Design, caution, modelled_curves, reliability
from metamirage.robustness.hierarchy.draws import Draws, reweighted
from metamirage.robustness.hierarchy.model import build_model
from metamirage.robustness.hierarchy.rows import quantiles, residual_ranks, summary_rows
from metamirage.robustness.hierarchy.stage import (
    SCHEDULES,
    Schedule,
    model_hierarchy,
    sample,
    scales_for,
)
from metamirage.robustness.hierarchy.width_mixture import (
    cell_edges,
    fill_cells,
    mixture,
    profile_weights,
)

EDGES = cell_edges(NODES)
STEP = NODES[1] - NODES[0]
# Sums of a few dozen terms.
EXACT = 1e-12
# Enough for a posterior mean to a tenth of its sd.
SHORT = (Schedule(300, 300, 0.9),)


def spikes(*nodes: int) -> FloatArray:
    profiles = np.full((len(nodes), len(NODES)), -1e6)
    profiles[np.arange(len(nodes)), nodes] = 0.0
    return profile_weights(profiles)


@pytest.mark.parametrize("mu", [-40.0, -3.0, 0.4, 3.0, 40.0])
@pytest.mark.parametrize("tau", [1e-3, 0.1, 0.5, 30.0])
def test_cells_have_the_probabilities_of_a_normal(mu: float, tau: float) -> None:
    cells = np.empty((3, len(NODES)))
    fill_cells(mu, tau, EDGES, cells)
    below, above = norm.cdf(EDGES, mu, tau), norm.sf(EDGES, mu, tau)
    low, high = np.diff(below, prepend=0, append=1), -np.diff(above, prepend=1, append=0)
    # The rational function of the tail promises no more than eight digits and 1e-15.
    assert cells[0] == pytest.approx(np.where(mu > NODES, low, high), rel=1e-7, abs=1e-15)
    assert cells.sum(axis=1) == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)


def test_two_known_widths_give_a_normal_regression() -> None:
    # The cell's mean density is the node's to (step / tau)^2 / 24 = 0.0014 times z^2 - 1.
    mu, tau = np.array([0.2, -0.1]), 1.0
    value, by_mu, by_tau = mixture(mu, tau, spikes(20, 12), np.array([0, 1, 2]), EDGES)
    z = (NODES[[20, 12]] - mu) / tau
    assert value == pytest.approx(norm.logpdf(z).sum() + 2 * np.log(STEP), abs=0.01)
    assert by_mu == pytest.approx(z / tau, abs=0.01)
    assert by_tau == pytest.approx(((z**2 - 1) / tau).sum(), abs=0.01)


@pytest.mark.parametrize("mu", [-50.0, 0.3, 50.0])
@pytest.mark.parametrize("tau", [1e-3, 0.5, 30.0])
def test_flat_profiles_add_nothing_wherever_the_mean_is(mu: float, tau: float) -> None:
    weights = profile_weights(np.full((3, len(NODES)), -7.0))
    value, by_mu, by_tau = mixture(np.array([mu]), tau, weights, np.array([0, 3]), EDGES)
    assert value == pytest.approx(0.0, abs=EXACT)
    assert by_mu == pytest.approx([0.0], abs=1e-9)
    assert by_tau == pytest.approx(0.0, abs=1e-9)


def position(layout: Layout, seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(-0.3, 0.4, dimension(layout))


def as_point(q: FloatArray, layout: Layout) -> dict[str, FloatArray]:
    """Name the parts of a position as PyMC names its unconstrained variables."""
    many = layout.n_families > 1
    shapes = {"b0": (), "beta": ()}
    shapes |= {"gamma": (layout.n_queries - 1,)} if layout.n_queries > 1 else {}
    spreads = ["s_metric", "s_task", *(["s_family"] if many else []), "tau"]
    shapes |= {f"{name}_log__": () for name in spreads}
    shapes["metric" if layout.metric_centred else "metric_z"] = (layout.n_metrics,)
    zero_sum = {"task": layout.task_centred} | ({"family": layout.family_centred} if many else {})
    for name, centred in zero_sum.items():
        size = getattr(layout, {"task": "n_tasks", "family": "n_families"}[name]) - 1
        shapes[f"{name}_zerosum__" if centred else f"{name}_z_zerosum__"] = (size,)
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    parts = np.split(q, np.cumsum(sizes)[:-1])
    return {
        name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


@pytest.mark.parametrize(
    ("n_families", "queries", "centred"),
    [(1, 1, False), (3, 1, True), (3, 3, False), (1, 2, True)],
)
def test_compiled_density_is_that_of_the_pymc_model(
    n_families: int, queries: int, centred: bool
) -> None:
    design = design_of(benchmark(np.random.default_rng(5), beta=-0.7, n_families=n_families))
    layout = design.layout._replace(
        n_queries=queries, metric_centred=centred, task_centred=centred, family_centred=centred
    )
    data = design.data._replace(query=np.arange(layout.n_metrics) % queries)
    model = build_model(scales_for("smooth"), layout, data)
    logp, dlogp = (f(mode="FAST_COMPILE") for f in (model.compile_logp, model.compile_dlogp))
    for seed in range(3):
        q = position(layout, seed)
        value, gradient = log_density(q, scales_for("smooth"), layout, data)
        point = as_point(q, layout)
        assert value == pytest.approx(float(logp(point)), abs=1e-8)
        order = {v.name: i for i, v in enumerate(model.continuous_value_vars)}
        found = np.split(dlogp(point), np.cumsum([point[n].size for n in order])[:-1])
        expected = np.concatenate([found[order[name]] for name in point])
        assert gradient == pytest.approx(expected, abs=1e-7)


@pytest.fixture(scope="module")
def known() -> Design:
    return design_of(benchmark(np.random.default_rng(3), beta=-0.7))


@pytest.fixture(scope="module")
def draws(known: Design) -> Draws:
    return sample(known, scales_for("default"), seed=3, threads=1)


def test_recovers_what_the_curves_were_drawn_from(draws: Draws) -> None:
    assert draws.failure == ""
    for name, truth in {"beta": -0.7, "tau": 0.5, "s_task": 0.3, "s_metric": 0.2}.items():
        low, high = quantiles(draws.reported[name], draws.weights, (0.05, 0.95))
        assert low < truth < high
    shares = sum(draws.reported[name] for name in draws.reported if name.startswith("share"))
    assert shares == pytest.approx(np.ones_like(shares), abs=EXACT)


def test_draws_do_not_depend_on_threads(known: Design) -> None:
    few = (Schedule(50, 50, 0.9),)
    one, two = (
        sample(known, scales_for("default"), seed=3, threads=n, schedules=few) for n in (1, 2)
    )
    assert np.array_equal(one.reported["beta"], two.reported["beta"])


def test_reweighted_draws_are_those_of_the_other_prior(known: Design, draws: Draws) -> None:
    # So narrow a prior that it has something to say beside 200 curves.
    sampled, wanted = scales_for("default"), scales_for("sharp")._replace(intercept_sd=0.5)
    moved = reweighted(draws, sampled, wanted)
    direct = sample(known, wanted, seed=4, threads=1, schedules=SHORT)
    mean, sd = (moved.weights * moved.b0).sum(), draws.b0.std()
    assert mean < draws.b0.mean() - 0.2 * sd
    # Each mean is known to a twentieth of an sd.
    assert mean == pytest.approx(direct.b0.mean(), abs=0.2 * sd)
    assert moved.ess("beta") < draws.ess("beta")


def test_draws_too_far_from_the_other_prior_are_not_believed(draws: Draws) -> None:
    far = scales_for("default")._replace(intercept=9.0, intercept_sd=0.05)
    assert "Pareto k" in reweighted(draws, scales_for("default"), far).failure


def test_chains_that_did_not_converge_give_no_number(known: Design, draws: Draws) -> None:
    parted = draws.reported | {"beta": draws.reported["beta"] + np.arange(4)[:, None]}
    broken = replace(draws, reported=parted, divergences=40)
    rows = list(summary_rows(broken, known, note="", rng=np.random.default_rng(1)))
    beta = next(row for row in rows if row["parameter"] == "beta")
    assert "R-hat" in str(beta["note"])
    assert "40 divergent transitions" in str(beta["note"])
    assert all(np.isnan(row["estimate"]) and np.isnan(row["p_negative"]) for row in rows)
    assert beta["r_hat"] > 1.5


def test_other_priors_start_at_the_schedule_that_did(
    known: Design, draws: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Schedule, ...]] = []

    def sampled(*_: object, schedules: tuple[Schedule, ...] = SCHEDULES, **__: object) -> Draws:
        asked.append(schedules)
        return replace(draws, n_tried=2)

    far = replace(draws, pareto_k=2.0)
    monkeypatch.setattr(hierarchy, "sample", sampled)
    monkeypatch.setattr(
        hierarchy, "reweighted", lambda first, have, want: first if have == want else far
    )
    tables = benchmark(np.random.default_rng(3), beta=-0.7)
    model_hierarchy(*tables, seed=3)
    assert asked == [SCHEDULES, SCHEDULES[1:], SCHEDULES[1:]]


def test_ranks_are_uniform_under_the_model_and_not_under_a_wrong_one(known: Design) -> None:
    n_groups = len(known.data.starts) - 1
    data = known.data._replace(weights=np.ones_like(known.data.weights))
    flat = known._replace(data=data)
    ranks = residual_ranks(flat, np.zeros(n_groups), 0.8, rng=np.random.default_rng(1))
    # 200 uniform ranks: five standard errors of a mean.
    assert ranks.mean() == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / 200))
    wrong = residual_ranks(known, np.full(n_groups, 3.0), 0.5, rng=np.random.default_rng(1))
    assert wrong.mean() < 0.1


def test_levels_far_apart_are_known_better_than_their_spread_tells() -> None:
    level, sort = np.repeat([0, 1, 2], 4), np.zeros(3, dtype=np.int64)
    known = np.full(12, 10.0)
    # Four curves of inverse variance 10 a level, which spread by a variance of 2/3, less 2/120.
    apart = np.repeat([-1.0, 0.0, 1.0], 4)
    assert reliability(apart, known, level, sort) == pytest.approx(40 * (2 / 3 - 2 / 120))
    assert reliability(np.zeros(12), known, level, sort) == 0.0
    # Of two sorts, each about its own mean.
    assert reliability(apart, known, level, np.array([0, 0, 1])) == pytest.approx(
        40 * (1 / 6 - 1 / 120)
    )


def test_quantiles_follow_the_weights() -> None:
    values, weights = np.array([[3.0, 1.0], [2.0, 4.0]]), np.array([[0.1, 0.2], [0.6, 0.1]])
    assert quantiles(values, weights, (0.1, 0.5, 0.95)) == [1.0, 2.0, 4.0]


def test_a_class_of_one_metric_is_named(known: Design) -> None:
    assert caution(known) == ""
    lone = known._replace(data=known.data._replace(side=np.r_[0.5, np.full(9, -0.5)]))
    assert caution(lone) == "one metric in a class: priors alone tell its class from itself"


def test_curves_are_those_of_the_other_tests() -> None:
    made = benchmark(np.random.default_rng(1), beta=0.0)
    fits = made.fits.assign(verdict="SHARP")
    fits.loc[0, "excluded"], fits.loc[1, "n_sizes"] = "bias score", 4
    forecasts = fits[["curve_id"]].assign(
        predictor="averaged", log_score=0.0, n_left_out=1, target=1
    )
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
    assert len(table.query("parameter == 'beta'")) == 3
