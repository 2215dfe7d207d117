"""Contracts of the tables that pass from stage to stage, and their only reader and writer.

A contract names every column with its type, range and meaning. A table is validated lazily, so
that all faults arrive in one report, both when it is written and when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from metamirage.columns import (
    CURVE_COLUMNS,
    CURVE_ROW,
    count,
    flag,
    maybe,
    moments,
    quantiles,
    real,
    schema,
    share,
    text,
)
from metamirage.errors import InputError, Offence

CURVE_KEY = ("benchmark", "task", "subtask", "metric", "family", "n_shots")
VERDICTS = ("SHARP", "SMOOTH", "FLAT", "INVERSE", "UNRESOLVED")
CANDIDATES = ("flat", "linear", "power", "sigmoid", "quadratic")
ENGINES = ("quadrature", "nuts")
PREDICTORS = (*CANDIDATES, "averaged", "two_point", "two_step", "link_given_partner")
STRATA = ("", "same outputs", "same model")
STATES = ("finite", "inf", "nan", "constant")
TERNARY = ("yes", "no", "unknown")
QUERIES = ("generate", "cond_log_prob", "other")
DIRECTIONS = ("up", "down")
# What the audit calls agreement: means in posterior standard deviations, evidence in nats.
AGREED_SD = 0.1
AGREED_NATS = 0.05
# Fewer sizes than this and a curve is not kept; fewer than the second and no verdict is given.
MIN_SIZES = 3
MIN_SIZES_VERDICT = 5


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

SCORES = schema(
    "scores",
    {
        **CURVE_ROW,
        "n_sizes": count("Distinct sizes.", MIN_SIZES),
        "span_decades": real("Largest minus smallest size.", 0.0, nullable=False),
        "breakthroughness": real("Schaeffer et al. (2023) Eq. 1, S; may be infinite or missing."),
        "linearity": real("BIG-bench linearity L."),
        "state": text("What S is.", STATES),
        "null_q95": real("95 % quantile of S for a flat curve of this many sizes and items."),
        "range": real("Largest minus smallest score, unit of the source.", 0.0, nullable=False),
        "excluded": text("Why the curve stays out of the tests, or empty."),
    },
    ["curve_id"],
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


def check(table: pd.DataFrame, schema: pa.DataFrameSchema, *, source: str) -> pd.DataFrame:
    """Hold a table against its contract.

    Parameters
    ----------
    table
        Any frame.
    schema
        Of this module or of ``findings``.
    source
        File named in the report.

    Returns
    -------
    pandas.DataFrame
        The same rows with the contract's columns first, in the contract's order.

    Raises
    ------
    InputError
        With one offence per failing cell or column.
    """
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as exc:
        raise InputError(_offences(exc.failure_cases, schema, source)) from exc
    first = list(schema.columns)
    return table[first + [c for c in table.columns if c not in first]]


def _offences(cases: pd.DataFrame, schema: pa.DataFrameSchema, source: str) -> list[Offence]:
    return [_offence(case, schema, source) for case in cases.to_dict("records")]


def _offence(case: dict[Hashable, Any], schema: pa.DataFrameSchema, source: str) -> Offence:
    row = "" if pd.isna(case["index"]) else f" row {case['index']}"
    remedy = f"See the {schema.name} table in docs/tables.md"
    if case["check"] == "column_in_dataframe":
        missing = str(case["failure_case"])
        allowed = ", ".join(schema.columns)
        return Offence(source, f"column {missing!r} is missing", "", f"columns {allowed}", remedy)
    column = str(case["column"])
    return Offence(
        where=f"{source}{row}",
        problem=f"column {column!r} breaks its contract",
        value=case["failure_case"],
        allowed=str(case["check"]),
        remedy=remedy,
    )


def write_table(table: pd.DataFrame, path: str | Path, schema: pa.DataFrameSchema) -> None:
    """Check a table and write it as Parquet, all or nothing.

    The file appears under its name only when it is whole: a full disk or a kill leaves the earlier
    file in place.

    Raises
    ------
    InputError
        If the table breaks its contract.
    """
    path = Path(path)
    ready = check(table.reset_index(drop=True), schema, source=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        ready.to_parquet(part, index=False)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_table(path: str | Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a Parquet table and hold it against its contract.

    Raises
    ------
    InputError
        If the file is no Parquet table, or breaks its contract.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as exc:
        remedy = f"Delete it and run snakemake again ({exc})"
        raise InputError(
            [Offence(str(path), "not a readable Parquet table", "", "", remedy)]
        ) from exc
    return check(table, schema, source=str(path))
