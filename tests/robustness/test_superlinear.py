"""The bend of a curve: known shapes, the label's thresholds, and classes planted to differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from builders import BIG_G, counted, tags_row, tidy_rows
from metamirage.base.arrays import FloatArray
from metamirage.contracts.check import check
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.fitting.fits import fit_curves
from metamirage.fitting.settings import FitSettings
from metamirage.robustness.superlinear import compare_classes, find_superlinear

U = (BIG_G - BIG_G[0]) / (BIG_G[-1] - BIG_G[0])


@pytest.mark.parametrize(
    ("mean", "label"),
    [
        (0.05 + 0.6 * U**3, "faster"),
        (0.05 + 0.6 * U, "undecided"),
        (0.05 + 0.6 * (1 - (1 - U) ** 3), "slower"),
        (np.full(12, 0.2), "no rise"),
        (0.65 - 0.6 * U**3, "no rise"),
    ],
)
def test_shapes_have_their_label(mean: FloatArray, label: str) -> None:
    fitted = fit_curves([counted(BIG_G, mean, items=1000)], FitSettings(1))
    found = check(find_superlinear(fitted.fits, fitted.models), SUPERLINEAR, source="invented")
    assert list(found["label"]) == [label]
    assert found["p_faster"].isna().all() == (label == "no rise")


def tables(*curves: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the columns of fits and models that the stage reads."""
    default = {
        "benchmark": "invented", "subtask": "", "family": "F", "n_shots": 0, "n_sizes": 12,
        "p_jump": 0.99, "excluded": "", "task": "t", "metric": "exact",
    }  # fmt: skip
    fits = pd.DataFrame([default | c for c in curves]).astype({"n_shots": "Int64"})
    fits["curve_id"] = [f"{t}|{m}" for t, m in zip(fits["task"], fits["metric"], strict=True)]
    models = pd.DataFrame(
        {
            "curve_id": fits["curve_id"],
            "model": "power",
            "shape1_mean": fits["c"],
            "shape1_sd": fits.get("sd", 0.1),
        }
    )
    return fits, models


@pytest.mark.parametrize(
    ("c", "label"), [(0.17, "faster"), (0.16, "undecided"), (-0.16, "undecided"), (-0.17, "slower")]
)
def test_the_label_wants_nineteen_to_one(c: float, label: str) -> None:
    # The 95 % point of a Normal is at 1.645 sd.
    found = find_superlinear(*tables({"c": c})).iloc[0]
    assert found["label"] == label
    assert found["p_faster"] == pytest.approx(norm.cdf(c / 0.1), abs=1e-12)


def test_short_and_excluded_curves_are_not_asked() -> None:
    fits, models = tables(
        {"c": 1.0, "n_sizes": 4, "metric": "a"},
        {"c": 1.0, "excluded": "bias", "metric": "b"},
        {"c": 1.0},
    )
    assert list(find_superlinear(fits, models)["metric"]) == ["exact"]


def test_other_candidates_say_nothing() -> None:
    fits, models = tables({"c": 0.5})
    other = models.assign(model="sigmoid", shape1_mean=-9.0)
    found = find_superlinear(fits, pd.concat([other, models]))
    assert found["exponent_mean"].iloc[0] == 0.5


def compared(curves: list[dict[str, Any]]) -> pd.DataFrame:
    tasks = sorted({str(c["task"]) for c in curves})
    tags = pd.concat(
        [tags_row(task=t, metric="exact") for t in tasks]
        + [tags_row(task=t, metric="overlap", discontinuous="no", nonlinear="no") for t in tasks]
    )
    scores = np.linspace(0, 1, 12).tolist()
    tidy = pd.concat(
        [
            tidy_rows((10.0**BIG_G).tolist(), scores, task=str(c["task"]), metric=c["metric"])
            for c in curves
        ]
    )
    found = compare_classes(
        find_superlinear(*tables(*curves)), tags, tidy=tidy, seed=1, n_permutations=199
    )
    return check(found, SUPERLINEAR_TESTS, source="invented").set_index(["scheme", "stratum"])


def pair(task: str, one: float, zero: float, **columns: Any) -> list[dict[str, Any]]:
    both = (("exact", one), ("overlap", zero))
    return [{"task": task, "metric": m, "c": c, "sd": 1.0} | columns for m, c in both]


def test_a_difference_within_pairs_is_found() -> None:
    curves = [c for i in range(8) for c in pair(f"t{i}", 0.5, 0.0)]
    row = compared(curves).loc[("discontinuous", "same outputs")]
    assert row["estimate"] == pytest.approx(norm.cdf(0.5) - 0.5, abs=1e-12)
    # Eight equal differences: two of 2^8 sign patterns are as far out.
    assert row["p_value"] == pytest.approx(2 / 2**8, abs=1e-12)
    assert (row["n_tasks"], row["n_curves"]) == (8, 8)


def test_a_difference_between_tasks_is_found() -> None:
    curves = [pair(f"t{i}", 1.0, 0.0)[i % 2] for i in range(20)]
    row = compared(curves).loc[("discontinuous", "all")]
    assert row["estimate"] == pytest.approx(norm.cdf(1.0) - 0.5, abs=1e-12)
    assert row["p_value"] <= 0.01


def test_a_pair_without_a_rise_is_not_compared() -> None:
    curves = [c for i in range(8) for c in pair(f"t{i}", 0.5, 0.0)]
    curves[0] |= {"p_jump": 0.5}
    assert compared(curves).loc[("discontinuous", "same outputs"), "n_tasks"] == 7


def test_every_scheme_has_its_rows_without_any_comparison() -> None:
    found = compared([{"task": "t", "metric": "exact", "c": 0.0, "p_jump": 0.0}])
    assert len(found) == 9
    assert found["estimate"].isna().all()
    assert (found["note"] != "").all()
