"""Stage audit: which curves are looked at, and what is found on them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from builders import counted, reference_curves
from metamirage.base.seeds import named_stream
from metamirage.contracts.audit import AUDIT
from metamirage.contracts.check import check
from metamirage.curves.curve import Curve, curve_name
from metamirage.fitting import audit
from metamirage.fitting.audit import audit_curves, choose_curves
from metamirage.fitting.engines import FitRequest, by_quadrature
from metamirage.fitting.fits import FitTables, fit_curves
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.settings import FitSettings


def named(curves: list[Curve]) -> list[Curve]:
    """Give each curve a task of its own."""
    tasks = [{**curve.key, "task": f"t{i}"} for i, curve in enumerate(curves)]
    return [
        replace(curve, key=key, curve_id=curve_name(key))
        for curve, key in zip(curves, tasks, strict=True)
    ]


CURVES = named([reference_curves()[name] for name in ("chance", "rising", "line")])


@pytest.fixture(scope="module")
def fitted() -> FitTables:
    return fit_curves(CURVES, FitSettings(1))


def rows(n: int, **columns: object) -> pd.DataFrame:
    """Make rows of fits that differ in their names alone."""
    known = {
        "curve_id": [f"curve {i}" for i in range(n)],
        "observation": "gaussian",
        "verdict": "FLAT",
        "n_sizes": 8,
        "log_evidence_error": 0.01,
        "method": "quadrature",
    }
    return pd.DataFrame(known | columns)


def choose(fits: pd.DataFrame, n: int, *, seed: int = 1, engine: str = "quadrature") -> set[str]:
    return set(choose_curves(fits, FitSettings(seed, engine=engine), n=n).index)


def test_a_rare_kind_is_looked_at() -> None:
    fits = rows(100, verdict=["SHARP"] + ["FLAT"] * 99)
    for seed in range(20):
        assert "curve 0" in choose(fits, 2, seed=seed)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("observation", ["gaussian", "beta_binomial"]),
        ("verdict", ["SHARP", "SMOOTH"]),
        ("n_sizes", [4, 5]),
        ("n_sizes", [7, 8]),
    ],
)
def test_every_stratum_has_its_share(column: str, values: list[object]) -> None:
    fits = rows(40, **{column: values[:1] * 30 + values[1:] * 10})
    chosen = fits["curve_id"].isin(choose(fits, 12))
    assert chosen[:30].sum() == chosen[30:].sum() == 6


def test_sizes_of_one_class_are_one_stratum() -> None:
    fits = rows(40, n_sizes=[5, 7] * 20)
    # Two strata would give six of each, whatever the seed.
    shares = [
        fits["n_sizes"][fits["curve_id"].isin(choose(fits, 12, seed=s))].mean() for s in range(9)
    ]
    assert len(set(shares)) > 1


def test_the_choice_follows_the_seed_and_the_names() -> None:
    fits = rows(50)
    assert choose(fits, 5) == choose(fits.sample(frac=1, random_state=1), 5)
    assert choose(fits, 5) != choose(fits, 5, seed=2)
    assert len(choose(fits, 5)) == 5
    assert len(choose(fits, 500)) == 50


def test_bad_diagnostics_come_on_top() -> None:
    fits = rows(50, log_evidence_error=[0.06] + [0.01] * 49, method=["quadrature"] * 49 + ["nuts"])
    chosen = choose_curves(fits, FitSettings(1), n=0)
    assert chosen["flagged"].to_dict() == {"curve 0": True, "curve 49": True}
    assert not chosen["in_sample"].any()
    # A row by NUTS is what a run by NUTS makes.
    by_nuts = fits.assign(method="nuts")
    assert choose(by_nuts, 0, engine="nuts") == {"curve 0"}


def test_nothing_chosen_is_an_empty_table() -> None:
    table = audit_curves([], rows(3), FitSettings(1), n_audit=0)
    assert check(table, AUDIT, source="audit").empty


def test_engines_agree_on_clear_curves(fitted: FitTables) -> None:
    table = audit_curves(CURVES, fitted.fits, FitSettings(1), n_audit=9)
    check(table, AUDIT, source="audit")
    assert table["curve_id"].tolist() == [curve.curve_id for curve in CURVES]
    assert table["converged"].all()
    # Twice the half-widths of 95 % intervals.
    assert (table["evidence_gap"].abs() < 2 * table["evidence_gap_error"]).all()
    assert (table["linear_gap"].abs() < 2 * table["linear_gap_error"]).all()
    shifts = table[["log10_width_shift", "location_shift"]].abs().max(axis=1)
    assert (shifts < 2 * table["shift_error"]).all()
    assert (table["p_width_lt_1"] - table["p_width_lt_1_nuts"]).abs().max() < 0.05


def sampled_like(posterior: Posterior, **changes: object) -> Sampled:
    """Return a posterior of the quadrature as if NUTS had made it, with changes."""
    known = {f.name: getattr(posterior, f.name) for f in fields(posterior)}
    return Sampled(**(known | {"r_hat": 1.0, "divergences": 0, "ess": 4000.0} | changes))


def audited(monkeypatch: pytest.MonkeyPatch, fitted: FitTables, **changes: object) -> pd.Series:
    """Audit the first curve with a stand-in for NUTS."""

    def by_nuts(task: FitRequest) -> Sampled:
        # The fits stage may have sampled this curve: a second look takes other draws.
        assert task.stream.entropy != named_stream(1, "fits", task.curve.curve_id).entropy
        posterior = by_quadrature(replace(task, stream=np.random.SeedSequence(5)))
        given = {k: f(posterior) if callable(f) else f for k, f in changes.items()}
        return sampled_like(posterior, **given)

    monkeypatch.setattr(audit, "by_nuts", by_nuts)
    return audit_curves(CURVES[:1], fitted.fits[:1], FitSettings(1), n_audit=1).iloc[0]


def test_the_quadrature_is_that_of_the_fits(
    fitted: FitTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, fit = audited(monkeypatch, fitted), fitted.fits.iloc[0]
    model = fitted.models.set_index(["curve_id", "model"]).loc[(fit["curve_id"], "sigmoid")]
    assert row["log_evidence"] == model["log_evidence"]
    assert row["log_evidence_error"] == model["log_evidence_error"]
    for name in ("log10_width_mean", "log10_width_sd", "location_mean", "p_width_lt_1"):
        # A factor before the mean or after it.
        assert row[name] == pytest.approx(fit[name], rel=1e-12)


def test_a_nat_is_a_nat(fitted: FitTables, monkeypatch: pytest.MonkeyPatch) -> None:
    row = audited(monkeypatch, fitted, log_evidence=lambda p: p.log_evidence + 1, error=0.0)
    assert row["evidence_gap"] == pytest.approx(1.0, abs=4 * row["log_evidence_error"])
    assert row["evidence_gap_error"] == row["log_evidence_error"]
    assert not row["evidence_agrees"]
    assert row["linear_gap"] == pytest.approx(1.0, abs=0.1)


def test_a_shift_is_told_in_posterior_sds(
    fitted: FitTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(posterior: Posterior) -> np.ndarray:
        sd = posterior.sd(posterior.theta[:, 3])
        return posterior.theta + np.array([0, 0, 0, 2 * sd, 0])

    row = audited(monkeypatch, fitted, theta=moved)
    assert row["location_shift"] == pytest.approx(2.0, abs=2 * row["shift_error"])
    assert abs(row["log10_width_shift"]) < 2 * row["shift_error"]
    assert not row["means_agree"]


def test_bad_convergence_is_reported(fitted: FitTables, monkeypatch: pytest.MonkeyPatch) -> None:
    row = audited(monkeypatch, fitted, r_hat=1.3, divergences=200, ess=12.0)
    assert (row["r_hat"], row["divergences"], row["ess"]) == (1.3, 200, 12.0)
    assert not row["converged"]


def test_threads_and_other_curves_change_nothing(fitted: FitTables) -> None:
    few = named([counted(np.array([7.0, 8.0, 9.0]), np.array([0.1, 0.2, 0.6]), items=50)])
    fits = fit_curves(few, FitSettings(1)).fits
    both = pd.concat([fits, fitted.fits[1:2]], ignore_index=True)
    alone = audit_curves(few, fits, FitSettings(1), n_audit=9)
    beside = audit_curves([*few, CURVES[1]], both, FitSettings(1, threads=2), n_audit=9)
    pd.testing.assert_frame_equal(beside[:1], alone, check_exact=True)
