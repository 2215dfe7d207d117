"""Invented curves that several test modules share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from metamirage.base.arrays import FloatArray
from metamirage.contracts.check import check
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import TIDY
from metamirage.curves.curve import Curve, curve_name
from metamirage.fitting.priors import LOG10_WIDTH_NODES

# Nominal parameter counts of three families (methods: BIG-G, GPT-3, PaLM), as log10.
BIG_G = np.log10(np.array([2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9]))
GPT_3 = np.log10(np.array([0.125e9, 0.35e9, 0.76e9, 1.3e9, 2.7e9, 6.7e9, 13e9, 175e9]))
PALM = np.log10(np.array([8e9, 64e9, 535e9]))
# 2 ln 9, written out: the tests must not take it from the code they test.
TWO_LN_9 = 4.394449154672439
# Sd of invented likelihoods of log10 width: about the step between nodes, 0.08.
LIKELIHOOD_SD = 0.08


def logistic(x: FloatArray, *, location: float, width: float) -> FloatArray:
    """Rise from 0 to 1 whose middle 80 % take ``width`` decades."""
    return np.asarray(expit(TWO_LN_9 * (x - location) / width))


def make_curve(
    size: Sequence[float] | FloatArray,
    z: Sequence[float] | FloatArray,
    *,
    items: float | Sequence[float] = 0.0,
    stderr: float | Sequence[float] = 0.0,
    chance: float = np.nan,
    bounded: bool = True,
    name: str = "invented",
    sign: int = 1,
    origin: float = 0.0,
    unit: float = 1.0,
) -> Curve:
    """Build a curve from its scaled scores; counts where ``items`` are given."""
    x, scaled = np.array(size, dtype=float), np.array(z, dtype=float)
    n_items = np.broadcast_to(np.array(items, dtype=float), x.shape).copy()
    key: dict[str, object] = {
        "benchmark": "invented",
        "task": name,
        "subtask": "",
        "metric": "accuracy",
        "family": "F",
        "n_shots": 0,
    }
    return Curve(
        curve_id=curve_name(key),
        key=key,
        size=x,
        score=sign * (scaled * unit + origin),
        z=scaled,
        stderr=np.broadcast_to(np.array(stderr, dtype=float), x.shape).copy(),
        n_items=n_items,
        observation="beta_binomial" if bounded and (n_items > 0).all() else "gaussian",
        chance=chance,
        bounded=bounded,
        origin=origin,
        unit=unit,
        sign=sign,
        excluded="",
    )


def counted(
    size: FloatArray, mean: FloatArray, *, items: int, chance: float = 0.0, name: str = "counted"
) -> Curve:
    """Build a curve whose counts are the nearest to ``items * mean``."""
    return make_curve(size, np.rint(mean * items) / items, items=items, chance=chance, name=name)


def simulate(template: Curve, theta: FloatArray, rng: np.random.Generator) -> Curve:
    """Draw a curve's scores given the parameters of a sigmoid."""
    left, log_dispersion, right, location, log_width = theta
    h = logistic(template.size, location=location, width=np.exp(log_width))
    if template.observation == "gaussian":
        noise = np.hypot(template.stderr, np.exp(log_dispersion))
        return replace(template, z=left + (right - left) * h + noise * rng.standard_normal(len(h)))
    low, high = 1 / (1 + np.exp(-left)), 1 / (1 + np.exp(-right))
    mean, phi = low + (high - low) * h, np.exp(log_dispersion)
    # Either parameter of the beta may underflow to nothing, where its limit is a coin.
    share = rng.beta(np.maximum(mean * phi, 1e-300), np.maximum((1 - mean) * phi, 1e-300))
    counts = rng.binomial(template.n_items.astype(int), share)
    return replace(template, z=counts / template.n_items)


def keyed_curve(
    size: Sequence[float] | FloatArray,
    z: Sequence[float] | FloatArray,
    *,
    excluded: str = "",
    metric: str = "accuracy",
    task: str = "t",
    subtask: str = "",
    family: str = "F",
    n_shots: object = 0,
    **curve: Any,
) -> Curve:
    """Build a curve under a key of its own; the rest as for ``make_curve``."""
    made = make_curve(size, z, **curve)
    own = {"task": task, "subtask": subtask, "metric": metric, "family": family, "n_shots": n_shots}
    key = made.key | own
    return replace(made, key=key, curve_id=curve_name(key), excluded=excluded)


def tidy_rows(sizes: Sequence[float], scores: Sequence[float], **columns: object) -> pd.DataFrame:
    """Build rows of the tidy table for one invented curve; ``columns`` override the defaults."""
    rows = pd.DataFrame({"n_params": np.array(sizes, float), "score": np.array(scores, float)})
    defaults: dict[str, object] = {
        "benchmark": "invented",
        "task": "t",
        "subtask": "",
        "metric": "accuracy",
        "family": "F",
        "n_shots": 0,
        "model": [f"m{i}" for i in range(len(rows))],
        "n_params_kind": "total",
        "stderr": np.nan,
        "n_samples": 100,
        "low_score": np.nan,
        "high_score": np.nan,
        "is_preferred": True,
        "source_file": "f.csv",
    }
    rows = rows.assign(**(defaults | columns)).astype(
        {
            "n_shots": "Int64",
            "n_samples": "Int64",
            "is_preferred": "boolean",
            "stderr": float,
        }
    )
    return check(rows, TIDY, source="invented")


def tags_row(**columns: object) -> pd.DataFrame:
    """Build the tags of one invented metric, a proportion unless ``columns`` say otherwise."""
    defaults: dict[str, object] = {
        "benchmark": "invented",
        "task": "t",
        "metric": "accuracy",
        "discontinuous": "yes",
        "nonlinear": "yes",
        "query": "generate",
        "direction": "up",
        "lower": 0.0,
        "upper": 1.0,
        "chance": 0.25,
        "excluded": "",
        "reason": "invented",
        "reference": "none",
    }
    return check(pd.DataFrame([defaults | columns]), TAGS, source="invented")


def step(n: int, *, at: int) -> FloatArray:
    """Zeros, then ones from position ``at`` on."""
    return (np.arange(n) >= at).astype(float)


def reference_curves() -> dict[str, Curve]:
    """Return the curves whose evidence is stored in ``tests/reference``."""
    # One draw each of a flat and of a rising binomial curve, written out.
    flat = [19, 22, 29, 26, 19, 24, 25, 21]
    rising = [130, 140, 151, 166, 180, 230, 276, 327, 338, 379, 406, 416]
    line = 0.1 + 0.2 * (GPT_3 - GPT_3[0])
    wave = np.linspace(1.0, 0.0, 12) ** 2 + 0.03 * np.cos(np.arange(12.0))
    return {
        "zeros": make_curve(GPT_3, np.zeros(8), items=100, chance=0.0),
        "chance": make_curve(GPT_3, np.array(flat) / 100, items=100, chance=0.25),
        "ones": make_curve(GPT_3, np.ones(8), items=100, chance=0.25),
        "step": make_curve(GPT_3, 0.02 + 0.6 * step(8, at=5), items=200, chance=0.0),
        "last": make_curve(GPT_3, 0.4 * step(8, at=7), items=100, chance=0.0),
        "three": make_curve(PALM, [0.3, 0.35, 0.8], items=100, chance=0.25),
        "falling": make_curve(GPT_3, np.linspace(0.6, 0.2, 8), items=50, chance=0.5),
        "rising": make_curve(BIG_G, np.array(rising) / 500, items=500, chance=0.25),
        "line": make_curve(GPT_3, line, stderr=0.01),
        "bare line": make_curve(GPT_3, line, chance=0.0),
        "scored three": make_curve(PALM, [0.3, 0.35, 0.8]),
        "scored step": make_curve(GPT_3, 0.1 + 0.7 * step(8, at=4), stderr=0.02),
        "unbounded": make_curve(BIG_G, wave, bounded=False),
        "constant": make_curve(BIG_G, np.full(12, 0.5), stderr=0.01, chance=0.5),
    }


def profiles_of(fits: pd.DataFrame) -> pd.DataFrame:
    """Normal likelihoods about ``log10_width_mean``, far narrower than the spread of the curves."""
    rows = fits.merge(pd.DataFrame({"log10_width": LOG10_WIDTH_NODES}), how="cross")
    away = (rows["log10_width"] - rows["log10_width_mean"]) / LIKELIHOOD_SD
    return rows.assign(log_marginal=-0.5 * away**2)[["curve_id", "log10_width", "log_marginal"]]
