"""Single files from an http server on loopback that resumes, lies and breaks off."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from git_server import serve
from metamirage.base.errors import InputError
from metamirage.ingest import transfer as _transfer
from metamirage.ingest.download import HTTP_CACHE, fetch
from metamirage.ingest.registry import RemoteFile, Source
from toy_repository import TOY, spec_of

CONTENT = random.Random(1).randbytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PART = HTTP_CACHE / f"{SHA256}.part"


@dataclass
class Host:
    """A server of one file and what it was asked.

    Parameters
    ----------
    url
        Address of the file.
    content
        What it sends.
    resumes
        Whether it honours Range.
    break_after
        Bytes of a reply's body after which it breaks off, one entry a reply.
    statuses
        Answers in place of the file, one a request.
    asked
        The Range of each request, or an empty text.
    length
        Content-Length of each reply; the true one if None.
    """

    url: str = ""
    content: bytes = CONTENT
    resumes: bool = True
    break_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    length: str | None = None


class Handler(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        self.close_connection = True
        wanted = self.headers.get("Range", "")
        self.host.asked.append(wanted)
        if self.host.statuses:
            self.send_error(self.host.statuses.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if self.host.resumes else 0
        if start and start >= len(self.host.content):
            self.send_error(416)
            return
        self._send(self.host.content[start:], start)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the tests."""

    def _send(self, body: bytes, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            end = len(self.host.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.send_header("Content-Length", self.host.length or str(len(body)))
        self.end_headers()
        limit = self.host.break_after.pop(0) if self.host.break_after else len(body)
        self.wfile.write(body[:limit])


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_transfer, "PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Host()
    with serve(type("Handler", (Handler,), {"host": found})) as url:
        found.url = f"{url}/t.bin"
        yield found


def bring(host: Host) -> bytes:
    files = (RemoteFile("in/t.bin", host.url, SHA256),)
    fetch(spec_of(Source("http", ("*",), files=files)), mirror=None, destination=TOY)
    return (TOY / "in/t.bin").read_bytes()


def refusal(host: Host) -> str:
    with pytest.raises(InputError) as caught:
        bring(host)
    return str(caught.value)


def leave(content: bytes) -> None:
    PART.parent.mkdir(parents=True)
    PART.write_bytes(content)


def test_a_file_arrives_whole_and_read_only(host: Host) -> None:
    assert bring(host) == CONTENT
    assert (TOY / "in/t.bin").stat().st_mode & 0o777 == 0o444
    assert json.loads((TOY / "MANIFEST.json").read_text())["files"][0]["sha256"] == SHA256
    assert not PART.exists()


def test_a_second_run_asks_nothing(host: Host) -> None:
    bring(host)
    bring(host)
    assert host.asked == [""]


def test_a_broken_reply_is_taken_up_where_it_broke(host: Host) -> None:
    host.break_after = [70_000, 50_000]
    assert bring(host) == CONTENT
    assert host.asked == ["", "bytes=70000-", "bytes=120000-"]


def test_what_a_killed_run_left_is_used(host: Host) -> None:
    leave(CONTENT[:150_000])
    assert bring(host) == CONTENT
    assert host.asked == ["bytes=150000-"]


def test_a_whole_file_that_a_killed_run_left_is_used_without_a_request(host: Host) -> None:
    leave(CONTENT)
    assert bring(host) == CONTENT
    assert host.asked == []


def test_a_damaged_beginning_is_fetched_again_whole(host: Host) -> None:
    leave(b"x" * 1000)
    assert bring(host) == CONTENT
    assert host.asked == ["bytes=1000-", ""]


def test_a_beginning_longer_than_the_file_is_fetched_again_whole(host: Host) -> None:
    leave(b"x" * 300_000)
    assert bring(host) == CONTENT
    assert host.asked == ["bytes=300000-", ""]


@pytest.mark.parametrize("length", ["abc", "-5", "9" * 5000], ids=["words", "negative", "endless"])
def test_a_length_that_is_no_number_does_no_harm(host: Host, length: str) -> None:
    host.length = length
    assert bring(host) == CONTENT


def test_a_server_that_cannot_resume_sends_it_again(host: Host) -> None:
    host.resumes, host.break_after = False, [70_000]
    assert bring(host) == CONTENT


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(host: Host, status: int) -> None:
    host.statuses = [status, status]
    assert bring(host) == CONTENT
    assert len(host.asked) == _transfer.ATTEMPTS


@pytest.mark.parametrize(("status", "n_asked"), [(404, 1), (403, 1), (503, 3)])
def test_a_refusal_is_named_after_a_bounded_number_of_requests(
    host: Host, status: int, n_asked: int
) -> None:
    host.statuses = [status] * 9
    text = refusal(host)
    assert f"cannot be fetched ('HTTP Error {status}" in text
    for way in ("benchmark toy, source http", "METAMIRAGE_MIRROR", "make demo"):
        assert way in text
    assert len(host.asked) == n_asked
    assert not TOY.exists()


def test_a_reply_that_always_breaks_is_given_up_and_what_came_is_kept(host: Host) -> None:
    host.break_after = [10, 20, 30]
    assert "broke off ('60 of 200000 bytes')" in refusal(host)
    assert PART.read_bytes() == CONTENT[:60]
    assert bring(host) == CONTENT


def test_another_content_is_refused_and_forgotten(host: Host) -> None:
    host.content = b"something else"
    found = hashlib.sha256(host.content).hexdigest()
    text = refusal(host)
    assert f"has another SHA-256 than {SHA256} ('{found}')" in text
    assert "correct the registry entry" in text
    assert len(host.asked) == 1
    assert not PART.exists()
    assert not TOY.exists()


def test_no_server_is_named_after_a_few_attempts(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(BaseHTTPRequestHandler) as gone:
        host.url = gone
    assert f"{gone} cannot be fetched" in refusal(host)
    assert caplog.text.count("attempt") == _transfer.ATTEMPTS - 1


def test_a_full_disk_is_not_taken_for_the_network(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full_disk(path: Path, mode: str = "r", **words: object) -> object:
        if mode in ("wb", "ab"):
            raise OSError(28, "No space left on device")
        return opened(path, mode, **words)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full_disk)
        text = refusal(host)
    assert "the disk is full" in text
    assert len(host.asked) == 1


def test_the_proxy_of_the_environment_is_used(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    # A plain request through a proxy names the whole address, which this server does not mind.
    monkeypatch.setenv("http_proxy", host.url.removesuffix("/t.bin"))
    host.url = "http://tables.invalid/t.bin"
    assert bring(host) == CONTENT


@pytest.mark.parametrize("url", ["no address", "file:///nowhere/t.bin"])
def test_an_address_that_leads_nowhere_is_refused_at_once(
    host: Host, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    host.url = url
    assert f"{url} cannot be fetched" in refusal(host)
    assert "attempt" not in caplog.text


def test_a_local_file_may_be_the_address(host: Host, tmp_path: Path) -> None:
    (tmp_path / "t.bin").write_bytes(CONTENT)
    host.url = (tmp_path / "t.bin").as_uri()
    assert bring(host) == CONTENT
