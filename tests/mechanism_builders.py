"""An invented page of the mechanism: predictions, networks and what they were judged to be."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from builders import tags_row, tidy_rows
from metamirage.contracts.check import check
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.mechanism import MECHANISM
from metamirage.report.mechanism import SHOWN, MechanismInputs
from report_builders import concentration_row, spec

SIZES = [1e2, 1e3, 1e4]


def prediction(**changes: object) -> dict[str, object]:
    """One measure that holds, with changes."""
    row: dict[str, object] = {
        "benchmark": "digits",
        "prediction": "threshold",
        "measure": "narrower <rise>",
        "unit": "log10 decades",
        "estimate": 0.25,
        "lower": 0.125,
        "upper": 0.5,
        "low": 0.0,
        "high": np.inf,
        "outcome": "holds",
        "n_tasks": 10,
        "n": 20,
        "method": "sign flips",
        "seed": 1,
    }
    return row | changes


def predictions() -> pd.DataFrame:
    told = {"low": np.nan, "high": np.nan, "lower": np.nan, "upper": np.nan, "outcome": "told"}
    rows = [
        prediction(),
        prediction(measure="share", estimate=0.5, **told),
        prediction(measure="another", outcome="open", lower=-0.25),
    ]
    return check(pd.DataFrame(rows), MECHANISM, source="invented")


def scores(name: str) -> pd.DataFrame:
    """Two networks a size under every metric that the page shows of a benchmark."""
    task, metrics = SHOWN[name]
    parts = [
        tidy_rows(
            SIZES, [0.1, 0.5, 0.9], benchmark=name, task=task, metric=metric,
            model=[f"m{i}-s{seed}" for i in range(3)],
        )
        for metric in metrics
        for seed in range(2)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@cache
def inputs() -> MechanismInputs:
    name = "digits"
    task, metrics = SHOWN[name]
    tested = pd.DataFrame([concentration_row(benchmark=name)])
    return MechanismInputs(
        specs={name: spec(name)},
        mechanism={name: predictions()},
        tidy={name: scores(name)},
        tags={name: pd.concat([tags_row(benchmark=name, task=task, metric=m) for m in metrics])},
        # Nothing but the verdicts is shown of these.
        fits={name: pd.DataFrame({"verdict": ["SHARP", "SMOOTH", "SHARP"]})},
        latent={name: pd.DataFrame({"verdict": ["metric-explained"]})},
        concentration={name: check(tested, CONCENTRATION, source="invented")},
        run={"seed": "11"},
    )
