"""Table of stage audit: curves that NUTS sampled too."""

from __future__ import annotations

from metamirage.base.thresholds import AGREED_NATS, AGREED_SD, MIN_SIZES
from metamirage.base.vocabulary import VERDICTS
from metamirage.contracts.columns import CURVE_ROW, count, flag, real, schema, share, text

AUDIT = schema(
    "audit",
    {
        **CURVE_ROW,
        "n_sizes": count("Distinct sizes.", MIN_SIZES),
        "observation": text("Observation model used.", ["beta_binomial", "gaussian"]),
        "verdict": text("Verdict of the fits table.", VERDICTS),
        "in_sample": flag("Drawn for the audit."),
        "flagged": flag(
            "Audited because its row of fits is unsure of an evidence, or not of the run's engine."
        ),
        "log_evidence": real("Sigmoid: log evidence by quadrature, nats.", nullable=False),
        "log_evidence_error": real("Half-width of its 95 % interval, nats.", 0.0, nullable=False),
        "evidence_gap": real("Sigmoid: log evidence by NUTS less that by quadrature, nats."),
        "evidence_gap_error": real("Half-width of its 95 % interval, both engines' errors.", 0.0),
        "linear_gap": real("Linear: log evidence by NUTS less that by quadrature, nats."),
        "linear_gap_error": real("Half-width of its 95 % interval.", 0.0),
        "log10_width_mean": real("Posterior mean of log10 width by quadrature."),
        "log10_width_sd": real("Posterior sd of log10 width by quadrature.", 0.0),
        "log10_width_shift": real("Mean by NUTS less mean by quadrature, in posterior sds."),
        "location_mean": real("Posterior mean of location by quadrature."),
        "location_sd": real("Posterior sd of location by quadrature.", 0.0),
        "location_shift": real("Mean by NUTS less mean by quadrature, in posterior sds."),
        "shift_error": real(
            "Half-width of a 95 % interval of a shift of none, from both effective sizes.", 0.0
        ),
        "p_width_lt_1": share("P(width < 1 decade) by quadrature."),
        "p_width_lt_1_nuts": share("P(width < 1 decade) by NUTS."),
        "r_hat": real("NUTS, sigmoid: largest split R-hat of the parameters.", 0.0),
        "ess": real("NUTS, sigmoid: smallest bulk effective size of the parameters.", 0.0),
        "divergences": count("NUTS, sigmoid: divergent transitions."),
        "converged": flag("NUTS, sigmoid: all three are good enough."),
        "means_agree": flag(f"Neither mean is shifted by {AGREED_SD} posterior sds."),
        "evidence_agrees": flag(f"Log evidences of sigmoid within {AGREED_NATS} nats."),
    },
    ["curve_id"],
)
