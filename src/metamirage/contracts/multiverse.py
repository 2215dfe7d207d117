"""Tables of stage multiverse: the specifications, and the joint test over them."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, share, text

MULTIVERSE = schema(
    "multiverse",
    {
        "benchmark": text("Name of the registry entry."),
        "measure": text("Measure of sharpness, oriented: larger is sharper."),
        "threshold": text("From where on it counts, or empty: the measure itself."),
        "scheme": text("Class scheme; headline: the two headline metrics or not."),
        "stratum": text("What the two curves of a pair share."),
        "metrics": text("All, or pairs with the metric that the task's authors prefer."),
        "family": text("All families of models, or one."),
        "shots": text("All numbers of examples, the most of each pair, or one number."),
        "subtasks": text("All, aggregates over subtasks, or subtasks themselves."),
        "min_sizes": text("Sizes that both curves need."),
        "min_items": text("Items that both curves need; unknown is enough for 0 only."),
        "floor": text("Whether pairs with a curve that never moves are kept or dropped."),
        "estimate": real(
            "Mean over tasks of class 1 minus class 0, unit of the measure.", nullable=False
        ),
        "effect": real(
            "Estimate over the root mean square of the task differences.", -1.001, 1.001,
            nullable=False,
        ),
        "p_value": share("Two-sided, under the swaps of whole tasks."),
        "null_low": real("2.5 % quantile, under the swaps, of the effect of this rank."),
        "null_high": real("97.5 % quantile of the same."),
        "n_tasks": count("Tasks behind the estimate."),
    },
    ["measure", "threshold", "scheme", "stratum", "metrics", "family", "shots", "subtasks",
     "min_sizes", "min_items", "floor"],
)  # fmt: skip


MULTIVERSE_JOINT = schema(
    "multiverse_joint",
    {
        "benchmark": text("Name of the registry entry."),
        "measure": text("Measure whose specifications enter, or all."),
        "statistic": text(
            "median_effect, share_predicted (effects above zero) or share_significant (these with"
            " p at most 0.05).",
            ["median_effect", "share_predicted", "share_significant"],
        ),
        "observed": real("Its value; missing without a specification."),
        "p_value": share("Share of swaps as extreme: two-sided, but one-sided for the last."),
        "n_specifications": count("Specifications that enter."),
        "n_possible": count("Distinct ones of all measures, of which these were drawn."),
        "n_swaps": count("Swaps of the labels of whole tasks."),
        "seed": count("Seed of the swaps."),
    },
    ["measure", "statistic"],
)
