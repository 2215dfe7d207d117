"""Download stage: the files of one benchmark, verified, with a manifest.

Files come from this repository, from a mirror folder, from a git repository at a commit, or over
http with known SHA-256. What is there already and equal is left alone. What is not is made ready
beside the destination and moved in when all of it is there, so that a failed fetch leaves the
earlier state; ``MANIFEST.json`` is written last.
"""

from __future__ import annotations

import errno
import filecmp
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.git_objects import find_repository
from metamirage.ingest.git_source import LICENCE_NAMES, Selection, bring_local, bring_remote
from metamirage.ingest.http_source import download
from metamirage.ingest.registry import BenchmarkSpec
from metamirage.ingest.transfer import ASK_PUBLISHER, MAKE_ROOM, SourceError, log, sha256_of

MANIFEST = "MANIFEST.json"
GIT_CACHE = Path(".cache") / "metamirage" / "git"
HTTP_CACHE = Path(".cache") / "metamirage" / "http"
READ_ONLY = 0o444
GO_ON = "Run the same command again: it goes on where this one stopped"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDY = (
    "{advice}; or name a folder with a sub-folder {name!r} in the config key mirror or the"
    " environment variable METAMIRAGE_MIRROR, or run make demo, which needs no download"
)


@dataclass(frozen=True)
class Delivery:
    """What a source has brought.

    Parameters
    ----------
    origin
        How the files came, for the manifest.
    files, licences
        Names below the raw folder: the benchmark's files, and licence texts beside them.
    blobs
        Git's id of each file that came from a repository.
    """

    origin: str
    files: tuple[str, ...]
    licences: tuple[str, ...] = ()
    blobs: Mapping[str, str] = field(default_factory=dict)


def fetch(spec: BenchmarkSpec, *, mirror: Path | None, destination: Path) -> None:
    """Bring the files of a benchmark to its raw folder and write the manifest.

    Files that are there and equal are left alone. Shipped files are used where they are, with or
    without a mirror; for every other kind a mirror takes the place of the source.

    Parameters
    ----------
    spec
        Registry entry.
    mirror
        Folder with one sub-folder per benchmark, or None. The sub-folder holds the files as they
        will lie in the raw folder; for a git source it may be a clone, and so may the mirror.
    destination
        Folder ``data/raw/<benchmark>`` of this benchmark.

    Raises
    ------
    InputError
        If the source cannot be reached, holds no matching file, or differs from the commit or
        SHA-256 of the registry, or if the disk is full. The destination is then as it was before.
    """
    try:
        if _is_in_place(spec, mirror):
            delivery = Delivery("files in place", tuple(_matching(destination, spec)))
        else:
            delivery = _bring(spec, mirror, destination)
        _write_manifest(_manifest(spec, delivery, destination), destination)
    except SourceError as exc:
        raise InputError([_offence(spec, exc)]) from exc
    except OSError as exc:
        raise InputError([_offence(spec, _disk_fault(exc, destination))]) from exc
    except KeyboardInterrupt:
        log.error("%s", _offence(spec, SourceError("interrupted", advice=GO_ON)))
        raise


def _is_in_place(spec: BenchmarkSpec, mirror: Path | None) -> bool:
    if spec.source.kind == "path":
        # A user's own table needs no copy in the mirror that serves the other benchmarks.
        return mirror is None or not (mirror / spec.name).is_dir()
    return spec.source.kind == "shipped"


def _offence(spec: BenchmarkSpec, fault: SourceError) -> Offence:
    where = f"benchmark {spec.name}, source {spec.source.url or spec.source.kind}"
    remedy = _REMEDY.format(advice=fault.advice, name=spec.name)
    return Offence(where, fault.problem, fault.value, "", remedy)


def _disk_fault(exc: OSError, destination: Path) -> SourceError:
    if exc.errno in _FULL:
        return SourceError("the disk is full", str(exc.strerror), advice=MAKE_ROOM)
    problem = f"{exc.filename or destination} cannot be read or written"
    return SourceError(problem, str(exc.strerror or exc), advice="Check the folder's permissions")


def _bring(spec: BenchmarkSpec, mirror: Path | None, destination: Path) -> Delivery:
    with _workplace(destination) as work:
        delivery = _gather(spec, mirror, work=work, present=destination)
        fresh = _find(work, ["**/*"])
        _install(fresh, destination)
    if spec.source.kind != "path":
        _remove_outdated(destination, {*delivery.files, *delivery.licences, MANIFEST})
    log.info(
        "%s: %d files from %s, %d of them new or changed",
        spec.name,
        len(delivery.files),
        delivery.origin,
        len(fresh),
    )
    return delivery


@contextmanager
def _workplace(destination: Path) -> Iterator[Path]:
    # Beside the destination, so that moving a file in is one rename on one file system.
    work = destination.with_name(f".{destination.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _gather(spec: BenchmarkSpec, mirror: Path | None, *, work: Path, present: Path) -> Delivery:
    if spec.source.kind == "git" and (clone := _local_clone(spec, mirror)):
        return _from_git("local clone", bring_local(spec.source, clone, work, present=present))
    if mirror is not None:
        return _from_mirror(spec, mirror, work=work, present=present)
    if spec.source.kind == "git":
        cache = GIT_CACHE / spec.name
        return _from_git("git", bring_remote(spec.source, cache, work, present=present))
    return _from_http(spec, work=work, present=present)


def _local_clone(spec: BenchmarkSpec, mirror: Path | None) -> Path | None:
    if mirror is None:
        return find_repository(Path(spec.source.url).expanduser())
    own = mirror / spec.name
    return find_repository(own if own.is_dir() else mirror)


def _from_git(origin: str, found: Selection) -> Delivery:
    blobs = {**found.licences, **found.files}
    return Delivery(origin, tuple(sorted(found.files)), tuple(sorted(found.licences)), blobs)


def _from_http(spec: BenchmarkSpec, *, work: Path, present: Path) -> Delivery:
    for file in spec.source.files:
        earlier = present / file.path
        if not (earlier.is_file() and sha256_of(earlier) == file.sha256):
            download(file, work / file.path, cache=HTTP_CACHE)
    return Delivery("http", tuple(sorted(file.path for file in spec.source.files)))


def _from_mirror(spec: BenchmarkSpec, mirror: Path, *, work: Path, present: Path) -> Delivery:
    folder = mirror / spec.name
    if not folder.is_dir():
        problem = f"the mirror {mirror} has no folder {spec.name}"
        there = sorted(p.name for p in mirror.iterdir() if p.is_dir()) if mirror.is_dir() else []
        raise SourceError(problem, ", ".join(there) or "nothing there")
    files = _matching(folder, spec)
    _check_listed(files, spec)
    licences = {n: p for n, p in _find(folder, LICENCE_NAMES).items() if n not in files}
    _copy({**licences, **files}, work=work, present=present)
    return Delivery("mirror", tuple(files), tuple(licences))


def _check_listed(files: Mapping[str, Path], spec: BenchmarkSpec) -> None:
    for file in spec.source.files:
        if file.path not in files:
            raise SourceError("the mirror lacks a file of the registry", file.path)
        if (found := sha256_of(files[file.path])) != file.sha256:
            path = files[file.path]
            problem = f"{path} has another SHA-256 than {file.sha256}"
            raise SourceError(problem, found, advice=ASK_PUBLISHER)


def _find(root: Path, patterns: Sequence[str]) -> dict[str, Path]:
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {path.relative_to(root).as_posix(): path for path in sorted(found)}


def _matching(root: Path, spec: BenchmarkSpec) -> dict[str, Path]:
    files = _find(root, spec.source.include)
    if not files:
        raise SourceError(f"{root} holds no file that matches", ", ".join(spec.source.include))
    return files


def _copy(files: Mapping[str, Path], *, work: Path, present: Path) -> None:
    for name, path in files.items():
        earlier, target = present / name, work / name
        if not (earlier.is_file() and filecmp.cmp(path, earlier, shallow=False)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _install(fresh: Mapping[str, Path], destination: Path) -> None:
    for folder in {(destination / name).parent for name in fresh}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, path in fresh.items():
        path.chmod(READ_ONLY)
        os.replace(path, destination / name)


def _remove_outdated(destination: Path, wanted: Iterable[str]) -> None:
    # Files of an earlier commit or pattern. Only those that bear the mark of this stage: what a
    # person puts into the folder is writable.
    keep = {destination / name for name in wanted}
    for path in sorted(destination.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in keep and path.lstat().st_mode & 0o777 == READ_ONLY:
            log.info("%s is no longer wanted and is removed", path)
            path.unlink()


def _manifest(spec: BenchmarkSpec, delivery: Delivery, destination: Path) -> dict[str, Any]:
    files = [_entry(name, delivery, destination) for name in delivery.files]
    return {
        "benchmark": spec.name,
        "kind": spec.source.kind,
        "source": spec.source.url,
        "commit": spec.source.commit,
        "root": spec.source.root,
        "include": list(spec.source.include),
        "fetched_from": delivery.origin,
        "licence": spec.licence,
        "licence_files": [_entry(name, delivery, destination) for name in delivery.licences],
        "file_count": len(files),
        "bytes": sum(file["bytes"] for file in files),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files,
    }


def _entry(name: str, delivery: Delivery, destination: Path) -> dict[str, Any]:
    path = destination / name
    entry = {"path": name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
    return entry | ({"blob": delivery.blobs[name]} if name in delivery.blobs else {})


def _write_manifest(manifest: Mapping[str, Any], destination: Path) -> None:
    target = destination / MANIFEST
    if _says_the_same(target, manifest):
        return
    part = target.with_name(f".{MANIFEST}.part")
    try:
        part.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.chmod(READ_ONLY)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _says_the_same(target: Path, manifest: Mapping[str, Any]) -> bool:
    try:
        earlier = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(earlier, dict) and {**earlier, "time": ""} == {**manifest, "time": ""}
