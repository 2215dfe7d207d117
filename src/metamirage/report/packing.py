"""Data and libraries inside a page: compressed text that the page unpacks itself.

Browsers read gzip by ``DecompressionStream`` (Chromium 80, Firefox 113, Safari 16.4 and later).
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vl_convert
from itables import options
from numpy.typing import ArrayLike

from metamirage.base.arrays import FloatArray

# Numbers in a page are rounded to this: more is below what any of them is known to.
SIGNIFICANT = 4


def packed(content: str) -> str:
    """Compress text for a page; equal texts give equal results."""
    return b64encode(gzip.compress(content.encode(), compresslevel=9, mtime=0)).decode("ascii")


def packed_json(value: object) -> str:
    """Compress a value as JSON, which has no NaN: see ``numbers``."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False))


def rounded(values: ArrayLike, digits: int = SIGNIFICANT) -> FloatArray:
    """Round to significant digits, any shape; what is not finite stays.

    Divides by powers of ten rather than multiply by their inverses, so that each result is the
    float nearest to the decimal number and is written in as few characters.
    """
    x = np.asarray(values, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = digits - 1 - np.floor(np.log10(np.abs(x)))
    shift = np.where(np.isfinite(shift), shift, 0.0)
    finer, coarser = 10.0 ** np.maximum(shift, 0), 10.0 ** np.maximum(-shift, 0)
    return np.asarray(np.round(x * finer / coarser) / finer * coarser)


def numbers(values: ArrayLike) -> list[float | int | str | None]:
    """Round numbers of shape (n,) and make them ready for JSON.

    Whole ones become integers, missing ones None; JSON has no infinity, so the page reads the words
    that its language has for it.
    """
    return [_number(value) for value in rounded(values).tolist()]


def _number(value: float) -> float | int | str | None:
    if np.isnan(value):
        return None
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value == int(value) else value


def number_column(values: pd.Series) -> dict[str, Any]:
    """Pack a column of numbers as ``values``."""
    return {"values": numbers(values.to_numpy(float, na_value=np.nan))}


def word_column(values: pd.Series) -> dict[str, Any]:
    """Pack a column of few distinct values as ``words`` in order and ``codes`` into them.

    Since the words are in order, codes sort as the values do; missing ones are an empty word at the
    end.
    """
    words = sorted(values.dropna().unique())
    place = {word: i for i, word in enumerate(words)}
    codes = values.map(place).fillna(len(words)).astype(int).tolist()
    gap = [""] if values.isna().any() else []
    return {"words": [*map(str, words), *gap], "codes": codes}


def table_library() -> tuple[str, str]:
    """Return DataTables as shipped by itables: a packed module, and its style."""
    script = Path(options.dt_bundle)
    style = script.with_suffix(".css").read_text(encoding="utf-8")
    return packed(script.read_text(encoding="utf-8")), style


def chart_library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one packed script that sets ``vegaEmbed``."""
    return packed(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
