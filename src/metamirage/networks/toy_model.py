"""Toy: the model by which Schaeffer et al. (2023) explain sharp transitions, in closed form.

Everything here is computed; none of it is data. A model of N parameters puts the probability
p = exp(-(N / c)^-a) on each right token (their section 2; a, c > 0). What a metric makes of p, what
a test set of n items can show of it, and what a line of few sizes hides, follows.

Two facts the paper leaves out are derived below: with this p, a longer target moves the curve and
does not narrow it (``length_shift``, ``rise_width``).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from metamirage.base.arrays import FloatArray

# Of the score between these shares of its whole rise a width is measured.
LOW, HIGH = 0.1, 0.9


def token_success(log10_size: FloatArray, *, scale: float, exponent: float) -> FloatArray:
    """Probability of one right token, exp(-(N / c)^-a).

    Parameters
    ----------
    log10_size
        log10 parameters, any shape.
    scale
        log10 of c: there p is 1 / e.
    exponent
        a > 0, per factor of e; Kaplan et al. (2020) found 0.076 for the loss of language models.
    """
    return np.asarray(np.exp(-(10.0 ** (-exponent * (log10_size - scale)))))


def exact_match(p: FloatArray, length: float) -> FloatArray:
    """Probability that all of ``length`` tokens are right, each for itself: p^L."""
    return np.asarray(p**length)


def edit_distance(p: FloatArray, length: float) -> FloatArray:
    """Mean number of wrong tokens, L (1 - p): token edit distance without shifts."""
    return np.asarray(length * (1.0 - p))


def brier(p: FloatArray) -> FloatArray:
    """Brier score of a token, all that is not on the right one being on one other: 2 (1 - p)^2."""
    return np.asarray(2.0 * (1.0 - p) ** 2)


def least_seen(n_items: FloatArray, *, sure: float = 0.5) -> FloatArray:
    """Smallest accuracy of which a test set of n items shows at least one success.

    Parameters
    ----------
    n_items
        At least 1.
    sure
        Probability of one success or more: 1 - (1 - accuracy)^n.
    """
    return np.asarray(1.0 - (1.0 - sure) ** (1.0 / n_items))


def size_of_score(score: FloatArray, *, length: float, scale: float, exponent: float) -> FloatArray:
    """log10 size at which exact match of L tokens reaches a score: the inverse of p^L.

    Parameters
    ----------
    score
        Between 0 and 1, both excluded.
    length, scale, exponent
        As above.
    """
    return np.asarray(scale - np.log10(-np.log(score) / length) / exponent)


def length_shift(length: float, *, exponent: float) -> float:
    """Decades by which L tokens come later than one: log10(L) / a.

    p^L = exp(-L (N / c)^-a) is the curve of one token with another c: it moves, it does not narrow.
    """
    return float(np.log10(length) / exponent)


def rise_width(exponent: float) -> float:
    """Decades from 10 to 90 % of the rise, whatever the length: log10(ln 0.1 / ln 0.9) / a."""
    return float(np.log10(np.log(LOW) / np.log(HIGH)) / exponent)


def threshold_share(
    log10_size: FloatArray, *, threshold: float, rate: float, spread: float
) -> FloatArray:
    """Share of items above a threshold, of a bell-shaped quality that moves evenly with size.

    Parameters
    ----------
    log10_size
        log10 parameters, any shape.
    threshold
        log10 size at which the mean item reaches the threshold.
    rate
        Quality a decade, > 0.
    spread
        Standard deviation of the quality over items, > 0.
    """
    return np.asarray(ndtr(rate * (log10_size - threshold) / spread))


def threshold_width(*, rate: float, spread: float) -> float:
    """Decades from 10 to 90 % of ``threshold_share``: 2.563 spreads, over the rate."""
    return float((ndtri(HIGH) - ndtri(LOW)) * spread / rate)


def largest_step(score: FloatArray) -> float:
    """Largest rise between neighbouring sizes, as a share of the whole rise.

    Parameters
    ----------
    score
        By ascending size, shape (n,), n >= 2, not constant.
    """
    return float(np.diff(score).max() / (score[-1] - score[0]))
