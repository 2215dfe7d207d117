"""The pages of an invented benchmark in a headless browser that has no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from visits import Visit

from mechanism_builders import inputs as mechanism_inputs
from metamirage.report import explorer
from metamirage.report.pages import (
    render_benchmark,
    render_explorer,
    render_index,
    render_mechanism,
    render_methods,
    render_selfcheck,
)
from metamirage.simulation.rates import read_rates
from report_builders import (
    ASSUMPTIONS,
    LIBRARIES,
    PAGES,
    SETTINGS,
    explored,
    index_inputs,
    report_inputs,
)

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(
            f"The tests of the pages need a browser: none of {', '.join(NAMES)} is on PATH."
            " Install one, on Debian: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        # Containers run as root, where the sandbox does not start; the pages are our own.
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Folder of all pages of the invented benchmark, laid out as in reports/."""
    root = tmp_path_factory.mktemp("reports")
    (root / "invented").mkdir()
    rates = repository / "data/raw/selfcheck/rates.csv"
    with pytest.MonkeyPatch.context() as patch:
        # Its six curves fill three groups, so that finding the group of a curve is tried too.
        patch.setattr(explorer, "CURVES_A_GROUP", 2)
        pages = {
            "index.html": render_index(index_inputs()),
            "methods.html": render_methods(
                ASSUMPTIONS, settings=SETTINGS, libraries=LIBRARIES, pages=PAGES
            ),
            "mechanism.html": render_mechanism(mechanism_inputs()),
            "selfcheck.html": render_selfcheck(read_rates(rates), source="rates.csv"),
            "invented/index.html": render_benchmark(report_inputs()),
            "invented/explorer.html": render_explorer(explored()),
        }
    for name, page in pages.items():
        (root / name).write_text(page, encoding="utf-8")
    return root


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """An empty page without a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    visited = Visit(context.new_page())
    visited.page.on("request", lambda request: visited.requests.append(request.url))
    visited.page.on("console", lambda message: visited.complaints.append(message.text))
    visited.page.on("pageerror", lambda error: visited.complaints.append(str(error)))
    yield visited
    context.close()
