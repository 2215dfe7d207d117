"""docs/tables.md follows the contracts."""

from __future__ import annotations

from pathlib import Path

from metamirage.project.table_docs import CONTRACTS, PLACES, describe_tables


def test_the_page_is_in_step_with_the_contracts(repository: Path) -> None:
    page = (repository / "docs/tables.md").read_text(encoding="utf-8")
    assert page == describe_tables(), "renew it with: make docs"


def test_every_table_has_its_file() -> None:
    assert list(PLACES) == list(CONTRACTS)
