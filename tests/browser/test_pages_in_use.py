"""What every page promises: it loads nothing, complains of nothing, and can be used by everyone."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from visits import Visit

PAGES = (
    "index.html",
    "methods.html",
    "mechanism.html",
    "selfcheck.html",
    "invented/index.html",
    "invented/explorer.html",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_disk_and_asks_for_nothing(visit: Visit, site: Path, name: str) -> None:
    visit.open(site / name)
    assert visit.foreign == []
    assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit: Visit, site: Path, name: str, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.open(site / name)
    found = Axe().run(visit.page).response["violations"]
    grave = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"], len(v["nodes"])) for v in grave] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_needs_no_sideways_scrolling(visit: Visit, site: Path, name: str) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.open(site / name)
    wide = visit.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_links_between_pages_lead_somewhere(visit: Visit, site: Path) -> None:
    for name in PAGES:
        visit.open(site / name)
        files = visit.page.evaluate(
            "[...document.querySelectorAll('a[href]')].map((a) => a.href.split('#')[0])"
        )
        # The copy of the benchmark on the overview and the digits have no pages here.
        own = {file for file in files if "/copy/" not in file and "/digits/" not in file}
        assert own
        assert [file for file in own if not Path(file.removeprefix("file://")).is_file()] == []
