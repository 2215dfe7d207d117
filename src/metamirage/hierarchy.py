"""Hierarchical model of the log widths of all curves of one benchmark (Gelman and Hill 2007).

    log width of a curve = metric + task + family + scatter,
    metric ~ Normal(b0 + beta * class + gamma[query], s_metric),
    task ~ Normal(0, s_task), family ~ Normal(0, s_family), scatter ~ Normal(0, tau).

Tasks and families each sum to zero, so that b0 is about those of the benchmark. The spread of the
metrics lets "which metric" compete with "which class of metric". Each curve enters through its
whole profile: nothing is plugged in, and a curve that says nothing adds nothing.

Observational, as H1 is: a task's metric is chosen for the task.

A measure other than the width needs its own profiles and nodes, and nothing else of this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from metamirage._hierarchy_design import (
    LEVELS,
    Counts,
    Design,
    caution,
    make_design,
    modelled_curves,
    n_levels,
    obstacle,
)
from metamirage._hierarchy_rows import missing_rows, summary_rows
from metamirage._width_mixture import Mixture, cell_edges
from metamirage.concentration import SCHEMES, classify
from metamirage.tables import HIERARCHY


class HyperPriors(NamedTuple):
    """Scales of the priors, natural log units: sd of effects, of spreads, median of the scatter."""

    effect: float
    spread: float
    scatter: float


# ASSUME: default: a class of metrics is narrower or wider by a factor of two (1 sd), as are whole
# groups of tasks, families and metrics; curves of one task, family and metric scatter by half.
# Sceptical: classes differ by a fifth (1 sd), spreads as before, so that metrics, tasks and
# families explain first. Loose: a factor of seven, and three times the spread.
HYPER_PRIORS = {
    "default": HyperPriors(effect=0.7, spread=0.7, scatter=0.5),
    "sceptical": HyperPriors(effect=0.2, spread=0.7, scatter=0.5),
    "loose": HyperPriors(effect=2.0, spread=2.0, scatter=0.5),
}
# ASSUME: the average log width, as in priors.WIDTH_PRIORS "default", but less sure.
INTERCEPT = (float(np.log(1.5)), 1.0)
# ASSUME: log scatter ~ Normal(log 0.5, 0.7), 95 % in 0.13-2.0: subtasks and numbers of examples
# never give one and the same width, and the grid of widths resolves no scatter below 0.1.
LOG_SCATTER_SD = 0.7
# Levels that know their effect better than their prior does are sampled as they are, others as
# multiples of their spread (Betancourt and Girolami 2015). Inverse variance, of a spread of 0.1: at
# 0.3 one transition in thirty diverged on 200 curves.
CENTRED_FROM = 100.0
N_CHAINS = 4
TUNE, DRAWS = 500, 500
TARGET_ACCEPT = 0.9


def model_hierarchy(
    fits: pd.DataFrame,
    profiles: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    seed: int,
    threads: int = 1,
) -> pd.DataFrame:
    """Sample the model under every class scheme and every set of hyper-priors.

    Parameters
    ----------
    fits, profiles, tags
        Tables of one benchmark.
    seed
        Of chains and checks.
    threads
        Chains at a time; the result does not depend on it.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.HIERARCHY``. A scheme that the benchmark cannot speak to has its rows
        without numbers, and a note that says why.
    """
    benchmark = str(fits["benchmark"].iloc[0])
    curves = modelled_curves(fits, tags)
    rows: list[dict[str, object]] = []
    for number, scheme in enumerate(SCHEMES):
        classed = curves.assign(label=classify(curves, scheme)).dropna(subset="label")
        new = _scheme_rows(classed, profiles, seed=seed + number, threads=threads)
        rows += [row | {"scheme": scheme} for row in new]
    table = pd.DataFrame(rows).assign(benchmark=benchmark, seed=seed)
    return table[list(HIERARCHY.columns)].astype({"divergences": "Int64"})


def _scheme_rows(
    curves: pd.DataFrame, profiles: pd.DataFrame, *, seed: int, threads: int
) -> Iterator[dict[str, object]]:
    if reason := obstacle(curves):
        counts = Counts(len(curves), *(curves[name].nunique() for name in LEVELS))
        for prior in HYPER_PRIORS:
            yield from (row | {"prior": prior} for row in missing_rows(counts, reason))
        return
    design = make_design(curves, profiles)
    compiled = nutpie.compile_pymc_model(build_model(design, HYPER_PRIORS["default"]))
    for prior, hyper in HYPER_PRIORS.items():
        trace = sample(compiled, hyper, seed=seed, threads=threads)
        rng = np.random.default_rng(seed)
        rows = summary_rows(trace, design, note=caution(design), rng=rng)
        yield from (row | {"prior": prior} for row in rows)


def build_model(design: Design, hyper: HyperPriors) -> pm.Model:
    """Build the PyMC model: this is the definition.

    Parameters
    ----------
    design
        From ``make_design``.
    hyper
        One of ``HYPER_PRIORS``; its values are data of the model and can be exchanged.

    Returns
    -------
    pymc.Model
        ``b0, beta, gamma, s_metric, s_task, s_family, tau`` and the effects ``metric``, ``task``
        and ``family``. ``gamma`` lacks the query with most curves; a single query has no
        ``gamma``, and a single family no ``family``.
    """
    with pm.Model() as model:
        scales = {name: pm.Data(f"hyper_{name}", value) for name, value in hyper._asdict().items()}
        mean = pm.Normal("b0", *INTERCEPT) + pm.Normal("beta", 0, scales["effect"]) * design.label
        if len(design.queries) > 1:
            gamma = pm.Normal("gamma", 0, scales["effect"], shape=len(design.queries) - 1)
            mean = mean + pt.concatenate([[0.0], gamma])[design.query]
        metric = _metric_effects(design, mean, scales["spread"])
        mu = metric[_index(design, "metric")]
        for name in ("task", "family"):
            if n_levels(design, name) > 1:
                mu = mu + _effects(design, name, scales["spread"])[_index(design, name)]
        tau = pm.LogNormal("tau", pt.log(scales["scatter"]), LOG_SCATTER_SD)
        data = (
            pm.Data("weights", design.weights),
            pm.Data("starts", design.starts),
            cell_edges(design.nodes),
        )
        pm.Potential("profiles", Mixture()(mu, tau, *data)[0])
    return model


def _index(design: Design, name: str) -> Any:
    # As data: a constant of thousands of numbers would be compiled into the code.
    return pm.Data(f"{name}_of_group", design.level[name])


def _metric_effects(design: Design, mean: Any, spread: Any) -> Any:
    sd = pm.HalfNormal("s_metric", spread)
    if is_centred(design, "metric"):
        return pm.Normal("metric", mean, sd, shape=len(design.label))
    return pm.Deterministic("metric", mean + sd * pm.Normal("metric_z", shape=len(design.label)))


def _effects(design: Design, name: str, spread: Any) -> Any:
    """Effects of tasks or families, which sum to zero."""
    sd = pm.HalfNormal(f"s_{name}", spread)
    n = n_levels(design, name)
    if is_centred(design, name):
        return pm.ZeroSumNormal(name, sd, shape=n)
    return pm.Deterministic(name, sd * pm.ZeroSumNormal(f"{name}_z", 1.0, shape=n))


def is_centred(design: Design, name: str) -> bool:
    """Whether the curves of a typical level say more about its effect than its prior does."""
    shares = design.weights / design.weights.sum(axis=1, keepdims=True)
    variance = shares @ design.nodes**2 - (shares @ design.nodes) ** 2
    known = 1 / (variance + HYPER_PRIORS["default"].scatter ** 2)
    of_curve = np.repeat(design.level[name], np.diff(design.starts))
    return bool(np.median(np.bincount(of_curve, known)) > CENTRED_FROM)


def sample(compiled: Any, hyper: HyperPriors, *, seed: int, threads: int) -> Any:
    """Run the chains of a compiled ``build_model`` under other hyper-priors; returns the trace."""
    data = {f"hyper_{name}": np.array(value) for name, value in hyper._asdict().items()}
    return nutpie.sample(
        compiled.with_data(**data),
        tune=TUNE,
        draws=DRAWS,
        chains=N_CHAINS,
        cores=min(threads, N_CHAINS),
        target_accept=TARGET_ACCEPT,
        seed=seed,
        progress_bar=False,
        save_warmup=False,
    )
