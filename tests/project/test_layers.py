"""Who may import whom: the import graph is the rerun graph."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from metamirage.project.code_graph import ROOT, imported_names, source_files

STAGES = (
    "download",
    "tidy",
    "tags",
    "scores",
    "fits",
    "bands",
    "audit",
    "forecasts",
    "latent",
    "concentration",
    "controls",
    "hierarchy",
    "multiverse",
    "residual",
    "superlinear",
    "selfcheck",
    "mechanism",
    "report",
)
MODULES = sorted(ROOT.rglob("*.py"))


def stages_of(stage: str) -> set[str]:
    """Modules and sub-packages that a stage can run, by name."""
    parts = (file.relative_to(ROOT).parts[0] for file in source_files(stage))
    return {part.removesuffix(".py") for part in parts}


@pytest.mark.parametrize("position", range(len(STAGES)), ids=STAGES)
def test_no_stage_reaches_a_later_one(position: int) -> None:
    later = set(STAGES[position + 1 :])
    assert stages_of(STAGES[position]) & later == set()


def test_fits_reach_neither_figures_nor_report_nor_findings() -> None:
    assert {"figures", "report", "findings"} & stages_of("forecasts") == set()


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_are_absolute(file: Path) -> None:
    # A relative import would be invisible to the rerun graph.
    tree = ast.parse(file.read_text(encoding="utf-8"))
    levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not any(levels)


def test_the_package_itself_imports_nothing() -> None:
    assert list(imported_names(ROOT / "__init__.py")) == []


def test_each_script_imports_only_the_code_its_rule_declares(repository: Path) -> None:
    rules = "\n".join(p.read_text() for p in (repository / "workflow/rules").glob("*.smk"))
    pattern = r'code=code\(([^)]+)\).*?script:\s+"\.\./scripts/(\w+)\.py"'
    declared = re.findall(pattern, rules, re.S)
    assert len(declared) == rules.count("script:")
    for modules, script in declared:
        file = repository / f"workflow/scripts/{script}.py"
        imported = {name.split(".")[1] for name in imported_names(file) if "." in name}
        sources = set().union(*map(source_files, re.findall(r"\w+", modules)))
        assert imported <= {
            source.relative_to(ROOT).parts[0].removesuffix(".py") for source in sources
        }
