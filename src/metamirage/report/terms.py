"""Words of the report: what a verdict needs and what each term means."""

from __future__ import annotations

from typing import NamedTuple

from metamirage.base.thresholds import (
    JUMP_MIN,
    MIN_SIZES_VERDICT,
    P_INSIDE,
    P_JUMP,
    P_WIDTH,
    SHARP_WIDTH,
    SMOOTH_WIDTH,
)


class Condition(NamedTuple):
    """A probability of ``tables.FITS``, what it is in words, and what it must exceed."""

    column: str
    words: str
    threshold: float


_RISES = Condition("p_jump", f"P(jump > {JUMP_MIN})", P_JUMP)
# Verdict: what it needs, in the order in which ``verdicts.verdict`` asks; the first that has all.
NEEDS = {
    "FLAT": (Condition("p_flat", f"P(|jump| < {JUMP_MIN})", P_JUMP),),
    "INVERSE": (Condition("p_jump_negative", f"P(jump < −{JUMP_MIN})", P_JUMP),),
    "SHARP": (
        _RISES,
        Condition("p_width_lt_1", f"P(width < {SHARP_WIDTH:g} decade)", P_WIDTH),
        Condition("p_location_inside", "P(location within the observed sizes)", P_INSIDE),
    ),
    "SMOOTH": (
        _RISES,
        Condition("p_width_gt_2", f"P(width > {SMOOTH_WIDTH:g} decades)", P_WIDTH),
    ),
}


def _said(needs: tuple[Condition, ...]) -> str:
    *others, last = (f"{need.words} > {need.threshold}" for need in needs)
    return " and ".join([", ".join(others), last] if others else [last])


VERDICT_RULES = {name: _said(NEEDS[name]) for name in ("SHARP", "SMOOTH", "FLAT", "INVERSE")} | {
    "UNRESOLVED": f"none of these, or fewer than {MIN_SIZES_VERDICT} sizes: the default"
}
TERMS = {
    "curve": "The scores of one task, subtask, metric, model family and number of shots over size.",
    "size": "log10 of the number of parameters; one decade is a factor of ten.",
    "width": "Decades over which the fitted sigmoid rises from 10 % to 90 % of its height.",
    "location": "Size at which the sigmoid is half way up, log10 parameters.",
    "jump": "Rise between the smallest and the largest observed model, as a share of the range.",
    "sharp transition": (
        f"A rise of more than {JUMP_MIN} of the range, narrower than {SHARP_WIDTH:g} decade,"
        " centred within the observed sizes; P(sharp) is its posterior probability."
    ),
    "discontinuous": "The metric has a step in the model's outputs, per item: right or wrong.",
    "nonlinear": "The metric is not linear in the error per token.",
    "class 1, class 0": "Metrics that have the property named by the scheme, and those without it.",
    "same outputs": "Both metrics score the same answers of the same models.",
    "same model": "Both metrics score the same models on the same task, asked differently.",
    "S": (
        "The score by which Schaeffer, Miranda and Koyejo (2023, Eq. 1) call a curve emergent:"
        " range over the root median squared step. Shown for fidelity; it decides nothing here."
    ),
    "L": "BIG-bench linearity: range over the root mean squared step.",
    "flat reference": "95 % quantile of S for a flat curve with the same sizes and items.",
    "log score": "Log density that a forecast gave to what happened, nats; higher is better.",
    "partner": (
        "A metric without a step that scores the same models on the same task; the link says how"
        " the other metric depends on it."
    ),
    "two-step forecast": (
        "The partner's largest score is forecast first and carried over by the link; a direct"
        " forecast extends the curve itself."
    ),
    "specification": "One choice of measure, classes, metrics, families, shots, sizes and items.",
    "standardised effect": (
        "Mean over tasks of a difference between paired curves over its root mean square: from −1"
        " to 1, whatever the measure."
    ),
    "CRPS": "Continuous ranked probability score; lower is better.",
}
