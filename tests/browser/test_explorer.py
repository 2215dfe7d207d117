"""The explorer in use. Six curves: tasks step, line and floor under exact, overlap and loss."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from visits import Visit

from report_builders import report_inputs


@pytest.fixture
def page(visit: Visit, site: Path) -> Page:
    visit.open(site / "invented/explorer.html")
    return visit.page


def asked(page: Page, name: str) -> Locator:
    """Field of the form."""
    return page.locator(f"#filters [name='{name}']")


def tasks(page: Page) -> list[str]:
    return page.locator("#curves tbody td:first-child").all_inner_texts()


def test_words_find_curves(page: Page) -> None:
    asked(page, "words").fill("overlap step")
    expect(page.locator("#count")).to_have_text("1 of 6 curves")
    expect(page.locator("#curves tbody tr")).to_have_count(1)
    assert tasks(page) == ["step"]


def test_filters_join_and_clear(page: Page) -> None:
    asked(page, "metric").select_option("exact")
    expect(page.locator("#count")).to_have_text("3 of 6 curves")
    asked(page, "task").fill("li")
    expect(page.locator("#count")).to_have_text("1 of 6 curves")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_have_text("6 of 6 curves")


def test_every_verdict_can_be_chosen_and_counts_as_in_the_table(page: Page) -> None:
    for verdict, n in report_inputs().fits["verdict"].value_counts().items():
        asked(page, "verdict").select_option(str(verdict))
        expect(page.locator("#count")).to_have_text(f"{n} of 6 curves")


def test_a_head_sorts_by_keyboard(page: Page) -> None:
    head = page.get_by_role("columnheader", name="jump").locator("[role=button]")
    head.focus()
    head.press("Enter")
    expect(page.locator("#curves thead th").last).to_have_attribute("aria-sort", "ascending")
    jumps = [float(text) for text in page.locator("#curves tbody td:last-child").all_inner_texts()]
    assert jumps == sorted(jumps)


@pytest.mark.parametrize("curve_id", report_inputs().fits["curve_id"])
def test_a_link_leads_to_its_curve(visit: Visit, site: Path, curve_id: str) -> None:
    visit.open(site / "invented/explorer.html", f"#curve={quote(curve_id)}")
    _, task, _, metric, family, shots = curve_id.split("|")
    title = visit.page.locator("#shown-title")
    expect(title).to_have_text(f"{task}, {metric}, {family}, {shots}-shot")
    expect(title).to_be_focused()
    row = report_inputs().fits.set_index("curve_id").loc[curve_id]
    expect(visit.page.locator("#verdict")).to_contain_text(row["verdict"])
    # Three digits, as people read them.
    shown = visit.page.locator("#measures tbody tr").first.inner_text()
    assert float(shown.split()[1]) == pytest.approx(row["width_median"], rel=6e-3)


def test_an_unknown_link_says_so(visit: Visit, site: Path) -> None:
    visit.open(site / "invented/explorer.html", "#curve=nothing")
    expect(visit.page.locator("#trouble")).to_have_text("There is no curve nothing here.")


def test_other_metrics_of_the_same_outputs_stand_beside(page: Page) -> None:
    asked(page, "metric").select_option("exact")
    page.get_by_role("link", name="step", exact=True).click()
    figures = page.locator("#charts figure")
    expect(figures).to_have_count(2)
    expect(figures.nth(1)).to_contain_text("Same outputs")
    expect(figures.nth(1).locator("h3")).to_have_text("overlap")
    # Points, and the candidates' lines: nothing is an empty frame.
    assert figures.nth(1).locator("svg path").count() > 8


def test_other_questions_to_the_same_models_are_told_apart(page: Page) -> None:
    asked(page, "words").fill("floor exact")
    page.get_by_role("link", name="floor").click()
    expect(page.locator("#charts figure").nth(1)).to_contain_text("Same models, asked differently")


def test_candidates_are_drawn_on_demand(page: Page) -> None:
    chart = page.locator("#charts figure").first.locator("svg")
    before = chart.locator("path").count()
    page.get_by_label("power").check()
    # A band and its line.
    expect(chart.locator("path")).to_have_count(before + 2)


def test_the_points_drawn_are_the_published_scores(page: Page) -> None:
    asked(page, "words").fill("overlap step")
    page.get_by_role("link", name="step").click()
    expect(page.locator("#shown-title")).to_contain_text("overlap")
    chart = page.locator("#charts figure").first.locator("svg")
    expect(chart.locator(".mark-symbol path")).to_have_count(7)
    moves = [p.get_attribute("transform") for p in chart.locator(".mark-symbol path").all()]
    drawn = np.array([re.findall(r"[\d.]+", move or "") for move in moves], float)
    tidy = report_inputs().tidy
    rows = tidy[(tidy["task"] == "step") & (tidy["metric"] == "overlap")].sort_values("n_params")
    published = np.column_stack([np.log10(rows["n_params"]), rows["score"]])
    for column in (0, 1):
        # A straight line of the numbers, to a quarter of a pixel: log10 sizes are rounded.
        fit = np.polynomial.Polynomial.fit(published[:, column], drawn[:, column], 1)
        np.testing.assert_allclose(fit(published[:, column]), drawn[:, column], atol=0.25)


def test_the_csv_holds_the_curves_found_with_all_columns(page: Page, tmp_path: Path) -> None:
    asked(page, "metric").select_option("exact")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these as CSV").click()
    download.value.save_as(tmp_path / "curves.csv")
    with (tmp_path / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["task"]: row for row in csv.DictReader(file)}
    fits = report_inputs().fits.set_index(["metric", "task"]).loc["exact"]
    assert set(rows) == {"step", "line", "floor"}
    for task, row in rows.items():
        assert float(row["P(jump)"]) == pytest.approx(fits.loc[task, "p_jump"], rel=5.001e-4)
        assert row["verdict"] == fits.loc[task, "verdict"]


@pytest.mark.parametrize(("kind", "head"), [("SVG", b"<svg"), ("PNG", b"\x89PNG")])
def test_a_figure_can_be_saved(page: Page, tmp_path: Path, kind: str, head: bytes) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {kind}").first.click()
    download.value.save_as(tmp_path / "figure")
    assert (tmp_path / "figure").read_bytes().startswith(head)
    assert download.value.suggested_filename.startswith("invented_")
