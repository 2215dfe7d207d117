"""Stage fits: verdicts of clear curves, independence of each curve, contracts."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from builders import BIG_G, GPT_3, counted, logistic, make_curve, reference_curves, step, tags_row
from metamirage.base.vocabulary import CANDIDATES
from metamirage.contracts.check import check
from metamirage.contracts.fits import FITS, MODELS, PROFILES
from metamirage.curves.curve import Curve
from metamirage.fitting import engines
from metamirage.fitting.engines import Effort, FitRequest, before_last
from metamirage.fitting.fits import FitTables, fit_curves, log_grain
from metamirage.fitting.posterior import Posterior, Sampled
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import forecast_curves

CLEAR = {
    "SHARP": counted(BIG_G, 0.02 + 0.7 * logistic(BIG_G, location=9.2, width=0.3), items=1000),
    "SMOOTH": counted(BIG_G, 0.02 + 0.9 * logistic(BIG_G, location=9.2, width=4.0), items=1000),
    "FLAT": counted(BIG_G, np.full(12, 0.25), items=1000, chance=0.25),
    "INVERSE": counted(BIG_G, np.linspace(0.6, 0.2, 12), items=1000, chance=0.5),
}
REFERENCE = reference_curves()
MIXED = [REFERENCE[name] for name in ("step", "line", "unbounded")]


def renamed(curves: list[Curve]) -> list[Curve]:
    """Give each curve a name of its own: the stage tells them apart by it."""
    return [
        make_curve(
            c.size,
            c.z,
            items=c.n_items,
            stderr=c.stderr,
            chance=c.chance,
            bounded=c.bounded,
            name=n,
        )
        for c, n in zip(curves, "abcdefgh", strict=False)
    ]


@pytest.fixture(scope="module")
def fitted() -> FitTables:
    return fit_curves(renamed(MIXED), FitSettings(1))


@pytest.mark.parametrize("expected", CLEAR)
def test_clear_curves_get_their_verdict(expected: str) -> None:
    assert fit_curves([CLEAR[expected]], FitSettings(1)).fits["verdict"].tolist() == [expected]


@pytest.mark.parametrize("expected", ["SHARP", "SMOOTH", "INVERSE"])
def test_four_sizes_of_a_clear_curve_stay_unresolved(expected: str) -> None:
    curve = CLEAR[expected]
    few = curve.take(np.isin(np.arange(12), [0, 5, 8, 11]))
    assert fit_curves([few], FitSettings(1)).fits["verdict"].tolist() == ["UNRESOLVED"]


def test_a_step_in_scores_with_errors_is_sharp() -> None:
    curve = make_curve(BIG_G, 0.05 + 0.8 * step(12, at=6), stderr=0.01, chance=0.05)
    assert fit_curves([curve], FitSettings(1)).fits["verdict"].tolist() == ["SHARP"]


def test_threads_change_nothing(fitted: FitTables) -> None:
    again = fit_curves(renamed(MIXED), FitSettings(1, threads=3))
    pd.testing.assert_frame_equal(again.fits, fitted.fits, check_exact=True)
    pd.testing.assert_frame_equal(again.models, fitted.models, check_exact=True)
    pd.testing.assert_frame_equal(again.profiles, fitted.profiles, check_exact=True)


def test_other_curves_change_nothing(fitted: FitTables) -> None:
    last = renamed(MIXED)[2]
    alone = fit_curves([last], FitSettings(1))
    kept = fitted.fits[fitted.fits["curve_id"] == last.curve_id].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.fits, kept, check_exact=True)


def test_each_curve_draws_from_a_stream_of_its_own() -> None:
    twins = fit_curves(renamed([MIXED[0], MIXED[0]]), FitSettings(1)).models
    first, second = (rows["log_evidence"].to_numpy() for _, rows in twins.groupby("curve_id"))
    assert (first != second).all()


def test_the_seed_changes_the_draws_and_not_the_conclusion(fitted: FitTables) -> None:
    other = fit_curves(renamed(MIXED), FitSettings(2))
    assert (other.models["log_evidence"] != fitted.models["log_evidence"]).all()
    # The promised accuracy, twice.
    np.testing.assert_allclose(
        other.models["log_evidence"], fitted.models["log_evidence"], atol=0.1, rtol=0
    )


def test_tables_keep_their_contracts(fitted: FitTables) -> None:
    check(fitted.fits, FITS, source="fits")
    check(fitted.models, MODELS, source="models")
    check(fitted.profiles, PROFILES, source="profiles")


def test_each_curve_has_its_rows(fitted: FitTables) -> None:
    ids = [curve.curve_id for curve in renamed(MIXED)]
    assert fitted.fits["curve_id"].tolist() == ids
    pairs = [(i, c) for i in ids for c in CANDIDATES]
    assert list(fitted.models[["curve_id", "model"]].itertuples(index=False, name=None)) == pairs
    for _, profile in fitted.profiles.groupby("curve_id"):
        assert profile["log10_width"].tolist() == LOG10_WIDTH_NODES.tolist()


def test_a_curve_that_falls_and_rises_sets_off_the_alarm() -> None:
    valley = 0.2 + 0.5 * ((BIG_G - 8.5) / 2.6) ** 2
    curves = [
        counted(BIG_G, valley, items=500, name="valley"),
        counted(BIG_G, 0.2 + 0.1 * (BIG_G - 6.3), items=500, name="line"),
    ]
    alarm = fit_curves(curves, FitSettings(1)).fits["p_nonmonotone"]
    assert alarm[0] > 0.95
    assert alarm[1] < 0.05


def test_weights_are_the_softmax_of_the_evidence(fitted: FitTables) -> None:
    for _, rows in fitted.models.groupby("curve_id"):
        odds = np.exp(rows["log_evidence"] - rows["log_evidence"].max())
        np.testing.assert_allclose(rows["weight"], odds / odds.sum(), rtol=1e-9)


def test_the_bayes_factor_is_that_of_the_evidence(fitted: FitTables) -> None:
    wide = fitted.models.pivot_table(index="curve_id", columns="model", values="log_evidence")
    expected = (wide["sigmoid"] - wide["linear"]) / np.log(10)
    found = fitted.fits.set_index("curve_id")["log10_bf_sigmoid_linear"]
    np.testing.assert_allclose(found.astype(float), expected[found.index], rtol=1e-9)


def test_candidates_report_the_parameters_they_have(fitted: FitTables) -> None:
    for candidate, rows in fitted.models.groupby("model"):
        for name in PARAMETERS["sigmoid"]:
            known = name in PARAMETERS[str(candidate)]
            assert rows[f"{name}_mean"].notna().all() == known
            assert (rows[f"{name}_sd"] > 0).all() == known


# Not an unbounded metric, whose forecast works on a scale of its own; and no Gaussian score whose
# line leaves the range, where a forecast stops at the edge and the density of the fit does not.
PAIRED = [REFERENCE[name] for name in ("chance", "rising", "step", "falling", "line")]


@pytest.mark.parametrize("curve", renamed(PAIRED), ids=lambda curve: curve.key["task"])
def test_elpd_of_the_last_size_equals_the_log_score_of_its_forecast(curve: Curve) -> None:
    models = fit_curves([curve], FitSettings(1)).models.set_index("model")
    forecasts = forecast_curves([curve], tags_row()[:0], FitSettings(7))
    forecasts = forecasts[forecasts["n_left_out"] == 1].set_index("predictor")
    for candidate in CANDIDATES:
        by_chain_rule, se = models.loc[candidate, ["elpd_last", "elpd_se"]]
        by_draws, draws_se = forecasts.loc[candidate, ["log_score", "log_score_se"]]
        # Five standard errors; an edge of 1e-4 about extrapolated means may add a hundredth.
        assert abs(by_chain_rule - by_draws) < 5 * np.hypot(se, draws_se) + 0.01


def test_elpd_of_counts_is_a_density_of_the_score() -> None:
    curve = make_curve(GPT_3, np.full(8, 0.5), items=[10, 10, 10, 10, 10, 10, 10, 40])
    # One of 40 counts spreads its probability over 1/40 of the scale.
    assert log_grain(curve) == pytest.approx(np.log(40))
    assert log_grain(make_curve(GPT_3, np.full(8, 0.5))) == 0.0


def test_before_last_drops_every_replicate_of_the_largest_size() -> None:
    curve = make_curve([7, 8, 9, 10, 10], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert before_last(curve).z.tolist() == [0.1, 0.2, 0.3]


def test_the_width_prior_reaches_the_fit() -> None:
    # Three sizes say little of the width, so the prior's lean shows.
    curve = REFERENCE["three"]
    medians = [
        fit_curves([curve], FitSettings(1, prior)).fits["width_median"].item()
        for prior in ("sharp", "default", "smooth")
    ]
    assert medians == sorted(medians)
    assert medians[2] > 2 * medians[0]


def sampled_like(posterior: Posterior, *, error: float, r_hat: float = 1.0) -> Sampled:
    """Return what NUTS might have made of a posterior, a nat off."""
    known = {f.name: getattr(posterior, f.name) for f in fields(posterior)}
    changed = {"log_evidence": posterior.log_evidence + 1.0, "error": error, "ess": 4000.0}
    return Sampled(**(known | changed), r_hat=r_hat, divergences=0)


def redone(monkeypatch: pytest.MonkeyPatch, **outcome: float) -> tuple[FitTables, list[str]]:
    """Fit a curve as if the quadrature of sigmoid were unsure, with a given outcome of NUTS."""
    asked = []
    by_quadrature = engines.by_quadrature

    def unsure(task: FitRequest, effort: Effort) -> Posterior:
        posterior = by_quadrature(task, effort)
        error = 0.07 if task.candidate == "sigmoid" else posterior.error
        return replace(posterior, error=error)

    def by_nuts(task: FitRequest) -> Sampled:
        asked.append(task.candidate)
        return sampled_like(by_quadrature(task), **outcome)

    with monkeypatch.context() as patched:
        patched.setattr(engines, "by_quadrature", unsure)
        patched.setattr(engines, "by_nuts", by_nuts)
        return fit_curves(renamed(MIXED[:1]), FitSettings(1)), asked


def test_nuts_replaces_what_the_quadrature_is_unsure_of(
    fitted: FitTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, asked = redone(monkeypatch, error=0.03, r_hat=1.004)
    # Once: the evidence without the largest size may be unsure.
    assert asked == ["sigmoid"]
    row = again.fits.iloc[0]
    assert (row["method"], row["r_hat"], row["divergences"]) == ("nuts", 1.004, 0)
    models = again.models.set_index("model")
    assert models["method"].to_dict() == dict.fromkeys(CANDIDATES, "quadrature") | {
        "sigmoid": "nuts"
    }
    before = fitted.models[fitted.models["curve_id"] == row["curve_id"]].set_index("model")
    gain = models["log_evidence"] - before["log_evidence"]
    assert gain["sigmoid"] == pytest.approx(1.0)
    assert gain["linear"] == 0.0
    for table, contract in ((again.fits, FITS), (again.models, MODELS), (again.profiles, PROFILES)):
        check(table, contract, source=contract.name)


@pytest.mark.parametrize("outcome", [{"error": 0.08}, {"error": 0.03, "r_hat": 1.02}])
def test_nuts_that_is_no_better_replaces_nothing(
    outcome: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    again, asked = redone(monkeypatch, **outcome)
    assert asked == ["sigmoid"]
    assert again.fits["method"].tolist() == ["quadrature"]
    assert again.fits["log_evidence_error"].item() == 0.07
    assert again.fits["r_hat"].isna().all()
    assert again.fits["divergences"].isna().all()


def test_the_log_says_how_many_evidences_stay_unsure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="metamirage"):
        redone(monkeypatch, error=0.08)
        redone(monkeypatch, error=0.03)
    ends = [record.getMessage() for record in caplog.records if "NUTS" in record.getMessage()]
    assert ends == [
        "fits: NUTS made 0 of 5 posteriors, 0 of them not converged;"
        " 1 evidence known to less than 0.05 nats",
        "fits: NUTS made 1 of 5 posteriors, 0 of them not converged;"
        " 0 evidences known to less than 0.05 nats",
    ]


def test_nuts_makes_every_row_where_it_is_the_engine(fitted: FitTables) -> None:
    # Three sizes: the shortest chains.
    curves = renamed([REFERENCE["three"]])
    sampled, integrated = (
        fit_curves(curves, FitSettings(1, engine="nuts")),
        fit_curves(curves, FitSettings(1)),
    )
    assert set(sampled.models["method"]) == {"nuts"}
    assert sampled.models[["r_hat", "divergences"]].notna().all(axis=None)
    both = [f.models.set_index("model") for f in (sampled, integrated)]
    gap = both[0]["log_evidence"] - both[1]["log_evidence"]
    # Twice the half-widths of 95 % intervals.
    known = np.hypot(*(m["log_evidence_error"] for m in both))
    assert (gap.abs() < 2 * known).all()
    assert abs(sampled.fits["p_width_lt_1"] - integrated.fits["p_width_lt_1"]).item() < 0.05
    parts = ((sampled.fits, FITS), (sampled.models, MODELS), (sampled.profiles, PROFILES))
    for table, contract in parts:
        check(table, contract, source=contract.name)
