"""The shape of the package: `make lint` checks the layers, these tests what it does not see."""

from __future__ import annotations

import ast
import re
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


def test_packages_hold_modules_and_nothing_else(repository: Path) -> None:
    root = repository / "src/metamirage"
    held = [file for file in root.rglob("__init__.py") if file.parent != root and file.read_text()]
    assert held == []


def test_each_rule_takes_the_code_of_its_own_script(repository: Path) -> None:
    rules = "\n".join(p.read_text() for p in (repository / "workflow/rules").glob("*.smk"))
    pairs = re.findall(r'\*code\("(\w+)"\).*?script:\s+"\.\./scripts/(\w+)\.py"', rules, re.S)
    assert len(pairs) == rules.count("script:")
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
