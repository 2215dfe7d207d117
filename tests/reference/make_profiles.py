"""Width profile of the sigmoid on the curves of ``builders.reference_curves`` by brute force.

``profiles.json`` is what this wrote, from the repository root, in a few minutes:
``PYTHONPATH=src:tests python tests/reference/make_profiles.py``. Scores by quadrature over each
cell of width, counts by the share of weighted draws in it. Nothing of the engine is used.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numba
import numpy as np
import scipy
from scipy.special import logsumexp
from scipy.stats import norm

from builders import reference_curves
from definition import Problem, problem
from importance import sampled, shares
from metamirage.curves import FloatArray
from metamirage.priors import LOG10_WIDTH_NODES
from quadrature import STANDARD, Scores, sigmoid_cells
from reference_set import fingerprint

TARGET = Path(__file__).parent / "profiles.json"
SEED = 20240607
TARGET_SE = 0.0008


def cell_edges() -> FloatArray:
    """Ends of the cells about the nodes, natural log of decades."""
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    count = len(LOG10_WIDTH_NODES) + 1
    return np.asarray(np.log(10) * (LOG10_WIDTH_NODES[0] - step / 2 + step * np.arange(count)))


def cell_masses(task: Problem) -> FloatArray:
    """Prior probability of each cell, differences taken in the nearer tail."""
    t = (cell_edges() - task.prior[4, 0]) / task.prior[4, 1]
    return np.where(t[:-1] > 0, -np.diff(norm.sf(t)), np.diff(norm.cdf(t)))


def score_profile(task: Problem) -> tuple[FloatArray, FloatArray]:
    """Profile of scores; the change from a finer quadrature is below 1e-3."""
    cells = sigmoid_cells(Scores(task, STANDARD), cell_edges())
    return cells - np.log(cell_masses(task)), np.zeros(len(cells))


def count_profile(task: Problem) -> tuple[FloatArray, FloatArray]:
    """Profile of counts and its standard errors."""
    sample = sampled(task, TARGET_SE, np.random.default_rng(SEED))
    weights = shares(sample.log_weights)
    cell = np.searchsorted(cell_edges(), sample.theta[:, 4])
    count = len(LOG10_WIDTH_NODES) + 2
    sums = np.bincount(cell, weights, count)[1:-1]
    squares = np.bincount(cell, weights**2, count)[1:-1]
    profile = np.log(sums) + sample.log_evidence - np.log(cell_masses(task))
    return profile, np.sqrt(squares) / sums


def main() -> None:
    """Compute and store the profiles of all curves."""
    curves = {}
    for name, curve in reference_curves().items():
        task = problem(curve, "sigmoid")
        profile, se = (count_profile if task.counts else score_profile)(task)
        curves[name] = {
            "data": fingerprint(curve),
            "profile": profile.round(5).tolist(),
            "se": se.round(5).tolist(),
        }
        print(name, logsumexp(profile, b=cell_masses(task)), flush=True)
    made_with = {
        "script": "tests/reference/make_profiles.py",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "seed": SEED,
    }
    TARGET.write_text(json.dumps({"made_with": made_with, "curves": curves}, indent=1) + "\n")


if __name__ == "__main__":
    main()
