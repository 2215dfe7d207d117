"""Tables of stage residual: tasks that stay sharp, and what goes with that."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, share, text

# Of a task, by all its metrics.
RESIDUAL_STATES = ("stays sharp", "changes", "open", "not sharp", "one metric")


RESIDUAL = schema(
    "residual",
    {
        "benchmark": text("Name of the registry entry."),
        "task": text("Task with a curve that enters the tests."),
        "state": text(
            "By the blocks that two metrics score, as metamirage.residual says.", RESIDUAL_STATES
        ),
        "residual": share("Mean over these blocks of the lowest P(sharp) of its metrics."),
        "metrics": text("Metrics of the task that enter, joined by commas."),
        "n_metrics": count("How many they are.", 1),
        "n_continuous": count("How many of them are tagged to have no step."),
        "n_blocks": count("Blocks (subtask, family, shots) that two metrics or more score."),
        "n_blocks_sharp": count("Those with a SHARP curve."),
        "n_blocks_all_sharp": count("Those where every metric is SHARP."),
        "n_blocks_changed": count("Those SHARP by one metric, SMOOTH, FLAT or INVERSE by another."),
    },
    ["task"],
)


RESIDUAL_TESTS = schema(
    "residual_tests",
    {
        "benchmark": text("Name of the registry entry."),
        "question": text(
            "What the residual may go with.", ["keyword", "shots", "family", "onsets"]
        ),
        "level": text("Which keyword or family, or the unit."),
        "estimate": real(
            "Difference in the residual: with the keyword minus without, by doubling 1 + shots, or"
            " this family minus the others; onsets: share of pairs together minus that by chance."
        ),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("p-value, two-sided but for onsets."),
        "p_adjusted": share("Holm's over all rows of the table that have a p-value."),
        "n_tasks": count("Tasks behind it."),
        "n_with": count("Tasks with the keyword; transitions, for onsets."),
        "method": text("How the p-value was made, or empty."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["question", "level"],
)
