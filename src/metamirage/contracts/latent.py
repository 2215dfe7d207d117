"""Table of stage latent: what one shared latent says of each task."""

from __future__ import annotations

from metamirage.base.vocabulary import STRATA
from metamirage.contracts.columns import count, real, schema, share, text

# Of a task, by its latent; the order is that of latent.STATEMENTS, with the default last.
LATENT_VERDICTS = ("metric-explained", "real", "unresolved")


_LOG_SCORE = "log score of the continuous partner, metric-explained minus real, nats"


LATENT = schema(
    "latent",
    {
        "benchmark": text("Name of the registry entry."),
        "task": text("Task with a discontinuous and a continuous metric."),
        "verdict": text(
            "Where the sharpness sits, by the rule of metamirage.latent.", LATENT_VERDICTS
        ),
        "reason": text("Why it is unresolved: the first condition that failed; else empty."),
        "stratum": text("What the metrics of a pair share.", STRATA),
        "p_explained": share("Probability that the partner is smooth, of the three statements."),
        "p_real": share("Probability that it breaks where the discontinuous curve does."),
        "p_neither": share("Probability of neither."),
        "elpd_difference": real(f"Sum over all sizes of the {_LOG_SCORE}: mean over blocks."),
        "elpd_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "elpd_last": real(f"The part of the largest size in the {_LOG_SCORE}."),
        "elpd_last_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "link_gain": real(
            "Log score of the discontinuous metric at the largest size, by the link fed with the"
            " partner's true score minus by its own direct forecast; missing without forecasts."
        ),
        "link_gain_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "p_sharp_discontinuous": share("Mean P(sharp) of the discontinuous curves."),
        "p_sharp_continuous": share("Mean P(sharp) of the continuous curves."),
        "n_blocks": count("Subtasks, families and shots behind it."),
        "n_pairs": count("Pairs behind it: those whose discontinuous curve rises."),
        "n_pairs_all": count("Pairs looked at."),
        "n_sharp": count("Discontinuous curves behind it that are sharp, each for itself."),
    },
    ["task"],
)
