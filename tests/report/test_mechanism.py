"""The page of the mechanism: its sentences, tables and figures."""

from __future__ import annotations

import re

from mechanism_builders import inputs, predictions
from metamirage.report.mechanism import (
    comparison_table,
    lead,
    prediction_table,
    sentences,
    toy_exhibits,
)
from metamirage.report.pages import render_mechanism


def test_the_lead_counts_what_was_judged() -> None:
    said = "measured in 2 ways: it holds in 1, fails in 0, and 1 cannot tell."
    assert lead(predictions()).endswith(said)


def test_every_sentence_gives_the_number_its_interval_and_the_outcome() -> None:
    held, told, unsure = sentences(predictions(), "threshold")
    assert held == (
        "digits, narrower <rise>: 0.25 log10 decades (95 % interval 0.125 to 0.5;"
        " n = 20 in 10 tasks). The prediction holds."
    )
    assert told == "digits, share: 0.5 log10 decades (n = 20 in 10 tasks)."
    assert unsure.endswith("The prediction stays open.")


def test_the_table_says_which_range_agrees() -> None:
    rows = prediction_table(predictions()).rows
    assert [row[4] for row in rows] == ["0 to ∞", "", "0 to ∞"]


def test_the_comparison_gives_the_tests_the_verdicts_and_the_latent_of_each_benchmark() -> None:
    rows = comparison_table(inputs()).rows
    assert [row[1].split(":")[0] for row in rows] == [
        "H2",
        "verdicts of curves",
        "tasks, by their latent (H3)",
    ]
    assert rows[0][2:4] == ("0.25", "0.125 to 0.5")
    assert "2 SHARP; 1 SMOOTH; 0 FLAT" in rows[1][1]
    assert "1 metric-explained; 0 real" in rows[2][1]


def test_what_is_computed_says_so_and_what_is_measured_too() -> None:
    assert all(exhibit.caption.startswith("Computed.") for exhibit in toy_exhibits())
    page = render_mechanism(inputs())
    assert page.count("Computed.") == 5
    assert "Measured on 6 networks trained here." in page
    assert "narrower &lt;rise&gt;" in page


def test_the_page_loads_nothing() -> None:
    page = render_mechanism(inputs())
    assert re.findall(r'(?:src|href)="(?!data:|#|\w+/index\.html|index\.html)[^"]*"', page) == []
    assert "http" not in page.replace("http://www.w3.org", "")


def test_compounding_is_told_as_published() -> None:
    caption = toy_exhibits()[0].caption.replace("\N{NO-BREAK SPACE}", " ")
    assert "0.98, are all right in 92 % of answers; with 0.6 in 13 %" in caption
