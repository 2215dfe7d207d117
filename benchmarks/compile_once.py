"""Models for nutpie, compiled once for each candidate and observation model and fed with data.

The models are those of ``metamirage.candidates``, whose curve and priors are shared variables here.
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import nutpie
import pytensor

from metamirage.candidates import build_model
from metamirage.curves import Curve
from metamirage.priors import PARAMETERS, Priors

_COMPILED: dict[tuple[str, str], Any] = {}


def compiled_for(curve: Curve, candidate: str, priors: Priors) -> Any:
    """Return the compiled model of a candidate, fed with a curve and started near its priors."""
    key = (candidate, curve.observation)
    data = {
        "size": curve.size,
        "z": curve.z,
        "stderr": curve.stderr,
        "n_items": curve.n_items.astype(int),
        "counts": curve.counts.astype(int),
        **{field.name: np.array(getattr(priors, field.name)) for field in fields(priors)},
    }
    if key not in _COMPILED:
        shared = {name: pytensor.shared(value, name=f"{name}_") for name, value in data.items()}
        given = SimpleNamespace(**shared, observation=curve.observation)
        split = SimpleNamespace(
            **{f.name: (shared[f.name][0], shared[f.name][1]) for f in fields(priors)}
        )
        _COMPILED[key] = nutpie.compile_pymc_model(
            build_model(given, candidate, split),  # type: ignore[arg-type]
            backend="numba",
        )
    compiled = _COMPILED[key]
    used = {variable.name for variable in compiled.shared_var_keys}
    new = {f"{name}_": value for name, value in data.items() if f"{name}_" in used}
    mean, sd = priors.as_array()[: len(PARAMETERS[candidate])].T

    # Those of nutpie stay with the curve that was compiled.
    def start(seed: int) -> np.ndarray:
        return np.asarray(mean + sd * np.random.default_rng(seed).uniform(-1, 1, len(mean)))

    return replace(compiled.with_data(**new), initial_point_func=start)
