from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.report import text as report_text
from metamirage.report.calibration import beside_claim
from metamirage.report.pages import join_curves, render_benchmark, render_index
from metamirage.report.results import H1_ROW, H2_ROW, H4_ROW, H5_ROW
from metamirage.report.text import ERROR_RATES_UNKNOWN, NBSP
from metamirage.simulation.rates import read_rates
from multiverse_builders import assess, tables_of
from report_builders import index_inputs, report_inputs

# Attributes by which a page loads something by itself; a link in <a> loads nothing.
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Outline(HTMLParser):
    """Collect what the tests ask of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._quiet = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._quiet += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@cache
def page() -> str:
    return render_benchmark(report_inputs())


@cache
def index() -> str:
    return render_index(index_inputs())


PAGES = pytest.mark.parametrize("html", [page, index], ids=["benchmark", "index"])


@PAGES
def test_nothing_is_loaded_from_elsewhere(html: object) -> None:
    outline = Outline(html())  # type: ignore[operator]
    loads = [
        (tag, value)
        for tag, attributes in outline.tags
        for name, value in attributes.items()
        if name in LOADING or (name == "href" and tag != "a")
    ]
    assert [load for load in loads if not load[1].startswith("data:")] == []
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", html())  # type: ignore[operator]
    assert not re.search(r"@import|<iframe|<object", html())  # type: ignore[operator]


@PAGES
def test_headings_are_in_order_under_one_title(html: object) -> None:
    outline = Outline(html())  # type: ignore[operator]
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@PAGES
def test_a_page_has_language_main_part_and_skip_link(html: object) -> None:
    outline = Outline(html())  # type: ignore[operator]
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("main")) == 1
    assert outline.all("a")[0]["href"] == f"#{outline.all('main')[0]['id']}"


@PAGES
def test_ids_are_unique_and_links_inside_the_page_lead_somewhere(html: object) -> None:
    outline = Outline(html())  # type: ignore[operator]
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = {a["href"][1:] for a in outline.all("a") if a.get("href", "").startswith("#")}
    assert inner <= set(ids)


@PAGES
def test_tables_with_text_have_captions(html: object) -> None:
    source = html()  # type: ignore[operator]
    plain = re.findall(r"<table[^>]*id=\"[a-z]+-table\">\s*<caption", source)
    counts = re.findall(r"<table class=\"counts\">\s*<caption", source)
    assert len(plain) + len(counts) >= 1


def test_each_figure_asks_a_question_and_has_caption_and_alternative() -> None:
    outline = Outline(page())
    images = outline.all("img")
    assert len(images) == 7
    assert all(len(image["alt"]) > 40 for image in images)
    assert len(outline.all("figcaption")) == 7
    titles = re.findall(r"<h3>([^<]+\?)</h3>", page())
    # The one of all widths in one model says why it has nothing to draw.
    assert len(titles) == 8


def test_text_of_the_sources_is_escaped() -> None:
    assert "<h1>Invented &lt;benchmark&gt;</h1>" in page()
    assert "Why exact is tagged &lt;so&gt;." in page()
    assert "A share of 1.78 &amp; more." in page()


def test_a_page_is_the_same_every_time_and_knows_no_clock() -> None:
    assert render_benchmark(report_inputs()) == page()
    assert "2020-02-20" not in page()


def test_sentences_of_the_page_come_from_the_tables() -> None:
    inputs = report_inputs()
    words = Outline(page()).words.replace(NBSP, " ")
    said = report_text.verdicts(inputs.fits).replace(NBSP, " ")
    assert said in words
    changed = replace(inputs, fits=inputs.fits.assign(verdict="FLAT"))
    now = Outline(render_benchmark(changed)).words.replace(NBSP, " ")
    assert said not in now
    assert "FLAT 6 of 6 (100 %)" in now


def test_what_is_not_known_is_said_on_both_pages() -> None:
    for html in (page(), index()):
        words = Outline(html).words
        assert ERROR_RATES_UNKNOWN in words
        assert "UNRESOLVED is the default" in words
        assert "one run per size" in words


def test_measured_things_are_never_called_emergence() -> None:
    for html in (page(), index()):
        words = Outline(html).words
        kept = re.sub(r"emergence score of the 2023 paper|call(ed)? (a curve )?emergent", "", words)
        kept = re.sub(r"[Aa]re emergent abilities|ability is emergent", "", kept)
        assert "emergen" not in kept


def test_settings_versions_and_assumptions_are_listed() -> None:
    assert "<dt>seed</dt><dd>11</dd>" in page()
    assert "<dt>numpy</dt><dd>0.0.1</dd>" in page()
    assert f"<code>{'ab' * 32}</code>" in page()
    assert "<li>small &amp; smooth. <code>part</code>: <code>X &lt; 1</code></li>" in page()
    assert "<li>more. <code>part</code></li>" in page()


def test_a_benchmark_of_short_curves_renders_without_figures_of_nothing() -> None:
    inputs = report_inputs()
    inert = inputs.fits.assign(verdict="UNRESOLVED", p_jump=0.1)
    lonely = inputs.tags.assign(discontinuous="unknown")
    bare = replace(inputs, fits=inert, tags=lonely, forecasts=inputs.forecasts[:0])
    words = Outline(render_benchmark(bare)).words
    assert "No curve rises with P(jump > 0.05) > 0.95." in words
    assert "No task of this benchmark has both" in words
    assert "No curve is long enough to leave its largest size out." in words


def test_curves_whose_s_is_nowhere_finite_are_said_to_be() -> None:
    inputs = report_inputs()
    endless = replace(inputs, scores=inputs.scores.assign(breakthroughness=np.inf))
    assert "S is positive and finite for no curve" in render_benchmark(endless)


def test_the_overview_links_each_benchmark_and_counts_its_curves() -> None:
    links = [a["href"] for a in Outline(index()).all("a")]
    assert {"invented/index.html", "copy/index.html"} <= set(links)
    assert index().count("6 curves of 3 tasks, by verdict") == 2


def test_the_overview_says_that_few_pairs_decide_nothing() -> None:
    words = Outline(index()).words
    assert "the pairs can't decide: no benchmark has 6 tasks" in words
    assert "(invented 2, copy 2)" in words


def test_the_overview_leads_to_the_cases_of_each_page() -> None:
    links = [a["href"] for a in Outline(index()).all("a")]
    assert {"invented/index.html#against", "copy/index.html#against"} <= set(links)
    assert 'id="against"' in page()


def test_the_answer_leaves_out_what_was_trained_here() -> None:
    inputs = replace(index_inputs(), answering=("invented",))
    words = Outline(render_index(inputs)).words
    assert "Of the curves screened on 1 benchmark, " in words
    assert f"of {len(inputs.fits['invented']):,} (" in words
    assert "Networks trained here (copy) were chosen" in words
    assert "Networks trained here" not in Outline(index()).words


def test_the_page_shows_specifications_where_there_are_any() -> None:
    assert "No specification: whatever is chosen" in Outline(page()).words
    tables = tables_of(9, gap=0.4)
    specifications, joint = assess(tables, seed=1)
    inputs = replace(report_inputs(), multiverse=specifications, multiverse_joint=joint)
    outline = Outline(render_benchmark(inputs))
    assert f"{len(specifications):,} specifications of" in outline.words
    assert any(image["alt"].startswith("Specification curve") for image in outline.all("img"))


def test_every_curve_is_joined_with_its_class_and_window() -> None:
    inputs = report_inputs()
    joined = join_curves(inputs.fits, inputs.scores, inputs.tags, inputs.tidy)
    assert len(joined) == len(inputs.fits)
    assert set(joined["metric_class"]) == {"discontinuous", "not discontinuous"}
    assert set(joined["size_min"]) == {8.0}
    assert set(joined["size_max"]) == {11.0}


def test_a_page_of_few_curves_weighs_less_than_a_megabyte() -> None:
    assert len(page().encode()) < 1_000_000


def test_the_page_leads_to_the_explorer_of_its_curves() -> None:
    assert '<a href="explorer.html">The explorer</a> finds any of the 6 curves' in page()


def claims(estimate: float) -> pd.DataFrame:
    row = {
        "name": "share",
        "source": "arXiv:0",
        "claim": "share under two metrics",
        "unit": "percent",
        "published": 92.0,
        "estimate": estimate,
        "lowest": estimate - 10,
        "highest": estimate + 1,
        "n_readings": 3,
        "reading": "all shots",
        "n": 67,
        "note": "",
    }
    return pd.DataFrame([row])


def test_printed_numbers_stand_beside_ours_only_where_there_are_any() -> None:
    with_claims = render_benchmark(replace(report_inputs(), reproduction=claims(95.5)))
    assert "share under two metrics" in with_claims
    assert "95.5" in with_claims
    assert 'id="reproduction"' not in render_benchmark(report_inputs())


def test_the_sentence_on_printed_numbers_follows_the_table() -> None:
    inside, outside = report_text.reproduced(claims(95.5)), report_text.reproduced(claims(80.0))
    assert f"1 of 1 (100{NBSP}%) of these lie within" in inside
    assert f"0 of 1 (0{NBSP}%) of these lie within" in outside


def test_each_claim_stands_beside_the_rates_of_its_own_test(repository: Path) -> None:
    rates = read_rates(repository / "data/raw/selfcheck/rates.csv")
    words = Outline(render_benchmark(replace(report_inputs(), rates=rates))).words
    for row in (H1_ROW, H2_ROW, H4_ROW, H5_ROW):
        said = beside_claim(rates, hypothesis=row["hypothesis"], estimand=row["estimand"])
        assert " ".join(said.split()) in words, row["hypothesis"]
