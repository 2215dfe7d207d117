from __future__ import annotations

import pandas as pd
import pytest

from metamirage.contracts.check import check
from metamirage.contracts.counterexamples import AGAINST, CONTRARY
from metamirage.robustness.counterexamples import KINDS, list_contrary

TASKS = ("t0", "t1", "t2")


def fits_of(**changes: object) -> pd.DataFrame:
    """Three tasks, exact match and likelihood, all SMOOTH; ``changes`` go to the curves of t0."""
    rows = [
        {
            "curve_id": f"{task}|{metric}",
            "benchmark": "b",
            "task": task,
            "subtask": "",
            "metric": metric,
            "family": "f",
            "n_shots": 0,
            "n_sizes": 8,
            "verdict": "SMOOTH",
            "excluded": "",
            "p_sharp": 0.2,
            "p_jump": 1.0,
            "log10_width_mean": 0.3,
            "location_mean": 9.0,
            "floor_length": 0.0,
            "concentration_index": 0.5,
            "jump_decade": 0.5,
        }
        for task in TASKS
        for metric in ("exact", "likelihood")
    ]
    table = pd.DataFrame(rows)
    return table.assign(**{k: table[k].where(table["task"] != "t0", v) for k, v in changes.items()})


def tags() -> pd.DataFrame:
    rows = [
        {"task": task, "metric": metric, "discontinuous": step, "nonlinear": step}
        for task in TASKS
        for metric, step in (("exact", "yes"), ("likelihood", "no"))
    ]
    return pd.DataFrame(rows).assign(query="generate")


def forecasts_of(*, direct: float = 1.0, steps: float = 1.0, pit_low: float = 0.5) -> pd.DataFrame:
    """Forecasts of the largest score of t0."""
    common = {"curve_id": "t0|exact", "n_left_out": 1, "target": 1, "crps": 0.1}
    through = {"partner": "t0|likelihood", "stratum": "same outputs"}
    rows = [
        common | {"predictor": "averaged", "partner": "", "stratum": "", "log_score": direct},
        common | through | {"predictor": "two_step", "log_score": steps},
        common | through | {"predictor": "link_given_partner", "log_score": 1, "pit_low": pit_low},
    ]
    return pd.DataFrame(rows)


def estimates(*, upper: float = 0.3, gain: float = 0.2) -> pd.DataFrame:
    common = {"scheme": "discontinuous", "stratum": "same outputs"}
    rows = [
        {"hypothesis": "H2", "estimand": "log10_width", "estimate": -0.1, "upper": upper},
        {"hypothesis": "H4", "estimand": "log_score_gain_rising", "estimate": gain, "upper": 1.0},
    ]
    return pd.DataFrame([common | row for row in rows])


def cases(
    fits: pd.DataFrame, forecasts: pd.DataFrame | None = None, tested: pd.DataFrame | None = None
) -> list[tuple[str, str]]:
    table = list_contrary(
        fits,
        forecasts_of() if forecasts is None else forecasts,
        tags(),
        concentration=estimates() if tested is None else tested,
    )
    check(table, AGAINST, source="test")
    return [*table.loc[table["against"], ["kind", "curve_id"]].itertuples(index=False, name=None)]


def test_nothing_speaks_against_where_all_is_as_the_thesis_says() -> None:
    assert cases(fits_of()) == []


def test_every_place_that_was_searched_is_a_row() -> None:
    table = list_contrary(fits_of(), forecasts_of(), tags(), concentration=estimates())
    assert table["kind"].value_counts().to_dict() == {
        "both_sharp": 3,
        "sharp_continuous": 3,
        "beyond_partner": 1,
        "direct_better": 1,
        "wider": 1,
        "no_foresight": 1,
    }
    assert tuple(KINDS) == CONTRARY


@pytest.mark.parametrize(("apart", "speaks"), [(0.4, True), (0.6, False)])
def test_two_sharp_curves_speak_against_if_they_rise_at_one_size(
    apart: float, speaks: bool
) -> None:
    fits = fits_of(verdict="SHARP")
    fits.loc[fits["curve_id"] == "t0|exact", "location_mean"] += apart
    assert (("both_sharp", "t0|exact") in cases(fits)) == speaks


def test_one_sharp_curve_of_a_pair_is_no_agreement() -> None:
    fits = fits_of()
    fits.loc[fits["curve_id"] == "t0|exact", "verdict"] = "SHARP"
    assert cases(fits) == []


def test_a_sharp_curve_under_a_continuous_metric_speaks_against_by_itself() -> None:
    fits = fits_of()
    fits.loc[fits["curve_id"] == "t0|likelihood", "verdict"] = "SHARP"
    assert cases(fits) == [("sharp_continuous", "t0|likelihood")]


@pytest.mark.parametrize(("pit_low", "speaks"), [(0.96, True), (0.94, False)])
def test_a_score_above_what_its_partner_says_speaks_against(pit_low: float, speaks: bool) -> None:
    found = cases(fits_of(), forecasts_of(pit_low=pit_low))
    assert found == [("beyond_partner", "t0|exact")] * speaks


@pytest.mark.parametrize(("direct", "speaks"), [(2.1, True), (1.9, False)])
def test_a_direct_forecast_that_is_better_by_a_nat_speaks_against(
    direct: float, speaks: bool
) -> None:
    assert cases(fits_of(), forecasts_of(direct=direct)) == [("direct_better", "t0|exact")] * speaks


def test_an_interval_of_h2_below_zero_speaks_against() -> None:
    assert cases(fits_of(), tested=estimates(upper=-0.01)) == [("wider", "")]


def test_forecasts_no_better_through_the_partner_speak_against() -> None:
    assert cases(fits_of(), tested=estimates(gain=0.0)) == [("no_foresight", "")]


def test_curves_that_stay_out_of_the_tests_are_not_searched() -> None:
    fits = fits_of(verdict="SHARP", excluded="bias score")
    table = list_contrary(fits, forecasts_of(), tags(), concentration=estimates())
    assert "t0" not in set(table["task"])
