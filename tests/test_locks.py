"""The locks: whoever builds a larger environment gets all of the smaller one, at its versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ENVS = Path(__file__).parents[1] / "envs"


def packages(lock: str) -> set[str]:
    """Packages of a lock with their versions and hashes, without who asks for them."""
    blocks = re.split(r"^(?=[a-z0-9])", (ENVS / lock).read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"^ *#.*\n?", "", block, flags=re.M).strip() for block in blocks[1:]}


@pytest.mark.parametrize("larger", ["requirements-dev.lock", "requirements-experiments.lock"])
def test_larger_environments_hold_what_a_run_needs(larger: str) -> None:
    assert len(packages("requirements.lock")) > 50
    assert packages("requirements.lock") - packages(larger) == set()
