"""Posterior means of 100 published curves against long NUTS runs of the PyMC model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamirage.curves.curve import Curve
from metamirage.fitting.priors import priors_for
from metamirage.fitting.quadrature.integrate import integrate
from mirror import ABSENT, MIRROR
from places import REFERENCE
from real_curves import SHIPPED, data_hash, real_curves

NUTS: dict[str, Any] = json.loads((REFERENCE / "nuts_published.json").read_text(encoding="utf-8"))[
    "curves"
]
needs_mirror = pytest.mark.skipif(not MIRROR.is_dir(), reason=ABSENT)
# How far a mean may be off, in posterior sds; NUTS has an error of 0.02 of its own.
ALLOWED = 0.1


def by_source(shipped: bool) -> dict[str, Any]:
    return {k: v for k, v in NUTS.items() if (k.split("|")[0] in SHIPPED) == shipped}


def loaded(names: dict[str, Any], folder: Path) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for benchmark in sorted({name.split("|")[0] for name in names}):
        curves |= real_curves(benchmark, folder)
    return {name: curves[name] for name in names}


def offs(curve: Curve, stored: dict[str, Any], seed: int) -> tuple[float, float]:
    """Means of log10 width and location less those of NUTS, in its posterior sds."""
    priors = priors_for(curve, "sigmoid")
    fit = integrate(curve, "sigmoid", priors, rng=np.random.default_rng([3, seed]))
    width, location = stored["log10_width"], stored["location"]
    return (
        (fit.mean(fit.theta[:, 4]) / np.log(10) - width["mean"]) / width["sd"],
        (fit.mean(fit.theta[:, 3]) - location["mean"]) / location["sd"],
    )


@pytest.mark.parametrize(
    "shipped",
    [pytest.param(True, id="shipped"), pytest.param(False, id="mirror", marks=needs_mirror)],
)
def test_means_are_those_of_nuts(shipped: bool, tmp_path: Path) -> None:
    stored = by_source(shipped)
    curves = loaded(stored, tmp_path)
    assert [data_hash(curves[name]) for name in stored] == [s["data"] for s in stored.values()]
    converged = [name for name in stored if stored[name]["converged"]]
    found = {n: offs(curves[n], stored[n], seed) for seed, n in enumerate(converged)}
    far = {n: np.round(o, 3).tolist() for n, o in found.items() if np.abs(o).max() > ALLOWED}
    assert len(far) <= 0.05 * len(converged), f"{len(far)} of {len(converged)}: {far}"


def test_nearly_all_nuts_runs_have_converged() -> None:
    assert len(NUTS) == 100
    assert sum(stored["converged"] for stored in NUTS.values()) >= 90
