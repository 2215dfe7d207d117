"""The shipped ``config/metrics.csv`` against published tables, read here without the readers."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from metamirage.contracts.check import check
from metamirage.contracts.tags import TAGS
from metamirage.ingest.tags import read_metrics, tag_metrics
from mirror import ABSENT, MIRROR, ROOT

METRICS = read_metrics(ROOT / "config" / "metrics.csv")
GPT3 = ROOT / "data" / "raw" / "gpt3"
MAX_ROWS = 200

needs_mirror = pytest.mark.skipif(not MIRROR.is_dir(), reason=ABSENT)

LEADERBOARD_V2 = {
    "leaderboard_bbh": "acc_norm",
    "leaderboard_gpqa": "acc_norm",
    "leaderboard_musr": "acc_norm",
    "leaderboard_mmlu_pro": "acc",
    "leaderboard_math_hard": "exact_match",
    "leaderboard_ifeval": "strict_acc",
}
LEADERBOARD_V1 = ("MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "GSM8K", "XWinograd")
Cell = tuple[str, str, float]


def frame(benchmark: str, cells: list[Cell]) -> pd.DataFrame:
    table = pd.DataFrame(cells, columns=["task", "metric", "score"])
    low_score = pd.Series(float("nan"), index=table.index)
    return table.assign(benchmark=benchmark, low_score=low_score)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def gpt3() -> list[Cell]:
    rows = [row for path in sorted(GPT3.glob("*.csv")) for row in rows_of(path)]
    return [(row["task"], row["metric"], float(row["value"])) for row in rows if row["value"]]


def bigbench_mc_3shot() -> list[Cell]:
    rows = rows_of(MIRROR / "bigbench-mc-3shot" / "bigg-t0-mc-3shot.csv")
    return [(row["task"], row["metric"], float(row["value"])) for row in rows]


def lm_eval(benchmark: str) -> list[Cell]:
    files = sorted((MIRROR / benchmark).rglob("*.json"))
    results = [json.loads(file.read_text(encoding="utf-8"))["results"] for file in files]
    return [
        (task, metric.removesuffix(",none"), score)
        for result in results
        for task, scores in result.items()
        for metric, score in scores.items()
        if metric != "alias" and "_stderr" not in metric
    ]


def obs_scaling() -> list[Cell]:
    names = ("benchmark", "emergent_capability", "leaderboard_v2", "post_training")
    tables = [rows_of(MIRROR / "obs-scaling" / f"base_llm_{name}_eval.csv") for name in names]
    return [
        (*names_of(column), float(value))
        for table in tables
        for row in table
        for column, value in row.items()
        if value and names_of(column) != ("", "")
    ]


def names_of(column: str) -> tuple[str, str]:
    if column in LEADERBOARD_V2:
        return column, LEADERBOARD_V2[column]
    if column in (*LEADERBOARD_V1, "HumanEval"):
        return column, "acc"
    parts = re.fullmatch(r"(.+?)_\d+_(acc|bleu|exact_match.*)", column)
    if parts is None:
        return "", ""
    task = re.sub(r"^(bbh_(?:cot_)?fewshot)_.*", r"\1", parts[1])
    return task, parts[2]


def tags_of(benchmark: str, cells: list[Cell]) -> pd.DataFrame:
    tags = tag_metrics(frame(benchmark, cells), METRICS)
    return check(tags, TAGS, source=benchmark).set_index(["task", "metric"])


def test_table_stays_short_enough_to_review() -> None:
    assert len(METRICS) < MAX_ROWS


def test_every_gpt3_metric_is_tagged() -> None:
    tags = tags_of("gpt3", gpt3())
    assert len(tags) == 63
    assert (tags["upper"].isna() == tags.index.isin([("LAMBADA", "ppl")])).all()


def test_gpt3_pairs_share_a_query_and_differ_in_class() -> None:
    tags = tags_of("gpt3", gpt3())
    pair = tags.loc[[("SQuADv2", "em"), ("SQuADv2", "f1")]]
    assert list(pair["discontinuous"]) == ["yes", "no"]
    assert set(pair["query"]) == {"generate"}


@needs_mirror
@pytest.mark.parametrize(
    ("benchmark", "n_metrics"), [("pythia-v1", 172), ("lm-eval-results", 414), ("lm-eval-v04", 89)]
)
def test_every_lm_eval_metric_is_tagged(benchmark: str, n_metrics: int) -> None:
    assert len(tags_of(benchmark, lm_eval(benchmark))) == n_metrics


@needs_mirror
def test_every_bigbench_choice_task_is_tagged() -> None:
    tags = tags_of("bigbench-mc-3shot", bigbench_mc_3shot())
    assert len(tags) == 89
    assert set(tags["query"]) == {"cond_log_prob"}


@needs_mirror
def test_every_obs_scaling_metric_is_tagged() -> None:
    tags = tags_of("obs-scaling", obs_scaling())
    assert len(tags) == 40
    copies = tags.index.get_level_values("metric").str.endswith(",norm")
    assert ((tags["excluded"] != "") == copies).all()


@needs_mirror
def test_paired_metrics_of_one_call_share_their_query() -> None:
    tags = tags_of("lm-eval-results", lm_eval("lm-eval-results"))["query"]
    for task, one, other in [
        ("lambada_openai", "acc", "ppl"),
        ("truthfulqa_mc", "mc1", "mc2"),
        ("coqa", "em", "f1"),
        ("squad2", "exact", "f1"),
    ]:
        assert tags[task, one] == tags[task, other]


@needs_mirror
def test_only_bias_scores_slices_and_tuned_thresholds_are_excluded_in_lm_eval_results() -> None:
    tags = tags_of("lm-eval-results", lm_eval("lm-eval-results"))
    out = tags[tags["excluded"] != ""].index
    others = {task for task, _ in out if not task.startswith("crows_pairs_")}
    assert others == {"squad2"}
    assert {metric for task, metric in out if task == "squad2"}.isdisjoint({"exact", "f1"})
