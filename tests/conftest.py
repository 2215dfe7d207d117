"""Fixtures that several test modules share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """Folder of this checkout."""
    return Path(__file__).parents[1]


# First, for pytest-xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a fixture, where tests run side by side (pytest-xdist).

    A file stays on one core. So do all that use the one project run for them, or the browser.
    """
    for item in items:
        used = {"project", "browser"} & set(getattr(item, "fixturenames", ()))
        group = min(used, default=str(item.path))
        item.add_marker(pytest.mark.xdist_group(group))
