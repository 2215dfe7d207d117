"""A page that was opened, and what it did since."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

# Set by the explorer's script once its first curve is drawn.
SHOWN = "performance.getEntriesByName('curve-shown').length > 0"


@dataclass
class Visit:
    """A page, and what it asked for and complained of since it was opened."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Requests for anything but the page's own file and what it holds."""
        own = ("file:", "blob:", "data:")
        return [url for url in self.requests if not url.startswith(own)]

    def open(self, file: Path, anchor: str = "") -> None:
        """Open a page from disk and wait until it is whole."""
        self.page.goto(file.as_uri() + anchor)
        if file.name == "explorer.html":
            self.page.wait_for_function(SHOWN)
