"""Tables of stage tidy: the published scores, and the defects found in them."""

from __future__ import annotations

from metamirage.contracts.columns import CURVE_COLUMNS, count, flag, maybe, real, schema, text

TIDY = schema(
    "tidy",
    {
        **CURVE_COLUMNS,
        "model": text("Model as the source names it."),
        "n_params": real("Parameters: the x of the curve.", 1.0, nullable=False),
        "n_params_kind": text(
            "What n_params counts.",
            ["flop_matched_non_embedding", "non_embedding", "total", "active"],
        ),
        "score": real("Score as published, in the unit of the source.", nullable=False),
        "stderr": real("Published standard error, same unit as the score.", 0.0),
        "n_samples": count("Items behind the score.", 1, nullable=True),
        "low_score": real("Published score of poor or chance-level performance."),
        "high_score": real("Published score of excellent performance."),
        "is_preferred": maybe("The metric its authors judge by."),
        "source_file": text("File of the score, relative to data/raw/<benchmark>."),
    },
    ["task", "subtask", "metric", "family", "n_shots", "model"],
)


ISSUES = schema(
    "issues",
    {
        "benchmark": text("Name of the registry entry."),
        "kind": text("Short name of the defect."),
        "where": text("File, task, model: enough to find it."),
        "n_rows": count("Published scores concerned."),
        "detail": text("What was found."),
        "action": text("What was done about it."),
        "known": flag("Listed in the registry beforehand."),
    },
    ["kind", "where"],
)
