"""What the page says of the negative controls follows their table."""

from __future__ import annotations

import pandas as pd
import pytest

from metamirage.report.controls import controls_said, controls_table
from metamirage.report.text import NBSP, number
from metamirage.robustness.controls import FAKE, RANDOM


def row(control: str = RANDOM, **changes: object) -> pd.DataFrame:
    known: dict[str, object] = {
        "control": control,
        "one": "F T=1" if control == FAKE else "",
        "zero": "F T=0" if control == FAKE else "",
        "estimate": 0.25,
        "lower": -0.125,
        "upper": 0.125,
        "p_value": 0.01,
        "n_tests": 150,
        "n_rejected": 30,
        "n_tasks": 40,
        "n_metrics": 12,
        "note": "",
    }
    return pd.DataFrame([known | changes])


@pytest.mark.parametrize(("p_value", "said"), [(0.01, "more than"), (0.4, "as much as")])
def test_true_classes_are_weighed_against_random_ones(p_value: float, said: str) -> None:
    text = controls_said(row(p_value=p_value)).replace(NBSP, " ")
    assert "rejects in 30 of 150 (20 %) labellings" in text
    ends = f"between {number(-0.125)} and {number(0.125)} in 95 of 100"
    assert f"{ends}; the true classes give 0.25" in text
    assert said in text


@pytest.mark.parametrize(("n_rejected", "said"), [(0, "no difference is"), (1, "a difference is")])
def test_a_fake_class_is_said_to_differ_or_not(n_rejected: int, said: str) -> None:
    text = controls_said(row(FAKE, n_rejected=n_rejected, n_tests=1))
    assert (
        f"F T=1 and F T=0 differ in log10 width by 0.25 ({number(-0.125)} to {number(0.125)};"
        in text
    )
    assert f": {said} found" in text


def test_what_was_not_asked_says_why_and_stands_in_the_table() -> None:
    rows = [row(n_tests=0, note="why one"), row(FAKE, n_tests=0, note="why two")]
    table = pd.concat(rows, ignore_index=True)
    said = controls_said(table)
    assert said == "Random classes: not asked (why one). Fake class: not asked (why two)."
    assert [cells[-1] for cells in controls_table(table).rows] == ["why one", "why two"]
