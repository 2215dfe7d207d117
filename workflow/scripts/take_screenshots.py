"""Photograph the pages in a headless browser, at the width of a desk and of a phone."""

import shutil
from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.base.errors import InputError, Offence

WIDTHS = {"desktop": 1280, "phone": 390}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(job: Any) -> None:
    # Only here: it comes with the tools of development, which a run does not need.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_found(), args=["--no-sandbox"])
        for image in map(Path, job.output):
            name, width = image.stem.rsplit("-", 1)
            page = browser.new_page(viewport={"width": WIDTHS[width], "height": 900})
            page.goto(Path(job.params.pages[name]).resolve().as_uri())
            if name.endswith("explorer"):
                page.wait_for_function("performance.getEntriesByName('curve-shown').length > 0")
            page.screenshot(path=image, full_page=True)
            page.close()
        browser.close()


def _found() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        remedy = "Install one, on Debian: apt-get install chromium"
        raise InputError([Offence("PATH", "has no browser", "", ", ".join(BROWSERS), remedy)])
    return found


if __name__ == "__main__":
    run(main)
