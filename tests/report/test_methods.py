from __future__ import annotations

import re
from html import unescape

import pytest

from metamirage.base.thresholds import MIN_TASKS
from metamirage.base.vocabulary import CANDIDATES
from metamirage.fitting.priors import WIDTH_PRIORS
from metamirage.fitting.quadrature.integrate import N_REPLICATES
from metamirage.project.assumptions import Assumption, collect_assumptions
from metamirage.report import methods
from metamirage.report.pages import TEMPLATES, render_methods
from report_builders import ASSUMPTIONS, LIBRARIES, PAGES, SETTINGS


def page(assumptions: tuple[Assumption, ...] = ASSUMPTIONS) -> str:
    return render_methods(assumptions, settings=SETTINGS, libraries=LIBRARIES, pages=PAGES)


def test_the_template_holds_no_figure_of_its_own() -> None:
    template = (TEMPLATES / "methods.html.j2").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", template))
    # Names of the hypotheses and of the scale are no measures.
    digits = re.findall(r"\S*\d\S*", re.sub(r"\bH[1-5]\b|\blog10\b", " ", text))
    assert digits == []


def test_constants_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"points of {N_REPLICATES} independent" in page()
    assert f"Fewer than {MIN_TASKS} tasks" in page()
    monkeypatch.setattr(methods, "MIN_TASKS", 17)
    assert "Fewer than 17 tasks" in page()


def test_every_candidate_and_parameter_is_explained() -> None:
    table = methods.candidate_table()
    assert [row[0] for row in table.rows] == list(CANDIDATES)
    assert table.rows[3][2].endswith("location, width")


def test_each_assumption_stands_once() -> None:
    known = tuple(collect_assumptions())
    text = unescape(page(known))
    assert len(known) > 20
    assert [a.text for a in known if text.count(a.text) != 1] == []


def test_all_three_priors_of_the_width_are_printed() -> None:
    rows = methods.prior_table(collect_assumptions()).rows
    said = next(code for _, code in rows if "log width" in code)
    assert [name for name in WIDTH_PRIORS if f"{name}: log width Normal(" in said] == [
        *WIDTH_PRIORS
    ]
    assert "median 1.5" in said


def test_the_selfcheck_is_linked_where_there_is_one() -> None:
    assert 'href="selfcheck.html"' in page()
    bare = render_methods(ASSUMPTIONS, settings=SETTINGS, libraries=LIBRARIES, pages={})
    assert "selfcheck.html" not in bare
