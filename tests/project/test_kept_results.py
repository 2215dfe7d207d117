"""Old results: whole sets, put back only where something is gone."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from metamirage.project.kept_results import OLD, put_aside, put_back

FITS = [Path("fits/a.parquet"), Path("fits/a.models.parquet"), Path("fits/a.profiles.parquet")]
KEPT = Path(".kept")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with three tables of one job."""
    monkeypatch.chdir(tmp_path)
    Path("fits").mkdir()
    write("old")


def write(text: str, files: list[Path] = FITS) -> None:
    """Write tables as the package does: a new file in place of the old one."""
    for file in files:
        file.unlink(missing_ok=True)
        file.write_text(text)


def delete(files: list[Path] = FITS) -> None:
    for file in files:
        file.unlink()


def texts() -> list[str]:
    return [file.read_text() for file in FITS]


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", fail)


def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        Path(target).write_text(Path(source).read_text()[:1])
        raise OSError(errno.ENOSPC, "no room")

    no_links(monkeypatch)
    monkeypatch.setattr(shutil, "copy2", fail)


def test_what_is_gone_comes_back_with_an_old_time() -> None:
    put_aside(FITS, KEPT)
    delete()
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3
    assert {file.stat().st_mtime for file in FITS} == {OLD}


def test_a_set_in_place_stays_as_it_is() -> None:
    put_aside(FITS, KEPT)
    write("new")
    assert put_back(FITS, KEPT) == []
    assert texts() == ["new"] * 3
    assert min(file.stat().st_mtime for file in FITS) > OLD


def test_new_tables_beside_a_missing_one_give_way_to_the_old_set() -> None:
    put_aside(FITS, KEPT)
    delete()
    write("new", FITS[:2])
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3


def test_half_a_set_never_replaces_what_a_killed_run_kept() -> None:
    put_aside(FITS, KEPT)
    delete()
    write("new", FITS[:1])
    put_aside(FITS, KEPT)
    delete(FITS[:1])
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3


def test_a_newer_whole_set_replaces_what_was_kept() -> None:
    put_aside(FITS, KEPT)
    write("newer")
    put_aside(FITS, KEPT)
    delete()
    put_back(FITS, KEPT)
    assert texts() == ["newer"] * 3


def test_nothing_is_kept_after_the_end() -> None:
    put_aside(FITS, KEPT)
    put_back(FITS, KEPT)
    delete()
    assert put_back(FITS, KEPT) == []
    assert list(KEPT.iterdir()) == []


def test_sets_of_other_jobs_are_left_alone() -> None:
    put_aside(FITS[:1], KEPT)
    put_aside(FITS[1:], KEPT)
    delete()
    assert put_back(FITS[:1], KEPT) == FITS[:1]
    assert put_back(FITS[1:], KEPT) == FITS[1:]


def test_keeping_takes_no_room_where_links_work() -> None:
    put_aside(FITS, KEPT)
    assert {file.stat().st_nlink for file in FITS} == {2}


def test_without_links_a_copy_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    no_links(monkeypatch)
    put_aside(FITS, KEPT)
    delete()
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3
    assert {file.stat().st_mtime for file in FITS} == {OLD}


def test_a_full_disk_leaves_nothing_half_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside(FITS, KEPT)
    write("newer")
    with monkeypatch.context() as full:
        no_room(full)
        with pytest.raises(OSError, match="no room"):
            put_aside(FITS, KEPT)
    delete()
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3


def test_a_disk_full_at_the_end_keeps_the_set(monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside(FITS, KEPT)
    delete()
    with monkeypatch.context() as full:
        no_room(full)
        with pytest.raises(OSError, match="no room"):
            put_back(FITS, KEPT)
    assert sorted(Path("fits").iterdir()) == []
    assert put_back(FITS, KEPT) == FITS
    assert texts() == ["old"] * 3
