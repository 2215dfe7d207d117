from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from metamirage.report.figures import charts as figures
from metamirage.report.figures.charts import Band, Panel

SIZE = np.array([8.0, 9.0, 10.0])
PANEL = Panel(
    title="task",
    subtitle="SHARP",
    metric="acc",
    size=SIZE,
    score=np.array([0.0, 40.0, 90.0]),
    lower=np.array([0.0, 35.0, 85.0]),
    upper=np.array([4.0, 45.0, 95.0]),
    chance=25.0,
    descending=False,
    bands={"sigmoid": Band(SIZE, SIZE, SIZE - 500, SIZE + 500)},
)


def curves(n: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    location = rng.uniform(8, 11, n)
    width = rng.uniform(0.3, 5, n)
    return pd.DataFrame(
        {
            "metric_class": ["discontinuous", "not discontinuous", "unknown"] * (n // 3),
            "verdict": ["SHARP", "SMOOTH", "UNRESOLVED"] * (n // 3),
            "width_median": width,
            "width_q05": width / 2,
            "width_q95": width * 2,
            "location_median": location,
            "location_q05": location - 0.2,
            "location_q95": location + 0.2,
            "size_min": 8.0,
            "size_max": 11.0,
            "breakthroughness": rng.uniform(1, 50, n),
            "null_q95": 5.0,
            "p_sharp": rng.uniform(0, 1, n),
        }
    )


def forecasts() -> pd.DataFrame:
    low = np.array([0.05, 0.06, 0.55, 0.9])
    return pd.DataFrame(
        {
            "pit_low": low,
            "pit_high": low + np.array([0.0, 0.0, 0.1, 0.1]),
            "inside_80": pd.array([True, True, True, False], dtype="boolean"),
        }
    )


@pytest.mark.parametrize(
    ("log10_parameters", "name"),
    [(8.0, "100M"), (9.0, "1B"), (np.log10(175e9), "175B"), (12.5, "3.16T"), (5.0, "100k")],
)
def test_sizes_are_named_as_people_name_them(log10_parameters: float, name: str) -> None:
    assert figures.size_name(log10_parameters) == name


def test_shares_of_verdicts_sum_to_one_in_each_class() -> None:
    shares = figures.verdict_shares(curves())
    assert set(shares.groupby("metric_class")["share"].sum()) == {1.0}
    sharp = shares[(shares["metric_class"] == "discontinuous") & (shares["verdict"] == "SHARP")]
    assert list(sharp["label"]) == ["2 of 2"]


def test_each_bar_of_the_verdicts_carries_its_count() -> None:
    figure = figures.draw_verdicts(curves())
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels.count("2 of 2") == 3
    assert labels.count("0 of 2") == 12


def test_classes_differ_by_marker_and_not_by_colour_alone() -> None:
    assert len(set(figures.MARKERS.values())) == len(figures.CLASSES)
    assert len(set(figures.HATCHES.values())) == len(figures.CLASSES)
    legend = figures.draw_widths(curves()).axes[0].get_legend()
    assert legend is not None
    assert {t.get_text() for t in legend.get_texts()} == {
        "discontinuous metric",
        "not discontinuous metric",
        "unknown metric",
    }


def test_the_legend_of_the_bars_shows_their_hatches() -> None:
    legend = figures.draw_verdicts(curves()).axes[0].get_legend()
    assert legend is not None
    hatches = [patch.get_hatch() or "" for patch in legend.get_patches()]
    assert hatches == list(figures.HATCHES.values())


def test_whiskers_are_left_out_where_they_would_hide_each_other() -> None:
    few = figures.draw_widths(curves(6)).axes[0].collections
    many = figures.draw_widths(curves(150)).axes[0].collections
    assert len(few) - len(many) == 6


def test_many_points_are_stored_as_pixels() -> None:
    few, many = (figures.as_svg(figures.draw_disagreement(curves(n))) for n in (30, 300))
    assert b"<image" not in few
    assert b"<image" in many
    assert len(many) < 200_000


def test_infinite_s_stands_in_its_strip_and_finite_s_left_of_it() -> None:
    table = curves().assign(breakthroughness=[5.0, 10.0, 50.0, np.inf, -3.0, 500.0])
    axis = figures.draw_disagreement(table).axes[0]
    x = np.asarray(axis.collections[0].get_offsets())[:, 0]
    assert (np.delete(x, 3) < x[3]).all()
    assert [t.get_text() for t in axis.texts] == ["infinite"]
    assert axis.get_xlim()[0] < x.min()
    assert x[3] < axis.get_xlim()[1]


def test_a_panel_frames_its_scores_and_not_a_wide_band() -> None:
    axis = figures.draw_panels([PANEL]).axes[0]
    low, high = axis.get_ylim()
    assert -20 < low < 0
    assert 95 < high < 115


def test_a_metric_where_less_is_better_runs_downwards() -> None:
    axis = figures.draw_panels([replace(PANEL, descending=True)]).axes[0]
    low, high = axis.get_ylim()
    assert low > high


def test_unknown_chance_draws_no_line() -> None:
    with_line, without = (
        figures.draw_panels([replace(PANEL, chance=chance)]).axes[0].get_legend_handles_labels()[1]
        for chance in (25.0, np.nan)
    )
    assert "guessing" in with_line
    assert "guessing" not in without


def test_no_empty_panel_is_left() -> None:
    assert len(figures.draw_panels([PANEL] * 4, n_columns=3).axes) == 4


def test_coverage_stands_above_each_panel() -> None:
    figure = figures.draw_calibration({"linear": forecasts(), "two-step": forecasts()})
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == ["linear\n80 % holds 75 %", "two-step\n80 % holds 75 %"]


def test_panels_of_ranks_stand_five_a_line() -> None:
    figure = figures.draw_calibration({str(i): forecasts() for i in range(7)})
    assert len(figure.axes) == 7
    rows = {round(axis.get_position().y0, 2) for axis in figure.axes}
    assert len(rows) == 2


def test_ranks_are_counted_in_tenths_and_ties_spread() -> None:
    axis = figures.draw_calibration({"linear": forecasts()}).axes[0]
    heights = [bar.get_height() for bar in axis.patches]
    assert heights == pytest.approx([2, 0, 0, 0, 0, 0.5, 0.5, 0, 0, 1])


def test_equal_figures_give_equal_bytes_without_a_date() -> None:
    one, two = (figures.as_svg(figures.draw_panels([PANEL])) for _ in range(2))
    assert one == two
    assert b"<dc:date>" not in one
    assert figures.as_png(figures.draw_panels([PANEL])) == figures.as_png(
        figures.draw_panels([PANEL])
    )


def test_drawing_leaves_the_callers_style_alone() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures.as_svg(figures.draw_verdicts(curves()))
    assert dict(mpl.rcParams) == before
