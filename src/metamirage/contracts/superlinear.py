"""Tables of stage superlinear: how curves bend, and whether that goes with the metric."""

from __future__ import annotations

from metamirage.contracts.columns import CURVE_ROW, count, real, schema, share, text

# Of a curve: its bend in log size.
SUPERLINEAR_LABELS = ("faster", "slower", "undecided", "no rise")


SUPERLINEAR = schema(
    "superlinear",
    {
        **CURVE_ROW,
        "label": text("Rise compared with a line in log size.", SUPERLINEAR_LABELS),
        "p_faster": share("P(exponent > 0); missing for a curve that does not rise."),
        "exponent_mean": real("Exponent of power, per decade: posterior mean; a line has 0."),
        "exponent_sd": real("Its posterior sd.", 0.0),
    },
    ["curve_id"],
)


SUPERLINEAR_TESTS = schema(
    "superlinear_tests",
    {
        "benchmark": text("Name of the registry entry."),
        "scheme": text("Class scheme: which axis of the tags splits the metrics."),
        "stratum": text("all: between tasks; else what the metrics of a pair share."),
        "estimate": real("P(exponent > 0), class 1 minus class 0, of rising curves."),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("Two-sided p-value."),
        "n_tasks": count("Tasks behind it."),
        "n_curves": count("Rising curves (all) or pairs of them behind it."),
        "method": text("How the p-value was made, or empty."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["scheme", "stratum"],
)
