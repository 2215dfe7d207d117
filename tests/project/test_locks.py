"""The locks: whoever builds a larger environment gets all of the smaller one, at its versions."""

from __future__ import annotations

import re

import pytest

from places import ROOT

ENVS = ROOT / "envs"


def packages(lock: str) -> set[str]:
    """Packages of a lock with their versions."""
    text = (ENVS / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^[a-z0-9][a-z0-9._-]*==\S+", text, flags=re.M))


@pytest.mark.parametrize("larger", ["requirements-dev.lock", "requirements-experiments.lock"])
def test_larger_environments_hold_what_a_run_needs(larger: str) -> None:
    assert len(packages("requirements.lock")) > 50
    assert packages("requirements.lock") - packages(larger) == set()
