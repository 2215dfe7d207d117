from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from metamirage.report.archive import SUMS, manifest_entry, text_entry, write_archive


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_equal_contents_make_equal_bytes(tmp_path: Path) -> None:
    table = write(tmp_path / "a", "x")
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    write_archive(first, {"t/b.parquet": table, "a.html": b"<p>"})
    os.utime(table, (1, 1))
    table.chmod(0o600)
    write_archive(second, {"a.html": b"<p>", "t/b.parquet": table})
    assert first.read_bytes() == second.read_bytes()


def test_every_entry_is_listed_with_its_sum(tmp_path: Path) -> None:
    write_archive(tmp_path / "x.zip", {"b": b"2", "a": write(tmp_path / "a", "1")})
    with ZipFile(tmp_path / "x.zip") as archive:
        sums = archive.read(SUMS).decode().splitlines()
        assert sums == [
            f"{sha256(archive.read(name)).hexdigest()}  {name}"
            for name in archive.namelist()
            if name != SUMS
        ]
        assert archive.namelist() == ["a", "b", SUMS]


def test_what_cannot_be_read_leaves_no_archive(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / "x.zip", {"a": b"1", "b": tmp_path / "missing"})
    assert list(tmp_path.iterdir()) == []


def test_the_time_of_a_download_is_left_out(tmp_path: Path) -> None:
    kept = {"commit": "ab", "files": [{"path": "s", "sha256": "cd"}]}
    early = write(tmp_path / "m", json.dumps(kept | {"time": "2020-01-01"}))
    assert json.loads(manifest_entry(early)) == kept
    assert text_entry({"b": 1, "a": None}) == b'{\n  "a": null,\n  "b": 1\n}\n'
