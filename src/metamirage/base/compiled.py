"""How the package compiles: one decorator, and a cache that follows the code.

Floating-point errors give NaN and infinities as NumPy does; sums are never reordered, so that a
result is the same to the last bit wherever it is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba import njit

# What the compiled code is made from. Numba keeps a function until its own file changes, though it
# has copied in what it calls from others: a folder by the content of all keeps no stale copy.
PARTS = (
    "base/compiled.py",
    "fitting/priors.py",
    "fitting/quadrature/elementary.py",
    "fitting/quadrature/rising.py",
    "fitting/quadrature/densities.py",
    "fitting/quadrature/newton.py",
    "fitting/quadrature/modes.py",
    "fitting/quadrature/proposal.py",
    "fitting/quadrature/grid.py",
    "fitting/quadrature/draws.py",
    "robustness/hierarchy/width_mixture.py",
    "robustness/hierarchy/density.py",
)
_HERE = Path(__file__).parents[1]
_DIGEST = sha256(b"".join((_HERE / name).read_bytes() for name in PARTS)).hexdigest()[:16]
vars(numba.config)["CACHE_DIR"] = str(_HERE / "__pycache__" / f"compiled-{_DIGEST}")


def jit[F: Callable[..., object]](function: F) -> F:
    """Compile a function, released from the interpreter's lock and cached on disk."""
    compile_now: Callable[[Any], Any] = njit(cache=True, nogil=True, error_model="numpy")
    compiled: F = compile_now(function)
    return compiled


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a function into each of its callers.

    Loops over one that takes numbers can then be vectorised. For one that takes tuples of arrays
    the call itself, which copies them and counts references, would cost as much as the work.
    """
    compile_now: Callable[[Any], Any] = njit(
        cache=True, nogil=True, error_model="numpy", forceinline=True
    )
    compiled: F = compile_now(function)
    return compiled
