"""Stage bands: what each candidate says about the mean score between the observed sizes.

For pictures only. Nothing is decided from these bands, and they cover the mean and not the scores:
a new score scatters about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.threads import map_curves
from metamirage.base.vocabulary import CANDIDATES
from metamirage.contracts.bands import QUANTILES
from metamirage.curves.curve import Curve
from metamirage.fitting.engines import by_quadrature, fit_requests
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.settings import FitSettings
from metamirage.fitting.verdicts import levels

# Of the mean: 5 %, median, 95 %.
LEVELS_90 = (0.05, 0.5, 0.95)
# From the smallest size to the largest: seven a decade over the three decades of most families.
N_NODES = 21


class Quantiles(NamedTuple):
    """Quantiles of the mean score over a grid of sizes, in the unit of the source.

    Parameters
    ----------
    size
        log10 parameters, shape (n,).
    lower, median, upper
        Ends of the 90 % band and the median, shape (n,); ``lower`` is the smaller number whatever
        the direction of the metric.
    """

    size: FloatArray
    lower: FloatArray
    median: FloatArray
    upper: FloatArray


def mean_band(curve: Curve, posterior: Posterior, *, n_nodes: int = N_NODES) -> Quantiles:
    """Median and 90 % interval of the mean score from the smallest to the largest size.

    Parameters
    ----------
    curve
        The curve that was fitted.
    posterior
        Of any candidate.
    n_nodes
        Sizes at which it is taken, evenly spaced in log10 parameters.
    """
    sizes = np.linspace(curve.size[0], curve.size[-1], n_nodes)
    left, right = levels(curve, posterior)
    code = CODES[posterior.candidate]
    # A flat curve has one mean at all sizes, and sorting its draws is what takes the time.
    distinct = sizes[:1] if posterior.candidate == "flat" else sizes
    quantiles = np.array(
        [
            posterior.quantile(
                left + (right - left) * shape_at(code, x, sizes[0], sizes[-1], posterior.theta),
                LEVELS_90,
            )
            for x in distinct
        ]
    )
    ends = published(curve, np.broadcast_to(quantiles, (n_nodes, len(LEVELS_90))))
    return Quantiles(sizes, ends[:, [0, 2]].min(axis=1), ends[:, 1], ends[:, [0, 2]].max(axis=1))


def published(curve: Curve, z: FloatArray) -> FloatArray:
    """Carry values from the scale of ``Curve.z`` back to the unit and direction of the source."""
    return curve.sign * (z * curve.unit + curve.origin)


def band_curves(curves: Sequence[Curve], settings: FitSettings) -> pd.DataFrame:
    """Take the band of every candidate on every curve.

    Each curve is integrated once more, by quadrature, from the stream that the fits stage used:
    draws are too many to be kept. Where that stage asked NUTS, the quadrature's band stands.

    Parameters
    ----------
    curves
        From ``curves.build_curves``.
    settings
        Seed, prior and threads, as in ``fits.fit_curves``.

    Returns
    -------
    pandas.DataFrame
        Table ``BANDS``: ``N_NODES`` rows a curve.
    """
    bands = map_curves(
        lambda curve: _curve_bands(curve, settings),
        curves,
        threads=settings.threads,
        label="bands",
    )
    names = [f"{candidate}_{quantile}" for candidate in CANDIDATES for quantile in QUANTILES]
    table = pd.DataFrame(np.concatenate(bands), columns=["size", *names])
    table.insert(0, "curve_id", np.repeat([curve.curve_id for curve in curves], N_NODES))
    table.insert(1, "node", np.tile(np.arange(N_NODES), len(curves)))
    return table


def _curve_bands(curve: Curve, settings: FitSettings) -> FloatArray:
    """Sizes, and three quantiles of each candidate at each of them; shape (``N_NODES``, 16)."""
    requests = fit_requests(curve, curve, settings)
    bands = [mean_band(curve, by_quadrature(requests[candidate])) for candidate in CANDIDATES]
    columns = [column for b in bands for column in (b.lower, b.median, b.upper)]
    return np.column_stack([bands[0].size, *columns])
