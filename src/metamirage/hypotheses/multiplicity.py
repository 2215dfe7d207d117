"""How many hypotheses were tested, and how many labels were given.

Holm (1979) over the primary tests and, apart from them, over the secondary ones. Curves called
SHARP are counted by their own posterior: the share expected to be wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

Row = dict[str, object]


class Claim(NamedTuple):
    """The row of the concentration table that stands for a hypothesis."""

    hypothesis: str
    estimand: str
    scheme: str
    stratum: str


# ASSUME: one row stands for each hypothesis, chosen before looking: the discontinuous scheme on the
# same outputs, as the thesis is put; all other rows are description and carry no adjusted p-value.
FAMILIES = {
    "primary": (
        Claim("H2", "log10_width", "discontinuous", "same outputs"),
        # Not over all curves: where all are flat, the two-step forecast is the closer one (W0).
        Claim("H4", "log_score_gain_rising", "discontinuous", "same outputs"),
    ),
    "secondary": (
        # Not the mean of P(sharp): where nothing is known it is what the prior and each metric's
        # noise make of it, and a class with other noise differs without any effect (selfcheck).
        Claim("H1", "sharp_share", "discontinuous", "all"),
        Claim("H5", "translation", "discontinuous", "same outputs"),
    ),
}
LABELS = {
    "sharp_false_share": (
        "share of the curves called SHARP that are expected not to be, by their own posterior: the"
        " mean of 1 - P(sharp)"
    )
}


def adjust(table: pd.DataFrame) -> pd.DataFrame:
    """Add Holm-adjusted p-values to the rows that stand for a hypothesis.

    A hypothesis without a p-value was not tested and counts for nothing.

    Parameters
    ----------
    table
        Rows of one benchmark.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``p_adjusted``, and ``correction``, which names the family and its
        members; missing and empty in all other rows.
    """
    adjusted = table.assign(p_adjusted=np.nan, correction="")
    for family, tests in FAMILIES.items():
        chosen = table[list(Claim._fields)].apply(tuple, axis=1).isin(tests)
        chosen &= table["p_value"].notna()
        if chosen.any():
            p_values = table.loc[chosen, "p_value"].to_numpy(float)
            members = ", ".join(sorted(table.loc[chosen, "hypothesis"]))
            adjusted.loc[chosen, "p_adjusted"] = multipletests(p_values, method="holm")[1]
            adjusted.loc[chosen, "correction"] = f"{family}: {members}"
    return adjusted


def label_row(curves: pd.DataFrame) -> Row:
    """Say what share of the SHARP labels is expected to be wrong.

    The posterior expected false discovery rate (Müller, Parmigiani, Robert and Rousseau 2004,
    doi:10.1198/016214504000001646): no p-values and no independence needed, but it is as good as
    the priors are.

    Parameters
    ----------
    curves
        Tested curves with ``verdict``, ``p_sharp`` and ``task``.
    """
    flagged = curves[curves["verdict"] == "SHARP"]
    none = flagged.empty
    return {
        "hypothesis": "H1",
        "estimand": "sharp_false_share",
        "scheme": "verdict",
        "stratum": "SHARP curves",
        "estimate": np.nan if none else float(1 - flagged["p_sharp"].mean()),
        "lower": np.nan,
        "upper": np.nan,
        "p_value": np.nan,
        "n_tasks": flagged["task"].nunique(),
        "n_curves": len(flagged),
        "method": "posterior expected false discovery rate; no interval",
        "note": f"{len(flagged)} of {len(curves)} curves screened are SHARP"
        if not none
        else f"none of {len(curves)} curves screened is SHARP",
    }
