"""Table of stage scores: the published heuristics of each curve."""

from __future__ import annotations

from metamirage.base.thresholds import MIN_SIZES
from metamirage.base.vocabulary import STATES
from metamirage.contracts.columns import CURVE_ROW, count, real, schema, text

SCORES = schema(
    "scores",
    {
        **CURVE_ROW,
        "n_sizes": count("Distinct sizes.", MIN_SIZES),
        "span_decades": real("Largest minus smallest size.", 0.0, nullable=False),
        "breakthroughness": real("Schaeffer et al. (2023) Eq. 1, S; may be infinite or missing."),
        "linearity": real("BIG-bench linearity L."),
        "state": text("What S is.", STATES),
        "null_q95": real("95 % quantile of S for a flat curve of this many sizes and items."),
        "range": real("Largest minus smallest score, unit of the source.", 0.0, nullable=False),
        "excluded": text("Why the curve stays out of the tests, or empty."),
    },
    ["curve_id"],
)
