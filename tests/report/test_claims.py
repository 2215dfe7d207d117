"""Every claim of a page is made from its table: other numbers make another sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from test_hierarchical import table
from test_pages import page

from metamirage.report.pages import ReportInputs, render_benchmark
from metamirage.report.text import NBSP
from report_builders import report_inputs

Change = Callable[[ReportInputs], ReportInputs]


def estimated(hypothesis: str, estimand: str, estimate: float) -> Change:
    """Give the row that stands for a hypothesis another estimate."""

    def change(inputs: ReportInputs) -> ReportInputs:
        rows = inputs.concentration
        chosen = (rows["hypothesis"] == hypothesis) & (rows["estimand"] == estimand)
        ends = {"lower": estimate - 0.01, "upper": estimate + 0.01, "p_value": 0.0321}
        known = ends | {"estimate": estimate, "n_tasks": 77}
        return replace(
            inputs,
            concentration=rows.assign(**{k: rows[k].mask(chosen, v) for k, v in known.items()}),
        )

    return change


def all_real(inputs: ReportInputs) -> ReportInputs:
    return replace(inputs, latent=inputs.latent.assign(verdict="real", reason=""))


def narrower(inputs: ReportInputs) -> ReportInputs:
    made = table()
    ratio = made["parameter"] == "ratio"
    return replace(inputs, hierarchy=made.assign(estimate=made["estimate"].mask(ratio, 0.567)))


CLAIMS: dict[str, tuple[Change, str]] = {
    "H1": (estimated("H1", "sharp_share", 0.123), "more often SHARP by 0.123"),
    "H2": (estimated("H2", "log10_width", 0.234), "narrower by 0.234 log10 decades"),
    "H3": (all_real, "real {n} of {n} (100 %)"),
    "H4": (estimated("H4", "log_score_gain_rising", 0.345), "than directly by 0.345 nats"),
    "H5": (estimated("H5", "translation", 0.456), "Later by, in decades (same outputs): 0.456"),
    "hierarchy": (narrower, "are 0.567 times as wide as others"),
}


@cache
def changed() -> str:
    """Page of the same benchmark with the numbers of all claims changed."""
    inputs = report_inputs()
    for change, _ in CLAIMS.values():
        inputs = change(inputs)
    return plain(render_benchmark(inputs))


def plain(html: str) -> str:
    return " ".join(html.replace(NBSP, " ").split())


@pytest.mark.parametrize("claim", CLAIMS)
def test_other_numbers_make_another_sentence(claim: str) -> None:
    said = CLAIMS[claim][1].format(n=len(report_inputs().latent))
    assert said not in plain(page())
    assert said in changed()
