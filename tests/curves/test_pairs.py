"""Pairs: which metrics of one task on the same models belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from builders import GPT_3, keyed_curve, tags_row
from metamirage.curves.curve import Curve
from metamirage.curves.pairs import continuous_partners

STEP = {"discontinuous": "yes", "nonlinear": "yes"}
BENT = {"discontinuous": "no", "nonlinear": "yes"}
LINE = {"discontinuous": "no", "nonlinear": "no"}


def curve(metric: str, **key: object) -> Curve:
    return keyed_curve(GPT_3, [0.5] * 8, metric=metric, **key)


def pairs_of(curves: list[Curve], **axes: dict[str, object]) -> set[tuple[str, str]]:
    tags = pd.concat([tags_row(metric=metric, **columns) for metric, columns in axes.items()])
    found = continuous_partners(curves, tags)
    metric = {c.curve_id: str(c.key["metric"]) for c in curves}
    return set(zip(found["curve_id"].map(metric), found["partner"].map(metric), strict=True))


def test_a_step_pairs_with_every_metric_without_one() -> None:
    curves = [curve("step"), curve("bent"), curve("line")]
    found = pairs_of(curves, step=STEP, bent=BENT, line=LINE)
    assert {("step", "bent"), ("step", "line")} <= found


def test_a_nonlinear_metric_without_a_step_pairs_with_a_linear_one_alone() -> None:
    curves = [curve("bent"), curve("curved"), curve("line")]
    found = pairs_of(curves, bent=BENT, curved=BENT, line=LINE)
    assert found == {("bent", "line"), ("curved", "line")}


def test_no_metric_with_an_unknown_or_certain_step_is_a_partner() -> None:
    curves = [curve("step"), curve("other"), curve("dim")]
    unknown = dict.fromkeys(("discontinuous", "nonlinear"), "unknown")
    assert pairs_of(curves, step=STEP, other=STEP, dim=unknown) == set()


def test_pairs_stay_within_task_subtask_family_and_shots() -> None:
    here = [curve("step", n_shots=n) for n in (0, 5, pd.NA)]
    there = [
        curve("line", n_shots=5, subtask="s"),
        curve("line", n_shots=5, family="G"),
        curve("line", n_shots=pd.NA),
    ]
    tags = pd.concat([tags_row(metric="step", **STEP), tags_row(metric="line", **LINE)])
    found = continuous_partners([*here, *there], tags)
    assert found[["curve_id", "partner"]].to_numpy().tolist() == [
        [here[2].curve_id, there[2].curve_id]
    ]


def test_curves_that_stay_out_of_the_tests_have_no_part_in_pairs() -> None:
    left_out = curve("line", excluded="an aggregate")
    assert pairs_of([curve("step"), left_out], step=STEP, line=LINE) == set()


def test_metrics_of_one_query_share_outputs() -> None:
    curves = [curve("step"), curve("line")]
    for queries, stratum in (
        (("generate", "generate"), "same outputs"),
        (("generate", "cond_log_prob"), "same model"),
        (("other", "other"), "same model"),
    ):
        tags = pd.concat(
            [
                tags_row(metric=m, **axes, query=query)
                for m, axes, query in zip(("step", "line"), (STEP, LINE), queries, strict=True)
            ]
        )
        assert continuous_partners(curves, tags)["stratum"].tolist() == [stratum]


def test_a_positive_lower_bound_alone_makes_a_ratio_scale() -> None:
    curves = [curve("step"), curve("ppl"), curve("loss"), curve("share")]
    bounds = {"ppl": (1.0, np.nan), "loss": (0.0, np.nan), "share": (0.1, 1.0)}
    tags = [tags_row(metric="step", **STEP)]
    tags += [
        tags_row(metric=m, **LINE, lower=low, upper=high, chance=np.nan)
        for m, (low, high) in bounds.items()
    ]
    found = continuous_partners(curves, pd.concat(tags))
    ratio = {name.split("|")[3]: ratio for name, ratio in found[["partner", "ratio"]].to_numpy()}
    assert ratio == {"ppl": True, "loss": False, "share": False}
