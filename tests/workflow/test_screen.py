"""What a person sees of a run."""

from __future__ import annotations

import pytest

from project import Project

EDITED = "src/metamirage/robustness/counterexamples.py"


def test_a_dry_run_names_the_edited_file_and_what_follows(project: Project) -> None:
    with project.edited(EDITED, lambda text: text + "\n"):
        lines = project.snakemake("--dry-run").text.splitlines()
    (edited,) = [line for line in lines if line.startswith("list_contrary ")]
    assert (
        " ".join(edited.split())
        == "list_contrary 1 job tiny code changed (robustness/counterexamples.py)"
    )
    assert len(lines) < 45
    assert max(map(len, lines)) <= 100


def test_a_run_shows_two_lines_a_job_and_logs_the_rest(project: Project) -> None:
    logs = set((project.root / ".snakemake/log").iterdir())
    with project.edited("workflow/scripts/list_contrary.py", lambda text: text + "\n"):
        text = project.snakemake("--until", "list_contrary").text
    lines = [line.split() for line in text.splitlines() if line.startswith("list_contrary ")]
    assert lines[1] == ["list_contrary", "tiny", "script", "changed"]
    assert lines[2][:4] == ["list_contrary", "tiny", "done", "in"]
    assert "1 of 1 done" in text
    assert "input:" not in text
    (log,) = set((project.root / ".snakemake/log").iterdir()) - logs
    assert "rule list_contrary:" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--verbose", "--debug-dag"])
def test_snakemakes_own_words_come_back_on_demand(project: Project, option: str) -> None:
    with project.edited(EDITED, lambda text: text + "\n"):
        text = project.snakemake("--dry-run", option).text
    assert "rule list_contrary:" in text
    assert "'robustness/counterexamples.py " in text
