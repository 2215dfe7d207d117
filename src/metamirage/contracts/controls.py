"""Table of stage concentration: negative controls."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, share, text

CONTROLS = schema(
    "controls",
    {
        "benchmark": text("Name of the registry entry."),
        "control": text(
            "random classes: drawn by coins for the metrics; fake class: two families of the same"
            " models.",
            ["random classes", "fake class"],
        ),
        "one": text("Family in place of class 1, or empty."),
        "zero": text("Family in place of class 0, or empty."),
        "estimate": real("H2's primary estimate: by the true classes; between the two families."),
        "lower": real("2.5 % quantile over random classes; end of the fake one's 95 % interval."),
        "upper": real("97.5 % quantile of the same; the other end."),
        "p_value": share(
            "Share of random classes, the true ones among them, whose estimate is as far from zero;"
            " of the fake class the p-value of H2's test, two-sided."
        ),
        "n_tests": count("Tests: of random classes those with six tasks or more."),
        "n_rejected": count("Those with p of at most 0.05."),
        "n_tasks": count("Tasks with pairs."),
        "n_metrics": count("Metrics of these pairs."),
        "seed": count("Of classes and sign flips."),
        "note": text("Why there is no number, or empty."),
    },
    ["control", "one", "zero"],
)
