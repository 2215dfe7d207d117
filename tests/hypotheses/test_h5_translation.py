from __future__ import annotations

import numpy as np
import pytest

from metamirage.base.arrays import FloatArray
from metamirage.hypotheses.h5_translation import (
    WIDTH_MARGIN,
    equivalence_p,
    kept_share,
    translation_rows,
)

SEED = 3
PRIOR_SD = 0.3
# Differences of ten tasks that scatter by a hundredth.
SCATTER = 0.01 * np.array([-2.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0])


def conclude(later: FloatArray, narrower: FloatArray, width_sd: float = 0.05) -> str:
    rows = translation_rows(
        later,
        narrower,
        width_sd=np.full(20, width_sd),
        prior_sd=PRIOR_SD,
        n_pairs=10,
        rng=np.random.default_rng(SEED),
        n_draws=99,
    )
    return str(rows[1]["note"]).removeprefix("conclusion: ")


@pytest.mark.parametrize(
    ("later", "narrower", "expected"),
    [
        (1.0, 0.0, "translation"),
        (0.0, 0.5, "narrowing"),
        (1.0, 0.5, "both"),
        (-1.0, 0.0, "neither"),
        (1.0, -0.5, "neither"),
        (0.0, 0.0, "undecided"),
    ],
)
def test_shift_and_width_make_the_conclusion(later: float, narrower: float, expected: str) -> None:
    assert conclude(later + SCATTER, narrower + SCATTER) == expected


def test_widths_that_only_the_prior_knows_are_not_called_equal() -> None:
    assert kept_share(np.full(4, PRIOR_SD), PRIOR_SD) == 0.0
    assert conclude(1.0 + SCATTER, SCATTER, width_sd=PRIOR_SD) == "undecided"


def test_posterior_means_keep_what_the_data_add_to_the_prior() -> None:
    # Half the prior variance is left: half of a difference shows.
    assert kept_share(np.array([PRIOR_SD / np.sqrt(2), np.nan]), PRIOR_SD) == pytest.approx(
        0.5, abs=1e-12
    )
    assert kept_share(np.array([]), PRIOR_SD) == 0.0


def test_equivalence_is_the_larger_of_two_exact_tails() -> None:
    # All shifted differences are positive at both ends: one pattern of 2**6 reaches the mean.
    d = np.array([-0.02, -0.01, 0.0, 0.0, 0.01, 0.02])
    p = equivalence_p(d, margin=WIDTH_MARGIN, rng=np.random.default_rng(SEED), n_draws=9)
    assert p == 1 / 64


def test_a_centre_on_the_margin_is_called_equal_one_time_in_twenty() -> None:
    rng = np.random.default_rng(SEED)
    found = [
        equivalence_p(rng.normal(0.5, 0.3, 10), margin=0.5, rng=rng, n_draws=9) <= 0.05
        for _ in range(600)
    ]
    # Three binomial standard errors of 600 data sets.
    assert np.mean(found) == pytest.approx(0.05, abs=0.027)


def test_no_pairs_are_rows_without_numbers() -> None:
    none = np.array([])
    rows = translation_rows(
        none,
        none,
        width_sd=none,
        prior_sd=PRIOR_SD,
        n_pairs=0,
        rng=np.random.default_rng(1),
        n_draws=9,
    )
    assert [row["estimand"] for row in rows] == ["equal_width", "translation"]
    assert all(np.isnan(float(str(row["estimate"]))) for row in rows)
