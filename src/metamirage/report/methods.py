"""The page of methods: how a number comes about, with every constant read from the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from metamirage.base.thresholds import (
    AGREED_NATS,
    AGREED_SD,
    JUMP_MIN,
    MIN_SIZES,
    MIN_SIZES_VERDICT,
    MIN_TASKS,
    SHARP_WIDTH,
    SMOOTH_WIDTH,
)
from metamirage.base.vocabulary import CANDIDATES
from metamirage.fitting.bands import N_NODES
from metamirage.fitting.engines import MAX_EVIDENCE_ERROR
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS, WIDTH_PRIORS
from metamirage.fitting.quadrature.integrate import N_FIRST, N_MOST, N_REPLICATES, TARGET_ERROR
from metamirage.fitting.verdicts import FLOOR_SHARE
from metamirage.forecasting.holdouts import LEFT_OUT
from metamirage.hypotheses.h3_latent import AGREEMENT, P_VERDICT
from metamirage.hypotheses.h5_translation import WIDTH_MARGIN
from metamirage.hypotheses.permutation import EXACT_UP_TO
from metamirage.project.assumptions import Assumption
from metamirage.report import provenance
from metamirage.report.layouts import Plain
from metamirage.report.terms import TERMS, VERDICT_RULES
from metamirage.report.text import number
from metamirage.robustness.multiverse import N_FILTERS, N_SWAPS
from metamirage.robustness.specifications import AXES

SHAPES = {
    "flat": "One level at all sizes.",
    "linear": "A straight line in log size: progress at one pace.",
    "power": "Exponential in log size, bent either way: smooth progress that is no line.",
    "sigmoid": "A rise from one level to another, as narrow or wide and wherever the scores say.",
    "quadratic": "A curve that turns: the alarm for scores that rise and fall.",
}
# What each parameter of ``priors.PARAMETERS`` is; the first shape is another in each candidate.
PARAMETER_WORDS = {
    "left": "level on the left",
    "right": "level on the right",
    "dispersion": "noise beyond chance and published error",
    "shape2": "width",
}
FIRST_SHAPE = {"power": "exponent", "sigmoid": "location", "quadratic": "turning point"}


def page_parts(
    assumptions: Sequence[Assumption],
    *,
    settings: Mapping[str, object],
    libraries: Mapping[str, str],
) -> dict[str, Any]:
    """Make what the template places.

    Parameters
    ----------
    assumptions
        Of the whole package.
    settings, libraries
        As in ``report.inputs.ReportInputs``.
    """
    return {
        "c": constants(),
        "candidates": candidate_table(),
        "priors": prior_table(assumptions),
        "verdict_rules": VERDICT_RULES,
        "axes": AXES,
        "assumptions": [a for a in assumptions if a.module != "fitting.priors"],
        "terms_used": TERMS,
        "run": provenance.run_facts(settings, libraries),
    }


def constants() -> dict[str, str]:
    """Constants that the text names, written for people."""
    low, high = 10 ** LOG10_WIDTH_NODES[[0, -1]]
    known = {
        "min_sizes": MIN_SIZES,
        "min_sizes_verdict": MIN_SIZES_VERDICT,
        "jump_min": JUMP_MIN,
        "sharp": SHARP_WIDTH,
        "smooth": SMOOTH_WIDTH,
        "floor_share": FLOOR_SHARE,
        "replicates": N_REPLICATES,
        "first": min(min(points) for points in N_FIRST.values()),
        "most": N_MOST,
        "target": TARGET_ERROR,
        "max_error": MAX_EVIDENCE_ERROR,
        "nodes": len(LOG10_WIDTH_NODES),
        "narrowest": low,
        "widest": high,
        "band_nodes": N_NODES,
        "agreed_sd": AGREED_SD,
        "agreed_nats": AGREED_NATS,
        "min_tasks": MIN_TASKS,
        "exact": EXACT_UP_TO,
        "p_latent": P_VERDICT,
        "agreement": AGREEMENT,
        "margin": 10**WIDTH_MARGIN,
        "left_out": max(LEFT_OUT),
        "filters": N_FILTERS,
        "swaps": N_SWAPS,
    }
    return {name: number(value) for name, value in known.items()}


def candidate_table() -> Plain:
    """Lay out the candidates with their parameters."""
    return Plain(
        caption="One row is one candidate; all are equally probable before the scores are seen.",
        columns=("candidate", "what it says", "free parameters"),
        rows=tuple((name, SHAPES[name], _parameters(name)) for name in CANDIDATES),
    )


def _parameters(candidate: str) -> str:
    words = PARAMETER_WORDS | {"shape1": FIRST_SHAPE.get(candidate, "")}
    return ", ".join(words[name] for name in PARAMETERS[candidate])


def prior_table(assumptions: Sequence[Assumption]) -> Plain:
    """Lay out the priors, in the words and values of the code."""
    rows = [
        (a.text, _width_priors() if a.code.startswith("WIDTH_PRIORS") else a.code)
        for a in assumptions
        if a.module == "fitting.priors"
    ]
    return Plain(
        caption="One row is one prior: Normal, by mean and sd, on the scale of the parameter.",
        columns=("what is believed before the scores are seen", "in the code"),
        rows=tuple(rows),
    )


def _width_priors() -> str:
    # The line that the assumption stands above opens a table of three.
    said = (
        f"{name}: log width Normal({number(mean)}, {number(sd)}), median {number(np.exp(mean))}"
        for name, (mean, sd) in WIDTH_PRIORS.items()
    )
    return "; ".join(said)
