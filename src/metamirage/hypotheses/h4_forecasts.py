"""H4, forecastability: are discontinuous scores better foretold through continuous ones.

If the metric makes the break, the continuous metric of the same models has none: forecast it first,
carry that over by a link, and the largest score should be foretold better than by extending the
discontinuous curve itself. The forecasts are those of the table ``forecasts``, both on the same
scale and neither with a left-out score in it. Every estimand is signed so that the thesis predicts
a positive number.

The null is that the gain of a task is as often above zero as below it by the same amount. Pairs of
one task share items and models, so one sign is drawn a task.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.base.thresholds import P_JUMP
from metamirage.base.vocabulary import BLOCK
from metamirage.hypotheses.h2_pairs import NO_PAIRS, flip_row

Row = dict[str, object]


class Gain(NamedTuple):
    """A measure of the forecasts of the largest size.

    Parameters
    ----------
    column
        Of ``tables.FORECASTS``.
    sign
        Turns two-step minus direct into "two-step is better".
    n_left_out
        Largest sizes that the fits do not see.
    meaning
        In words.
    p_jump
        Pairs enter whose discontinuous curve rises with more than this probability.
    """

    column: str
    sign: int
    n_left_out: int
    meaning: str
    p_jump: float = -1.0


GAINS = {
    "log_score_gain": Gain("log_score", 1, 1, "log score, nats"),
    "crps_gain": Gain("crps", -1, 1, "CRPS, unit of the curve's scale"),
    "log_score_gain_two_out": Gain(
        "log_score", 1, 2, "log score, nats, without the two largest sizes"
    ),
    "crps_gain_two_out": Gain(
        "crps", -1, 2, "CRPS, unit of the curve's scale, without the two largest sizes"
    ),
    # Where a curve stays flat there is nothing to foretell, and the two ways differ all the same:
    # a link is asked within the scores it was fitted to and so foretells a flat curve more closely
    # than a curve that must be extended in size (selfcheck, world W0).
    # ASSUME: a curve rises by the verdict's rule on all its sizes, the largest included: without
    # it, the rises that nobody foresaw would be left out.
    "log_score_gain_rising": Gain(
        "log_score", 1, 1, "log score, nats, where the discontinuous curve rises", P_JUMP
    ),
}
TWO_OUT_NOTE = "no curve with a partner is long enough"
FLAT_NOTE = "no curve with a partner rises"


def step_gains(forecasts: pd.DataFrame, classed: pd.DataFrame) -> pd.DataFrame:
    """Set two-step forecasts of the largest size beside the direct ones of the same curves.

    Parameters
    ----------
    forecasts
        Table ``tables.FORECASTS``.
    classed
        Curves that enter the tests, with ``curve_id``, ``pairs.BLOCK``, ``p_jump`` and ``label``:
        the forecast curve must be of class 1 and its partner of class 0.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``BLOCK``, ``curve_id``, ``partner``, ``stratum`` and one column an estimand
        of ``GAINS``, missing where the forecast is.
    """
    one = classed.loc[classed["label"] == 1, ["curve_id", *BLOCK]]
    p_jump = classed.set_index("curve_id")["p_jump"]
    zero = set(classed.loc[classed["label"] == 0, "curve_id"])
    largest = forecasts[forecasts["target"] == 1]
    steps = largest[(largest["predictor"] == "two_step") & largest["partner"].isin(zero)]
    asked = ["curve_id", "n_left_out", *{gain.column: None for gain in GAINS.values()}]
    direct = largest.loc[largest["predictor"] == "averaged", asked]
    both = steps.merge(direct, on=["curve_id", "n_left_out"], suffixes=("", "_direct"))
    pairs = both[["curve_id", "partner", "stratum"]].drop_duplicates().merge(one, on="curve_id")
    for name, gain in GAINS.items():
        asked_of = (both["n_left_out"] == gain.n_left_out) & (
            both["curve_id"].map(p_jump) > gain.p_jump
        )
        here = both[asked_of]
        better = gain.sign * (here[gain.column] - here[f"{gain.column}_direct"])
        columns = here[["curve_id", "partner"]].assign(**{name: better})
        pairs = pairs.merge(columns, on=["curve_id", "partner"], how="left")
    return pairs


def foresight_rows(gains: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> list[Row]:
    """Test H4 on the pairs of one scheme and stratum: one row an estimand of ``GAINS``.

    Parameters
    ----------
    gains
        From ``step_gains``.
    rng, n_draws
        Of the sign flips.
    """
    rows = []
    for name in GAINS:
        row = flip_row(gains, name, rng=rng, n_draws=n_draws)
        if row["note"] == NO_PAIRS and len(gains):
            row |= {"note": TWO_OUT_NOTE if GAINS[name].n_left_out > 1 else FLAT_NOTE}
        elif row["note"] == NO_PAIRS:
            row |= {"note": "no two-step forecast here"}
        rows.append({"hypothesis": "H4"} | row)
    return rows
