"""An edited file wakes exactly the rules that depend on it."""

from __future__ import annotations

import os

import pytest

from project import Project

ORDER = (
    "download_benchmark",
    "tidy_benchmark",
    "tag_metrics",
    "score_curves",
    "fit_curves",
    "band_curves",
    "audit_curves",
    "forecast_curves",
    "judge_tasks",
    "assess_concentration",
    "model_hierarchy",
    "pool_concentration",
    "list_contrary",
    "assess_controls",
    "assess_multiverse",
    "relate_residual",
    "compare_bends",
    "render_benchmark",
    "render_explorer",
    "render_index",
)
# Pages that show findings, those that print the settings, and all, which share their code.
FOUND = {"render_benchmark", "render_index"}
PRINTED = FOUND | {"render_methods"}
RENDER = PRINTED | {"render_explorer"}
CONCENTRATION = {"assess_concentration", "pool_concentration", "list_contrary"}
# What tests on the fits and forecasts themselves, whatever the settings of the permutations.
TESTS = {"assess_multiverse"} | CONCENTRATION | RENDER


def since(rule: str) -> set[str]:
    return set(ORDER[ORDER.index(rule) :])


# What the fits and all that follows make.
FITTED = since("fit_curves") | RENDER


@pytest.mark.parametrize(
    ("file", "woken"),
    [
        # One file of each package, and where the graph has caught people out.
        ("base/thresholds.py", since("score_curves") | RENDER),
        ("contracts/fits.py", FITTED - {"forecast_curves", "judge_tasks", "band_curves"}),
        ("contracts/concentration.py", {"assess_controls"} | CONCENTRATION | RENDER),
        ("ingest/download.py", since("download_benchmark")),
        ("ingest/readers/bigbench.py", since("tidy_benchmark")),
        ("ingest/tags.py", since("tag_metrics")),
        ("curves/curve.py", since("score_curves") | RENDER),
        ("curves/scores.py", {"score_curves", "assess_multiverse", "render_explorer"} | FOUND),
        ("fitting/audit.py", {"audit_curves"} | FOUND),
        ("fitting/nuts.py", FITTED),
        ("forecasting/forecasts.py", {"forecast_curves", "judge_tasks"} | TESTS - RENDER | FOUND),
        (
            "forecasting/links.py",
            {"forecast_curves", "judge_tasks", "relate_residual"} | TESTS,
        ),
        ("hypotheses/concentration.py", {"assess_controls"} | CONCENTRATION | RENDER),
        ("hypotheses/h3_latent.py", {"judge_tasks"} | RENDER),
        ("hypotheses/pooling.py", {"pool_concentration", "render_index"}),
        ("robustness/controls.py", {"assess_controls"} | RENDER),
        ("robustness/counterexamples.py", {"list_contrary"} | RENDER),
        ("robustness/hierarchy/stage.py", {"model_hierarchy", "render_benchmark"}),
        ("robustness/multiverse.py", {"assess_multiverse"} | RENDER),
        ("robustness/onsets.py", {"relate_residual"} | RENDER),
        ("networks/parity.py", set()),
        ("simulation/selfcheck.py", set()),
        ("literature/facts.py", set()),
        ("report/text.py", RENDER),
        ("project/table_docs.py", set()),
    ],
)
def test_an_edited_module_wakes_what_runs_it(project: Project, file: str, woken: set[str]) -> None:
    with project.edited(f"src/metamirage/{file}", lambda text: text + "\n"):
        assert project.planned() == woken


@pytest.mark.parametrize(
    ("file", "woken"),
    [
        ("config/metrics.csv", since("tag_metrics")),
    ],
)
def test_an_edit_wakes_what_depends_on_it(project: Project, file: str, woken: set[str]) -> None:
    with project.edited(file, lambda text: text + "\n"):
        assert project.planned() == woken


def test_an_edited_template_wakes_the_pages(project: Project) -> None:
    template = next((project.root / "src/metamirage/report/templates").rglob("*.*"))
    name = str(template.relative_to(project.root))
    with project.edited(name, lambda text: text + "\n"):
        assert project.planned() == RENDER


def test_an_edited_table_of_the_user_starts_from_the_download(project: Project) -> None:
    with project.edited("data/raw/tiny/tiny.csv", lambda text: text.replace("0,200", "0,190", 1)):
        assert project.planned() == since("download_benchmark")


def test_a_touched_module_wakes_nothing(project: Project) -> None:
    (project.root / "src/metamirage/contracts/fits.py").touch()
    assert project.planned() == set()


@pytest.mark.parametrize(
    ("file", "woken"),
    [
        ("data/raw/tiny/tiny.csv", since("download_benchmark")),
        ("config/benchmarks/tiny.yaml", since("download_benchmark")),
        ("config/metrics.csv", since("tag_metrics")),
    ],
)
def test_a_file_put_back_from_a_copy_is_noticed(
    project: Project, file: str, woken: set[str]
) -> None:
    # mv and cp -p bring the copy's time along, which is older than the results.
    old = (project.root / file).stat().st_mtime - 3600
    with project.edited(file, lambda text: text + "\n"):
        os.utime(project.root / file, (old, old))
        assert project.planned() == woken
    assert project.planned() == set()


@pytest.mark.parametrize(
    ("setting", "woken"),
    [
        (
            "n_permutations=999",
            {"assess_controls", "relate_residual", "compare_bends"} | CONCENTRATION | PRINTED,
        ),
        ("n_audit=2", {"audit_curves"} | PRINTED),
        ("seed=7", since("score_curves") | PRINTED),
        ("mirror=elsewhere", set()),
    ],
)
def test_a_setting_wakes_what_takes_it(project: Project, setting: str, woken: set[str]) -> None:
    result = project.snakemake("--dry-run", config=f'benchmarks=["tiny"] {setting}')
    assert result.status == 0, result.text
    assert result.rules == woken
