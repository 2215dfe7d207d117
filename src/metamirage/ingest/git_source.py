"""The wanted files of one commit of a git repository, and nothing else of it.

A partial clone without history or files (``--depth 1 --filter=blob:none``) brings the names; the
files that match the registry's patterns are then asked for by their object ids, thousands in one
request. They are written straight from the clone's objects: a checkout would hold every file a
second time, and would pass it through the line-end conversion and filters of the user's git.

Nothing is taken on trust: see `metamirage.git_objects`. The user's git configuration holds, so
proxies (``http.proxy``, ``https_proxy``), certificates and ``url.<base>.insteadOf`` work as they
do on the command line.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import batched
from pathlib import Path, PurePosixPath
from typing import IO, cast

from metamirage.ingest.git_objects import (
    lines_file,
    list_objects,
    object_id,
    read_objects,
    read_tree,
    run_git,
    start_git,
)
from metamirage.ingest.registry import Source
from metamirage.ingest.transfer import (
    ASK_PUBLISHER,
    MAKE_ROOM,
    TIMEOUT_SECONDS,
    DamagedError,
    Progress,
    SourceError,
    TransientError,
    log,
    with_retries,
)

# A pack arrives whole or not at all, so a broken connection costs one batch at most. BIG-bench
# takes four; one request a file, which git makes when left alone, would be ten thousand.
BATCH = 2500
# Asking again changes none of these answers.
FINAL = (
    "not our ref",
    "not found",
    "does not appear to be a git repository",
    "Authentication failed",
    "could not read Username",
)
# Signal 25 ends a program that outgrows a limit on file sizes.
NO_ROOM = ("No space left", "quota exceeded", "signal 25", "File too large")
# The server sent other objects than those that it was asked for.
INCOMPLETE = "did not send all necessary objects"
NO_FILTER = "filtering not recognized by server"
LICENCE_NAMES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


@dataclass(frozen=True)
class Selection:
    """Wanted files of a commit: name below the raw folder, and git's id of the content.

    Parameters
    ----------
    files
        Files below the source's root that match its patterns.
    licences
        Licence texts at the top of the repository.
    """

    files: Mapping[str, str]
    licences: Mapping[str, str]


@dataclass(frozen=True)
class _Clone:
    path: Path
    lock: int


def bring_local(source: Source, repository: Path, work: Path, *, present: Path) -> Selection:
    """Write the wanted files from a clone that somebody else keeps, without touching it.

    Parameters
    ----------
    source
        Commit, root and patterns.
    repository
        Its git folder, see `metamirage.git_objects.find_repository`.
    work
        Folder for the files that are not equal in `present`.
    present
        Folder with the files of an earlier run; need not exist.

    Raises
    ------
    SourceError
        If the clone lacks the commit or a wanted file, or an object is not what its id says.
    """
    try:
        wanted = _select(read_tree(repository, source.commit), source)
        _write(repository, _changed(wanted, present), work)
    except DamagedError as exc:
        problem = f"the clone {repository} lacks commit {source.commit} or a part of it"
        advice = f"Run git fetch origin {source.commit} there, or make a full clone"
        raise SourceError(problem, str(exc), advice=advice) from exc
    return wanted


def bring_remote(source: Source, clone: Path, work: Path, *, present: Path) -> Selection:
    """Write the wanted files of a repository elsewhere, through a partial clone of our own.

    Only what is neither in `present` nor in the clone is asked for. A clone that turns out to be
    damaged is thrown away and made anew, once.

    Parameters
    ----------
    source
        Address, commit, root and patterns.
    clone
        Folder of the clone; kept for the next run.
    work, present
        As in `bring_local`.

    Raises
    ------
    SourceError
        If the server cannot be reached, lacks the commit, cannot send parts of a repository, or
        sends something else than it was asked for.
    """
    with _locked(clone) as ours:
        try:
            return _bring(source, ours, work, present=present)
        except DamagedError as exc:
            log.warning("the clone %s is damaged (%s) and is made anew", clone, exc)
            shutil.rmtree(clone)
        try:
            return _bring(source, ours, work, present=present)
        except DamagedError as exc:
            problem = f"what arrived is not commit {source.commit}"
            raise SourceError(problem, str(exc), advice=ASK_PUBLISHER) from exc


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path fits a pattern: ``*`` within a folder, ``**`` for folders between.

    `pathlib.PurePath.full_match` does the same, but only from Python 3.13.

    Parameters
    ----------
    name
        Relative path with slashes.
    patterns
        At least one has to fit the whole path.

    Examples
    --------
    >>> matches("a/b/c.csv", ["*.csv"]), matches("a/b/c.csv", ["**/*.csv"])
    (False, True)
    """
    parts = name.split("/")
    return any(_fits(parts, pattern.split("/")) for pattern in patterns)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[i:], pattern[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _bring(source: Source, clone: _Clone, work: Path, *, present: Path) -> Selection:
    _prepare(clone.path)
    have = list_objects(clone.path)
    if source.commit not in have:
        log.info("%s: fetching the file names of commit %s", source.url, source.commit)
        with_retries(partial(_fetch, source, clone, ["--depth", "1", "origin", source.commit]))
    wanted = _select(read_tree(clone.path, source.commit), source)
    changed = _changed(wanted, present)
    # In the order of the names: what lies side by side in the repository packs well.
    missing = dict.fromkeys(oid for _, oid in sorted(changed.items()) if oid not in have)
    _fetch_files(source, clone, list(missing))
    _write(clone.path, changed, work)
    return wanted


@contextmanager
def _locked(clone: Path) -> Iterator[_Clone]:
    # Whoever holds the clone alone may remove git's own lock files: they are leftovers. Git keeps
    # the lock too, for when this process is killed, the git it started lives on for a moment.
    clone.parent.mkdir(parents=True, exist_ok=True)
    with clone.with_name(f"{clone.name}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: another download is under way; waiting for its end", clone)
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as exc:
            log.info(
                "%s: this file system has no locks (%s); run one download at a time", clone, exc
            )
        yield _Clone(clone, stream.fileno())


def _prepare(clone: Path) -> None:
    clone.mkdir(parents=True, exist_ok=True)
    for path in (*clone.rglob("*.lock"), *clone.glob("objects/**/tmp_*")):
        path.unlink()
    for path in clone.glob("objects/pack/pack-*"):
        # The index comes last, so a pack without one was cut short.
        if not path.with_suffix(".idx").is_file():
            path.unlink()
    run_git(clone, "init", "-q", "--bare", "--template=", "--object-format=sha1")


def _fetch_files(source: Source, clone: _Clone, oids: Sequence[str]) -> None:
    for first, batch in enumerate(batched(oids, BATCH)):
        done = first * BATCH + len(batch)
        log.info("%s: fetching files, up to %d of %d", source.url, done, len(oids))
        with_retries(partial(_fetch, source, clone, ["--stdin", "origin"], oids=batch))


def _fetch(
    source: Source, clone: _Clone, words: Sequence[str], *, oids: Iterable[str] = ()
) -> None:
    settings = {
        # Given here and written nowhere, so that no run can be cut short while writing them.
        "remote.origin.url": source.url,
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "fetch.negotiationAlgorithm": "noop",
        "protocol.version": "2",
        "maintenance.auto": "false",
        "gc.auto": "0",
        "core.hooksPath": os.devnull,
        # A connection that falls silent fails, rather than waiting for ever.
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": str(TIMEOUT_SECONDS),
    }
    given = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    how = ["--progress", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"]
    command = [*given, "fetch", *how, "--filter=blob:none", *words]
    with (
        lines_file(oids) as stdin,
        start_git(
            command,
            repository=clone.path,
            stdin=stdin,
            stderr=subprocess.PIPE,
            lock=clone.lock,
        ) as process,
    ):
        said = _follow(process, source.url)
    if process.returncode:
        raise _failure(said or [f"git ended with status {process.returncode}"], source)


def _follow(process: subprocess.Popen[bytes], url: str) -> list[str]:
    """Show git's progress and return its complaints."""
    progress, said = Progress(url), []
    # Git ends a line of progress with a carriage return, which counts as a line's end here.
    with io.TextIOWrapper(cast("IO[bytes]", process.stderr), errors="replace") as lines:
        for line in lines:
            if NO_FILTER in line:
                # Before the whole repository comes in.
                process.kill()
                problem = "the server cannot send parts of a repository (uploadpack.allowFilter)"
                raise SourceError(problem, url, advice="Make a full clone in a mirror folder")
            if "%" in line:
                progress.tell(line.strip())
            elif line.startswith(("fatal:", "error:")):
                said.append(line.strip())
    return said


def _failure(said: Sequence[str], source: Source) -> SourceError:
    text, problem = " ".join(said), f"git fetch of commit {source.commit} failed"
    if INCOMPLETE in text:
        return DamagedError(problem, text)
    if any(word in text for word in NO_ROOM):
        return SourceError(problem, text, advice=MAKE_ROOM)
    if any(word in text for word in FINAL):
        return SourceError(problem, text)
    return TransientError(problem, text)


def _select(tree: Mapping[str, str], source: Source) -> Selection:
    prefix = f"{source.root}/" if source.root else ""
    below = {p.removeprefix(prefix): oid for p, oid in tree.items() if p.startswith(prefix)}
    files = {name: oid for name, oid in below.items() if matches(name, source.include)}
    licences = {
        name: oid
        for name, oid in tree.items()
        if matches(name, LICENCE_NAMES) and name not in files
    }
    outside = [name for name in files if ".." in PurePosixPath(name).parts]
    if outside:
        raise SourceError("a file of the repository would lie outside the raw folder", outside[0])
    if not files:
        problem = f"commit {source.commit} holds no file that matches"
        raise SourceError(problem, ", ".join(prefix + pattern for pattern in source.include))
    return Selection(files, licences)


def _changed(wanted: Selection, present: Path) -> dict[str, str]:
    named = {**wanted.licences, **wanted.files}
    return {name: oid for name, oid in named.items() if not _is_equal(present / name, oid)}


def _is_equal(path: Path, oid: str) -> bool:
    return path.is_file() and object_id(path.read_bytes()) == oid


def _write(repository: Path, files: Mapping[str, str], work: Path) -> None:
    names = defaultdict(list)
    for name, oid in files.items():
        names[oid].append(name)
    for folder in {(work / name).parent for name in files}:
        folder.mkdir(parents=True, exist_ok=True)
    progress, done = Progress("verified and written"), 0
    for oid, content in read_objects(repository, names):
        for name in names[oid]:
            (work / name).write_bytes(content)
        done += len(names[oid])
        progress.tell(f"{done} of {len(files)} files")
