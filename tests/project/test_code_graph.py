"""The import graph that decides what reruns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from metamirage.project.code_graph import ROOT, code_digests, files_run_by, imported_names

DOCSTRING = '"""Nothing."""\n'


def package(root: Path, **modules: str) -> Path:
    """Write a package; two underscores in a name stand for a slash."""
    for name, text in {"__init__": DOCSTRING, **modules}.items():
        file = root / f"{name if name.startswith('__') else name.replace('__', '/', 1)}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return root


def run_by(text: str, root: Path) -> list[str]:
    # A name of its own for each text: a file is read once.
    script = root.parent / f"{sha256(text.encode()).hexdigest()}.py"
    script.write_text(text)
    return [str(file.relative_to(root)) for file in files_run_by(script, root=root)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "import metamirage.fitting.fits\n",
        "import metamirage.fitting.fits as fits\n",
        "import json, metamirage.fitting.fits\n",
        "from metamirage.fitting import fits\n",
        "from metamirage.fitting import fits as f  # the fits, all\n",
        "from metamirage.fitting.fits import fit_curves\n",
        "from metamirage.fitting.fits import (\n    a,  # one, two\n    b,\n)\n",
        "def f():\n    from metamirage.fitting import fits\n",
        "module = 'metamirage.fitting.fits'\n",
    ],
)
def test_every_way_to_import_a_module_counts_that_file_alone(root: Path, text: str) -> None:
    package(root, fitting__fits="", fitting__bands="")
    assert run_by(text, root) == ["fitting/fits.py"]


def test_imports_are_followed_through_other_modules(root: Path) -> None:
    package(
        root, fits="from metamirage.curves import build\n", curves="import metamirage.columns\n"
    )
    package(root, columns="import json\n", report="import metamirage.fits\n")
    assert run_by("import metamirage.fits\n", root) == ["columns.py", "curves.py", "fits.py"]


def test_two_modules_that_import_each_other_end(root: Path) -> None:
    package(root, a="import metamirage.b\n", b="import metamirage.a\n")
    assert run_by("import metamirage.a\n", root) == ["a.py", "b.py"]


@pytest.mark.parametrize("name", ["f'metamirage.readers.{name}'", "'metamirage.readers.' + name"])
def test_a_module_chosen_while_it_runs_stands_for_its_whole_package(root: Path, name: str) -> None:
    package(root, readers__a="import metamirage.errors\n", readers__b="", errors="", other="")
    text = f"import importlib\nread = importlib.import_module({name})\n"
    assert run_by(text, root) == ["errors.py", "readers/a.py", "readers/b.py"]


def test_an_init_with_code_counts_and_is_followed(root: Path) -> None:
    package(root, fitting__fits="", curve="")
    (root / "fitting/__init__.py").write_text(DOCSTRING + "from metamirage import curve\n")
    expected = ["curve.py", "fitting/__init__.py", "fitting/fits.py"]
    assert run_by("from metamirage.fitting import fits\n", root) == expected


def test_a_module_does_not_bring_in_what_the_package_exports(root: Path) -> None:
    package(root, __init__="from metamirage.fits import fit\n", fits="", curve="")
    assert run_by("from metamirage import curve\n", root) == ["curve.py"]
    assert run_by("from metamirage import fit\n", root) == ["__init__.py", "fits.py"]
    assert run_by("import metamirage\n", root) == ["__init__.py", "fits.py"]


def test_imports_for_the_type_checker_do_not_run(root: Path) -> None:
    text = "if TYPE_CHECKING:\n    from metamirage import a\n\nfrom metamirage import b\n"
    package(root, a="", b="")
    assert run_by(text, root) == ["b.py"]


def test_a_missing_script_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"fitz\.py: no such script"):
        files_run_by(tmp_path / "fitz.py")


def test_a_digest_names_its_file_and_follows_its_text(tmp_path: Path) -> None:
    texts = {"one": "a = 1\n", "same": "a = 1\n", "other": "a = 1  # said why\n"}
    digests = {}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        root = package(tmp_path / name, fits=text)
        script = tmp_path / f"{name}.py"
        script.write_text("import metamirage.fits\n")
        digests[name] = code_digests(script, root=root)
    assert digests["one"] == digests["same"] != digests["other"]
    assert digests["one"][0].split()[0] == "fits.py"


def parsed(text: str) -> Iterator[str]:
    """Yield what Python's own parser takes for imports, as reference."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)


def test_the_text_gives_the_same_imports_as_pythons_parser(repository: Path) -> None:
    files = [*ROOT.rglob("*.py"), *(repository / "workflow/scripts").glob("*.py")]
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        ours = {name for name in parsed(text) if name.split(".")[0] == "metamirage"}
        # Strings that name a module come on top.
        assert ours <= imported_names(text), file
        assert all(f'"{name}' in text for name in imported_names(text) - ours), file
