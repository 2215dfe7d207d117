"""The shape of the package: `make lint` checks the layers, these tests what it does not see."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import grimp
import pytest

LONGEST_CHAIN = 10
LONGEST_MODULE = 350
LONGEST_BODY = 40


@pytest.fixture(scope="module")
def imports(repository: Path) -> dict[str, set[str]]:
    """What each module of the package imports of it, inside functions too."""
    graph = grimp.build_graph("metamirage", cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


@pytest.fixture(scope="module")
def trees(repository: Path) -> dict[str, ast.Module]:
    """Every module of the package, parsed, by its path."""
    root = repository / "src/metamirage"
    files = sorted(root.rglob("*.py"))
    return {str(f.relative_to(root)): ast.parse(f.read_text(encoding="utf-8")) for f in files}


def test_the_longest_chain_of_imports_is_short(imports: dict[str, set[str]]) -> None:
    @cache
    def chain(module: str) -> tuple[str, ...]:
        # A cycle would never end: Python says so with a RecursionError.
        below = (chain(other) for other in sorted(imports[module]))
        return (module, *max(below, key=len, default=()))

    longest = max(map(chain, imports), key=len)
    assert len(longest) <= LONGEST_CHAIN, " > ".join(longest)


def test_no_two_classes_share_a_name(trees: dict[str, ast.Module]) -> None:
    places: dict[str, list[str]] = {}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(file)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_module_and_no_function_is_long(trees: dict[str, ast.Module], repository: Path) -> None:
    long = {}
    for file, tree in trees.items():
        text = (repository / "src/metamirage" / file).read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > LONGEST_MODULE:
            long[file] = lines
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.body[0].lineno + 1
                if lines > LONGEST_BODY:
                    long[f"{file}: {node.name}"] = lines
    assert long == {}


def test_public_functions_of_two_arguments_describe_them(trees: dict[str, ast.Module]) -> None:
    bare = [
        f"{file}: {node.name}"
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and len(node.args.args) + len(node.args.kwonlyargs) >= 2
        and "Parameters" not in (ast.get_docstring(node) or "")
    ]
    assert bare == []


def test_packages_hold_modules_and_nothing_else(repository: Path) -> None:
    root = repository / "src/metamirage"
    held = [file for file in root.rglob("__init__.py") if file.parent != root and file.read_text()]
    assert held == []


def test_each_rule_takes_the_code_of_its_own_script(repository: Path) -> None:
    rules = "\n".join(p.read_text() for p in (repository / "workflow/rules").glob("*.smk"))
    pairs = re.findall(r'\*code\("(\w+)"\).*?script:\s+"\.\./scripts/(\w+)\.py"', rules, re.S)
    assert len(pairs) == rules.count("script:")
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
