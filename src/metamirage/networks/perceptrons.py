"""What every network of scikit-learn trained here shares: its budget, its size, its confidence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from metamirage.base.arrays import FloatArray

# A probability that rounds to nothing would cost infinitely much.
LEAST_CHANCE = 1e-12


def fit[Network: (MLPClassifier, MLPRegressor)](
    network: Network, inputs: FloatArray, target: NDArray[Any]
) -> Network:
    """Train for all epochs: they are the budget, whether or not a network could use more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(inputs, target)
    return network


def count_params(network: MLPRegressor | MLPClassifier) -> int:
    """Count all trained numbers, biases included."""
    return sum(part.size for part in [*network.coefs_, *network.intercepts_])


def log_chance(chances: FloatArray, place: NDArray[np.int64]) -> FloatArray:
    """Log probability of the right class, nats: ``chances`` (n, classes) at ``place`` (n,)."""
    return np.log(np.maximum(chances[np.arange(len(place)), place], LEAST_CHANCE))
