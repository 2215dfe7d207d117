"""The import graph that decides what reruns."""

from __future__ import annotations

from pathlib import Path

import pytest

from metamirage.project.code_graph import source_files


def package(root: Path, **modules: str) -> Path:
    (root / "readers").mkdir()
    for name in ("__init__", "readers/__init__"):
        (root / f"{name}.py").write_text('"""Nothing."""\n')
    for name, text in modules.items():
        (root / f"{name.replace('__', '/')}.py").write_text(text)
    return root


def names(stage: str, root: Path) -> list[str]:
    return [str(file.relative_to(root)) for file in source_files(stage, root=root)]


def test_imports_are_followed_through_other_modules(tmp_path: Path) -> None:
    package(
        tmp_path,
        fits="from metamirage.curves import build\n",
        curves="import metamirage.tables\n",
        tables="import json\n",
        report="",
    )
    assert names("fits", tmp_path) == ["curves.py", "fits.py", "tables.py"]


def test_an_import_inside_a_function_counts(tmp_path: Path) -> None:
    package(tmp_path, fits="def f():\n    from metamirage import curves\n", curves="")
    assert names("fits", tmp_path) == ["curves.py", "fits.py"]


def test_two_modules_that_import_each_other_end(tmp_path: Path) -> None:
    package(tmp_path, a="import metamirage.b\n", b="import metamirage.a\n")
    assert names("a", tmp_path) == ["a.py", "b.py"]


def test_a_name_from_the_package_itself_brings_in_its_init(tmp_path: Path) -> None:
    package(tmp_path, report="from metamirage import __version__\n")
    (tmp_path / "__init__.py").write_text('__version__ = "1"\n')
    assert names("report", tmp_path) == ["__init__.py", "report.py"]


@pytest.mark.parametrize(
    "text",
    [
        "from metamirage.readers import find_reader\n",
        "import importlib\nf = lambda n: importlib.import_module(f'metamirage.readers.{n}')\n",
    ],
)
def test_a_sub_package_counts_whole(tmp_path: Path, text: str) -> None:
    package(tmp_path, tidy=text, readers__lm_eval="import metamirage.errors\n", errors="")
    expected = ["errors.py", "readers/__init__.py", "readers/lm_eval.py", "tidy.py"]
    assert names("tidy", tmp_path) == expected


def test_a_missing_module_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no module 'fitz'"):
        source_files("fitz", root=package(tmp_path))


def test_every_reader_is_source_of_tidy(repository: Path) -> None:
    readers = set((repository / "src/metamirage/readers").glob("*.py"))
    assert len(readers) > 1
    assert readers <= set(source_files("tidy"))
