"""The sliders of the mechanism page, which compute what the package does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from visits import Visit

from metamirage.networks import toy_model as toy

VALUES = """() => Object.fromEntries([...document.querySelectorAll("[id^=out-][data-value]")]
  .map((shown) => [shown.id.slice(4), Number(shown.dataset.value)]))"""


def test_the_sliders_compute_what_the_package_computes(visit: Visit, site: Path) -> None:
    visit.open(site / "mechanism.html", "#exponent=0.3&length=7&size=8.5&items=3&spread=0.4")
    found = visit.page.evaluate(VALUES)
    p = toy.token_success(np.array(8.5), scale=9.0, exponent=0.3)
    share = toy.threshold_share(np.array(8.5), threshold=9.5, rate=1.0, spread=0.4)
    assert found == {
        "token": pytest.approx(float(p), rel=1e-12),
        "exact": pytest.approx(float(toy.exact_match(p, 7)), rel=1e-12),
        "edit": pytest.approx(float(toy.edit_distance(p, 7)), rel=1e-12),
        "brier": pytest.approx(float(toy.brier(p)), rel=1e-12),
        # 1 - 0.5^(1/n) loses three digits.
        "least": pytest.approx(float(toy.least_seen(np.array(1000.0))), rel=1e-9),
        "shift": pytest.approx(toy.length_shift(7, exponent=0.3), rel=1e-12),
        "width": pytest.approx(toy.rise_width(0.3), rel=1e-12),
        # The page's normal integral is good to 1.5e-7.
        "share": pytest.approx(float(share), abs=2e-7),
    }
