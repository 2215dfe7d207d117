"""The whole workflow on published tables: GPT-3 always, the others where their folder is."""

from __future__ import annotations

import json
import shutil
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from mirror import ABSENT, MIRROR, MIRRORED
from places import ROOT
from project import Project

MIRRORED_HERE = MIRRORED if MIRROR.is_dir() else ()
BENCHMARKS = ("gpt3", *MIRRORED_HERE)
CONFIG = f"benchmarks={json.dumps(BENCHMARKS, separators=(',', ':'))} mirror={MIRROR}"
# With at least five sizes; lm-eval-results before repeated scores were resolved.
CURVES = {
    "gpt3": 189,
    "bigbench-mc-3shot": 89,
    "pythia-v1": 300,
    "lm-eval-results": 304,
    "lm-eval-v04": 84,
    "obs-scaling": 62 + 35 + 18 + 944,
}
# A sum of four standard errors of two independent integrations, and a margin for the log.
FOUR_SE = 4.0


@pytest.fixture(scope="session")
def real(fresh_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    copy = fresh_project.copied(tmp_path_factory.mktemp("real"))
    shipped = "data/raw/gpt3"
    shutil.copytree(ROOT / shipped, copy.root / shipped, ignore=lambda *_: {"MANIFEST.json"})
    result = copy.snakemake(config=CONFIG)
    assert result.status == 0, result.text
    return copy


def table(project: Project, stage: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(project.root / f"data/processed/{stage}/{name}.parquet")


class Words(HTMLParser):
    """Visible text of a page, and every address that opening it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
        self.loads += [value or "" for name, value in attrs if name == names.get(tag)]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(project: Project, name: str) -> Words:
    words = Words()
    words.feed((project.root / f"reports/{name}/index.html").read_text(encoding="utf-8"))
    return words


def s_of(project: Project, task: str, metric: str, shots: int) -> float:
    scores = table(project, "scores", "gpt3").set_index(["task", "metric", "n_shots"])
    return float(scores.loc[(task, metric, shots), "breakthroughness"])


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_table_has_its_curves(real: Project, name: str) -> None:
    scores, fits = table(real, "scores", name), table(real, "fits", name)
    assert (scores["n_sizes"] >= 5).sum() == CURVES[name]
    assert set(fits["curve_id"]) == set(scores["curve_id"])


def test_a_second_run_does_nothing(real: Project) -> None:
    result = real.snakemake(config=CONFIG)
    assert result.status == 0
    assert "Nothing to be done" in result.text


@pytest.mark.parametrize(
    ("task", "metric", "shots", "published"),
    [("4D+", "acc", 50, 510.0), ("3D+", "acc", 50, 321.0), ("4D-", "acc", 0, np.inf)],
)
def test_the_emergence_score_of_gpt3_arithmetic(
    real: Project, task: str, metric: str, shots: int, published: float
) -> None:
    assert s_of(real, task, metric, shots) == pytest.approx(published)


def test_the_page_says_that_s_calls_a_continuous_metric_emergent(real: Project) -> None:
    assert s_of(real, "LAMBADA", "ppl", 15) == pytest.approx(198.878, abs=5e-4)
    text = " ".join(" ".join(page(real, "gpt3").text).split())
    assert "LAMBADA" in text
    assert "199" in text or "198.9" in text


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_page_loads_nothing_from_elsewhere(real: Project, name: str) -> None:
    assert [a for a in page(real, name).loads if not a.startswith(("data:", "#"))] == []


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_page_counts_the_verdicts_of_its_table(real: Project, name: str) -> None:
    verdicts = table(real, "fits", name)["verdict"].value_counts()
    text = " ".join(unescape(" ".join(page(real, name).text)).split())
    for verdict, n in verdicts.items():
        assert f"{verdict} {n:,} of {verdicts.sum():,}" in text


@pytest.mark.parametrize("name", BENCHMARKS)
def test_nearly_every_curve_is_integrated_to_a_twentieth_of_a_nat(real: Project, name: str) -> None:
    fits = table(real, "fits", name)
    assert (fits["log_evidence_error"] < 0.05).mean() > 0.995


@pytest.mark.parametrize("name", BENCHMARKS)
def test_nuts_finds_the_same_evidence_where_it_converged(real: Project, name: str) -> None:
    audit = table(real, "audit", name)
    assert audit["in_sample"].sum() == 3
    found = audit[audit["converged"]]
    assert len(found) >= 1
    # Twice the half-width of a 95 % interval.
    assert (found["evidence_gap"].abs() < 2 * found["evidence_gap_error"]).all()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_forecast_draws_agree_with_the_ratio_of_evidences(real: Project, name: str) -> None:
    models = table(real, "fits", f"{name}.models").rename(columns={"model": "predictor"})
    forecasts = table(real, "forecasts", name).query("n_left_out == 1 and partner == ''")
    both = models.merge(forecasts, on=["curve_id", "predictor"])
    # Likely scores only: where all draws miss, their error estimate misses too.
    likely = both[(both["log_score"] > 0) & (both["log_score_se"] < 0.1)]
    gap = (likely["elpd_last"] - likely["log_score"]).abs()
    assert (gap < FOUR_SE * (likely["elpd_se"] + likely["log_score_se"]) + 0.02).mean() > 0.95


@pytest.mark.skipif(not MIRRORED_HERE, reason=ABSENT)
def test_six_benchmarks_stand_on_the_index(real: Project) -> None:
    index = (real.root / "reports/index.html").read_text(encoding="utf-8")
    assert all(f"{name}/index.html" in index for name in BENCHMARKS)
