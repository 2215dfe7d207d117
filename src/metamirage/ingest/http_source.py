"""Single files over http, held against the SHA-256 of the registry.

A download goes on where an earlier one stopped, be it in the same run or in one that was killed:
what has arrived waits under the file's SHA-256 until it is whole. The proxy of the environment
(``http_proxy``, ``https_proxy``, ``no_proxy``) is used.

Pooch verifies as well, but does not go on: after two breaks a file of 200 kB took 320 kB, and after
a third nothing was left. It also asks again after a 404 and after a wrong SHA-256.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from metamirage.ingest.registry import RemoteFile
from metamirage.ingest.transfer import (
    ASK_PUBLISHER,
    TIMEOUT_SECONDS,
    Progress,
    SourceError,
    TransientError,
    sha256_of,
    with_retries,
)

CHUNK_BYTES = 1 << 20
# Answers of a server that is busy or restarting; the others will not change by asking again.
BUSY = (408, 425, 429, 500, 502, 503, 504)
OUTSIDE_THE_FILE = 416


def download(file: RemoteFile, target: Path, *, cache: Path) -> None:
    """Bring one file, verified.

    Parameters
    ----------
    file
        Address and SHA-256.
    target
        Where it goes; written whole or not at all.
    cache
        Folder for what has arrived so far.

    Raises
    ------
    SourceError
        If the server cannot be reached or sends something else.
    """
    part = cache / f"{file.sha256}.part"
    cache.mkdir(parents=True, exist_ok=True)
    with_retries(lambda: _complete(file, part))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(part, target)


def _complete(file: RemoteFile, part: Path) -> None:
    started_at = part.stat().st_size if part.is_file() else 0
    if started_at and sha256_of(part) == file.sha256:
        return
    resumed = _transfer(file.url, part, start=started_at)
    found = sha256_of(part)
    if found == file.sha256:
        return
    part.unlink()
    problem = f"{file.url} has another SHA-256 than {file.sha256}"
    # Of a joined file the earlier piece may be the wrong one, so it is fetched once more, whole.
    again = TransientError if resumed else SourceError
    raise again(problem, found, advice=ASK_PUBLISHER)


def _transfer(url: str, part: Path, *, start: int) -> bool:
    """Write the reply to the part and return whether it was appended to what was there."""
    headers = {"User-Agent": "metamirage"} | ({"Range": f"bytes={start}-"} if start else {})
    with _opened(url, headers, part) as reply:
        resumed = _continues(reply, start)
        before = start if resumed else 0
        # Missing where the server gives no length or none that is a number; a local file has none.
        announced: int | None = getattr(reply, "length", None)
        expected = None if announced is None else before + announced
        with part.open("ab" if resumed else "wb") as out:
            progress = Progress(url)
            for chunk in _chunks(reply, url):
                out.write(chunk)
                progress.tell(f"{out.tell():,} of {expected or 0:,} bytes")
            found = out.tell()
    if expected is not None and found < expected:
        raise TransientError(f"{url} broke off", f"{found} of {expected} bytes")
    return resumed


def _opened(url: str, headers: Mapping[str, str], part: Path) -> HTTPResponse:
    problem = f"{url} cannot be fetched"
    try:
        request = Request(url, headers=dict(headers))
        # A new opener reads the proxy settings anew; urlopen would keep those of its first call.
        reply: HTTPResponse = build_opener().open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as exc:
        exc.close()
        if exc.code == OUTSIDE_THE_FILE:
            part.unlink(missing_ok=True)
        again = exc.code == OUTSIDE_THE_FILE or exc.code in BUSY
        raise (TransientError if again else SourceError)(problem, str(exc)) from exc
    except URLError as exc:
        lost = isinstance(exc.reason, FileNotFoundError)
        raise (SourceError if lost else TransientError)(problem, str(exc.reason)) from exc
    except (OSError, HTTPException) as exc:
        raise TransientError(problem, str(exc)) from exc
    except ValueError as exc:
        raise SourceError(problem, str(exc)) from exc
    return reply


def _continues(reply: HTTPResponse, start: int) -> bool:
    # A reply that starts anew carries no such header.
    return bool(reply.headers.get("Content-Range", "").startswith(f"bytes {start}-"))


def _chunks(reply: HTTPResponse, url: str) -> Iterator[bytes]:
    # Reading fails by the network and writing by the disk; only the first is worth a retry.
    while True:
        try:
            chunk = reply.read(CHUNK_BYTES)
        except (OSError, HTTPException) as exc:
            raise TransientError(f"{url} broke off", str(exc)) from exc
        if not chunk:
            return
        yield chunk
