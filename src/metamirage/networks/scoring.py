"""Answers: what a network said to the items of one task, and its scores under several metrics.

All metrics come from one list of answers, item by item. None is computed from another: token edit
distance is not taken from exact match, nor a probability from a share of right tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from metamirage.base.arrays import FloatArray
from metamirage.networks.problems import Tokens

# Discontinuous in what was said; graded in what was said; graded in what was thought probable.
METRICS = ("exact_match", "token_edit_distance", "token_accuracy", "log_likelihood", "brier")


@dataclass(frozen=True)
class Answers:
    """Answers to n items of one task, of L tokens each.

    Parameters
    ----------
    target
        Right answers, shape (n, L).
    said
        Greedily generated answers, each token after those said before it, shape (n, L).
    log_p
        Log probability of each right token after the right ones before it, nats, shape (n, L).
    squares
        Of the same predictions, the sum over the vocabulary of (p - 1 if right else 0)^2 (Brier
        1950), from 0 to 2, shape (n, L).
    """

    target: Tokens
    said: Tokens
    log_p: FloatArray
    squares: FloatArray


def score_items(answers: Answers) -> dict[str, FloatArray]:
    """Score every item under every metric.

    Returns
    -------
    dict
        ``METRICS`` to arrays of shape (n,): 0 or 1; tokens, 0 to L; share of tokens; mean log
        probability of a token, nats; mean Brier score of a token, 0 to 2.
    """
    right = answers.target == answers.said
    return {
        "exact_match": right.all(axis=1).astype(float),
        "token_edit_distance": edit_distance(answers.target, answers.said),
        "token_accuracy": right.mean(axis=1),
        "log_likelihood": answers.log_p.mean(axis=1),
        "brier": answers.squares.mean(axis=1),
    }


def edit_distance(target: Tokens, said: Tokens) -> FloatArray:
    """Fewest substitutions, additions and deletions between rows of tokens (Levenshtein 1966).

    Parameters
    ----------
    target, said
        Shape (n, L) and (n, M).

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    found = cpdist(target.tolist(), said.tolist(), scorer=Levenshtein.distance)
    return np.asarray(found, dtype=float)


def summarise(scores: dict[str, FloatArray]) -> pd.DataFrame:
    """Average the items of one task.

    Returns
    -------
    pandas.DataFrame
        One row a metric: ``metric``, ``score`` (mean), ``stderr`` and ``n_samples``.
    """
    rows = [
        {
            "metric": metric,
            "score": float(values.mean()),
            "stderr": standard_error(values),
            "n_samples": len(values),
        }
        for metric, values in scores.items()
    ]
    return pd.DataFrame(rows)


def standard_error(values: FloatArray) -> float:
    """Estimate the standard error of the mean of n items.

    ASSUME: where all items score alike the spread is not nothing but unseen: an item more, one
    unit of the largest score (or 1) away, is taken along. A zero would claim perfect knowledge.
    """
    n = len(values)
    if np.ptp(values) > 0:
        return float(values.std(ddof=1) / np.sqrt(n))
    return float(max(abs(values[0]), 1.0) / n)


def group_right(right: NDArray[np.bool_], k: int) -> FloatArray:
    """Subset accuracy: 1 where all k items of a group in a row are right.

    Parameters
    ----------
    right
        Shape (n,), in the order in which the items came.
    k
        Items a group; those that fill no group are left out.

    Returns
    -------
    numpy.ndarray
        Shape (n // k,). Schaeffer et al. (2023), App. B.
    """
    groups = len(right) // k
    return right[: groups * k].reshape(groups, k).all(axis=1).astype(float)
