"""Permutation tests whose exchangeable units are tasks.

All curves of a task share its items, so labels move between or within tasks, never between curves
(Fisher's exact null; validity needs independent tasks and nothing else).

SciPy's `permutation_test` gives the same p-values, but neither the sign patterns, which the
intervals are made of, nor labels that move within strata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_UNITS

# Up to this many tasks every sign pattern is visited; beyond, patterns are drawn.
EXACT_UP_TO = 14
# A tie that rounding broke still counts as a tie.
TIE = 1e-12


class Interval(NamedTuple):
    """Two ends, in the unit of the estimate; infinite where the data can't give one."""

    lower: float
    upper: float


@dataclass(frozen=True)
class FlipTest:
    """Result of a sign-flip test.

    Parameters
    ----------
    estimate
        Mean over tasks, weighted if so asked.
    p_value
        Two-sided.
    interval
        The shifts that the test at 1 - level would not reject.
    null
        Means under the sign patterns that were visited.
    exact
        Whether these were all patterns.
    """

    estimate: float
    p_value: float
    interval: Interval
    null: FloatArray
    exact: bool


def sign_patterns(n: int, n_draws: int, rng: np.random.Generator) -> tuple[FloatArray, bool]:
    """All 2**n patterns of +1 and -1 if n is small, else random ones.

    Returns
    -------
    (patterns, exact)
        Patterns of shape (r, n), the identity first.
    """
    if n <= EXACT_UP_TO:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return 1.0 - 2.0 * bits, True
    drawn = rng.choice([-1.0, 1.0], size=(n_draws, n))
    return np.vstack([np.ones(n), drawn]), False


def flip_test(
    differences: FloatArray,
    *,
    rng: np.random.Generator,
    n_draws: int,
    level: float = 0.95,
    weights: FloatArray | None = None,
) -> FlipTest:
    """Test that paired differences are symmetric about zero, one sign a task.

    Weights that stay the same when the two of a pair swap places leave the test exact. The interval
    collects the shifts that the test does not reject: their ends are order statistics of the means
    of random subsets (Hartigan 1969, typical values), so test and interval always agree. Fewer than
    six tasks can't reject at 0.05 and have no finite interval.

    Parameters
    ----------
    differences
        One mean difference a task, shape (n,), n >= 1, finite.
    rng
        Draws the sign patterns if n > 14.
    n_draws
        How many.
    level
        Coverage of the interval.
    weights
        Of the tasks, shape (n,), not negative; without any above zero all count alike.
    """
    patterns, exact = sign_patterns(len(differences), n_draws, rng)
    shares = shares_of(weights, len(differences))
    null = patterns @ (shares * differences)
    estimate = float(shares @ differences)
    # The identity is among the patterns: the +1 of Phipson and Smyth (2010).
    p_value = float(np.mean(np.abs(null) >= abs(estimate) - TIE))
    interval = _typical_values(patterns, differences, shares, level)
    return FlipTest(estimate, p_value, interval, null, exact)


def shares_of(weights: FloatArray | None, n: int) -> FloatArray:
    """Scale the weights of n tasks to a sum of one; without any above zero all count alike."""
    if weights is None or not weights.sum() > 0:
        return np.full(n, 1.0 / n)
    return np.asarray(weights / weights.sum())


def _typical_values(
    patterns: FloatArray, differences: FloatArray, shares: FloatArray, level: float
) -> Interval:
    chosen = (patterns < 0).astype(float)
    size = chosen @ shares
    with np.errstate(invalid="ignore"):
        means = chosen @ (shares * differences) / size
    # The empty subset stands below and above every shift.
    ordered = np.sort(means[size > 0])
    spare = int(np.floor((1 - level) / 2 * len(patterns)))
    if spare < 1:
        return Interval(-np.inf, np.inf)
    return Interval(float(ordered[spare - 1]), float(ordered[-spare]))


@dataclass(frozen=True)
class Units:
    """Values of tasks under a class, for a permutation of labels within strata.

    Parameters
    ----------
    value
        Shape (u,): mean over the curves of one task in one class and stratum.
    label
        Shape (u,), boolean: class 1.
    stratum
        Shape (u,), integer: labels move within a stratum only.
    partner
        Shape (u,), integer: index of the same task's unit in the other class, or -1. Partners swap
        labels with each other; the rest is shuffled.
    """

    value: FloatArray
    label: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    partner: NDArray[np.int64]


def stratified_difference(units: Units, label: NDArray[np.bool_]) -> float:
    """Mean difference, class 1 minus class 0, pooled over strata that hold both.

    Weights n1 n0 / (n1 + n0) (Mantel and Haenszel) do not change when labels move within a
    stratum. NaN if no stratum holds both classes.
    """
    total, weight = 0.0, 0.0
    for s in np.unique(units.stratum):
        here = units.stratum == s
        one, zero = units.value[here & label], units.value[here & ~label]
        if len(one) and len(zero):
            w = len(one) * len(zero) / (len(one) + len(zero))
            total += w * (one.mean() - zero.mean())
            weight += w
    return total / weight if weight else np.nan


def shuffle_labels(units: Units, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Permute labels: between tasks of one class within a stratum, within tasks that have both."""
    label = units.label.copy()
    lone = units.partner < 0
    for s in np.unique(units.stratum):
        here = np.nonzero((units.stratum == s) & lone)[0]
        label[here] = rng.permutation(label[here])
    first = np.nonzero(units.partner > np.arange(len(label)))[0]
    swapped = first[rng.random(len(first)) < 0.5]
    label[swapped] = units.label[units.partner[swapped]]
    label[units.partner[swapped]] = units.label[swapped]
    return label


def label_test(
    units: Units, *, rng: np.random.Generator, n_draws: int, level: float = 0.95
) -> tuple[float, float, Interval]:
    """Test that class labels are exchangeable between tasks within strata.

    The interval holds the shifts of class 1 that the permuted differences could hide: estimate
    plus or minus the quantile of their absolute values, so that it leaves out zero where the test
    rejects. With fewer than six tasks in a class it is infinite.

    Returns
    -------
    (estimate, p_value, interval)
        Stratified difference, two-sided Monte Carlo p-value (the identity counts: Phipson and
        Smyth 2010) and interval; NaN, NaN and infinite if no stratum holds both classes.
    """
    estimate = stratified_difference(units, units.label)
    unbounded = Interval(-np.inf, np.inf)
    if np.isnan(estimate):
        return np.nan, np.nan, unbounded
    null = [stratified_difference(units, shuffle_labels(units, rng)) for _ in range(n_draws)]
    size = np.abs([estimate, *null])
    p_value = float(np.mean(size >= abs(estimate) - TIE))
    if min(units.label.sum(), (~units.label).sum()) < MIN_UNITS:
        return estimate, p_value, unbounded
    reach = float(np.quantile(size, level, method="higher"))
    return estimate, p_value, Interval(estimate - reach, estimate + reach)
