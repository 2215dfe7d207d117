"""Table of stage reproduction: published numbers beside the same from the scores."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, text

REPRODUCTION = schema(
    "reproduction",
    {
        "name": text("Short name of the claim."),
        "source": text("Paper that makes it, as an arXiv number."),
        "claim": text("What is claimed."),
        "unit": text("Unit of the numbers."),
        "published": real("Number printed; missing for a number given beside a printed one."),
        "estimate": real("The same from the scores; missing where they do not allow it."),
        "lowest": real("Lowest over the readings of the original."),
        "highest": real("Highest over the readings."),
        "n_readings": count("Readings that the scores allow."),
        "reading": text("The reading behind the estimate."),
        "n": count("Units behind the estimate, as the note says."),
        "note": text("What to keep in mind, or empty."),
    },
    ["name"],
)
