"""Classes of metrics: which side of an axis of the tags a curve is on."""

from __future__ import annotations

import numpy as np
import pandas as pd

SCHEMES = ("discontinuous", "nonlinear", "either")


def classify(curves: pd.DataFrame, scheme: str) -> pd.Series[float]:
    """Class of each curve's metric under a scheme: 1, 0, or missing where a tag is unknown.

    ``either`` is 1 if the metric is discontinuous or nonlinear, 0 if it is known to be neither.
    """
    axes = SCHEMES[:2] if scheme == "either" else (scheme,)
    coded = curves[list(axes)].replace({"yes": 1.0, "no": 0.0, "unknown": np.nan}).astype(float)
    # Unknown beside "yes" is "yes"; unknown beside "no" stays unknown.
    return coded.max(axis=1).where((coded == 1).any(axis=1) | coded.notna().all(axis=1))
