"""Contracts of the tables that pass from stage to stage, and their only reader and writer.

A contract names every column with its type, range and meaning. A table is validated lazily, so
that all faults arrive in one report, both when it is written and when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from metamirage.errors import InputError, Offence

CURVE_KEY = ("benchmark", "task", "subtask", "metric", "family", "n_shots")
VERDICTS = ("SHARP", "SMOOTH", "FLAT", "INVERSE", "UNRESOLVED")
CANDIDATES = ("flat", "linear", "power", "sigmoid", "quadratic")
ENGINES = ("quadrature", "nuts")
PREDICTORS = (*CANDIDATES, "averaged", "two_point", "two_step", "link_given_partner")
STRATA = ("", "same outputs", "same model")
CONTRARY = (
    "both_sharp", "sharp_continuous", "beyond_partner", "direct_better", "wider", "no_foresight",
)  # fmt: skip
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


def _text(description: str, among: Sequence[str] | None = None) -> pa.Column:
    checks = pa.Check.isin(list(among)) if among else None
    return pa.Column(str, checks, nullable=False, description=description)


def _real(
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    nullable: bool = True,
) -> pa.Column:
    checks = []
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return pa.Column(float, checks, nullable=nullable, description=description)


def _share(description: str) -> pa.Column:
    return _real(description, 0.0, 1.0)


def _count(description: str, low: int = 0, *, nullable: bool = False) -> pa.Column:
    dtype = "Int64" if nullable else "int64"
    return pa.Column(dtype, pa.Check.ge(low), nullable=nullable, description=description)


def _flag(description: str) -> pa.Column:
    return pa.Column(bool, nullable=False, description=description)


def _maybe(description: str) -> pa.Column:
    return pa.Column("boolean", nullable=True, description=description)


def _schema(name: str, columns: dict[str, pa.Column], unique: list[str]) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, name=name, unique=unique, strict=False, ordered=False)


_CURVE_COLUMNS = {
    "benchmark": _text("Name of the registry entry."),
    "task": _text("Task as the source names it."),
    "subtask": _text("Subtask, or empty."),
    "metric": _text("Metric as the source names it."),
    "family": _text("Models that differ in size only."),
    "n_shots": _count(
        "Examples in the prompt; missing where the notion does not apply.", 0, nullable=True
    ),
}

TIDY = _schema(
    "tidy",
    {
        **_CURVE_COLUMNS,
        "model": _text("Model as the source names it."),
        "n_params": _real("Parameters: the x of the curve.", 1.0, nullable=False),
        "n_params_kind": _text(
            "What n_params counts.",
            ["flop_matched_non_embedding", "non_embedding", "total", "active"],
        ),
        "score": _real("Score as published, in the unit of the source.", nullable=False),
        "stderr": _real("Published standard error, same unit as the score.", 0.0),
        "n_samples": _count("Items behind the score.", 1, nullable=True),
        "low_score": _real("Published score of poor or chance-level performance."),
        "high_score": _real("Published score of excellent performance."),
        "is_preferred": _maybe("The metric its authors judge by."),
        "source_file": _text("File of the score, relative to data/raw/<benchmark>."),
    },
    ["task", "subtask", "metric", "family", "n_shots", "model"],
)

ISSUES = _schema(
    "issues",
    {
        "benchmark": _text("Name of the registry entry."),
        "kind": _text("Short name of the defect."),
        "where": _text("File, task, model: enough to find it."),
        "n_rows": _count("Published scores concerned."),
        "detail": _text("What was found."),
        "action": _text("What was done about it."),
        "known": _flag("Listed in the registry beforehand."),
    },
    ["kind", "where"],
)

TAGS = _schema(
    "tags",
    {
        "benchmark": _text("Name of the registry entry."),
        "task": _text("Task."),
        "metric": _text("Metric."),
        "discontinuous": _text(
            "A step in the model's probabilities or outputs, per item.", TERNARY
        ),
        "nonlinear": _text("Nonlinear in the per-token error.", TERNARY),
        "query": _text("What the model is asked; metrics pair within one query.", QUERIES),
        "direction": _text("Whether larger is better.", DIRECTIONS),
        "lower": _real("Lowest possible score, unit of the source; missing if unbounded."),
        "upper": _real("Highest possible score, unit of the source; missing if unbounded."),
        "chance": _real("Score of guessing, unit of the source; missing if unknown."),
        "excluded": _text("Why the metric stays out of the tests, or empty."),
        "reason": _text("Why it is tagged so."),
        "reference": _text("Where that can be read."),
    },
    ["task", "metric"],
)

_CURVE_ROW = {"curve_id": _text("Stable name of the curve."), **_CURVE_COLUMNS}

SCORES = _schema(
    "scores",
    {
        **_CURVE_ROW,
        "n_sizes": _count("Distinct sizes.", MIN_SIZES),
        "span_decades": _real("Largest minus smallest size.", 0.0, nullable=False),
        "breakthroughness": _real("Schaeffer et al. (2023) Eq. 1, S; may be infinite or missing."),
        "linearity": _real("BIG-bench linearity L."),
        "state": _text("What S is.", STATES),
        "null_q95": _real("95 % quantile of S for a flat curve of this many sizes and items."),
        "range": _real("Largest minus smallest score, unit of the source.", 0.0, nullable=False),
        "excluded": _text("Why the curve stays out of the tests, or empty."),
    },
    ["curve_id"],
)


def _quantiles(
    name: str,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    median: str | None = None,
) -> dict[str, pa.Column]:
    """Columns of a median, under the measure's own name unless told, and of two quantiles."""
    return {
        median or name: _real(f"{description} median.", low, high),
        f"{name}_q05": _real(f"{description} 5 % quantile.", low, high),
        f"{name}_q95": _real(f"{description} 95 % quantile.", low, high),
    }


def _moments(name: str, description: str) -> dict[str, pa.Column]:
    return {
        f"{name}_mean": _real(f"{description} mean."),
        f"{name}_sd": _real(f"{description} sd.", 0.0),
    }


_WIDTH = "10-90 % width, decades"
FITS = _schema(
    "fits",
    {
        **_CURVE_ROW,
        "n_sizes": _count("Distinct sizes.", MIN_SIZES),
        "observation": _text("Observation model used.", ["beta_binomial", "gaussian"]),
        "verdict": _text("SHARP, SMOOTH, FLAT, INVERSE or UNRESOLVED.", VERDICTS),
        **_quantiles("width", f"{_WIDTH}: posterior", low=0.0, median="width_median"),
        **_moments("log10_width", "log10 width: posterior"),
        "p_width_lt_1": _share("P(width < 1 decade)."),
        "p_width_gt_2": _share("P(width > 2 decades)."),
        **_quantiles("location", "Location, log10 parameters:", median="location_median"),
        **_moments("location", "Location: posterior"),
        "p_location_inside": _share("P(location within the observed sizes)."),
        **_quantiles("jump", "Jump, fraction of the range:", median="jump_median"),
        **_moments("jump", "Jump: posterior"),
        **_quantiles("jump_decade", "Largest rise over one decade, fraction of the range:"),
        **_moments("jump_decade", "Largest rise over one decade: posterior"),
        **_quantiles(
            "concentration_index",
            "One-decade rise over the jump, a line scores 1 / span:",
            low=0.0,
            high=1.0,
        ),
        **_moments("concentration_index", "One-decade rise over the jump: posterior"),
        **_quantiles(
            "floor_length", "Decades from the smallest model to 10 % of the jump:", low=0.0
        ),
        **_moments("floor_length", "Decades to 10 % of the jump: posterior"),
        "p_jump": _share("P(jump > 0.05 of the range)."),
        "p_jump_negative": _share("P(jump < -0.05 of the range)."),
        "p_flat": _share("P(|jump| < 0.05 of the range)."),
        "p_sharp": _share("P(jump > 0.05, width < 1, location inside), jointly."),
        "p_nonmonotone": _share(
            "Weight of quadratic times its P(turns inside, by more than 0.05 on both sides): alarm."
        ),
        "log_evidence_error": _real(
            "Largest half-width of a 95 % interval of the log evidence over the candidates, nats.",
            0.0,
        ),
        "method": _text("nuts where it made the posterior of any candidate.", ENGINES),
        "ess": _real("Smallest effective sample size over the candidates.", 0.0),
        "r_hat": _real("Largest split R-hat over what NUTS sampled.", 0.0),
        "divergences": _count("Most divergences over what NUTS sampled.", nullable=True),
        "converged": _maybe(
            "Whether all of what NUTS sampled converged; quadratic has two modes on most curves"
            " that rise or fall, and then does not."
        ),
        "log10_bf_sigmoid_linear": _real("log10 Bayes factor, sigmoid over linear."),
        "excluded": _text("Why the curve stays out of the tests, or empty."),
    },
    ["curve_id"],
)

MODELS = _schema(
    "models",
    {
        "curve_id": _text("Curve."),
        "model": _text("Candidate.", CANDIDATES),
        "log_evidence": _real("Log marginal likelihood, nats.", nullable=False),
        "log_evidence_error": _real("Half-width of its 95 % interval, nats.", 0.0, nullable=False),
        "weight": _share("Posterior probability among the candidates, equal prior."),
        "elpd_last": _real(
            "Log score of the left-out largest size, per unit of the scale; an unbounded metric's"
            " scale is that of the whole curve, where the forecasts stage uses the smaller sizes'."
        ),
        "elpd_se": _real("Half-width of a 95 % interval of elpd_last for its computation.", 0.0),
        "method": _text("Engine of the posterior of all sizes.", ENGINES),
        "ess": _real("Its effective sample size.", 0.0),
        "r_hat": _real("Its split R-hat, by NUTS.", 0.0),
        "divergences": _count("Its divergent transitions, by NUTS.", nullable=True),
        "converged": _maybe("R-hat, effective size and divergences of NUTS are good enough."),
    },
    ["curve_id", "model"],
)

PROFILES = _schema(
    "profiles",
    {
        "curve_id": _text("Curve."),
        "log10_width": _real("Node of the common grid.", -1.5, 1.5, nullable=False),
        "log_marginal": _real("Log marginal likelihood at this width, nats.", nullable=False),
    },
    ["curve_id", "log10_width"],
)

AUDIT = _schema(
    "audit",
    {
        **_CURVE_ROW,
        "n_sizes": _count("Distinct sizes.", MIN_SIZES),
        "observation": _text("Observation model used.", ["beta_binomial", "gaussian"]),
        "verdict": _text("Verdict of the fits table.", VERDICTS),
        "in_sample": _flag("Drawn for the audit."),
        "flagged": _flag(
            "Audited because its row of fits is unsure of an evidence, or not of the run's engine."
        ),
        "log_evidence": _real("Sigmoid: log evidence by quadrature, nats.", nullable=False),
        "log_evidence_error": _real("Half-width of its 95 % interval, nats.", 0.0, nullable=False),
        "evidence_gap": _real("Sigmoid: log evidence by NUTS less that by quadrature, nats."),
        "evidence_gap_error": _real("Half-width of its 95 % interval, both engines' errors.", 0.0),
        "linear_gap": _real("Linear: log evidence by NUTS less that by quadrature, nats."),
        "linear_gap_error": _real("Half-width of its 95 % interval.", 0.0),
        "log10_width_mean": _real("Posterior mean of log10 width by quadrature."),
        "log10_width_sd": _real("Posterior sd of log10 width by quadrature.", 0.0),
        "log10_width_shift": _real("Mean by NUTS less mean by quadrature, in posterior sds."),
        "location_mean": _real("Posterior mean of location by quadrature."),
        "location_sd": _real("Posterior sd of location by quadrature.", 0.0),
        "location_shift": _real("Mean by NUTS less mean by quadrature, in posterior sds."),
        "shift_error": _real(
            "Half-width of a 95 % interval of a shift of none, from both effective sizes.", 0.0
        ),
        "p_width_lt_1": _share("P(width < 1 decade) by quadrature."),
        "p_width_lt_1_nuts": _share("P(width < 1 decade) by NUTS."),
        "r_hat": _real("NUTS, sigmoid: largest split R-hat of the parameters.", 0.0),
        "ess": _real("NUTS, sigmoid: smallest bulk effective size of the parameters.", 0.0),
        "divergences": _count("NUTS, sigmoid: divergent transitions."),
        "converged": _flag("NUTS, sigmoid: all three are good enough."),
        "means_agree": _flag(f"Neither mean is shifted by {AGREED_SD} posterior sds."),
        "evidence_agrees": _flag(f"Log evidences of sigmoid within {AGREED_NATS} nats."),
    },
    ["curve_id"],
)

FORECASTS = _schema(
    "forecasts",
    {
        "curve_id": _text("Curve."),
        "n_left_out": _count("Largest sizes left out of the fit: 1 or 2.", 1),
        "target": _count("Left-out size that is forecast: 1 the largest, 2 the next.", 1),
        "predictor": _text(
            "Candidate, their average, the line through the two sizes before, the forecast through"
            " the partner, or the link fed with the partner's true score.",
            PREDICTORS,
        ),
        "partner": _text("Continuous curve that the forecast goes through, or empty."),
        "stratum": _text("What partner and curve share, or empty.", STRATA),
        "n_train": _count("Sizes used; for a partner those with a score of both.", 2),
        "observed": _real("Left-out score, oriented and scaled.", nullable=False),
        "mean": _real("Predictive mean, same scale.", nullable=False),
        "sd": _real("Predictive sd.", 0.0),
        "q025": _real("Predictive 2.5 % quantile."),
        "q10": _real("Predictive 10 % quantile."),
        "q90": _real("Predictive 90 % quantile."),
        "q975": _real("Predictive 97.5 % quantile."),
        "log_score": _real("Log predictive density of the left-out score, per unit of the scale."),
        "log_score_se": _real("Monte Carlo standard error of the log score.", 0.0),
        "crps": _real("Continuous ranked probability score, lower is better.", 0.0),
        "pit": _share("Probability integral transform, mid-point for counts."),
        "pit_low": _share("Predictive probability of a lower score."),
        "pit_high": _share(
            "Predictive probability of a lower score or the same; histograms of the transform"
            " spread a score evenly from pit_low to pit_high."
        ),
        "inside_80": _maybe("Left-out score within the 80 % interval."),
        "inside_95": _maybe("Left-out score within the 95 % interval."),
        "discontinuity": _real(
            "Observed minus predictive mean, PaLM's D for two_point.", nullable=False
        ),
    },
    ["curve_id", "n_left_out", "target", "predictor", "partner"],
)

CONCENTRATION = _schema(
    "concentration",
    {
        "benchmark": _text("Name of the registry entry, or 'pooled'."),
        "hypothesis": _text("Hypothesis.", ["H1", "H2", "H3", "H4", "H5"]),
        "estimand": _text("What is estimated."),
        "scheme": _text(
            "Class scheme: which axis of the tags splits the metrics; headline: the two headline"
            " metrics or not; verdict: no split."
        ),
        "stratum": _text("Which curves or pairs enter."),
        "estimate": _real("Estimate; missing where there is nothing to compare."),
        "lower": _real("Lower end of the 95 % interval."),
        "upper": _real("Upper end of the 95 % interval."),
        "p_value": _share("p-value as the method says, two-sided but for H5."),
        "p_adjusted": _share("Holm's over the family that correction names; missing elsewhere."),
        "correction": _text("Family of hypotheses that p_adjusted covers, or empty."),
        "n_tasks": _count("Tasks behind the estimate."),
        "n_curves": _count("Curves (H1) or pairs (H2, H4, H5) behind it."),
        "method": _text("How the p-value and interval were made."),
        "seed": _count("Seed of the permutations."),
        "note": _text("What to keep in mind, or empty."),
    },
    ["hypothesis", "estimand", "scheme", "stratum"],
)

AGAINST = _schema(
    "against",
    {
        "benchmark": _text("Name of the registry entry."),
        "kind": _text("In what way it could speak against the mirage.", CONTRARY),
        "task": _text("Task, or empty for a test."),
        "curve_id": _text("Curve; of a pair the one under the discontinuous metric."),
        "partner": _text("The other curve of a pair, or empty."),
        "scheme": _text("Class scheme."),
        "stratum": _text("What the two curves share, or empty."),
        "value": _real("What was looked at; the page says what, by kind."),
        "against": _flag("Whether it speaks against the mirage."),
    },
    ["kind", "curve_id", "partner", "scheme", "stratum"],
)

MULTIVERSE = _schema(
    "multiverse",
    {
        "benchmark": _text("Name of the registry entry."),
        "measure": _text("Measure of sharpness, oriented: larger is sharper."),
        "threshold": _text("From where on it counts, or empty: the measure itself."),
        "scheme": _text("Class scheme; headline: the two headline metrics or not."),
        "stratum": _text("What the two curves of a pair share."),
        "metrics": _text("All, or pairs with the metric that the task's authors prefer."),
        "family": _text("All families of models, or one."),
        "shots": _text("All numbers of examples, the most of each pair, or one number."),
        "subtasks": _text("All, aggregates over subtasks, or subtasks themselves."),
        "min_sizes": _text("Sizes that both curves need."),
        "min_items": _text("Items that both curves need; unknown is enough for 0 only."),
        "floor": _text("Whether pairs with a curve that never moves are kept or dropped."),
        "estimate": _real(
            "Mean over tasks of class 1 minus class 0, unit of the measure.", nullable=False
        ),
        "effect": _real(
            "Estimate over the root mean square of the task differences.", -1.001, 1.001,
            nullable=False,
        ),
        "p_value": _share("Two-sided, under the swaps of whole tasks."),
        "null_low": _real("2.5 % quantile, under the swaps, of the effect of this rank."),
        "null_high": _real("97.5 % quantile of the same."),
        "n_tasks": _count("Tasks behind the estimate."),
    },
    ["measure", "threshold", "scheme", "stratum", "metrics", "family", "shots", "subtasks",
     "min_sizes", "min_items", "floor"],
)  # fmt: skip

MULTIVERSE_JOINT = _schema(
    "multiverse_joint",
    {
        "benchmark": _text("Name of the registry entry."),
        "measure": _text("Measure whose specifications enter, or all."),
        "statistic": _text(
            "median_effect, share_predicted (effects above zero) or share_significant (these with"
            " p at most 0.05).",
            ["median_effect", "share_predicted", "share_significant"],
        ),
        "observed": _real("Its value; missing without a specification."),
        "p_value": _share("Share of swaps as extreme: two-sided, but one-sided for the last."),
        "n_specifications": _count("Specifications that enter."),
        "n_possible": _count("Distinct ones of all measures, of which these were drawn."),
        "n_swaps": _count("Swaps of the labels of whole tasks."),
        "seed": _count("Seed of the swaps."),
    },
    ["measure", "statistic"],
)

REPRODUCTION = _schema(
    "reproduction",
    {
        "name": _text("Short name of the claim."),
        "source": _text("Paper that makes it, as an arXiv number."),
        "claim": _text("What is claimed."),
        "unit": _text("Unit of the numbers."),
        "published": _real("Number printed; missing for a number given beside a printed one."),
        "estimate": _real("The same from the scores; missing where they do not allow it."),
        "lowest": _real("Lowest over the readings of the original."),
        "highest": _real("Highest over the readings."),
        "n_readings": _count("Readings that the scores allow."),
        "reading": _text("The reading behind the estimate."),
        "n": _count("Units behind the estimate, as the note says."),
        "note": _text("What to keep in mind, or empty."),
    },
    ["name"],
)

_WORLD = _text("World of worlds.py, W0 to W5.")
TRIALS = _schema(
    "trials",
    {
        "world": _WORLD,
        "number": _count("Simulated set within its world."),
        "kind": _text("What the row is.", ["test", "coverage", "verdict"]),
        "hypothesis": _text("Hypothesis of a test, else empty."),
        "estimand": _text(
            "Estimand of the test; measure whose 90 % interval was held against the truth; verdict"
            " and kind of skill."
        ),
        "estimate": _real("Of a test."),
        "p_value": _share("Of a test; missing where it could not be made."),
        "hits": _count("Curves whose interval holds the truth, or that got the verdict."),
        "cases": _count("Curves looked at."),
        "seed": _count("Of the selfcheck."),
    },
    ["world", "number", "kind", "hypothesis", "estimand"],
)

RATES = _schema(
    "rates",
    {
        "world": _WORLD,
        "kind": _text("As in trials.", ["test", "coverage", "verdict"]),
        "hypothesis": _text("As in trials."),
        "estimand": _text("As in trials."),
        "class_effect": _flag("Whether the class of a metric matters in this world."),
        "n_sets": _count("Simulated sets.", 1),
        "cases": _count("Sets with a p-value, or curves."),
        "hits": _count("Sets with a p-value of at most 0.05, or curves as in trials."),
        "rate": _share("Hits over cases; missing without cases."),
        "lower": _share("Lower end of its exact 95 % interval (Clopper and Pearson 1934)."),
        "upper": _share("Upper end of the same."),
        "mean_estimate": _real("Mean of a test's estimates over the sets."),
        "sd_estimate": _real("Their standard deviation.", 0.0),
        "n_draws": _count("Permutations or sign flips behind a p-value."),
        "seed": _count("Of the selfcheck."),
        "versions": _text("Libraries that computed."),
    },
    ["world", "kind", "hypothesis", "estimand"],
)

CONTRACTS = {
    schema.name: schema
    for schema in (
        TIDY,
        ISSUES,
        TAGS,
        SCORES,
        FITS,
        MODELS,
        PROFILES,
        AUDIT,
        FORECASTS,
        CONCENTRATION,
        AGAINST,
        MULTIVERSE,
        MULTIVERSE_JOINT,
        REPRODUCTION,
        TRIALS,
        RATES,
    )
}


def check(table: pd.DataFrame, schema: pa.DataFrameSchema, *, source: str) -> pd.DataFrame:
    """Hold a table against its contract.

    Parameters
    ----------
    table
        Any frame.
    schema
        One of ``CONTRACTS``.
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
