"""Stage selfcheck: how often the tests are wrong, and how often they see what is there.

Benchmarks of known truth (``worlds``) go through the functions that real ones go through: curves,
the sigmoid's integral, its summary and verdict, the tests of ``concentration``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.curves import Curve, build_curves, curve_seed
from metamirage.engine import integrate
from metamirage.fits import Effort
from metamirage.priors import LOG10_WIDTH_NODES, priors_for
from metamirage.tables import CANDIDATES
from metamirage.verdicts import summarise, verdict
from metamirage.worlds import WORLDS, Synthetic, make_world

# Means of log10 width are then exact to 0.004 decades where a curve rises; its posterior sd is 0.1
# and more. The errors of the two metrics are alike, so they make a test weaker and not wrong.
EFFORT = Effort(n_first=64, target_error=0.1, max_error=np.inf)


class Fitted(NamedTuple):
    """Columns of ``tables.FITS`` that the tests read, and ``tables.PROFILES``."""

    fits: pd.DataFrame
    profiles: pd.DataFrame


def make_set(world: str, number: int, *, seed: int) -> tuple[Synthetic, int]:
    """Draw one simulated benchmark, and the run seed of its fits.

    Parameters
    ----------
    world
        One of ``worlds.WORLDS``.
    number
        Of the set within its world, from 0.
    seed
        Of the selfcheck.
    """
    words = np.random.SeedSequence([seed, WORLDS.index(world), number])
    rng = np.random.default_rng(words)
    synthetic = make_world(world, rng, benchmark=f"synthetic {world}")
    return synthetic, int(words.generate_state(1)[0])


def fit_sigmoids(curves: Sequence[Curve], *, seed: int) -> Fitted:
    """Fit the one candidate whose posterior the tests of class read.

    At the stage's own effort the rows would equal those of ``fits.fit_curves``, draw by draw; the
    other candidates, which forecasts and Bayes factors need, are left out for time.
    """
    rows, profiles = zip(*(_fit_sigmoid(curve, seed=seed) for curve in curves), strict=True)
    names = np.repeat([curve.curve_id for curve in curves], len(LOG10_WIDTH_NODES))
    return Fitted(
        fits=pd.DataFrame(list(rows)).astype({"n_shots": "Int64"}),
        profiles=pd.DataFrame(
            {
                "curve_id": names,
                "log10_width": np.tile(LOG10_WIDTH_NODES, len(curves)),
                "log_marginal": np.concatenate(profiles),
            }
        ),
    )


def _fit_sigmoid(
    curve: Curve, *, seed: int, effort: Effort = EFFORT
) -> tuple[dict[str, object], np.ndarray]:
    streams = curve_seed(seed, curve.curve_id).spawn(len(CANDIDATES))
    posterior = integrate(
        curve,
        "sigmoid",
        priors_for(curve, "sigmoid"),
        rng=np.random.default_rng(streams[CANDIDATES.index("sigmoid")]),
        n_first=effort.n_first,
        target_error=effort.target_error,
    )
    summary = summarise(curve, posterior)
    row = {
        "curve_id": curve.curve_id,
        **curve.key,
        "n_sizes": curve.n_sizes,
        "observation": curve.observation,
        "verdict": verdict(summary, curve.n_sizes),
        **summary,
        "excluded": curve.excluded,
    }
    return row, posterior.profile
