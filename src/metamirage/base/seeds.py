"""Random streams: every draw comes from one that has a name."""

from __future__ import annotations

from hashlib import sha256

import numpy as np


def curve_seed(seed: int, curve_id: str) -> np.random.SeedSequence:
    """Derive a curve's seed from the run's seed and the curve's name.

    A new benchmark thus leaves every old draw untouched.
    """
    name = int.from_bytes(sha256(curve_id.encode()).digest()[:8], "little")
    return np.random.SeedSequence([seed, name])
