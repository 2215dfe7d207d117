"""H5, translation against narrowing: the metric moves the rise, or squeezes it.

The toy model of Schaeffer et al. (2023, sec. 2) moves a curve to larger models and leaves its width
as it is. Tested on the pairs of H2, with tasks as units.
"""

from __future__ import annotations

import numpy as np

from metamirage.base.arrays import FloatArray
from metamirage.hypotheses.permutation import TIE, FlipTest, flip_test

Row = dict[str, object]

TRANSLATION = {
    "equal_width": (
        "log10 width, class 0 minus class 1; a small p-value shows that the widths differ by less"
        " than the margin"
    ),
    "translation": (
        "how much later the curve of the first class rises, in decades; a small p-value shows that"
        " it is later and not narrower"
    ),
}
# ASSUME: widths within a factor of 1.25 are the same width, as in bioequivalence; multiple choice
# with items that differ by one logit would halve the width.
WIDTH_MARGIN = float(np.log10(1.25))
CATEGORIES = ("translation", "narrowing", "both", "neither", "undecided")
LEVEL = 0.05


def kept_share(width_sd: FloatArray, prior_sd: float) -> float:
    """Share of a difference in width that posterior means still show.

    Where scores say little, both curves of a pair keep the prior's width: they agree without
    being alike. Under a Normal prior and likelihood a posterior mean moves by one minus posterior
    over prior variance for each unit of truth, so the margin shrinks by that.

    Parameters
    ----------
    width_sd
        Posterior sds of log10 width over the curves of the pairs.
    prior_sd
        Sd of log10 width before the scores were seen.

    Returns
    -------
    float
        Within [0, 1]; 0 without any sd.
    """
    known = width_sd[np.isfinite(width_sd)]
    return float(np.clip(1 - np.mean(known**2) / prior_sd**2, 0, 1)) if len(known) else 0.0


def translation_rows(
    later: FloatArray,
    narrower: FloatArray,
    *,
    width_sd: FloatArray,
    prior_sd: float,
    n_pairs: int,
    rng: np.random.Generator,
    n_draws: int,
) -> list[Row]:
    """Test H5 on the pairs of one scheme and stratum: one row an estimand of ``TRANSLATION``.

    Parameters
    ----------
    later, narrower
        Shape (tasks,), the same tasks: mean difference in location (decades, class 1 minus class
        0) and in log10 width (class 0 minus class 1).
    width_sd, prior_sd
        Sds of log10 width: posterior of the curves of the pairs, and before.
    n_pairs
        Behind them.
    rng, n_draws
        Of the sign flips.
    """
    common: Row = {"hypothesis": "H5", "n_tasks": len(later), "n_curves": n_pairs}
    if not len(later):
        empty = dict.fromkeys(["estimate", "lower", "upper", "p_value"], np.nan)
        empty_row = common | empty | {"method": _METHODS["translation"]}
        note = {"note": "no task has metrics of both classes here"}
        return [empty_row | note | {"estimand": name} for name in TRANSLATION]
    share = kept_share(width_sd, prior_sd)
    margin = WIDTH_MARGIN * share
    shift = flip_test(later, rng=rng, n_draws=n_draws)
    width = flip_test(narrower, rng=rng, n_draws=n_draws)
    p_same = equivalence_p(narrower, margin=margin, rng=rng, n_draws=n_draws)
    p_later = float(np.mean(shift.null >= shift.estimate - TIE))
    found = categorise(shift, width, p_same=p_same)
    return [
        common
        | _estimate(test)
        | {"estimand": name, "p_value": p, "method": _METHODS[name], "note": note}
        for name, test, p, note in (
            (
                "equal_width",
                width,
                p_same,
                f"posterior means keep {share:.0%} of a difference in width: margin"
                f" {WIDTH_MARGIN:.3f} becomes {margin:.3f} log10 decades",
            ),
            ("translation", shift, max(p_later, p_same), f"conclusion: {found}"),
        )
    ]


_METHODS = {
    "equal_width": (
        "two one-sided sign-flip tests by task against the margin, the larger p-value; interval of"
        " the shifts not rejected"
    ),
    "translation": (
        "the larger p-value of later (one-sided sign flips by task) and equal width; interval of"
        " the shifts not rejected"
    ),
}


def _estimate(test: FlipTest) -> Row:
    return {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
    }


def equivalence_p(
    differences: FloatArray, *, margin: float, rng: np.random.Generator, n_draws: int
) -> float:
    """Test that the centre of paired differences lies within a margin of zero.

    Two one-sided sign-flip tests (Schuirmann 1987, doi:10.1007/BF01068419), one at each end; the
    larger p-value counts.

    Parameters
    ----------
    differences
        Shape (n,), n >= 1, symmetric about their centre.
    margin
        Same unit, >= 0.
    rng, n_draws
        Of the sign flips.
    """
    ends = (differences + margin, margin - differences)
    tests = [flip_test(end, rng=rng, n_draws=n_draws) for end in ends]
    return max(float(np.mean(test.null >= test.estimate - TIE)) for test in tests)


def categorise(later: FlipTest, narrower: FlipTest, *, p_same: float) -> str:
    """Name what the pairs show, one of ``CATEGORIES``.

    Later, earlier, narrower and wider are shown if the 95 % interval says so, equal width if
    ``p_same`` is at most 0.05; equal width overrules a narrowing within the margin.
    ``neither`` means earlier or wider.
    """
    same = p_same <= LEVEL
    if narrower.interval.lower > 0 and not same:
        return "both" if later.interval.lower > 0 else "narrowing"
    if later.interval.lower > 0 and same:
        return "translation"
    if later.interval.upper < 0 or (narrower.interval.upper < 0 and not same):
        return "neither"
    return "undecided"
