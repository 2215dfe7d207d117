"""Expected curves of the real tables, from the folder that METAMIRAGE_MIRROR names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from metamirage.base.thresholds import MIN_SIZES_VERDICT
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.ingest.download import fetch
from metamirage.ingest.registry import load_spec
from metamirage.ingest.tidy import tidy
from mirror import ABSENT, MIRROR, MIRRORED
from places import ROOT

if not MIRROR.is_dir():
    pytest.skip(ABSENT, allow_module_level=True)

Tables = tuple[pd.DataFrame, pd.DataFrame]


def tidied(name: str, folder: Path) -> Tables:
    spec = load_spec(ROOT / "config" / "benchmarks" / f"{name}.yaml")
    fetch(spec, mirror=MIRROR, destination=folder / name)
    return tidy(spec, root=folder / name)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    folder = tmp_path_factory.mktemp("raw")
    return {name: tidied(name, folder) for name in MIRRORED}


def curves(scores: pd.DataFrame) -> pd.DataFrame:
    """Curves with enough sizes for a verdict."""
    grouped = scores.groupby(list(CURVE_KEY), dropna=False)
    found = grouped.agg(n_sizes=("n_params", "nunique"), source_file=("source_file", "first"))
    return found[found["n_sizes"] >= MIN_SIZES_VERDICT].reset_index()


COUNTS = {"bigbench-mc-3shot": 89, "pythia-v1": 300, "lm-eval-results": 304, "lm-eval-v04": 84}


@pytest.mark.parametrize(("name", "expected"), COUNTS.items())
def test_curves_with_five_sizes(real: dict[str, Tables], name: str, expected: int) -> None:
    assert len(curves(real[name][0])) == expected


def test_pythia_curves_by_shots(real: dict[str, Tables]) -> None:
    assert curves(real["pythia-v1"][0])["n_shots"].value_counts().to_dict() == {0: 172, 5: 128}


def test_lm_eval_curves_by_family(real: dict[str, Tables]) -> None:
    found = curves(real["lm-eval-results"][0])["family"].value_counts().to_dict()
    assert found == {"opt": 128, "bloom": 106, "xglm": 70}


def test_obs_scaling_curves_by_table(real: dict[str, Tables]) -> None:
    found = curves(real["obs-scaling"][0])["source_file"].value_counts().to_dict()
    assert found == {
        "base_llm_benchmark_eval.csv": 62,
        "base_llm_emergent_capability_eval.csv": 35,
        "base_llm_leaderboard_v2_eval.csv": 18,
        "base_llm_post_training_eval.csv": 944,
    }


def test_groups_of_lm_eval_without_shots_are_dropped(real: dict[str, Tables]) -> None:
    scores, issues = real["lm-eval-v04"]
    dropped = issues[issues["kind"] == "aggregate dropped"]
    # The 5-shot files of four sizes; the 0-shot file of one size states shots for its groups.
    assert dropped.set_index("where")["n_rows"]["mmlu"] == 4
    assert scores["task"].isin(["glue"]).sum() == 15


def test_derived_counts_equal_the_published_derivation(real: dict[str, Tables]) -> None:
    known = pd.read_csv(MIRROR / "n_samples.csv").set_index("task")["n_samples"]
    rows = pd.concat([real["pythia-v1"][0], real["lm-eval-results"][0]])
    derived = rows.dropna(subset="n_samples").groupby("task")["n_samples"].agg(["min", "max"])
    both = derived.join(known, how="inner")
    assert len(both) == len(known) == 266
    assert (both["min"] == both["n_samples"]).all()
    assert (both["max"] == both["n_samples"]).all()


def test_accuracies_are_whole_numbers_of_their_items(real: dict[str, Tables]) -> None:
    rows = pd.concat([real[name][0] for name in ("pythia-v1", "lm-eval-results", "lm-eval-v04")])
    correct = rows[rows["metric"] == "acc"].eval("score * n_samples").dropna()
    # The published digits carry floating-point rounding only.
    assert (correct - correct.round()).abs().max() < 1e-6
    assert len(correct) > 2000


def test_no_family_mixes_kinds_of_size(real: dict[str, Tables]) -> None:
    kinds = pd.concat([scores for scores, _ in real.values()]).groupby(["benchmark", "family"])
    assert kinds["n_params_kind"].nunique().max() == 1


def test_same_size_models_are_replicates(real: dict[str, Tables]) -> None:
    scores = real["obs-scaling"][0].query("family == 'RWKV' and task == 'MMLU'")
    assert (len(scores), scores["n_params"].nunique()) == (7, 6)
