"""A real git server on loopback, fetched from as a user would."""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from git_server import Served, git, publish, serve, serve_git
from metamirage.base.errors import InputError
from metamirage.ingest import download, git_source
from metamirage.ingest import transfer as _transfer
from metamirage.ingest.git_objects import object_id
from metamirage.ingest.registry import BenchmarkSpec
from toy_repository import (
    CLONE,
    PLOT_BYTES,
    TASKS,
    TOY,
    bring,
    build,
    contents,
    published,
    spec_for,
    write,
)

# Names, trees and HTTP headers.
OVERHEAD_BYTES = 20_000


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("server") / "upstream")


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_transfer, "PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server(upstream: Path) -> Iterator[Served]:
    with serve_git(upstream.parent) as served:
        yield served


@pytest.fixture
def spec(server: Served, upstream: Path) -> BenchmarkSpec:
    return spec_for(f"{server.url}/upstream", git(upstream, "rev-parse", "HEAD"))


def refusal(spec: BenchmarkSpec, mirror: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        bring(spec, mirror)
    return str(caught.value)


def states(folder: Path) -> dict[Path, tuple[int, int]]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_the_wanted_files_arrive_and_nothing_else(spec: BenchmarkSpec, upstream: Path) -> None:
    bring(spec)
    assert contents(TOY) == published(upstream)
    assert [path.name for path in TOY.parent.iterdir()] == ["toy"]
    assert {path.stat().st_mode & 0o777 for path in TOY.rglob("*") if path.is_file()} == {0o444}


def test_only_wanted_contents_travel(spec: BenchmarkSpec, server: Served, upstream: Path) -> None:
    bring(spec)
    wanted = sum(map(len, published(upstream).values()))
    assert server.sent < wanted + OVERHEAD_BYTES < TASKS * PLOT_BYTES


def test_the_clone_holds_only_wanted_contents(spec: BenchmarkSpec, upstream: Path) -> None:
    bring(spec)
    every = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
    lines = (line.split() for line in git(CLONE, *every).splitlines())
    blobs = {oid for oid, kind in lines if kind == "blob"}
    assert blobs == {object_id(content) for content in published(upstream).values()}


def test_two_requests_bring_the_names_and_two_a_batch(
    spec: BenchmarkSpec, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_source, "BATCH", 20)
    bring(spec)
    n_contents = len(set(contents(TOY).values()))
    assert (n_contents, len(server.requests)) == (38, 2 + 2 * 2)


def test_the_manifest_gives_gits_id_of_each_file(spec: BenchmarkSpec, upstream: Path) -> None:
    bring(spec)
    manifest = json.loads((TOY / "MANIFEST.json").read_text(encoding="utf-8"))
    blobs = {f"bench/{file['path']}": file["blob"] for file in manifest["files"]}
    listing = git(upstream, "ls-tree", "-r", "HEAD", *blobs).splitlines()
    assert blobs == {line.split("\t")[1]: line.split()[2] for line in listing}
    assert (manifest["file_count"], manifest["commit"]) == (3 * TASKS + 1, spec.source.commit)
    assert [file["path"] for file in manifest["licence_files"]] == ["LICENSE"]


def test_progress_is_shown_while_it_lasts(
    spec: BenchmarkSpec, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(_transfer, "PROGRESS_SECONDS", 0.0)
    bring(spec)
    assert "fetching files, up to 38 of 38" in caplog.text
    assert "Receiving objects: 100% (38/38)" in caplog.text
    assert "38 of 38 files" in caplog.text


def test_a_second_run_asks_nothing_and_writes_nothing(spec: BenchmarkSpec, server: Served) -> None:
    bring(spec)
    before, n_requests = states(TOY), len(server.requests)
    bring(spec)
    assert (states(TOY), len(server.requests)) == (before, n_requests)


def test_a_lost_clone_costs_the_names_only(spec: BenchmarkSpec, server: Served) -> None:
    bring(spec)
    before, n_requests = states(TOY), len(server.requests)
    shutil.rmtree(CLONE)
    bring(spec)
    assert (states(TOY), len(server.requests)) == (before, n_requests + 2)


def test_a_changed_and_a_missing_file_are_put_right_without_the_network(
    spec: BenchmarkSpec, server: Served, upstream: Path
) -> None:
    bring(spec)
    n_requests = len(server.requests)
    (TOY / "t01/task.json").chmod(0o644)
    (TOY / "t01/task.json").write_text("changed", encoding="utf-8")
    (TOY / "t02/task.json").unlink()
    bring(spec)
    assert (contents(TOY), len(server.requests)) == (published(upstream), n_requests)


def test_files_of_an_earlier_commit_go_and_those_of_a_person_stay(
    spec: BenchmarkSpec, upstream: Path
) -> None:
    bring(spec)
    write(TOY / "notes.txt", b"mine")
    bring(replace(spec, source=replace(spec.source, include=("*/task.json",))))
    left = {name for name in published(upstream) if name.count("/") < 2}
    assert set(contents(TOY)) == left | {"notes.txt"}
    assert not (TOY / "t00/results").exists()


def test_bytes_arrive_as_published_whatever_the_users_git_would_make_of_them(
    tmp_path: Path, upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "server" / "crlf"
    shutil.copytree(upstream, root, symlinks=True)
    write(root / ".gitattributes", b"*.json text eol=crlf ident\n")
    write(root / "bench/t00/task.json", b'{"a": "$Id$"}\n')
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "attributes")
    write(tmp_path / "gitconfig", b"[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    with serve_git(root.parent) as served:
        bring(spec_for(f"{served.url}/crlf", git(root, "rev-parse", "HEAD")))
    assert (TOY / "t00/task.json").read_bytes() == b'{"a": "$Id$"}\n'


# Interruptions

KILLED_WHILE_INSTALLING = """
import os, signal
from metamirage.ingest import download
moved = os.replace
def replace(*names):
    replace.left -= 1
    if not replace.left:
        os.kill(os.getpid(), signal.SIGKILL)
    moved(*names)
replace.left = 20
download.os.replace = replace
"""


def start(spec: BenchmarkSpec, prelude: str = "") -> subprocess.Popen[str]:
    """Start a fetch in a process of its own."""
    source = spec.source
    code = f"""
import sys
sys.path[:0] = {[str(Path(git_source.__file__).parents[2]), str(Path(__file__).parents[1])]!r}
from pathlib import Path
from toy_repository import bring, limit_file_sizes, spec_for
{prelude}
bring(spec_for({source.url!r}, {source.commit!r}))
"""
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def test_killed_while_a_pack_arrives_the_next_run_ends_in_the_same_tree(
    spec: BenchmarkSpec, server: Served, upstream: Path
) -> None:
    server.seconds_per_chunk = 0.1
    with start(spec) as process:
        assert server.under_way.wait(20), "the pack was never under way"
        process.kill()
    assert not (TOY / "MANIFEST.json").exists()
    server.seconds_per_chunk = 0.0
    bring(spec)
    assert contents(TOY) == published(upstream)


def test_killed_while_files_move_in_the_next_run_ends_in_the_same_tree(
    spec: BenchmarkSpec, server: Served, upstream: Path
) -> None:
    with start(spec, KILLED_WHILE_INSTALLING) as process:
        pass
    assert process.returncode == -signal.SIGKILL
    assert 0 < len(contents(TOY)) < len(published(upstream))
    n_requests = len(server.requests)
    bring(spec)
    assert (contents(TOY), len(server.requests)) == (published(upstream), n_requests)
    assert [path.name for path in TOY.parent.iterdir()] == ["toy"]


def test_batches_that_arrived_are_kept(
    spec: BenchmarkSpec, server: Served, upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_source, "BATCH", 15)
    monkeypatch.setattr(_transfer, "ATTEMPTS", 1)
    # The names, and two of three batches.
    server.cut_after, server.spared = 1000, 3
    assert "git fetch of commit" in refusal(spec)
    n_requests = len(server.requests)
    bring(spec)
    assert (contents(TOY), len(server.requests)) == (published(upstream), n_requests + 2)


def test_a_connection_that_breaks_once_is_taken_up_again(
    spec: BenchmarkSpec, server: Served, upstream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.cut_after, server.cuts = 1000, 1
    bring(spec)
    assert contents(TOY) == published(upstream)
    assert "attempt 2 of 3" in caplog.text


def test_a_running_download_is_waited_for(
    spec: BenchmarkSpec, upstream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    CLONE.parent.mkdir(parents=True)
    with CLONE.with_name("toy.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=bring, args=(spec,))
        thread.start()
        thread.join(0.3)
        assert "another download is under way" in caplog.text
        assert not CLONE.exists()
    thread.join(20)
    assert contents(TOY) == published(upstream)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scrambled(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def stranded(path: Path) -> None:
    path.with_name("index.lock").write_bytes(b"")
    path.with_name("shallow.lock").write_bytes(b"")
    write(path.parent / "objects/pack/tmp_pack_1", b"half")
    write(path.parent / "objects/pack/pack-1.pack", b"no index")
    (TOY.parent / ".toy.part").mkdir(exist_ok=True)
    write(TOY.parent / ".toy.part/t00/task.json", b"half")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("HEAD", stranded),
        ("HEAD", emptied),
        ("HEAD", Path.unlink),
        ("config", scrambled),
        ("config", emptied),
        ("shallow", emptied),
        ("shallow", Path.unlink),
        ("shallow", scrambled),
        ("objects/pack/*.idx", halved),
        ("objects/pack/*.idx", Path.unlink),
        ("objects/pack/*.pack", halved),
        ("objects/pack/*.pack", scrambled),
        ("objects/pack/*.promisor", Path.unlink),
        ("objects/pack/*", Path.unlink),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_damaged_clone_heals(
    spec: BenchmarkSpec, upstream: Path, name: str, damage: Callable[[Path], None]
) -> None:
    bring(spec)
    shutil.rmtree(TOY)
    for path in list(CLONE.glob(name)):
        damage(path)
    bring(spec)
    assert contents(TOY) == published(upstream)
    assert not [*CLONE.rglob("*.lock"), *CLONE.rglob("tmp_*")]


# Refusals


def says_the_ways_out(text: str) -> bool:
    ways = ("benchmark toy, source", "METAMIRAGE_MIRROR", "key mirror", "make demo")
    return all(way in text for way in ways)


def tamper(repository: Path, name: str, content: bytes) -> str:
    """Put another content under the id of a file, as a dishonest server might."""
    oid = git(repository, "rev-parse", f"HEAD:{name}")
    path = repository / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob %d\0" % len(content) + content))
    return oid


def test_a_content_that_the_server_changed_is_refused(tmp_path: Path, upstream: Path) -> None:
    root = tmp_path / "server" / "changed"
    shutil.copytree(upstream, root, symlinks=True)
    oid = tamper(root, "bench/t03/results/scores_2m.json", b"[1.0, 1.0, 1.0]")
    with serve_git(root.parent) as served:
        text = refusal(spec_for(f"{served.url}/changed", git(root, "rev-parse", "HEAD")))
    assert "what arrived is not commit" in text
    assert oid in text
    assert says_the_ways_out(text)
    assert not TOY.exists()


def test_a_tree_that_the_server_changed_is_refused(tmp_path: Path, upstream: Path) -> None:
    root = tmp_path / "server" / "changed"
    shutil.copytree(upstream, root, symlinks=True)
    oid = exchange_trees(root)
    with serve_git(root.parent) as served:
        text = refusal(spec_for(f"{served.url}/changed", git(root, "rev-parse", "HEAD")))
    assert oid in text
    assert not TOY.exists()


def exchange_trees(repository: Path) -> str:
    """Put the content of one folder under the id of another."""
    oid, other = (git(repository, "rev-parse", f"HEAD:bench/{name}") for name in ("t03", "t04"))
    objects = repository / ".git/objects"
    target = objects / oid[:2] / oid[2:]
    target.chmod(0o644)
    shutil.copyfile(objects / other[:2] / other[2:], target)
    return oid


def test_a_content_that_was_changed_in_the_clone_is_fetched_again(
    spec: BenchmarkSpec, upstream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bring(spec)
    shutil.rmtree(TOY)
    oid = git(upstream, "rev-parse", "HEAD:bench/t03/task.json")
    unpacked = CLONE / "objects" / oid[:2] / oid[2:]
    unpack_all(CLONE)
    unpacked.chmod(0o644)
    unpacked.write_bytes(zlib.compress(b"blob 2\0[]"))
    bring(spec)
    assert contents(TOY) == published(upstream)
    assert "is not what its id says" in caplog.text


def unpack_all(clone: Path) -> None:
    packs = clone / "objects/pack"
    aside = clone.with_name("aside")
    packs.rename(aside)
    for pack in aside.glob("*.pack"):
        with pack.open("rb") as stream:
            subprocess.run(["git", "unpack-objects", "-q"], cwd=clone, stdin=stream, check=True)


def test_a_commit_that_the_server_lacks_is_refused_at_once(
    spec: BenchmarkSpec, server: Served
) -> None:
    bring(spec)
    before = states(TOY)
    wrong = replace(spec, source=replace(spec.source, commit="1" * 40))
    n_requests = len(server.requests)
    text = refusal(wrong)
    assert f"git fetch of commit {'1' * 40} failed" in text
    assert "not our ref" in text
    assert says_the_ways_out(text)
    assert (states(TOY), len(server.requests)) == (before, n_requests + 2)


def test_an_id_that_is_no_commit_is_refused(spec: BenchmarkSpec, upstream: Path) -> None:
    blob = git(upstream, "rev-parse", "HEAD:LICENSE")
    text = refusal(replace(spec, source=replace(spec.source, commit=blob)))
    assert f"the id is not that of a commit ('{blob}')" in text


def test_an_unreachable_server_is_named_after_a_few_attempts(
    upstream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serve_git(upstream.parent) as served:
        gone = served.url
    text = refusal(spec_for(f"{gone}/upstream", "1" * 40))
    assert f"source {gone}/upstream" in text
    assert "Failed to connect" in text
    assert says_the_ways_out(text)
    assert caplog.text.count("attempt") == _transfer.ATTEMPTS - 1


def test_a_server_without_filters_is_refused_before_it_sends_everything(
    tmp_path: Path, upstream: Path
) -> None:
    root = tmp_path / "server" / "whole"
    shutil.copytree(upstream, root, symlinks=True)
    publish(root, filters=False)
    with serve_git(root.parent) as served:
        served.seconds_per_chunk = 0.1
        text = refusal(spec_for(f"{served.url}/whole", git(root, "rev-parse", "HEAD")))
        assert served.sent < TASKS * PLOT_BYTES / 2
    assert "cannot send parts of a repository (uploadpack.allowFilter)" in text
    assert "Make a full clone in a mirror folder" in text
    assert says_the_ways_out(text)


def test_patterns_without_a_file_are_refused(spec: BenchmarkSpec) -> None:
    text = refusal(replace(spec, source=replace(spec.source, include=("*.csv",))))
    assert "holds no file that matches ('bench/*.csv')" in text


def test_a_name_that_leads_outside_is_refused(tmp_path: Path, upstream: Path) -> None:
    root = tmp_path / "server" / "wicked"
    shutil.copytree(upstream, root, symlinks=True)
    inner = git(root, "rev-parse", "HEAD:bench/t00")
    entry = b"40000 ..\0" + bytes.fromhex(inner)
    (tmp_path / "tree").write_bytes(entry)
    words = ("hash-object", "-t", "tree", "-w", "--literally", str(tmp_path / "tree"))
    bench = git(root, *words)
    (tmp_path / "tree").write_bytes(b"40000 bench\0" + bytes.fromhex(bench))
    commit = git(root, "commit-tree", "-m", "wicked", git(root, *words))
    assert "would lie outside the raw folder" in refusal(spec_for(str(root), commit))


def test_a_full_disk_is_reported_with_what_to_do(spec: BenchmarkSpec) -> None:
    with start(spec, "limit_file_sizes()") as process:
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "Make room and run the same command again" in said
    assert says_the_ways_out(said)
    assert not TOY.exists()


def test_the_disk_may_fill_while_files_are_written(
    spec: BenchmarkSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_disk)
        text = refusal(spec)
    assert "the disk is full ('No space left on device'). Make room" in text
    assert not TOY.exists()


def test_an_interruption_says_how_to_go_on(
    spec: BenchmarkSpec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "bring_remote", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bring(spec)
    assert "interrupted. Run the same command again" in caplog.text
    assert says_the_ways_out(caplog.text)


# Other places to take the files from


@pytest.fixture
def full_clone(tmp_path: Path, upstream: Path) -> Path:
    target = tmp_path / "elsewhere" / "toy"
    git(tmp_path, "clone", "-q", str(upstream), str(target))
    # A commit on top: the registry's is what counts, not what is checked out.
    (target / "bench/t00/task.json").write_text("later", encoding="utf-8")
    git(target, "commit", "-q", "-a", "-m", "later")
    return target


def test_a_clone_in_the_mirror_serves_the_pinned_commit(full_clone: Path, upstream: Path) -> None:
    spec = spec_for("https://unused.invalid/toy", git(upstream, "rev-parse", "HEAD"))
    before = states(full_clone)
    bring(spec, full_clone.parent)
    assert (contents(TOY), states(full_clone)) == (published(upstream), before)
    manifest = json.loads((TOY / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["fetched_from"] == "local clone"


def test_the_mirror_itself_may_be_the_clone(full_clone: Path, upstream: Path) -> None:
    spec = spec_for("https://unused.invalid/toy", git(upstream, "rev-parse", "HEAD"))
    bring(spec, full_clone)
    assert contents(TOY) == published(upstream)


@pytest.mark.parametrize("bare", [False, True])
def test_the_registry_may_name_a_local_clone(tmp_path: Path, upstream: Path, bare: bool) -> None:
    target = tmp_path / "clone"
    git(tmp_path, "clone", "-q", *["--bare"][:bare], str(upstream), str(target))
    bring(spec_for(str(target), git(upstream, "rev-parse", "HEAD")))
    assert contents(TOY) == published(upstream)
    assert not CLONE.exists()


def test_a_linked_worktree_serves_too(tmp_path: Path, full_clone: Path, upstream: Path) -> None:
    git(full_clone, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    bring(spec_for(str(tmp_path / "linked"), git(upstream, "rev-parse", "HEAD")))
    assert contents(TOY) == published(upstream)


def test_a_local_clone_without_the_commit_is_refused(full_clone: Path) -> None:
    text = refusal(spec_for(str(full_clone), "1" * 40))
    assert f"lacks commit {'1' * 40} or a part of it" in text
    assert f"Run git fetch origin {'1' * 40} there" in text
    assert says_the_ways_out(text)


def test_a_partial_local_clone_is_refused_without_a_request(
    tmp_path: Path, server: Served, upstream: Path
) -> None:
    target = tmp_path / "partial"
    words = ("clone", "-q", "--no-checkout", "--filter=blob:none")
    git(tmp_path, *words, f"{server.url}/upstream", str(target))
    n_requests = len(server.requests)
    assert "lacks commit" in refusal(spec_for(str(target), git(upstream, "rev-parse", "HEAD")))
    assert len(server.requests) == n_requests


@pytest.mark.parametrize(
    "change",
    [lambda folder: tamper(folder, "bench/t05/task.json", b"{}"), exchange_trees],
    ids=["content", "tree"],
)
def test_a_changed_object_in_a_local_clone_is_refused(
    tmp_path: Path, upstream: Path, change: Callable[[Path], str]
) -> None:
    target = tmp_path / "toy"
    shutil.copytree(upstream, target, symlinks=True)
    oid = change(target)
    text = refusal(spec_for(str(target), git(upstream, "rev-parse", "HEAD")))
    assert f"an object is not what its id says ({oid})" in text
    assert not TOY.exists()


def test_git_settings_of_the_surroundings_lead_nowhere_else(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(upstream, "rev-parse", "HEAD")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    bring(spec_for(str(upstream), commit))
    assert contents(TOY) == published(upstream)


class Proxy(BaseHTTPRequestHandler):
    """Forwards plain requests for any host to one address."""

    target: str
    seen: list[str]

    def do_GET(self) -> None:
        self._forward(None)

    def do_POST(self) -> None:
        self._forward(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the tests."""

    def _forward(self, body: bytes | None) -> None:
        parts = urlsplit(self.path)
        self.seen.append(parts.hostname or "")
        query = f"?{parts.query}" if parts.query else ""
        kept = ("Content-Type", "Content-Encoding", "Git-Protocol", "Range")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        request = Request(f"{self.target}{parts.path}{query}", body, headers)
        with build_opener(ProxyHandler({})).open(request, timeout=20) as reply:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.headers["Content-Type"])
            self.end_headers()
            shutil.copyfileobj(reply, self.wfile)


def test_the_proxy_of_the_environment_is_used(
    server: Served, upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = type("Handler", (Proxy,), {"target": server.url, "seen": []})
    with serve(handler) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        bring(spec_for("http://bench.invalid/upstream", git(upstream, "rev-parse", "HEAD")))
    assert contents(TOY) == published(upstream)
    assert set(handler.seen) == {"bench.invalid"}


@pytest.mark.parametrize(
    "pattern", ["*.json", "*/*.json", "**/*.json", "t*/**/task.json", "*/results/scores_*.json"]
)
def test_a_pattern_means_the_same_in_a_tree_and_in_a_folder(upstream: Path, pattern: str) -> None:
    bench = upstream / "bench"
    names = {path.relative_to(bench).as_posix() for path in bench.rglob("*") if path.is_file()}
    found = {path.relative_to(bench).as_posix() for path in bench.glob(pattern) if path.is_file()}
    assert {name for name in names if git_source.matches(name, [pattern])} == found
