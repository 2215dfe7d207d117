"""One file with everything behind a report, for the supplement of a paper.

Equal contents make equal bytes: names are sorted, and no entry carries a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

# The earliest time that the format can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)
SUMS = "SHA256SUMS"
# These are compressed already.
COMPRESSED = (".parquet", ".png", ".zip")


def write_archive(path: Path, entries: Mapping[str, Path | bytes]) -> None:
    """Write files into a zip, all or nothing, with the SHA-256 of each in ``SHA256SUMS``.

    Parameters
    ----------
    path
        Where the archive appears once it is whole.
    entries
        Contents, or the files that hold them, by their name in the archive.
    """
    part = path.with_name(f".{path.name}.part")
    sums = []
    try:
        with ZipFile(part, "w") as archive:
            for name in sorted(entries):
                content = entries[name]
                data = content if isinstance(content, bytes) else content.read_bytes()
                sums.append(f"{sha256(data).hexdigest()}  {name}\n")
                _add(archive, name, data)
            _add(archive, SUMS, "".join(sums).encode())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _add(archive: ZipFile, name: str, data: bytes) -> None:
    entry = ZipInfo(name, date_time=NO_TIME)
    entry.compress_type = ZIP_STORED if name.endswith(COMPRESSED) else ZIP_DEFLATED
    # Readable by all, whatever the umask here; and made on Unix, wherever it was.
    entry.external_attr, entry.create_system = 0o100644 << 16, 3
    archive.writestr(entry, data)


def text_entry(value: object) -> bytes:
    """Write settings or versions as JSON, keys in order."""
    return (json.dumps(value, indent=2, sort_keys=True, default=str) + "\n").encode()


def manifest_entry(path: Path) -> bytes:
    """Read a manifest and leave out when its files were fetched, which shapes no result."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    return text_entry({key: value for key, value in manifest.items() if key != "time"})
