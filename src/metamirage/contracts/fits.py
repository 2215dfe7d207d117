"""Tables of stage fits: one row a curve, a candidate, or a node of the width profile."""

from __future__ import annotations

from metamirage.base.thresholds import MIN_SIZES
from metamirage.base.vocabulary import CANDIDATES, ENGINES, VERDICTS
from metamirage.contracts.columns import (
    CURVE_ROW,
    count,
    maybe,
    moments,
    quantiles,
    real,
    schema,
    share,
    text,
)

_WIDTH = "10-90 % width, decades"


FITS = schema(
    "fits",
    {
        **CURVE_ROW,
        "n_sizes": count("Distinct sizes.", MIN_SIZES),
        "observation": text("Observation model used.", ["beta_binomial", "gaussian"]),
        "verdict": text("SHARP, SMOOTH, FLAT, INVERSE or UNRESOLVED.", VERDICTS),
        **quantiles("width", f"{_WIDTH}: posterior", low=0.0, median="width_median"),
        **moments("log10_width", "log10 width: posterior"),
        "p_width_lt_1": share("P(width < 1 decade)."),
        "p_width_gt_2": share("P(width > 2 decades)."),
        **quantiles("location", "Location, log10 parameters:", median="location_median"),
        **moments("location", "Location: posterior"),
        "p_location_inside": share("P(location within the observed sizes)."),
        **quantiles("jump", "Jump, fraction of the range:", median="jump_median"),
        **moments("jump", "Jump: posterior"),
        **quantiles("jump_decade", "Largest rise over one decade, fraction of the range:"),
        **moments("jump_decade", "Largest rise over one decade: posterior"),
        **quantiles(
            "concentration_index",
            "One-decade rise over the jump, a line scores 1 / span:",
            low=0.0,
            high=1.0,
        ),
        **moments("concentration_index", "One-decade rise over the jump: posterior"),
        **quantiles(
            "floor_length", "Decades from the smallest model to 10 % of the jump:", low=0.0
        ),
        **moments("floor_length", "Decades to 10 % of the jump: posterior"),
        "p_jump": share("P(jump > 0.05 of the range)."),
        "p_jump_negative": share("P(jump < -0.05 of the range)."),
        "p_flat": share("P(|jump| < 0.05 of the range)."),
        "p_sharp": share("P(jump > 0.05, width < 1, location inside), jointly."),
        "p_nonmonotone": share(
            "Weight of quadratic times its P(turns inside, by more than 0.05 on both sides): alarm."
        ),
        "log_evidence_error": real(
            "Largest half-width of a 95 % interval of the log evidence over the candidates, nats.",
            0.0,
        ),
        "method": text("nuts where it made the posterior of any candidate.", ENGINES),
        "ess": real("Smallest effective sample size over the candidates.", 0.0),
        "r_hat": real("Largest split R-hat over what NUTS sampled.", 0.0),
        "divergences": count("Most divergences over what NUTS sampled.", nullable=True),
        "converged": maybe(
            "Whether all of what NUTS sampled converged; quadratic has two modes on most curves"
            " that rise or fall, and then does not."
        ),
        "log10_bf_sigmoid_linear": real("log10 Bayes factor, sigmoid over linear."),
        "excluded": text("Why the curve stays out of the tests, or empty."),
    },
    ["curve_id"],
)


MODELS = schema(
    "models",
    {
        "curve_id": text("Curve."),
        "model": text("Candidate.", CANDIDATES),
        "log_evidence": real("Log marginal likelihood, nats.", nullable=False),
        "log_evidence_error": real("Half-width of its 95 % interval, nats.", 0.0, nullable=False),
        "weight": share("Posterior probability among the candidates, equal prior."),
        "elpd_last": real(
            "Log score of the left-out largest size, per unit of the scale; an unbounded metric's"
            " scale is that of the whole curve, where the forecasts stage uses the smaller sizes'."
        ),
        "elpd_se": real("Half-width of a 95 % interval of elpd_last for its computation.", 0.0),
        "shape1_mean": real(
            "Posterior mean of the first shape parameter: exponent per decade (power), location"
            " (sigmoid), turning point (quadratic); missing for the others."
        ),
        "shape1_sd": real("Its posterior sd.", 0.0),
        "method": text("Engine of the posterior of all sizes.", ENGINES),
        "ess": real("Its effective sample size.", 0.0),
        "r_hat": real("Its split R-hat, by NUTS.", 0.0),
        "divergences": count("Its divergent transitions, by NUTS.", nullable=True),
        "converged": maybe("R-hat, effective size and divergences of NUTS are good enough."),
    },
    ["curve_id", "model"],
)


PROFILES = schema(
    "profiles",
    {
        "curve_id": text("Curve."),
        "log10_width": real("Node of the common grid.", -1.5, 1.5, nullable=False),
        "log_marginal": real("Log marginal likelihood at this width, nats.", nullable=False),
    },
    ["curve_id", "log10_width"],
)
