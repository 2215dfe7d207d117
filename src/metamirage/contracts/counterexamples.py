"""Table of stage concentration: the cases that speak against the thesis, by name."""

from __future__ import annotations

from metamirage.contracts.columns import flag, real, schema, text

CONTRARY = (
    "both_sharp", "sharp_continuous", "beyond_partner", "direct_better", "wider", "no_foresight",
)  # fmt: skip


AGAINST = schema(
    "against",
    {
        "benchmark": text("Name of the registry entry."),
        "kind": text("In what way it could speak against the mirage.", CONTRARY),
        "task": text("Task, or empty for a test."),
        "curve_id": text("Curve; of a pair the one under the discontinuous metric."),
        "partner": text("The other curve of a pair, or empty."),
        "scheme": text("Class scheme."),
        "stratum": text("What the two curves share, or empty."),
        "value": real("What was looked at; the page says what, by kind."),
        "against": flag("Whether it speaks against the mirage."),
    },
    ["kind", "curve_id", "partner", "scheme", "stratum"],
)
