"""Table of stage bands: the mean score under each candidate, between the observed sizes."""

from __future__ import annotations

from metamirage.base.vocabulary import CANDIDATES
from metamirage.contracts.columns import count, real, schema, text

QUANTILES = ("q05", "median", "q95")


BANDS = schema(
    "bands",
    {
        "curve_id": text("Stable name of the curve."),
        "node": count("Place on the curve's own grid, from its smallest size to its largest."),
        "size": real("Size at this place, log10 parameters.", nullable=False),
        **{
            f"{candidate}_{quantile}": real(
                f"Mean score under {candidate}, unit of the source: {meaning}.", nullable=False
            )
            for candidate in CANDIDATES
            for quantile, meaning in zip(
                QUANTILES,
                ("lower end of the 90 % band", "posterior median", "upper end of the 90 % band"),
                strict=True,
            )
        },
    },
    ["curve_id", "node"],
)
