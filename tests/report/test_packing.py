from __future__ import annotations

import gzip
import json
from base64 import b64decode

import numpy as np
import pandas as pd
import pytest

from metamirage.report import packing


def unpacked(packed: str) -> object:
    return json.loads(gzip.decompress(b64decode(packed)))


def test_what_was_packed_is_unpacked() -> None:
    value = {"words": ["é", "</script>"], "codes": [1, 0, None]}
    assert unpacked(packing.packed_json(value)) == value


def test_equal_texts_pack_equally_and_no_text_ends_a_script() -> None:
    packed = packing.packed("</script>" * 9)
    assert packed == packing.packed("</script>" * 9)
    assert "<" not in packed


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.123456, 0.1235), (123456.0, 123500), (-9.99999, -10), (1e-7, 1e-7), (0.0, 0), (3.0, 3)],
)
def test_numbers_are_rounded_to_four_digits(value: float, shown: float) -> None:
    assert packing.numbers([value]) == [shown]


def test_rounded_numbers_are_written_in_few_characters() -> None:
    values = np.random.default_rng(5).lognormal(0, 6, 2000)
    # Four digits, a point, and an exponent or zeros up to it: 1.234e-05 has nine.
    assert max(len(json.dumps(x)) for x in packing.numbers(values)) <= 14
    np.testing.assert_allclose(packing.rounded(values), values, rtol=5.001e-4)


def test_missing_and_infinite_numbers_are_told_apart() -> None:
    assert packing.numbers([np.nan, np.inf, -np.inf]) == [None, "Infinity", "-Infinity"]


def test_codes_sort_as_the_values_do() -> None:
    shots = pd.Series([10, 2, None, 0], dtype="Int64")
    assert packing.word_column(shots) == {"words": ["0", "2", "10", ""], "codes": [2, 1, 3, 0]}


def test_both_libraries_are_whole_and_reach_for_nothing() -> None:
    script, style = packing.table_library()
    table = gzip.decompress(b64decode(script)).decode()
    chart = gzip.decompress(b64decode(packing.chart_library())).decode()
    assert "as default" in table
    assert "window.vegaEmbed" in chart
    assert "url(http" not in style
    assert "@import" not in style
