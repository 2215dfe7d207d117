from __future__ import annotations

from pathlib import Path

from metamirage.project.assumptions import collect_assumptions
from metamirage.project.code_graph import ROOT, files_run_by


def test_an_assumption_is_read_to_its_end_with_the_code_below(tmp_path: Path) -> None:
    code = "X = 1\n# ASSUME: the first line\n# goes on.\n# ASSUME: another.\nY = 2\n"
    (tmp_path / "part.py").write_text(code, encoding="utf-8")
    first, second = collect_assumptions(tmp_path)
    assert (first.module, first.text) == ("part", "the first line goes on.")
    assert (second.text, second.code) == ("another.", "Y = 2")


def test_every_assumption_of_the_package_is_collected() -> None:
    lines = sum(
        line.lstrip().startswith("# ASSUME:")
        for file in ROOT.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    assert len(collect_assumptions()) == lines > 0


def test_collecting_them_runs_no_stage() -> None:
    # The workflow imports it at every start.
    names = {file.name for file in files_run_by(ROOT / "project/assumptions.py")}
    assert names == {"code_graph.py"}
