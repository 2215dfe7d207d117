"""Parity: small networks on a task that is all or nothing, a transition that is real.

Of n bits, the parity of the first k is asked; n - k tell nothing, and of the k no part tells
anything either (sparse parity; Barak et al. 2022, arXiv:2207.08799; Michaud et al. 2023,
arXiv:2303.13506). A network that is too narrow to compose all k bits stays at chance by every
metric, the loss included; somewhat wider ones are right throughout. What is learnt is asked of
patterns that training never shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.networks.perceptrons import count_params, fit, log_chance
from metamirage.networks.scoring import summarise

COLUMNS = ("task", "metric", "model", "n_params", "seed", "score", "stderr", "n_samples")
# Bits that count, and bits in all.
TASKS = tuple((k, n) for k in (3, 4) for n in (7, 8, 9, 10))
# ASSUME: hidden units grow by half or less from one size to the next, so that the transition has
# sizes on both sides and, where it can, between.
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SEEDS = tuple(range(5))
TEST_SHARE = 0.25
EPOCHS = 100


def train_parities(
    *,
    seeds: Sequence[int] = SEEDS,
    widths: Sequence[int] = WIDTHS,
    tasks: Sequence[tuple[int, int]] = TASKS,
) -> pd.DataFrame:
    """Train a network of every width with every seed on every task, and score it.

    Parameters
    ----------
    seeds
        Each holds out its own quarter of the patterns and draws its own first weights.
    widths
        Hidden units.
    tasks
        Pairs of k and n, 1 <= k <= n.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``; metrics ``accuracy``, ``brier`` (0 to 2) and ``log_likelihood`` (nats).
    """
    parts = [_run(k, n, width, seed) for seed in seeds for width in widths for k, n in tasks]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def patterns(k: int, n: int) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """All patterns of n bits as -1 and 1, shape (2**n, n), and the parity of the first k."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return 2.0 * bits - 1.0, bits[:, :k].sum(axis=1) % 2


def _run(k: int, n: int, width: int, seed: int) -> pd.DataFrame:
    pixels, parity = patterns(k, n)
    state = int(named_stream(seed, "parity", f"{k}|{n}|{width}").generate_state(1)[0])
    train, test = train_test_split(
        np.arange(2**n), test_size=TEST_SHARE, stratify=parity, random_state=seed
    )
    network = MLPClassifier(
        (width,),
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        batch_size=32,
        learning_rate_init=0.01,
        random_state=state,
    )
    fit(network, pixels[train], parity[train])
    chances = network.predict_proba(pixels[test])
    rows = summarise(_scores(chances, parity[test]))
    return rows.assign(
        task=f"parity of {k} of {n} bits",
        model=f"h{width:02d}-s{seed}",
        n_params=count_params(network),
        seed=seed,
    )


def _scores(
    chances: FloatArray, truth: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> dict[str, FloatArray]:
    """Score every pattern under three metrics of the same predictions."""
    own = chances[np.arange(len(truth)), truth]
    return {
        "accuracy": (own > 0.5).astype(float),
        "brier": 2.0 * (1.0 - own) ** 2,
        "log_likelihood": log_chance(chances, truth),
    }
