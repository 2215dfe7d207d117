"""Table of stage mechanism: what was predicted of networks trained here."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, text

# Of networks trained here: what was predicted of them, and what became of it.
PREDICTIONS = (
    "metric_swap", "resolution", "target_length", "threshold", "subset", "real",
)  # fmt: skip


OUTCOMES = ("holds", "fails", "open", "told")


MECHANISM = schema(
    "mechanism",
    {
        "benchmark": text("Benchmark of networks trained here."),
        "prediction": text(
            "metric_swap, resolution and target_length after the arithmetic of Schaeffer et al."
            " (2023) section 3; threshold and subset after their vision, section 5 and App. B;"
            " real: what a positive control should show.",
            PREDICTIONS,
        ),
        "measure": text("What was measured, in words."),
        "unit": text("Unit of the numbers."),
        "estimate": real("Estimate; missing where there is nothing to measure."),
        "lower": real("Lower end of the 95 % interval; missing for a plain description."),
        "upper": real("Upper end of the same."),
        "low": real("From here on a value agrees with the prediction; missing without one."),
        "high": real("Up to here it does."),
        "outcome": text("By the interval against low and high; told: no prediction.", OUTCOMES),
        "n_tasks": count("Tasks behind it."),
        "n": count("Networks, pairs or tasks behind it, as the measure says."),
        "method": text("How the interval was made."),
        "seed": count("Seed of the sign flips."),
    },
    ["benchmark", "prediction", "measure"],
)
