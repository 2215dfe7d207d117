"""Table of stage tags: what each metric of a benchmark is."""

from __future__ import annotations

from metamirage.base.vocabulary import DIRECTIONS, QUERIES, TERNARY
from metamirage.contracts.columns import real, schema, text

TAGS = schema(
    "tags",
    {
        "benchmark": text("Name of the registry entry."),
        "task": text("Task."),
        "metric": text("Metric."),
        "discontinuous": text("A step in the model's probabilities or outputs, per item.", TERNARY),
        "nonlinear": text("Nonlinear in the per-token error.", TERNARY),
        "query": text("What the model is asked; metrics pair within one query.", QUERIES),
        "direction": text("Whether larger is better.", DIRECTIONS),
        "lower": real("Lowest possible score, unit of the source; missing if unbounded."),
        "upper": real("Highest possible score, unit of the source; missing if unbounded."),
        "chance": real("Score of guessing, unit of the source; missing if unknown."),
        "excluded": text("Why the metric stays out of the tests, or empty."),
        "reason": text("Why it is tagged so."),
        "reference": text("Where that can be read."),
    },
    ["task", "metric"],
)
