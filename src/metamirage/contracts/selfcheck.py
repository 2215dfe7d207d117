"""Tables of the selfcheck: simulated trials, and the rates counted from them."""

from __future__ import annotations

from metamirage.contracts.columns import count, flag, real, schema, share, text

# What is appended to an estimand of the selfcheck: its rejections with the sign that the thesis
# predicts, and those of the same numbers where names drawn at random make the null true.
PREDICTED, SWAPPED = "predicted", "swapped"


_WORLD = text("World of worlds.py, W0 to W5.")
# Tests, intervals, verdicts on curves, and verdicts on tasks by their latent.
KINDS = ("test", "coverage", "verdict", "latent")


TRIALS = schema(
    "trials",
    {
        "world": _WORLD,
        "number": count("Simulated set within its world."),
        "kind": text("What the row is.", KINDS),
        "hypothesis": text("Hypothesis of a test or verdict on a task, else empty."),
        "estimand": text(
            "Estimand of the test: with _predicted if only the predicted sign counts, with _swapped"
            " if the two forecasts of each task were named at random, with _holm if adjusted in the"
            " primary family, any_holm if any of it rejects; measure whose 90 % interval was held"
            " against the truth; verdict and kind of skill."
        ),
        "estimate": real("Of a test."),
        "p_value": share("Of a test; missing where it could not be made."),
        "hits": count("Curves whose interval holds the truth; curves or tasks with the verdict."),
        "cases": count("Curves or tasks looked at."),
        "seed": count("Of the selfcheck."),
    },
    ["world", "number", "kind", "hypothesis", "estimand"],
)


RATES = schema(
    "rates",
    {
        "world": _WORLD,
        "kind": text("As in trials.", KINDS),
        "hypothesis": text("As in trials."),
        "estimand": text("As in trials."),
        "class_effect": flag("Whether the class of a metric matters in this world."),
        "n_sets": count("Simulated sets.", 1),
        "cases": count("Sets with a p-value, curves, or tasks."),
        "hits": count("Sets with a p-value of at most 0.05, or as in trials."),
        "rate": share("Hits over cases; missing without cases."),
        "lower": share("Lower end of its exact 95 % interval (Clopper and Pearson 1934)."),
        "upper": share("Upper end of the same."),
        "mean_estimate": real("Mean of a test's estimates over the sets."),
        "sd_estimate": real("Their standard deviation.", 0.0),
        "n_draws": count("Permutations or sign flips behind a p-value."),
        "seed": count("Of the selfcheck."),
        "versions": text("Libraries that computed."),
    },
    ["world", "kind", "hypothesis", "estimand"],
)
