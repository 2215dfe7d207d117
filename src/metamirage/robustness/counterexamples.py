"""What speaks against the mirage: the cases, by name.

The thesis of Schaeffer et al. (2023) says where sharp transitions should not be found. Here every
place that was searched is one row, with whether it speaks against: counts are then of what was
screened, and names can be printed. A case is a lead to look at; the tests are in ``concentration``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.contracts.counterexamples import AGAINST
from metamirage.curves.classes import classify
from metamirage.hypotheses.concentration import make_pairs, tested_curves
from metamirage.hypotheses.h4_forecasts import step_gains

# Both curves of a pair rise at the same size if their half-way points are closer, in decades.
SAME_PLACE = 0.5
# A score that its partner's true score leaves this improbable rose by itself.
P_BEYOND = 0.95
# ASSUME: a nat is a forecast 2.7 times as probable; below that, two forecasts say the same.
WORSE_BY = 1.0
SCHEME = "discontinuous"


class Kind(NamedTuple):
    """A way to speak against the thesis.

    Parameters
    ----------
    unit
        What one row is.
    value
        What the column ``value`` holds.
    meaning
        What a row that speaks against shows.
    """

    unit: str
    value: str
    meaning: str


KINDS = {
    "both_sharp": Kind(
        "pair",
        "distance of the two locations, decades",
        "the discontinuous metric and its partner are both SHARP, less than"
        f" {SAME_PLACE:g} decades apart",
    ),
    "sharp_continuous": Kind(
        "curve",
        "P(sharp)",
        "a curve is SHARP under a metric that is neither discontinuous nor nonlinear",
    ),
    "beyond_partner": Kind(
        "pair",
        "probability of a lower score, given the partner's true one",
        "the largest score lies above what the partner's true score and the link from smaller"
        f" models say, with probability over {P_BEYOND:g}",
    ),
    "direct_better": Kind(
        "pair",
        "log score through the partner minus direct, nats",
        f"the curve's own past foretold the largest score better by more than {WORSE_BY:g} nat"
        " than the partner did",
    ),
    "wider": Kind(
        "test",
        "H2, narrowing in log10 decades",
        "the interval of H2 lies on the side of wider discontinuous curves",
    ),
    "no_foresight": Kind(
        "test",
        "H4, gain in nats",
        "two-step forecasts are on average no better than direct ones",
    ),
}
COLUMNS = ("kind", "task", "curve_id", "partner", "scheme", "stratum", "value", "against")


def list_contrary(
    fits: pd.DataFrame,
    forecasts: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    concentration: pd.DataFrame,
) -> pd.DataFrame:
    """List what was screened for cases against the thesis, and which are.

    Parameters
    ----------
    fits, forecasts, tags, concentration
        Tables of one benchmark.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.AGAINST``.
    """
    tested = tested_curves(fits, forecasts, tags)
    classed = tested.assign(label=classify(tested, SCHEME)).dropna(subset="label")
    found = [
        _both_sharp(classed),
        _sharp_continuous(tested),
        _beyond_partner(forecasts, classed),
        _direct_better(forecasts, classed),
        _contrary_tests(concentration, "wider", "H2", "log10_width"),
        _contrary_tests(concentration, "no_foresight", "H4", "log_score_gain_rising"),
    ]
    rows = pd.concat(found, ignore_index=True).assign(benchmark=str(fits["benchmark"].iloc[0]))
    texts = [c for c in AGAINST.columns if c not in ("value", "against")]
    return rows.assign(
        **rows[texts].fillna("").astype(str),
        value=rows["value"].astype(float),
        against=rows["against"].astype(bool),
    )[list(AGAINST.columns)]


def _rows(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(kind=kind).reindex(columns=list(COLUMNS))


def _both_sharp(classed: pd.DataFrame) -> pd.DataFrame:
    pairs = make_pairs(classed)
    known = classed.set_index("curve_id")
    one, zero = (known.loc[pairs[side]] for side in ("curve_id_1", "curve_id_0"))
    apart = np.abs(one["location_mean"].to_numpy(float) - zero["location_mean"].to_numpy(float))
    both = (one["verdict"] == "SHARP").to_numpy() & (zero["verdict"] == "SHARP").to_numpy()
    named = pairs.rename(columns={"curve_id_1": "curve_id", "curve_id_0": "partner"})
    against = both & (apart < SAME_PLACE)
    return _rows("both_sharp", named.assign(scheme=SCHEME, value=apart, against=against))


def _sharp_continuous(tested: pd.DataFrame) -> pd.DataFrame:
    plain = tested[classify(tested, "either") == 0]
    sharp = plain["verdict"] == "SHARP"
    return _rows(
        "sharp_continuous", plain.assign(scheme="either", value=plain["p_sharp"], against=sharp)
    )


def _beyond_partner(forecasts: pd.DataFrame, classed: pd.DataFrame) -> pd.DataFrame:
    """Rows of the link fed with the partner's true score; it has an error of its own."""
    largest = (forecasts["n_left_out"] == 1) & (forecasts["target"] == 1)
    known = forecasts[largest & (forecasts["predictor"] == "link_given_partner")]
    pairs = _of_classes(known, classed).assign(value=lambda t: t["pit_low"])
    return _rows("beyond_partner", pairs.assign(scheme=SCHEME, against=pairs["value"] > P_BEYOND))


def _of_classes(rows: pd.DataFrame, classed: pd.DataFrame) -> pd.DataFrame:
    one = classed.loc[classed["label"] == 1, ["curve_id", "task"]]
    zero = classed.loc[classed["label"] == 0, "curve_id"]
    return rows[rows["partner"].isin(zero)].merge(one, on="curve_id", validate="many_to_one")


def _direct_better(forecasts: pd.DataFrame, classed: pd.DataFrame) -> pd.DataFrame:
    gains = step_gains(forecasts, classed).dropna(subset="log_score_gain")
    gain = gains["log_score_gain"]
    return _rows("direct_better", gains.assign(scheme=SCHEME, value=gain, against=gain < -WORSE_BY))


def _contrary_tests(
    concentration: pd.DataFrame, kind: str, hypothesis: str, estimand: str
) -> pd.DataFrame:
    chosen = (concentration["hypothesis"] == hypothesis) & (concentration["estimand"] == estimand)
    rows = concentration[chosen & concentration["estimate"].notna()]
    against = rows["upper"] < 0 if kind == "wider" else rows["estimate"] <= 0
    return _rows(kind, rows.assign(value=rows["estimate"], against=against))
