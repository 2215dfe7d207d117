"""What the page says of the hierarchical model follows its table."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from metamirage.contracts.check import check
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.report import hierarchical
from metamirage.report.pages import render_benchmark
from metamirage.report.text import NBSP
from report_builders import report_inputs

PRIORS = ("default", "smooth", "sharp")
SCHEMES = ("discontinuous", "nonlinear", "either")


def row(scheme: str, prior: str, parameter: str, **changes: object) -> dict[str, object]:
    known: dict[str, object] = {
        "benchmark": "invented",
        "scheme": scheme,
        "prior": prior,
        "parameter": parameter,
        "estimate": 0.25,
        "lower": 0.125,
        "upper": 0.5,
        "p_negative": np.nan,
        "p_check": np.nan,
        "r_hat": 1.002,
        "ess_bulk": 900.0,
        "divergences": 0,
        "pareto_k": np.nan,
        "n_curves": 186,
        "n_tasks": 51,
        "n_families": 1,
        "n_metrics": 7,
        "seed": 1,
        "note": "",
    }
    return known | changes


def table(*, estimate: float = -0.5, p: dict[str, float] | None = None) -> pd.DataFrame:
    """Make a table with one class effect everywhere and P(narrower) by prior."""
    sure = dict.fromkeys(PRIORS, 0.97) | (p or {})
    rows = []
    for scheme in SCHEMES:
        for prior in PRIORS:
            rows += [
                row(scheme, prior, "beta", estimate=estimate, p_negative=sure[prior]),
                row(scheme, prior, "ratio", estimate=0.61, lower=0.4, upper=0.93),
                row(scheme, prior, "share_metric", estimate=0.3, lower=0.1, upper=0.6),
                row(scheme, prior, "share_task", estimate=0.2, lower=0.1, upper=0.3),
                row(scheme, prior, "share_family", estimate=np.nan, note="one family"),
                row(scheme, prior, "share_curve", estimate=0.5, lower=0.2, upper=0.8),
                row(scheme, prior, "check_tails", estimate=0.14, lower=0.07, upper=0.13,
                    p_check=0.004),
            ]  # fmt: skip
    made = pd.DataFrame(rows).astype({"divergences": "Int64"})
    return check(made[list(HIERARCHY.columns)], HIERARCHY, source="invented")


def test_a_direction_sure_under_all_priors_is_a_finding() -> None:
    said = hierarchical.class_effect(table())
    assert "186 curves (51 tasks, 1 family, 7 metrics)" in said
    assert "0.61 times as wide as others (90 % interval 0.4 to 0.93)" in said
    assert "0.97 (default), 0.97 (smooth), 0.97 (sharp); they are narrower" in said


@pytest.mark.parametrize("p_negative", [0.94, 0.96])
def test_a_direction_is_called_where_the_central_interval_excludes_no_effect(
    p_negative: float,
) -> None:
    # A Normal posterior of sd one: its 95 % quantile is below zero where P(< 0) is above 0.95.
    upper = norm.ppf(0.95) - norm.ppf(p_negative)
    said = hierarchical.direction(
        pd.DataFrame({"estimate": [-1.0] * 3, "p_negative": [p_negative] * 3})
    )
    assert (said == "narrower") == (upper < 0)


@pytest.mark.parametrize("prior", PRIORS)
def test_one_unsure_prior_takes_the_finding_back(prior: str) -> None:
    said = hierarchical.class_effect(table(p={prior: 0.89}))
    assert f"0.89 ({prior})" in said
    assert "no direction is shown" in said
    assert "they are" not in said


def test_the_other_direction_has_its_own_word() -> None:
    sure = dict.fromkeys(PRIORS, 0.02)
    assert "they are wider" in hierarchical.class_effect(table(estimate=0.5, p=sure))


def test_chains_that_failed_claim_nothing() -> None:
    failed = table()
    here = (failed["prior"] == "sharp") & failed["parameter"].isin(["beta", "ratio"])
    failed.loc[here, ["estimate", "lower", "upper", "p_negative"]] = np.nan
    failed.loc[here, "note"] = "not converged: R-hat 1.204; 31 divergent transitions"
    said = hierarchical.class_effect(failed)
    assert "R-hat 1.204; 31 divergent transitions; prior sharp" in said
    assert "nothing is claimed" in said
    assert "narrower" not in said


def test_a_benchmark_that_cannot_tell_says_why_and_draws_nothing() -> None:
    silent = table().assign(estimate=np.nan, note="metrics of one class only")
    assert hierarchical.class_effect(silent) == (
        "There is no model of all widths: metrics of one class only."
    )
    exhibit = hierarchical.hierarchy_exhibit(silent)
    assert (exhibit.image, exhibit.caption) == ("", hierarchical.class_effect(silent))
    assert hierarchical.hierarchy_table(silent).rows == ()
    assert hierarchical.variance_shares(silent) == ""


def test_shares_are_told_with_their_intervals() -> None:
    said = hierarchical.variance_shares(table())
    expected = "metrics 30 % (10 % to 60 %); tasks 20 % (10 % to 30 %)"
    assert f"{expected}; curves of one kind 50 % (20 % to 80 %)" in said.replace(NBSP, " ")
    assert "families" not in said


def test_a_model_that_misses_its_curves_says_so() -> None:
    said = hierarchical.misfit(table()).replace(NBSP, " ")
    assert "outer tenth 14 %, expected 7.0 % to 13 %, which the model does not explain" in said
    right = table().assign(p_check=0.4)
    assert "does not explain" not in hierarchical.misfit(right)


def test_the_figure_follows_the_table() -> None:
    one, other = (hierarchical.hierarchy_exhibit(t).image for t in (table(), table()))
    moved = table()
    moved.loc[moved["parameter"] == "ratio", "estimate"] = 0.7
    assert one == other
    assert hierarchical.hierarchy_exhibit(moved).image != one


def test_the_page_shows_the_sentences_of_its_table() -> None:
    page = render_benchmark(replace(report_inputs(), hierarchy=table()))
    said = unescape(" ".join(page.split()))
    for sentence in hierarchical.sentences(table()).values():
        assert " ".join(sentence.split()) in said
    assert 'id="hierarchy-table"' in page
