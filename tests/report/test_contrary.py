from __future__ import annotations

import pandas as pd

from metamirage.report import contrary
from metamirage.report.text import NBSP


def place(kind: str = "both_sharp", **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "benchmark": "b",
        "kind": kind,
        "task": "t0",
        "curve_id": "c1",
        "partner": "c0",
        "scheme": "discontinuous",
        "stratum": "same outputs",
        "value": 0.25,
        "against": True,
    }
    return row | changes


def places(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


FITS = pd.DataFrame(
    {
        "curve_id": ["c1", "c0"],
        "task": "t0",
        "subtask": "",
        "metric": ["exact", "likelihood"],
        "family": "F",
        "n_shots": [2, 2],
    }
)


def test_agreeing_sharp_pairs_are_counted_by_task_against_a_tenth() -> None:
    calm = [place(task=f"t{i}", against=False) for i in range(1, 12)]
    said = contrary.contrary(places(place(), *calm))
    assert f"1 of 12 (8.3{NBSP}%) pairs, in 1 of 12 (8.3{NBSP}%) paired tasks: under the" in said
    assert "paired tasks: not under the" in contrary.contrary(places(place(), *calm[:9]))


def test_scores_beyond_the_partner_stand_beside_what_chance_gives() -> None:
    rows = [place("beyond_partner", against=i < 3) for i in range(40)]
    said = contrary.contrary(places(*rows))
    assert said.endswith(f"3 of 40 (7.5{NBSP}%) pairs; by chance 2 would be.")


def test_kinds_without_a_place_are_not_spoken_of() -> None:
    assert "H2" not in contrary.contrary(places(place()))
    assert contrary.contrary(places(place())[:0]).startswith("Nothing could speak against")


def test_a_case_is_named_with_its_curve_its_partner_and_its_value() -> None:
    (row,) = contrary.case_table(places(place(), place(against=False)), FITS).rows
    assert row[1:6] == (
        "t0, exact, F, 2-shot",
        "likelihood",
        "discontinuous",
        "same outputs",
        "0.25",
    )


def test_the_strongest_cases_come_first() -> None:
    rows = places(
        place("direct_better", curve_id="mild", value=-1.5),
        place("direct_better", curve_id="worst", value=-9.0),
        place(curve_id="far", value=0.4),
        place(curve_id="near", value=0.1),
        place("sharp_continuous", curve_id="unsure", value=0.6),
        place("sharp_continuous", curve_id="sure", value=0.9),
    )
    found = contrary.cases(rows)["curve_id"].tolist()
    assert found == ["near", "far", "sure", "unsure", "worst", "mild"]


def test_pairs_are_drawn_side_by_side_and_curves_drawn_last() -> None:
    rows = places(
        place("sharp_continuous", curve_id="alone", partner=""),
        place(),
        place("wider", curve_id="", partner="", task=""),
        place(task="t1", curve_id="x", against=False),
    )
    assert contrary.drawn_cases(rows) == ["c1", "c0", "alone"]


def test_no_case_is_no_figure() -> None:
    exhibit = contrary.contrary_exhibit(places(place(against=False)), FITS, {}, settings={})
    assert exhibit.image == ""


def test_the_overview_counts_cases_by_kind() -> None:
    said = contrary.contrary_count(places(place(), place("wider"), place("wider", against=False)))
    assert said.startswith("2 cases in 3 places searched: ")
    assert said.endswith("the side of wider discontinuous curves (1).")
    assert contrary.contrary_count(places(place(against=False))) == ("No case in 1 place searched.")


def test_the_table_of_kinds_counts_places_and_tasks() -> None:
    table = contrary.contrary_table(places(place(), place(curve_id="c2"), place("wider", task="")))
    by_case = {row[0]: row[1:] for row in table.rows}
    assert by_case[contrary.KINDS["both_sharp"].meaning] == ("pair", "2", "2", "1", "1")
    assert by_case[contrary.KINDS["wider"].meaning] == ("test", "1", "1", "–", "–")
