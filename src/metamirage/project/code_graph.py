"""Which modules a stage runs: the import graph that Snakemake cannot see.

Snakemake tracks a rule's script but not what the script imports. Each rule therefore takes the
modules of its stage as an input, and the import graph becomes the rerun graph.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "metamirage"
ROOT = Path(__file__).parent
_MODULE_NAME = re.compile(rf"{PACKAGE}(\.\w+)+\.?")


def source_files(stage: str, *, root: Path = ROOT) -> list[Path]:
    """List the files that importing one module of the package can run.

    Follows absolute imports at any depth of the code. A sub-package counts whole, since its
    modules may be chosen by name while the program runs (``metamirage.readers``). The package's
    own ``__init__`` counts only where a name is imported from it: it holds no code.

    Parameters
    ----------
    stage
        Module below the package, such as ``fits``.
    root
        Folder of the package.

    Returns
    -------
    list of Path
        Absolute, sorted, the stage's own file included.

    Raises
    ------
    FileNotFoundError
        If there is no such module.
    """
    first = _files_of(f"{PACKAGE}.{stage}", root)
    if not first:
        raise FileNotFoundError(f"{root}: no module {stage!r} for the rule that asks for its code")
    found: set[Path] = set()
    waiting = list(first)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [hit for name in imported_names(file) for hit in _files_of(name, root)]
    return sorted(found)


def imported_names(file: Path) -> Iterator[str]:
    """Yield the dotted names inside the package that a file imports or spells out.

    ``from metamirage import tables`` yields ``metamirage.tables``; a string such as
    ``"metamirage.readers."`` yields ``metamirage.readers``, for ``importlib.import_module``.
    """
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        yield from (name for name in _names(node) if name.split(".")[0] == PACKAGE)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Constant(value=str(text)) if _MODULE_NAME.fullmatch(text):
            yield text.rstrip(".")


def _files_of(name: str, root: Path) -> list[Path]:
    # A name that is no module is a function or class of its parent, which is followed anyway.
    parts = name.split(".")[1:]
    if not parts:
        return []
    folder = root / parts[0]
    if folder.is_dir():
        return sorted(folder.rglob("*.py"))
    file = folder.with_suffix(".py")
    if file.is_file():
        return [file]
    return [root / "__init__.py"] if _defines(root / "__init__.py", parts[0]) else []


def _defines(file: Path, name: str) -> bool:
    targets = (
        target
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
    )
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
