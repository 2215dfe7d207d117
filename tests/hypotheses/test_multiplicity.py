from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.hypotheses.multiplicity import FAMILIES, adjust, label_row


def rows(**p_values: float) -> pd.DataFrame:
    """Rows that stand for hypotheses, and one that does not."""
    claims = [claim for family in FAMILIES.values() for claim in family]
    chosen = [c._asdict() | {"p_value": p_values.get(c.hypothesis, np.nan)} for c in claims]
    other = chosen[0] | {"estimand": "location", "p_value": 1e-9}
    return pd.DataFrame([*chosen, other])


def test_holm_doubles_the_smaller_of_two_and_lets_none_fall_below_it() -> None:
    found = adjust(rows(H1=0.03, H2=0.04, H5=0.02)).set_index(["hypothesis", "estimand"])
    assert found.loc[("H5", "translation"), "p_adjusted"] == pytest.approx(0.04, abs=1e-12)
    assert found.loc[("H1", "sharp_share"), "p_adjusted"] == pytest.approx(0.04, abs=1e-12)
    assert found.loc[("H2", "log10_width"), "p_adjusted"] == pytest.approx(0.04, abs=1e-12)
    assert found.loc[("H1", "sharp_share"), "correction"] == "secondary: H1, H5"


def test_the_two_primary_tests_correct_each_other_and_no_other() -> None:
    found = adjust(rows(H1=1e-6, H2=0.04, H4=0.03)).set_index("hypothesis")
    assert found.loc["H4", "p_adjusted"] == pytest.approx(0.06, abs=1e-12)
    assert found.loc["H4", "correction"] == "primary: H2, H4"
    assert found.loc["H1", "p_adjusted"] == pytest.approx(1e-6, abs=1e-12)


def test_rows_that_stand_for_nothing_are_not_adjusted() -> None:
    found = adjust(rows(H2=0.04)).set_index("estimand")
    assert np.isnan(found.loc["location", "p_adjusted"])
    assert found.loc["location", "correction"] == ""


def test_a_hypothesis_without_a_p_value_costs_the_others_nothing() -> None:
    found = adjust(rows(H1=0.03)).set_index("hypothesis")
    assert found.loc["H1", "p_adjusted"] == pytest.approx(0.03, abs=1e-12)
    assert found.loc["H1", "correction"] == "secondary: H1"


def test_the_expected_share_of_wrong_labels_averages_over_those_given() -> None:
    curves = pd.DataFrame(
        {"verdict": ["SHARP", "SHARP", "FLAT"], "p_sharp": [0.9, 1.0, 0.0], "task": ["a", "a", "b"]}
    )
    row = label_row(curves)
    assert row["estimate"] == pytest.approx(0.05, abs=1e-12)
    assert row["note"] == "2 of 3 curves screened are SHARP"
    assert np.isnan(float(str(label_row(curves[2:])["estimate"])))
