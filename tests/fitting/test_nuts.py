"""NUTS on the PyMC models: one compiled model for all curves, and agreement with the quadrature."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import nutpie
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from builders import BIG_G, GPT_3, counted, logistic, reference_curves
from metamirage.curves.curve import Curve
from metamirage.fitting import nuts
from metamirage.fitting.models import build_model
from metamirage.fitting.nuts import SCHEDULES, Schedule, log_joint, sample
from metamirage.fitting.posterior import MAX_R_HAT, MIN_ESS, Posterior, Sampled
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS, priors_for
from metamirage.fitting.quadrature.integrate import integrate

CURVES = reference_curves()
SHORT = (Schedule(100, 100, 0.9),)
FAMILIES = {
    "beta_binomial": ("three", "step", "rising"),
    "gaussian": ("scored three", "line", "unbounded"),
}
# Log gammas of up to 1e4 lose five digits of sixteen; the rest is a margin.
SAME = 1e-8
PAIRS = [
    ("chance", "sigmoid"),
    ("three", "sigmoid"),
    ("line", "sigmoid"),
    ("step", "linear"),
    ("rising", "power"),
]


@cache
def run(name: str, candidate: str) -> Sampled:
    return run_short(name, candidate, schedules=SCHEDULES)


def run_short(
    name: str, candidate: str, *, seed: int = 1, schedules: tuple[Schedule, ...] = SHORT
) -> Sampled:
    curve, rng = CURVES[name], np.random.default_rng(seed)
    return sample(curve, candidate, priors_for(curve, candidate), rng=rng, schedules=schedules)


@cache
def integrated(name: str, candidate: str) -> Posterior:
    curve, rng = CURVES[name], np.random.default_rng(1)
    return integrate(curve, candidate, priors_for(curve, candidate), rng=rng)


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Models that are compiled while the test runs, from an empty store."""
    seen: list[object] = []
    compile_model: Callable[..., object] = nutpie.compile_pymc_model

    def counting(model: object, **options: object) -> object:
        seen.append(model)
        return compile_model(model, **options)

    monkeypatch.setattr(nutpie, "compile_pymc_model", counting)
    monkeypatch.setattr(nuts, "_COMPILED", {})
    return seen


def test_curves_of_other_lengths_need_no_compilation(compilations: list[object]) -> None:
    for name in ("three", "step", "rising"):
        run_short(name, "flat")
    assert len(compilations) == 1
    run_short("line", "flat")
    assert len(compilations) == 2


def test_the_curve_that_was_compiled_leaves_no_trace(
    compilations: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run_short("rising", "flat")
    monkeypatch.setattr(nuts, "_COMPILED", {})
    run_short("three", "flat")
    assert (run_short("rising", "flat").theta == alone.theta).all()
    assert len(compilations) == 2


@pytest.mark.parametrize("candidate", ["power", "sigmoid"])
@pytest.mark.parametrize("observation", FAMILIES)
def test_the_fed_model_is_that_of_the_curve(observation: str, candidate: str) -> None:
    for name in FAMILIES[observation]:
        window = CURVES[name]
        curve = window.take(window.size < window.size[-1])
        priors = priors_for(window, candidate)
        mean, sd = priors.as_array()[: len(PARAMETERS[candidate])].T
        points = mean + sd * np.random.default_rng(3).standard_normal((20, len(mean)))
        compiled = nuts.compiled_for(curve, candidate, priors, window=window)
        own = build_model(curve, candidate, priors, window=window)
        logp = own.compile_logp(mode="FAST_COMPILE")
        expected = [logp(dict(zip(PARAMETERS[candidate], p, strict=True))) for p in points]
        np.testing.assert_allclose(log_joint(compiled, points), expected, rtol=SAME, atol=SAME)


@pytest.mark.parametrize(("name", "candidate"), PAIRS)
def test_evidence_is_that_of_the_quadrature(name: str, candidate: str) -> None:
    sampled, quadrature = run(name, candidate), integrated(name, candidate)
    assert sampled.converged
    # Half-widths of 95 % intervals: twice the two together is four standard errors.
    both = np.hypot(sampled.error, quadrature.error)
    assert abs(sampled.log_evidence - quadrature.log_evidence) < 2 * both
    assert sampled.error < 0.05


@pytest.mark.parametrize(("name", "candidate"), PAIRS)
def test_means_are_those_of_the_quadrature(name: str, candidate: str) -> None:
    sampled, quadrature = run(name, candidate), integrated(name, candidate)
    # Four standard errors of the difference, in posterior sds.
    tolerance = 4 * np.sqrt(1 / sampled.ess + 1 / quadrature.ess)
    for j in range(len(PARAMETERS[candidate])):
        theirs = quadrature.theta[:, j]
        gap = sampled.mean(sampled.theta[:, j]) - quadrature.mean(theirs)
        assert abs(gap) < tolerance * quadrature.sd(theirs)


def test_a_seed_gives_the_same_bits_in_any_thread() -> None:
    alone = run_short("step", "sigmoid")
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: run_short("step", "sigmoid"), range(6)))
    assert all((other.theta == alone.theta).all() for other in runs)
    assert {other.log_evidence for other in runs} == {alone.log_evidence}
    assert (run_short("step", "sigmoid", seed=2).theta != alone.theta).any()


def test_a_window_reaches_the_chains() -> None:
    window = counted(GPT_3, 0.1 + 0.7 * logistic(GPT_3, location=9.5, width=3.0), items=500)
    part = window.take(window.size < 10)
    priors = priors_for(window, "linear")

    def level_at_the_end(anchor: Curve) -> float:
        rng = np.random.default_rng(1)
        sampled = sample(part, "linear", priors, rng=rng, window=anchor)
        return sampled.mean(sampled.theta[:, 2])

    # The line is asked for its level 1.4 decades on, and it rises.
    assert level_at_the_end(window) > level_at_the_end(part) + 0.5


def test_chains_that_do_not_converge_say_so() -> None:
    sampled = run_short("scored three", "sigmoid", schedules=(Schedule(5, 20, 0.8),))
    assert not sampled.converged
    assert sampled.r_hat > MAX_R_HAT
    assert sampled.ess < MIN_ESS


def test_a_quadratic_with_two_modes_says_so() -> None:
    # A clear fall turns before the window or after it; no chain passes from one to the other.
    sampled = run_short("falling", "quadratic", schedules=(Schedule(400, 400, 0.9),))
    assert {*np.sign(sampled.theta[:, 3])} == {-1.0, 1.0}
    assert sampled.r_hat > 1.1


def test_the_next_schedule_is_run_only_where_the_first_fails() -> None:
    hopeless = Schedule(5, 20, 0.8)
    assert (
        len(run_short("step", "linear", schedules=(hopeless, Schedule(500, 700, 0.9))).weights)
        == 2800
    )
    assert (
        len(run_short("step", "linear", schedules=(Schedule(500, 700, 0.9), hopeless)).weights)
        == 2800
    )


def posterior(**changes: object) -> Sampled:
    whole = run("step", "linear")
    return replace(whole, **({"r_hat": 1.005, "ess": 500.0, "divergences": 4} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "converged"),
    [
        ({}, True),
        ({"r_hat": 1.02}, False),
        ({"r_hat": np.nan}, False),
        ({"ess": 399.0}, False),
        # A thousandth of 4,000 draws.
        ({"divergences": 5}, False),
    ],
)
def test_convergence_wants_all_three(changes: dict[str, object], converged: bool) -> None:
    assert posterior(**changes).converged == converged


def test_chains_that_stand_still_have_not_converged() -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat = nuts.diagnosed(nuts.az.rhat, np.ones((4, 100, 2))).max()
    assert not posterior(r_hat=float(r_hat)).converged


@pytest.mark.parametrize("name", ["chance", "three", "line"])
def test_the_profile_integrates_to_the_evidence(name: str) -> None:
    sampled, priors = run(name, "sigmoid"), priors_for(CURVES[name], "sigmoid")
    middles = np.log(10) * (LOG10_WIDTH_NODES[1:] + LOG10_WIDTH_NODES[:-1]) / 2
    mass = np.diff(norm.cdf(middles, *priors.shape2), prepend=0.0, append=1.0)
    total = logsumexp(sampled.profile, b=mass)
    assert total == pytest.approx(sampled.log_evidence, abs=1e-9)


@pytest.mark.parametrize("name", ["chance", "three", "line"])
def test_the_profile_is_that_of_the_quadrature_where_the_draws_are(name: str) -> None:
    sampled, quadrature = run(name, "sigmoid"), integrated(name, "sigmoid")
    prior = priors_for(CURVES[name], "sigmoid").shape2
    joint = quadrature.profile + norm.logpdf(np.log(10) * LOG10_WIDTH_NODES, *prior)
    shares = np.exp(joint - logsumexp(joint))
    heavy = shares > 0.03
    assert heavy.sum() >= 4
    # A share of 0.03 of some 600 effective draws is known within a quarter; three of these.
    assert np.abs(sampled.profile - quadrature.profile)[heavy].max() < 0.75


def test_the_profile_is_bounded_where_no_draw_is() -> None:
    curve = counted(BIG_G, 0.02 + 0.9 * logistic(BIG_G, location=9.2, width=4.0), items=1000)
    rng = np.random.default_rng(1)
    sampled = sample(curve, "sigmoid", priors_for(curve, "sigmoid"), rng=rng)
    floor = sampled.log_evidence - np.log(len(sampled.weights) + 1)
    # A width of a twentieth of a decade, for a rise of four.
    assert sampled.profile[0] == pytest.approx(floor, abs=1e-9)
    assert (sampled.profile >= floor - 1e-9).all()
