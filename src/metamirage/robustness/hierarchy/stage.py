"""Hierarchical model of the log widths of all curves of one benchmark (Gelman and Hill 2007).

``hierarchy_model`` defines it: class and query of the metric, and partly pooled effects of metrics,
tasks and families. The spread of the metrics lets "which metric" compete with "which class of
metric". Each curve enters through its whole profile: nothing is plugged in, and a curve that says
nothing adds nothing.

Observational, as H1 is: a task's metric is chosen for the task. Curves of one task and family share
models and items beyond what the effects say; their scatter counts as independent all the same.

A measure other than the width needs its own profiles and nodes, and nothing else of this module.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import nutpie
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import stage_stream
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.curves.classes import classify
from metamirage.fitting.priors import WIDTH_PRIORS
from metamirage.robustness.hierarchy.density import (
    Data,
    Scales,
    all_effects,
    dimension,
    log_density,
)
from metamirage.robustness.hierarchy.design import (
    LEVELS,
    Counts,
    Design,
    caution,
    make_design,
    modelled_curves,
    obstacle,
)
from metamirage.robustness.hierarchy.draws import Draws, reweighted
from metamirage.robustness.hierarchy.rows import missing_rows, summary_rows

log = logging.getLogger("metamirage")
# ASSUME: a class of metrics, or a kind of query, is narrower or wider by a factor of two (1 sd).
EFFECT = 0.7
# ASSUME: so are whole metrics, tasks and families (half-Normal sds).
SPREAD = 0.7
# ASSUME: log scatter ~ Normal(log 0.5, 0.7), 95 % in 0.13-2.0: subtasks and numbers of examples
# never give one and the same width, and the grid of widths resolves no scatter below 0.1.
SCATTER = (float(np.log(0.5)), 0.7)
# ASSUME: the average log width is as likely as one curve's, priors.WIDTH_PRIORS: one set of priors
# leans to smooth curves, one to sharp ones. The first is sampled, the others by its draws.
PRIORS = ("default", "smooth", "sharp")
N_CHAINS = 4


class Schedule(NamedTuple):
    """Transitions of one chain, and the acceptance that its step size aims at."""

    tune: int
    draws: int
    target_accept: float


# ASSUME: one class scheme, that of the rows which stand for a hypothesis: a scheme takes minutes
# where chains are slow, and the others would describe.
SCHEME = "discontinuous"
# The first that converges is kept, else the last.
SCHEDULES = (Schedule(400, 1000, 0.8), Schedule(1000, 2000, 0.95))


def scales_for(prior: str) -> Scales:
    """Scales under one of ``PRIORS``."""
    mean, sd = WIDTH_PRIORS[prior]
    return Scales(float(mean), sd, EFFECT, SPREAD, *SCATTER)


def model_hierarchy(
    fits: pd.DataFrame,
    profiles: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    seed: int,
    threads: int = 1,
) -> pd.DataFrame:
    """Sample the model under every class scheme and every set of priors.

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
        Table ``findings.HIERARCHY``. A scheme that the benchmark cannot speak to, or whose chains
        did not converge, has its rows without numbers, and a note that says why.
    """
    benchmark = str(fits["benchmark"].iloc[0])
    curves = modelled_curves(fits, tags)
    classed = curves.assign(label=classify(curves, SCHEME)).dropna(subset="label")
    rows = list(_scheme_rows(classed, profiles, seed=seed, threads=threads))
    table = pd.DataFrame(rows).assign(benchmark=benchmark, scheme=SCHEME, seed=seed)
    return table[list(HIERARCHY.columns)].astype({"divergences": "Int64"})


def _scheme_rows(
    curves: pd.DataFrame, profiles: pd.DataFrame, *, seed: int, threads: int
) -> Iterator[dict[str, object]]:
    if reason := obstacle(curves):
        counts = Counts(len(curves), *(curves[name].nunique() for name in LEVELS))
        for prior in PRIORS:
            yield from (row | {"prior": prior} for row in missing_rows(counts, reason))
        return
    design = make_design(curves, profiles)
    first = sample(design, scales_for(PRIORS[0]), seed=seed, threads=threads)
    for prior in PRIORS:
        scales = scales_for(prior)
        draws = reweighted(first, scales_for(PRIORS[0]), scales)
        if first.failure == "" and draws.failure:
            # What did not do under one prior need not be tried under the next.
            left = SCHEDULES[first.n_tried - 1 :]
            draws = sample(design, scales, seed=seed, threads=threads, schedules=left)
        rng = stage_stream(seed, "hierarchy")
        rows = summary_rows(draws, design, note=caution(design), rng=rng)
        yield from (row | {"prior": prior} for row in rows)


def sample(
    design: Design,
    scales: Scales,
    *,
    seed: int,
    threads: int,
    schedules: tuple[Schedule, ...] = SCHEDULES,
) -> Draws:
    """Sample the model by NUTS until a schedule converges.

    Parameters
    ----------
    design
        From ``make_design``.
    scales
        From ``scales_for``.
    seed
        Equal seeds give equal draws.
    threads
        Chains at a time.
    schedules
        At least one.

    Returns
    -------
    Draws
        Also where no schedule converged: ask ``Draws.failure``.
    """
    for tried, schedule in enumerate(schedules, start=1):
        trace = nutpie.sample(
            compiled_for(design, scales),
            tune=schedule.tune,
            draws=schedule.draws,
            target_accept=schedule.target_accept,
            chains=N_CHAINS,
            cores=min(threads, N_CHAINS),
            seed=seed,
            progress_bar=False,
            save_warmup=False,
        )
        draws = replace(Draws.of_trace(trace, design), n_tried=tried)
        log.info(
            "hierarchy: %d curves sampled; %s",
            len(design.data.weights),
            draws.failure or "converged",
        )
        if not draws.failure:
            break
    return draws


def compiled_for(design: Design, scales: Scales) -> Any:
    """Make the model that nutpie samples; the draws hold what ``_expanded`` returns."""
    layout, data = design.layout, design.data

    def make_density() -> Any:
        return lambda q, **_: log_density(np.asarray(q), scales, layout, data)

    def make_expansion(*_: int) -> Any:
        return lambda q, **_: _expanded(np.asarray(q), design)

    def start(seed: int) -> FloatArray:
        return _start(design, scales, np.random.default_rng(seed))

    example = _expanded(start(0), design)
    return nutpie.compiled_pyfunc.from_pyfunc(
        dimension(layout),
        make_density,
        make_expansion,
        [value.dtype for value in example.values()],
        [value.shape for value in example.values()],
        list(example),
        make_initial_point_fn=start,
    )


def _expanded(q: FloatArray, design: Design) -> dict[str, FloatArray]:
    """Named parameters at a position of the compiled density."""
    layout: Any = design.layout
    data: Data = design.data
    metric, task, family = all_effects(q, layout, data)
    names = ["s_metric", "s_task", "s_family", "tau"]
    if layout.n_families == 1:
        names.remove("s_family")
    n_fixed = 1 + layout.n_queries
    spreads = np.exp(q[n_fixed : n_fixed + len(names)])
    named: dict[str, FloatArray] = {"b0": q[0], "beta": q[1], "gamma": q[2:n_fixed]}
    named |= dict(zip(names, spreads, strict=True))
    named |= {"metric": metric, "task": task, "family": family}
    return {name: np.asarray(value, dtype=float) for name, value in named.items()}


def _start(design: Design, scales: Scales, rng: np.random.Generator) -> FloatArray:
    """Start a chain near the prior means, with spreads of about a third."""
    q = rng.uniform(-0.2, 0.2, dimension(design.layout))
    spreads = slice(1 + design.layout.n_queries, None)
    n_spreads = 4 if design.layout.n_families > 1 else 3
    q[0] += scales.intercept
    q[spreads][:n_spreads] += np.log(0.35)
    if design.layout.metric_centred:
        q[spreads][n_spreads : n_spreads + design.layout.n_metrics] += scales.intercept
    return q
