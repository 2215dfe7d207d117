from __future__ import annotations

import numpy as np
import pytest

from metamirage.marginal import fit_marginal, is_separated

SEED = 5


def test_difference_equals_shares_and_mancl_derouens_variance_by_hand() -> None:
    rng = np.random.default_rng(SEED)
    tasks = np.repeat(np.arange(24), rng.integers(2, 6, 24))
    label = (tasks % 2).astype(float)
    y = (rng.random(len(tasks)) < 0.4).astype(float)
    design = np.column_stack([np.ones(len(y)), label])
    fit = fit_marginal(y, design, tasks, structure="independence")
    variance = 0.0
    for c in (0, 1):
        n = (label == c).sum()
        for t in np.unique(tasks[label == c]):
            here = y[tasks == t]
            residual = (here - y[label == c].mean()).sum()
            variance += (residual / (n - len(here))) ** 2
    assert fit is not None
    # Iterations stop at 1e-6 in the coefficients.
    share = y[label == 1].mean() - y[label == 0].mean()
    assert fit.difference.estimate == pytest.approx(share, abs=1e-6)
    reach = 1.959963984540054 * np.sqrt(variance)
    assert fit.difference.upper - fit.difference.estimate == pytest.approx(reach, rel=1e-5)


def test_separation_is_seen_and_overlap_is_not() -> None:
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    assert is_separated(x, np.arange(6) > 2)
    assert not is_separated(x, np.array([0, 1, 0, 1, 0, 1]) == 1)
