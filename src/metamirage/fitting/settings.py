"""Settings of a fit, which travel as one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FitSettings:
    """How curves are fitted.

    Parameters
    ----------
    seed
        Of the run; each curve draws from a stream of its own (``base.seeds``).
    prior
        Prior of the width, one of ``priors.WIDTH_PRIORS``.
    engine
        One of ``vocabulary.ENGINES``: quadrature, with NUTS where it is unsure, or NUTS alone.
    threads
        Curves fitted at a time; no result depends on it.
    """

    seed: int
    prior: str = "default"
    engine: str = "quadrature"
    threads: int = 1
