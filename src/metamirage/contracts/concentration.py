"""Table of stage concentration: the tests of the hypotheses, one row an estimand."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, share, text

CONCENTRATION = schema(
    "concentration",
    {
        "benchmark": text("Name of the registry entry, or 'pooled'."),
        "hypothesis": text("Hypothesis.", ["H1", "H2", "H3", "H4", "H5"]),
        "estimand": text("What is estimated."),
        "scheme": text(
            "Class scheme: which axis of the tags splits the metrics; headline: the two headline"
            " metrics or not; verdict: no split."
        ),
        "stratum": text("Which curves or pairs enter."),
        "estimate": real("Estimate; missing where there is nothing to compare."),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("p-value as the method says, two-sided but for H5."),
        "p_adjusted": share("Holm's over the family that correction names; missing elsewhere."),
        "correction": text("Family of hypotheses that p_adjusted covers, or empty."),
        "n_tasks": count("Tasks behind the estimate."),
        "n_curves": count("Curves (H1) or pairs (H2, H4, H5) behind it."),
        "method": text("How the p-value and interval were made."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["hypothesis", "estimand", "scheme", "stratum"],
)
