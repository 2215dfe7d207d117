"""Table of stage hierarchy: parameters of the hierarchical model."""

from __future__ import annotations

from metamirage.contracts.columns import count, real, schema, share, text

HIERARCHY = schema(
    "hierarchy",
    {
        "benchmark": text("Name of the registry entry."),
        "scheme": text("Class scheme: which axis of the tags splits the metrics."),
        "prior": text("Prior of the average log width.", ["default", "smooth", "sharp"]),
        "parameter": text(
            "beta: class 1 minus class 0 in natural log width, negative = narrower; ratio:"
            " exp(beta); gamma[query]: against the query with most curves; s_metric, s_task,"
            " s_family, tau: sds; share_...: shares of variance; check_...: shares of curves."
        ),
        "estimate": real("Posterior mean; missing where the note says why."),
        "lower": real("Lower end of the 90 % interval."),
        "upper": real("Upper end of the 90 % interval."),
        "p_negative": share("P(parameter < 0), for beta and gamma."),
        "p_check": share("P(the model gives a larger share than was found), for checks."),
        "r_hat": real("Split R-hat by ranks.", 0.0),
        "ess_bulk": real("Effective sample size of the bulk.", 0.0),
        "divergences": count("Divergent transitions of all chains.", nullable=True),
        "pareto_k": real("Pareto k of draws reweighted from another prior; missing if sampled."),
        "n_curves": count("Curves behind it."),
        "n_tasks": count("Their tasks."),
        "n_families": count("Their families."),
        "n_metrics": count("Their metrics, each within one class and query."),
        "seed": count("Seed of the chains."),
        "note": text("What to keep in mind, or empty."),
    },
    ["scheme", "prior", "parameter"],
)
