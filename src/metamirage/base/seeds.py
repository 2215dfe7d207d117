"""Random streams: every draw of the package comes from a stream with a name in these tables.

A run has one seed. A stream is that seed with a word of its own, so that a draw more in one stage
moves no draw of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

import numpy as np

# Streams of a stage, by the word that joins the seed.
# ASSUME: the stages with word 0 draw the same numbers, for other tests on other units: their
# p-values are a little less independent than their names say. They keep it until a change of the
# statistics moves every number anyway.
STAGE_STREAMS: Mapping[str, int] = MappingProxyType(
    {
        "concentration": 0,
        "concentration, beside": 1,
        "concentration, forecasts": 2,
        "multiverse": 3,
        "controls": 4,
        "residual": 0,
        "superlinear": 0,
        "mechanism": 0,
        "hierarchy": 0,
        # A simulated set has a seed of its own, so these meet none of the above.
        "selfcheck": 0,
        "selfcheck, beside": 1,
        "selfcheck, forecasts": 2,
        "selfcheck, names": 3,
        "selfcheck, swapped": 4,
    }
)
# Streams of one curve, task or network of a stage, by what stands before its name.
NAMED_STREAMS: Mapping[str, str] = MappingProxyType(
    {
        # Fits take children of their stream, one a candidate; scores take the stream itself.
        "fits": "",
        "scores": "",
        "audit": "audit|",
        "forecasts": "forecast|",
        "onsets": "onset|",
        "digits": "digits|",
        "parity": "parity|",
        "arithmetic, items": "",
        "arithmetic, network": "arithmetic|",
    }
)


def stage_stream(seed: int, stage: str) -> np.random.Generator:
    """Return the random numbers of a stage.

    Parameters
    ----------
    seed
        Of the run, or of a simulated set.
    stage
        Name in ``STAGE_STREAMS``.

    Raises
    ------
    KeyError
        If the table has no such stream.
    """
    return np.random.default_rng([seed, STAGE_STREAMS[stage]])


def named_stream(seed: int, stage: str, name: str) -> np.random.SeedSequence:
    """Derive the seed of one curve, task or network from the run's seed and its name.

    A new benchmark thus leaves every old draw as it was.

    Parameters
    ----------
    seed
        Of the run.
    stage
        Name in ``NAMED_STREAMS``.
    name
        Stable name, such as ``Curve.curve_id``.

    Returns
    -------
    numpy.random.SeedSequence
        For ``numpy.random.default_rng``, or to spawn children from.

    Raises
    ------
    KeyError
        If the table has no such stream.
    """
    text = NAMED_STREAMS[stage] + name
    word = int.from_bytes(sha256(text.encode()).digest()[:8], "little")
    return np.random.SeedSequence([seed, word])
