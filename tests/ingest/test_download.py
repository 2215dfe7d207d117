from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from metamirage.base.errors import InputError
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import RemoteFile, Source
from toy_repository import spec_of

UPSTREAM = spec_of(Source("git", ("**/*.csv",), url="https://unused.invalid/toy", commit="0" * 40))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "toy"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.csv").write_text("1\n", encoding="utf-8")
    (folder / "inner" / "b.csv").write_text("22\n", encoding="utf-8")
    (folder / "notes.txt").write_text("not wanted", encoding="utf-8")
    return tmp_path / "mirror"


def manifest(folder: Path) -> dict[str, object]:
    return json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_mirror_gives_the_wanted_files_read_only(mirror: Path, tmp_path: Path) -> None:
    target = tmp_path / "raw" / "toy"
    fetch(UPSTREAM, mirror=mirror, destination=target)
    assert names(target) == ["MANIFEST.json", "a.csv", "inner/b.csv"]
    assert {p.stat().st_mode & 0o777 for p in target.rglob("*") if p.is_file()} == {0o444}
    assert names(target.parent) == [f"toy/{name}" for name in names(target)]


def test_the_manifest_says_what_was_fetched(mirror: Path, tmp_path: Path) -> None:
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "toy")
    found = manifest(tmp_path / "toy")
    assert (found["file_count"], found["bytes"], found["licence"]) == (2, 5, "CC0-1.0")
    assert (found["source"], found["commit"]) == (UPSTREAM.source.url, "0" * 40)
    assert found["files"][1] == {
        "path": "inner/b.csv",
        "bytes": 3,
        "sha256": hashlib.sha256(b"22\n").hexdigest(),
    }


def test_the_manifest_differs_in_its_time_only(mirror: Path, tmp_path: Path) -> None:
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "one" / "toy")
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "two" / "toy")
    one, two = manifest(tmp_path / "one" / "toy"), manifest(tmp_path / "two" / "toy")
    assert one | {"time": ""} == two | {"time": ""}


def test_equal_files_are_left_alone_and_changed_ones_replaced(mirror: Path, tmp_path: Path) -> None:
    target = tmp_path / "toy"
    fetch(UPSTREAM, mirror=mirror, destination=target)
    before = (target / "a.csv").stat()
    (mirror / "toy" / "inner" / "b.csv").write_text("33\n", encoding="utf-8")
    fetch(UPSTREAM, mirror=mirror, destination=target)
    after = (target / "a.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (target / "inner" / "b.csv").read_text(encoding="utf-8") == "33\n"


def test_a_mirror_without_the_benchmark_is_named_with_the_ways_out(tmp_path: Path) -> None:
    (tmp_path / "mirror" / "other").mkdir(parents=True)
    with pytest.raises(InputError) as caught:
        fetch(UPSTREAM, mirror=tmp_path / "mirror", destination=tmp_path / "toy")
    text = str(caught.value)
    assert "has no folder toy ('other')" in text
    for way in ("https://unused.invalid/toy", "METAMIRAGE_MIRROR", "key mirror", "make demo"):
        assert way in text


def test_a_mirror_without_a_matching_file_is_an_error(mirror: Path, tmp_path: Path) -> None:
    wanted = replace(UPSTREAM, source=replace(UPSTREAM.source, include=("*.json",)))
    with pytest.raises(InputError, match=r"holds no file that matches \('\*.json'\)"):
        fetch(wanted, mirror=mirror, destination=tmp_path / "toy")


def test_shipped_files_stay_where_they_are_even_with_a_mirror(mirror: Path, tmp_path: Path) -> None:
    target = tmp_path / "toy"
    target.mkdir()
    (target / "own.csv").write_text("7\n", encoding="utf-8")
    fetch(spec_of(Source("shipped", ("*.csv",))), mirror=mirror, destination=target)
    assert names(target) == ["MANIFEST.json", "own.csv"]
    assert manifest(target)["files"][0]["path"] == "own.csv"


def test_an_own_table_needs_no_place_in_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "mirror" / "other").mkdir(parents=True)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "own.csv").write_text("7\n", encoding="utf-8")
    own = spec_of(Source("path", ("*.csv",)))
    fetch(own, mirror=tmp_path / "mirror", destination=tmp_path / "toy")
    assert manifest(tmp_path / "toy")["file_count"] == 1


def test_a_file_of_the_mirror_is_held_against_the_registry(mirror: Path, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"1\n").hexdigest()
    files = (RemoteFile("a.csv", "https://unused.invalid/a.csv", sha256),)
    spec = spec_of(Source("http", ("a.csv",), files=files))
    fetch(spec, mirror=mirror, destination=tmp_path / "toy")
    assert names(tmp_path / "toy") == ["MANIFEST.json", "a.csv"]
    (mirror / "toy" / "a.csv").write_text("2\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"another SHA-256 than {sha256}"):
        fetch(spec, mirror=mirror, destination=tmp_path / "toy")


def test_a_mirror_without_a_file_of_the_registry_names_it(mirror: Path, tmp_path: Path) -> None:
    files = (RemoteFile("c.csv", "https://unused.invalid/c.csv", "0" * 64),)
    spec = spec_of(Source("http", ("*.csv",), files=files))
    with pytest.raises(InputError, match=r"the mirror lacks a file of the registry \('c.csv'\)"):
        fetch(spec, mirror=mirror, destination=tmp_path / "toy")


def test_licence_texts_come_along_but_are_no_data(mirror: Path, tmp_path: Path) -> None:
    (mirror / "toy" / "LICENSE").write_text("Invented.\n", encoding="utf-8")
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "toy")
    found = manifest(tmp_path / "toy")
    assert [file["path"] for file in found["files"]] == ["a.csv", "inner/b.csv"]
    assert [file["path"] for file in found["licence_files"]] == ["LICENSE"]
    assert (tmp_path / "toy" / "LICENSE").is_file()


def test_a_second_fetch_does_not_even_touch_the_manifest(mirror: Path, tmp_path: Path) -> None:
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "toy")
    before = (tmp_path / "toy" / "MANIFEST.json").stat()
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "toy")
    after = (tmp_path / "toy" / "MANIFEST.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_what_a_killed_fetch_left_beside_the_folder_goes(mirror: Path, tmp_path: Path) -> None:
    left = tmp_path / "raw" / ".toy.part" / "a.csv"
    left.parent.mkdir(parents=True)
    left.write_text("half", encoding="utf-8")
    fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "raw" / "toy")
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["toy"]
    assert (tmp_path / "raw" / "toy" / "a.csv").read_text(encoding="utf-8") == "1\n"


def test_an_own_table_beside_mirrored_ones_stays(mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "own.csv").write_text("7\n", encoding="utf-8")
    (tmp_path / "toy" / "own.csv").chmod(0o444)
    fetch(spec_of(Source("path", ("*.csv",))), mirror=mirror, destination=tmp_path / "toy")
    assert names(tmp_path / "toy") == ["MANIFEST.json", "a.csv", "own.csv"]


def test_a_folder_that_cannot_be_written_is_named(mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(InputError, match=r"raw\S* cannot be read or written .*METAMIRAGE_MIRROR"):
        fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "raw" / "toy")


def test_a_failure_while_installing_leaves_no_manifest(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full_disk)
    with pytest.raises(InputError, match=r"the disk is full \('No space left.*make demo"):
        fetch(UPSTREAM, mirror=mirror, destination=tmp_path / "raw" / "toy")
    assert names(tmp_path / "raw") == []
