"""Table of stage forecasts: what the smaller models predict of the largest."""

from __future__ import annotations

from metamirage.base.vocabulary import PREDICTORS, STRATA
from metamirage.contracts.columns import count, maybe, real, schema, share, text

FORECASTS = schema(
    "forecasts",
    {
        "curve_id": text("Curve."),
        "n_left_out": count("Largest sizes left out of the fit: 1 or 2.", 1),
        "target": count("Left-out size that is forecast: 1 the largest, 2 the next.", 1),
        "predictor": text(
            "Candidate, their average, the line through the two sizes before, the forecast through"
            " the partner, or the link fed with the partner's true score.",
            PREDICTORS,
        ),
        "partner": text("Continuous curve that the forecast goes through, or empty."),
        "stratum": text("What partner and curve share, or empty.", STRATA),
        "n_train": count("Sizes used; for a partner those with a score of both.", 2),
        "observed": real("Left-out score, oriented and scaled.", nullable=False),
        "mean": real("Predictive mean, same scale.", nullable=False),
        "sd": real("Predictive sd.", 0.0),
        "q025": real("Predictive 2.5 % quantile."),
        "q10": real("Predictive 10 % quantile."),
        "q90": real("Predictive 90 % quantile."),
        "q975": real("Predictive 97.5 % quantile."),
        "log_score": real("Log predictive density of the left-out score, per unit of the scale."),
        "log_score_se": real("Monte Carlo standard error of the log score.", 0.0),
        "crps": real("Continuous ranked probability score, lower is better.", 0.0),
        "pit": share("Probability integral transform, mid-point for counts."),
        "pit_low": share("Predictive probability of a lower score."),
        "pit_high": share(
            "Predictive probability of a lower score or the same; histograms of the transform"
            " spread a score evenly from pit_low to pit_high."
        ),
        "inside_80": maybe("Left-out score within the 80 % interval."),
        "inside_95": maybe("Left-out score within the 95 % interval."),
        "discontinuity": real(
            "Observed minus predictive mean, PaLM's D for two_point.", nullable=False
        ),
    },
    ["curve_id", "n_left_out", "target", "predictor", "partner"],
)
