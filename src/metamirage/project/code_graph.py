"""Which files of the package a script runs: the import graph that Snakemake cannot see.

Snakemake tracks the script of a rule, but not what the script imports. Each rule therefore takes
one short word per imported file among its params, such as ``fitting/fits.py 1f3a9c20``. Snakemake
compares params one by one, so that it reruns what an edit concerns, and names the edited file.

Any edit counts, comments included: the words are made from the text as it stands.

Python's own parser would need a second for the whole package, on every start of Snakemake. The
imports are found in the text instead; a test holds both against each other.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = "metamirage"
ROOT = Path(__file__).parents[1]
# Enough to tell any two states of a file apart; all of them go into every record of Snakemake.
DIGITS = 8

_IMPORT = re.compile(rf"^[ \t]*import[ \t]+(?=.*\b{PACKAGE}\b)(.+)$", re.M)
_FROM = re.compile(
    rf"^[ \t]*from[ \t]+({PACKAGE}(?:\.\w+)*)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)$", re.M
)
# With a dot at its end, or before a brace, the rest is chosen while the program runs.
_SPELT_OUT = re.compile(rf"""["']({PACKAGE}(?:\.\w+)+\.?)(?=["'{{])""")
# For the type checker: it never runs.
_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:(?:[ \t]+.*)?\n)+", re.M)
_COMMENT = re.compile(r"#.*")


def files_run_by(script: Path, *, root: Path = ROOT) -> list[Path]:
    """List the files of the package that a script can run, at any remove.

    Follows absolute imports at any depth of the code, file by file. A string that ends in a dot,
    such as ``"metamirage.ingest.readers."``, stands for every module of that package. An
    ``__init__`` counts if it holds code; the package's own counts only where something is taken
    from it, so that importing one module does not bring in whatever the package exports.
    Relative imports are not seen: the linter forbids them.

    Parameters
    ----------
    script
        A Python file, of the package or not.
    root
        Folder of the package.

    Returns
    -------
    list of Path
        Sorted, without the script itself unless one of the files imports it.

    Raises
    ------
    FileNotFoundError
        If there is no such script.
    """
    if not script.is_file():
        raise FileNotFoundError(f"{script}: no such script, for the rule that asks for its code")
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        new = _direct(waiting.pop(), root) - found
        found |= new
        waiting += new
    return sorted(found)


def code_digests(script: Path, *, root: Path = ROOT) -> list[str]:
    """Name every file of the package that a script can run, each with a digest of its text.

    Parameters
    ----------
    script
        A Python file.
    root
        Folder of the package.

    Returns
    -------
    list of str
        For the params of a rule: ``fitting/fits.py 1f3a9c20``, sorted.
    """
    return [
        f"{file.relative_to(root).as_posix()} {_digest(file)}"
        for file in files_run_by(script, root=root)
    ]


def imported_names(text: str) -> set[str]:
    """Find the dotted names inside the package that a Python text imports or spells out.

    Parameters
    ----------
    text
        Python code.

    Returns
    -------
    set of str
        ``metamirage.tables`` for ``from metamirage import tables``; names of modules and of what
        they define alike. One that ends in a dot stands for a package's modules.
    """
    text = _TYPES_ONLY.sub("", text)
    names = {name for match in _IMPORT.finditer(text) for name in _split(match[1])}
    for match in _FROM.finditer(text):
        names |= {f"{match[1]}.{name}" for name in _split(match[2])}
    names |= set(_SPELT_OUT.findall(text))
    return {name for name in names if name.split(".")[0] == PACKAGE}


def _split(names: str) -> list[str]:
    """Take ``(a, b as c)`` apart; a comment may hold commas."""
    listed = _COMMENT.sub("", names).strip().strip("()").split(",")
    return [name.split()[0] for name in listed if name.strip()]


# A process of Snakemake reads its files once; editing them meanwhile must not split a run.
@cache
def _direct(file: Path, root: Path) -> frozenset[Path]:
    names = imported_names(file.read_text(encoding="utf-8"))
    return frozenset(hit for name in names for hit in _files_of(name, root))


@cache
def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()[:DIGITS]


@cache
def _files_of(name: str, root: Path) -> tuple[Path, ...]:
    _, *parts = name.split(".")
    folder, found = root, []
    for part in parts:
        if part == "":
            return tuple(folder.rglob("*.py"))
        if (folder / part).is_dir():
            folder /= part
            found.append(folder / "__init__.py")
        elif (file := folder / f"{part}.py").is_file():
            found.append(file)
            break
        else:
            # No module: a name that the package itself defines.
            break
    return tuple(file for file in found or [root / "__init__.py"] if _holds_code(file))


@cache
def _holds_code(file: Path) -> bool:
    if file.name != "__init__.py":
        return True
    if not file.is_file():
        return False
    body = ast.parse(file.read_text(encoding="utf-8")).body
    docstring = ast.get_docstring(ast.Module(body=body, type_ignores=[])) is not None
    return len(body) > docstring
