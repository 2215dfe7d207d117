from __future__ import annotations

import hashlib

from metamirage.report.provenance import MAX_FILES, run_facts, source_facts, source_files_shown
from report_builders import LIBRARIES, MANIFEST, SETTINGS, spec


def test_the_source_is_told_without_the_time_of_its_download() -> None:
    facts = source_facts(spec(), MANIFEST)
    assert facts["licence"] == "CC0 & friends"
    assert facts["citation"] == "Nobody (2020). Nothing."
    assert facts["files"] == "1 file, 1,234 bytes"
    assert not any("2020-02-20" in value for value in facts.values())


def test_the_digest_of_the_files_is_that_of_sha256sum_lines() -> None:
    expected = hashlib.sha256(f"{'ab' * 32}  scores.csv\n".encode()).hexdigest()
    assert source_facts(spec(), MANIFEST)["SHA-256 of the list of files"] == expected


def test_a_long_list_of_files_is_left_to_the_manifest() -> None:
    file = {"path": "p", "bytes": 1, "sha256": "c"}
    assert source_files_shown({"files": [file]}) == [("p", "c")]
    assert source_files_shown({"files": [file] * (MAX_FILES + 1)}) == []


def test_settings_and_versions_are_listed() -> None:
    facts = run_facts(SETTINGS, LIBRARIES)
    assert facts["seed"] == "11"
    assert facts["prior"] == "default"
    assert facts["numpy"] == "0.0.1"
