"""States of tasks counted by hand, planted differences, and silence where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import metamirage.robustness.onsets
from builders import BIG_G, counted, logistic, tidy_rows
from metamirage.contracts.check import check
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_TESTS
from metamirage.curves.curve import Curve
from metamirage.fitting.settings import FitSettings
from metamirage.robustness.residual import (
    adjusted,
    compare_blocks,
    find_residual,
    keywords_of,
    relate_residual,
)

SIZES = (10.0**BIG_G).tolist()


def fit(task: str, metric: str, verdict: str, **columns: Any) -> dict[str, object]:
    """Make the columns of one row of fits that the stage reads."""
    p_sharp = {"SHARP": 0.95, "UNRESOLVED": 0.3}.get(verdict, 0.01)
    row: dict[str, object] = {
        "benchmark": "invented", "task": task, "subtask": "", "metric": metric, "family": "F",
        "n_shots": 0, "n_sizes": 12, "verdict": verdict, "p_sharp": p_sharp, "excluded": "",
        "location_mean": 9.0, "location_sd": 0.1,
    }  # fmt: skip
    row |= columns
    key = [row[c] for c in ("benchmark", "task", "subtask", "metric", "family", "n_shots")]
    return row | {"curve_id": "|".join(map(str, key))}


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"n_shots": "Int64"})


def residual_of(*rows: dict[str, object]) -> pd.DataFrame:
    fits = table(*rows)
    named = fits[["task", "metric"]].drop_duplicates()
    tags = named.assign(discontinuous=np.where(named["metric"] == "b", "no", "yes"))
    return check(find_residual(fits, tags), RESIDUAL, source="invented")


def states(*rows: dict[str, object]) -> dict[str, str]:
    found = residual_of(*rows)
    return dict(zip(found["task"], found["state"], strict=True))


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        (("SHARP", "SHARP"), "stays sharp"),
        (("SHARP", "SMOOTH"), "changes"),
        (("SHARP", "FLAT"), "changes"),
        (("SHARP", "UNRESOLVED"), "open"),
        (("SHARP", "SHARP", "UNRESOLVED"), "open"),
        (("SHARP", "SHARP", "SMOOTH"), "changes"),
        (("SMOOTH", "UNRESOLVED"), "not sharp"),
        (("SHARP",), "one metric"),
    ],
)
def test_a_task_has_the_state_of_its_metrics(verdicts: tuple[str, ...], state: str) -> None:
    assert states(*(fit("t", f"m{i}", v) for i, v in enumerate(verdicts))) == {"t": state}


def test_most_of_the_blocks_decide() -> None:
    def block(n_shots: int, second: str) -> list[dict[str, object]]:
        return [fit("t", m, v, n_shots=n_shots) for m, v in (("a", "SHARP"), ("b", second))]

    half = [*block(0, "SHARP"), *block(1, "UNRESOLVED")]
    assert states(*half) == {"t": "open"}
    assert states(*half, *block(2, "SHARP")) == {"t": "stays sharp"}
    assert states(*half, *block(2, "SMOOTH"), *block(3, "SMOOTH"), *block(5, "SMOOTH")) == {
        "t": "changes"
    }


def test_short_and_excluded_curves_make_no_second_metric() -> None:
    short, bias = fit("t", "b", "SMOOTH", n_sizes=4), fit("t", "c", "SMOOTH", excluded="bias")
    assert states(fit("t", "a", "SHARP"), short, bias) == {"t": "one metric"}


def test_metrics_of_different_blocks_are_not_compared() -> None:
    rows = [fit("t", "a", "SHARP", n_shots=0), fit("t", "b", "SMOOTH", n_shots=1)]
    assert states(*rows) == {"t": "one metric"}
    assert compare_blocks(table(*rows)).empty


def test_a_missing_number_of_shots_is_a_block_too() -> None:
    rows = [fit("t", m, "SHARP", n_shots=pd.NA) for m in ("a", "b")]
    assert states(*rows) == {"t": "stays sharp"}


def test_the_residual_is_the_lowest_probability_of_a_block() -> None:
    rows = [
        fit("t", "a", "SHARP", p_sharp=0.9),
        fit("t", "b", "SHARP", p_sharp=0.4),
        fit("t", "a", "SHARP", n_shots=1, p_sharp=0.8),
        fit("t", "b", "SHARP", n_shots=1, p_sharp=0.6),
    ]
    found = residual_of(*rows).iloc[0]
    assert found["residual"] == pytest.approx(0.5, abs=1e-12)
    assert (found["n_blocks"], found["n_metrics"], found["metrics"]) == (2, 2, "a, b")
    assert found["n_continuous"] == 1


def test_no_curve_that_enters_makes_an_empty_table() -> None:
    assert residual_of(fit("t", "a", "SHARP", n_sizes=3)).empty


def tidy(words: dict[str, str], family: str = "F") -> pd.DataFrame:
    tables = [
        tidy_rows(SIZES, np.linspace(0, 1, 12).tolist(), task=task, family=family, keywords=word)
        for task, word in words.items()
    ]
    return pd.concat(tables, ignore_index=True)


def related(rows: list[dict[str, object]], scores: pd.DataFrame) -> pd.DataFrame:
    fits = table(*rows)
    curves = [pattern(str(name)) for name in fits["curve_id"]]
    found = relate_residual(fits, scores, curves, FitSettings(1), n_permutations=199)
    return check(found, RESIDUAL_TESTS, source="invented").set_index(["question", "level"])


def pattern(name: str) -> Curve:
    """Make a sharp curve, the pattern of the transitions by chance."""
    mean = 0.02 + 0.8 * logistic(BIG_G, location=9.0, width=0.3)
    return replace(counted(BIG_G, mean, items=500), curve_id=name)


@pytest.fixture(autouse=True)
def few_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance needs no precision here."""
    monkeypatch.setattr(metamirage.robustness.onsets, "N_SIMULATED", 40)


TASKS = [f"t{i:02d}" for i in range(20)]
HALF = {task: "logic, maths" if i < 10 else "maths" for i, task in enumerate(TASKS)}


def plain(task: str, p_sharp: float, **columns: Any) -> list[dict[str, object]]:
    return [fit(task, m, "SHARP", p_sharp=p_sharp, **columns) for m in ("a", "b")]


def test_a_keyword_that_goes_with_the_residual_is_found() -> None:
    rows = [row for i, t in enumerate(TASKS) for row in plain(t, 0.9 if i < 10 else 0.1)]
    found = related(rows, tidy(HALF)).loc[("keyword", "logic")]
    assert found["estimate"] == pytest.approx(0.8, abs=1e-12)
    # The smallest p-value that 199 permutations allow, but for patterns drawn by chance.
    assert found["p_value"] <= 0.01
    assert (found["n_tasks"], found["n_with"]) == (20, 10)


def test_a_keyword_of_all_or_of_few_tasks_is_not_tested() -> None:
    rows = [row for t in TASKS for row in plain(t, 0.5)]
    few = HALF | {TASKS[19]: "maths, rare"}
    levels = related(rows, tidy(few)).loc["keyword"].index
    assert list(levels) == ["logic"]


def test_keywords_are_split_and_stripped() -> None:
    assert keywords_of(tidy({"t": "logic, common sense"})) == {"t": {"logic", "common sense"}}
    assert keywords_of(tidy_rows(SIZES, [0.0] * 12)) == {}
    assert keywords_of(tidy({"t": ""})) == {}


def test_shots_are_compared_within_tasks() -> None:
    # Every doubling of 1 + shots adds 0.1, from a start that differs by task.
    rows = [
        row
        for i, task in enumerate(TASKS[:8])
        for k, shots in enumerate((0, 1, 3))
        for row in plain(task, 0.02 * i + 0.1 * k, n_shots=shots)
    ]
    found = related(rows, tidy(dict.fromkeys(TASKS[:8], ""))).loc["shots"].iloc[0]
    assert found["estimate"] == pytest.approx(0.1, abs=1e-9)
    # Eight equal slopes: two of 2^8 sign patterns are as far out.
    assert found["p_value"] == pytest.approx(2 / 2**8, abs=1e-12)


def test_families_are_compared_within_tasks() -> None:
    rows = [
        row
        for i, task in enumerate(TASKS[:8])
        for family, more in (("F", 0.0), ("G", 0.3))
        for row in plain(task, 0.05 * i + more, family=family)
    ]
    scores = pd.concat([tidy(dict.fromkeys(TASKS[:8], ""), f) for f in ("F", "G")])
    found = related(rows, scores).loc["family"]
    assert list(found.index) == ["F"]
    assert found.loc["F", "estimate"] == pytest.approx(-0.3, abs=1e-9)


def test_a_task_of_one_family_tells_nothing_about_families() -> None:
    rows = [*plain("t00", 0.9, family="F"), *plain("t01", 0.1, family="G")]
    found = related(rows, tidy({"t00": "", "t01": ""}))
    assert found.loc[("family", "F"), "note"] == "no task varies in it"
    assert np.isnan(found.loc[("family", "F"), "p_value"])


def test_every_question_has_a_row_without_any_comparison() -> None:
    found = related([fit("t", "a", "SMOOTH")], tidy({"t": ""}))
    assert set(found.index.get_level_values("question")) == {"keyword", "shots", "onsets"}
    assert found["p_value"].isna().all()
    assert (found["note"] != "").all()


def test_holm_covers_all_questions() -> None:
    tests = pd.DataFrame({"p_value": [0.01, 0.04, np.nan, 0.03]})
    # 3 * 0.01; then 2 * 0.03, and no less for 0.04.
    expected = [0.03, 0.06, np.nan, 0.06]
    np.testing.assert_allclose(adjusted(tests)["p_adjusted"], expected, rtol=1e-12)


def test_only_sharp_curves_have_an_onset() -> None:
    rows = [row for t in TASKS[:8] for row in plain(t, 0.95)]
    smooth = [fit(t, m, "SMOOTH", location_mean=11.0) for t in TASKS[8:] for m in ("a", "b")]
    found = related([*rows, *smooth], tidy(dict.fromkeys(TASKS, ""))).loc["onsets"].iloc[0]
    assert (found["n_tasks"], found["n_with"]) == (8, 8)
    assert found["p_value"] <= 0.01
