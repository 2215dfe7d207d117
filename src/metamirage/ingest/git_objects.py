"""A git repository on this disk, read without the network and without trust in its content.

The commit id is the hash of the commit, which names the hash of its tree, and so on down to each
file. Git checks that when objects arrive; here it is computed again when they are read, so that an
object changed on the disk is found out too.

Git itself does the work, not dulwich. Both take the same time (9 s for 8,000 files), but dulwich
1.2 says the same of a commit that the server lacks and of a connection that broke, fetches
everything from a server that can't send parts, and fails on damaged packs in six different ways.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from metamirage.ingest.transfer import DamagedError, SourceError

# What the surroundings of this process, such as a git hook, may set to point git elsewhere.
FOREIGN = ("GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def find_repository(folder: Path) -> Path | None:
    """Return the git folder of a clone, bare or not; None where there is none.

    Parameters
    ----------
    folder
        Top of a working tree, or a bare repository.
    """
    if (folder / ".git").exists():
        return folder / ".git"
    is_bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    return folder if is_bare else None


def git_environment(repository: Path) -> dict[str, str]:
    """Return the environment for a git that works on this repository and asks nobody.

    Parameters
    ----------
    repository
        Its git folder.
    """
    own = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    return {
        # A private or vanished repository should fail, not wait for a password.
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        **own,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        # Its messages are searched for words.
        "LC_ALL": "C",
        # Named outright: git would otherwise take the repository that holds this checkout.
        "GIT_DIR": str(repository.resolve()),
    }


def run_git(repository: Path, *words: str) -> bytes:
    """Run a git command that reads or prepares this repository and return what it printed.

    Raises
    ------
    DamagedError
        If git fails.
    SourceError
        If there is no git.
    """
    with _reading(repository, words, None) as stdout:
        return stdout.read()


def list_objects(repository: Path) -> set[str]:
    """Ids of all objects that the repository holds, without asking its remote for others."""
    words = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
    return set(run_git(repository, *words).decode().split())


def read_objects(repository: Path, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the id and content of objects, each content checked against its id.

    Parameters
    ----------
    repository
        Its git folder.
    oids
        Ids, in the order of the answers.

    Raises
    ------
    DamagedError
        At the first object that is missing, unreadable or not what its id says.
    """
    words = ("cat-file", "--batch", "--buffer")
    with lines_file(oids) as stdin, _reading(repository, words, stdin) as stdout:
        for header in stdout:
            oid, _, rest = header.decode().rstrip().partition(" ")
            kind, _, size = rest.partition(" ")
            if not size.isdecimal():
                raise DamagedError("an object is missing", oid)
            content = stdout.read(int(size))
            stdout.read(1)
            if object_id(content, kind) != oid:
                raise DamagedError("an object is not what its id says", oid)
            yield oid, content


def object_id(content: bytes, kind: str = "blob") -> str:
    """Git's id of a content: the SHA-1 over its kind, length and bytes.

    Parameters
    ----------
    content
        All bytes.
    kind
        ``blob``, ``tree`` or ``commit``.

    Examples
    --------
    >>> object_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def read_tree(repository: Path, commit: str) -> dict[str, str]:
    """Path and id of every regular file of a commit, all trees between them verified.

    Parameters
    ----------
    repository
        Its git folder.
    commit
        Full id.

    Raises
    ------
    DamagedError
        If the commit or one of its trees is missing or not what its id says.
    SourceError
        If the id is not that of a commit.
    """
    ((_, content),) = read_objects(repository, [commit])
    if not content.startswith(b"tree "):
        raise SourceError("the id is not that of a commit", commit)
    root = content[5:45].decode()
    listing = run_git(repository, "ls-tree", "-r", "-t", "-z", "--full-tree", root).decode()
    trees, files = [root], {}
    for entry in listing.split("\0")[:-1]:
        what, _, path = entry.partition("\t")
        mode, kind, oid = what.split()
        if kind == "tree":
            trees.append(oid)
        # Not links and submodules: their content is a path or a commit elsewhere.
        elif mode.startswith("100"):
            files[path] = oid
    for _ in read_objects(repository, dict.fromkeys(trees)):
        pass
    return files


@contextmanager
def lines_file(lines: Iterable[str]) -> Iterator[IO[bytes]]:
    """Yield a nameless file with these lines, for a git that answers before it has read all.

    With a pipe, git and this process would then wait for each other.
    """
    with tempfile.TemporaryFile() as stream:
        stream.writelines(f"{line}\n".encode() for line in lines)
        stream.seek(0)
        yield stream


def start_git(
    words: Sequence[str],
    *,
    repository: Path,
    stdin: IO[bytes] | None,
    stderr: int | IO[bytes],
    settings: Mapping[str, str] | None = None,
    lock: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start git on a repository.

    Parameters
    ----------
    words
        Subcommand and what follows it.
    repository
        Its git folder.
    stdin, stderr
        As in `subprocess.Popen`; no standard input if None.
    settings
        Environment variables besides those of `git_environment`.
    lock
        A file descriptor that git keeps open for as long as it lives.

    Raises
    ------
    SourceError
        If there is no git.
    """
    try:
        return subprocess.Popen(
            ["git", *words],
            env=git_environment(repository) | dict(settings or {}),
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=() if lock is None else (lock,),
        )
    except FileNotFoundError as exc:
        raise SourceError("git is not installed") from exc


@contextmanager
def _reading(
    repository: Path, words: Sequence[str], stdin: IO[bytes] | None
) -> Iterator[IO[bytes]]:
    # Reading must not fetch what is missing, which git would do with one request a file.
    offline = {"GIT_ALLOW_PROTOCOL": "none"}
    with (
        tempfile.TemporaryFile() as errors,
        start_git(
            words, repository=repository, stdin=stdin, stderr=errors, settings=offline
        ) as process,
    ):
        yield cast("IO[bytes]", process.stdout)
        process.wait()
        errors.seek(0)
        said = " ".join(errors.read().decode(errors="replace").split())
    if process.returncode:
        raise DamagedError(f"git {words[0]} failed", said)
