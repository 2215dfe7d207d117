"""Pairs of curves: the same models on the same task, scored by two metrics.

The metrics of one query score the same outputs; others ask the same models another question, which
is a stratum of its own. Two stages pair curves: forecasts, to predict one metric from the other,
and concentration, to compare them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metamirage.base.vocabulary import BLOCK, SAME_MODEL, SAME_OUTPUTS
from metamirage.curves.curve import Curve

_AXES = ("discontinuous", "nonlinear", "query", "ratio")


def join_blocks(one: pd.DataFrame, zero: pd.DataFrame) -> pd.DataFrame:
    """Join each row of one frame with each of another from its task, subtask, family and shots.

    Parameters
    ----------
    one, zero
        One row a curve, with ``BLOCK`` and ``query``.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``BLOCK``, the other columns with the suffixes ``_1`` and ``_0``, and
        ``stratum``: ``same outputs`` if both metrics come from one query, else ``same model``.
    """
    pairs = one.merge(zero, on=list(BLOCK), suffixes=("_1", "_0"))
    # What "other" queries asked is unknown, so two of them need not be the same.
    same = (pairs["query_1"] == pairs["query_0"]) & (pairs["query_1"] != "other")
    return pairs.assign(stratum=np.where(same, SAME_OUTPUTS, SAME_MODEL))


def continuous_partners(curves: Sequence[Curve], tags: pd.DataFrame) -> pd.DataFrame:
    """Find the continuous partners of each curve under a discontinuous or nonlinear metric.

    A partner's metric is tagged not discontinuous. It is a partner to a discontinuous metric and,
    if it is linear besides, to a nonlinear one: pairs of class 1 with class 0 under the schemes
    ``discontinuous`` or ``either`` of the tests. Curves that stay out of the tests have none.

    Parameters
    ----------
    curves
        Of one benchmark.
    tags
        Table ``tables.TAGS``; curves of metrics that it lacks have no partner.

    Returns
    -------
    pandas.DataFrame
        One row a pair, ordered by name: ``curve_id``, ``partner``, ``stratum``, and ``ratio``:
        whether the partner's scores have a positive lower bound and no upper one, as perplexity.
    """
    columns = ["curve_id", *BLOCK, "metric"]
    kept = [{"curve_id": c.curve_id, **c.key} for c in curves if not c.excluded]
    named = pd.DataFrame(kept, columns=columns).astype({"n_shots": "Int64"})
    ratio = (tags["lower"] > 0) & tags["upper"].isna()
    axes = tags.assign(ratio=ratio)[["task", "metric", *_AXES]]
    tagged = named.merge(axes, on=["task", "metric"], validate="many_to_one")
    stepped = tagged["discontinuous"] == "yes"
    pairs = join_blocks(
        tagged[stepped | (tagged["nonlinear"] == "yes")], tagged[tagged["discontinuous"] == "no"]
    )
    kept_pairs = (pairs["discontinuous_1"] == "yes") | (pairs["nonlinear_0"] == "no")
    names = {"curve_id_1": "curve_id", "curve_id_0": "partner", "ratio_0": "ratio"}
    found = pairs[kept_pairs].rename(columns=names)[["curve_id", "partner", "stratum", "ratio"]]
    return found.sort_values(["curve_id", "partner"], ignore_index=True)
