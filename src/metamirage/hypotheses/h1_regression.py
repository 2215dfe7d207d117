"""H1 by regression: generalised estimating equations beside the permutation test.

Population-averaged logistic regression of SHARP, and of its posterior probability, on the class of
the metric, adjusted for exposure: number of sizes, span, query, shots and items. Tasks are the
clusters; the covariance is the bias-reduced one of Mancl and DeRouen (2001,
doi:10.1111/j.0006-341X.2001.00126.x). Not for small benchmarks: below some forty tasks a class the
interval is too short (Li and Redden 2015, doi:10.1002/sim.6344).
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.special import expit
from scipy.stats import norm
from statsmodels.genmod.cov_struct import Exchangeable, Independence
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_estimating_equations import GEE
from statsmodels.tools.sm_exceptions import ConvergenceWarning, IterationLimitWarning

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_UNITS

Row = dict[str, object]

STRUCTURES = {"exchangeable": Exchangeable, "independence": Independence}
MARGINAL = {
    "gee_share": "marginal difference in the share of SHARP, class 1 minus class 0, by regression",
    "gee_log_odds": "log odds ratio of SHARP, class 1 over class 0, by regression",
    "gee_p_sharp": "marginal difference in P(sharp), class 1 minus class 0, by regression",
}
MARGINAL |= {
    f"{name}_independence": f"{meaning}, curves of a task taken as uncorrelated in its weights"
    for name, meaning in MARGINAL.items()
}
# Below this many tasks in a class the sandwich can't be trusted (Li and Redden 2015).
MIN_TASKS_GEE = 40
# ASSUME: a task with more curves enters with this many drawn ones: the covariance needs a square
# matrix a task, and a task's weight stops growing long before.
MAX_CURVES_A_TASK = 2000
# A linear programme that reaches this has left zero: rounding alone stays far below.
SEPARATES = 1e-6


class Effect(NamedTuple):
    """An estimate with its 95 % interval and two-sided Wald p-value."""

    estimate: float
    lower: float
    upper: float
    p_value: float


class MarginalFit(NamedTuple):
    """Effect of the class: difference of the mean response, and log odds ratio."""

    difference: Effect
    log_odds: Effect


def marginal_rows(curves: pd.DataFrame, *, rng: np.random.Generator) -> list[Row]:
    """Regress SHARP and P(sharp) on class: six rows, an estimand of ``MARGINAL`` each.

    A row whose estimate can't be had keeps its place with the reason in its note; one that can't be
    trusted says so.

    Parameters
    ----------
    curves
        One row a curve with ``label``, ``task``, ``sharp_share``, ``p_sharp``, ``n_sizes``,
        ``span_decades``, ``query``, ``n_shots`` and ``items``.
    rng
        Draws the curves of tasks with more than 2,000.
    """
    used = _thinned(curves, rng)
    design, names = make_design(used)
    rows = []
    for structure in STRUCTURES:
        for column, kinds in (("sharp_share", ("share", "log_odds")), ("p_sharp", ("p_sharp",))):
            known = used[column].notna().to_numpy(bool)
            effects, why = _effects(used[known], design[known], column, structure)
            rows += [
                _row(used[known], kind, structure, effects.get(kind), why=why, names=names)
                for kind in kinds
            ]
    return rows


def _thinned(curves: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    order = pd.Series(rng.random(len(curves)), index=curves.index)
    return curves[order.groupby(curves["task"]).rank() <= MAX_CURVES_A_TASK]


def make_design(curves: pd.DataFrame) -> tuple[FloatArray, list[str]]:
    """Make the design matrix: constant, covariates that vary and are known throughout, class.

    A covariate that repeats those before it is left out (two families: the span follows from the
    number of sizes). The class comes last, so that it never displaces what it is adjusted for.

    Returns
    -------
    (design, names)
        Shape (curves, 2 + covariates), covariates centred and scaled, class 0 or 1; and the names
        of the covariates that entered.
    """
    offered = {
        "sizes": curves["n_sizes"],
        "span": curves["span_decades"],
        **{f"query {q}": curves["query"] == q for q in sorted(curves["query"].unique())[1:]},
        "shots": curves["n_shots"],
        "log items": np.log(curves["items"]),
    }
    columns = [np.ones(len(curves))]
    names: list[str] = []
    for name, values in offered.items():
        column = values.to_numpy(dtype=float, na_value=np.nan)
        if len(column) == 0 or np.isnan(column).any() or np.ptp(column) == 0:
            continue
        candidate = [*columns, (column - column.mean()) / column.std()]
        if np.linalg.matrix_rank(np.column_stack(candidate)) == len(candidate):
            columns, names = candidate, [*names, name]
    return np.column_stack([*columns, curves["label"].to_numpy(float)]), names


def _effects(
    curves: pd.DataFrame, design: FloatArray, column: str, structure: str
) -> tuple[dict[str, Effect], str]:
    """Effects by the last word of their estimand, or none and the reason."""
    response = curves[column].to_numpy(float)
    why = _not_fitted(curves, design, response)
    if why:
        return {}, why
    fit = fit_marginal(response, design, curves["task"].to_numpy(str), structure=structure)
    if fit is None:
        return {}, "the regression does not converge, or one task decides a coefficient"
    if column == "p_sharp":
        return {"p_sharp": fit.difference}, ""
    return {"share": fit.difference, "log_odds": fit.log_odds}, ""


def _not_fitted(curves: pd.DataFrame, design: FloatArray, response: FloatArray) -> str:
    tasks = curves.groupby("label")["task"].nunique()
    if len(tasks) < 2:
        return "metrics of one class only"
    if tasks.min() < MIN_UNITS:
        return f"fewer than {MIN_UNITS} tasks in a class"
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "the class follows from the query and the sizes"
    means = pd.Series(response).groupby(curves["label"].to_numpy()).mean()
    for label, mean in means.items():
        if mean in (0.0, 1.0):
            return f"{'no curve' if mean == 0 else 'every curve'} of class {label:.0f} is SHARP"
    if np.isin(response, (0.0, 1.0)).all() and is_separated(design, response == 1):
        return "the covariates separate SHARP from the other curves: no finite odds ratio"
    return ""


def is_separated(design: FloatArray, event: FloatArray) -> bool:
    """Tell whether a logistic likelihood has no maximum, wholly or partly separated.

    It has none if some direction moves no curve the wrong way and some curve the right way (Albert
    and Anderson 1984, doi:10.1093/biomet/71.1.1); a linear programme finds it (Konis 2007).

    Parameters
    ----------
    design
        Shape (n, p).
    event
        Shape (n,), boolean.
    """
    signed = np.unique(design * np.where(event, 1.0, -1.0)[:, None], axis=0)
    best = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return bool(-best.fun > SEPARATES)


def fit_marginal(
    response: FloatArray, design: FloatArray, tasks: FloatArray, *, structure: str
) -> MarginalFit | None:
    """Fit the estimating equations and read the effect of the design's last column.

    Parameters
    ----------
    response
        Shape (n,), within [0, 1].
    design
        Shape (n, p); the last column is the class, 0 or 1.
    tasks
        Shape (n,): clusters.
    structure
        Working correlation, one of ``STRUCTURES``.

    Returns
    -------
    MarginalFit or None
        None if the iterations end without a fit or without a covariance.
    """
    model = GEE(
        response, design, groups=tasks, family=Binomial(), cov_struct=STRUCTURES[structure]()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for unfit in (ConvergenceWarning, IterationLimitWarning):
            warnings.simplefilter("error", unfit)
        try:
            result = model.fit(cov_type="bias_reduced")
        except (ConvergenceWarning, IterationLimitWarning, np.linalg.LinAlgError):
            return None
    beta, cov = np.asarray(result.params), np.asarray(result.cov_params())
    if not (np.isfinite(beta).all() and np.isfinite(cov).all() and (np.diag(cov) > 0).all()):
        return None
    return MarginalFit(
        _difference(design, beta, cov), _wald(float(beta[-1]), float(np.sqrt(cov[-1, -1])))
    )


def _difference(design: FloatArray, beta: FloatArray, cov: FloatArray) -> Effect:
    """Average over curves of the response in class 1 minus that in class 0; delta method."""
    one, zero = design.copy(), design.copy()
    one[:, -1], zero[:, -1] = 1.0, 0.0
    up, down = expit(one @ beta), expit(zero @ beta)
    gradient = ((up * (1 - up))[:, None] * one - (down * (1 - down))[:, None] * zero).mean(axis=0)
    return _wald(float((up - down).mean()), float(np.sqrt(gradient @ cov @ gradient)))


def _wald(estimate: float, stderr: float, level: float = 0.95) -> Effect:
    reach = float(norm.ppf((1 + level) / 2)) * stderr
    p_value = float(2 * norm.sf(abs(estimate) / stderr))
    return Effect(estimate, estimate - reach, estimate + reach, p_value)


def _row(
    curves: pd.DataFrame,
    kind: str,
    structure: str,
    effect: Effect | None,
    *,
    why: str,
    names: list[str],
) -> Row:
    suffix = "" if structure == "exchangeable" else f"_{structure}"
    tasks = curves.groupby("label")["task"].nunique()
    few = f"fewer than {MIN_TASKS_GEE} tasks in a class: don't rely on interval and p-value"
    note = why or (few if tasks.min() < MIN_TASKS_GEE else "")
    shown = effect or Effect(np.nan, np.nan, np.nan, np.nan)
    return {
        "hypothesis": "H1",
        "estimand": f"gee_{kind}{suffix}",
        "stratum": "all",
        **shown._asdict(),
        "n_tasks": curves["task"].nunique(),
        "n_curves": len(curves),
        "method": (
            f"GEE, logit, {structure} working correlation within tasks, bias-reduced covariance;"
            f" adjusted for {', '.join(names) or 'nothing'}"
        ),
        "note": note,
    }
