"""The page of the mechanism: sentences, figures, and sliders that compute what the package does."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders import tags_row, tidy_rows
from metamirage import toy
from metamirage.findings import CONCENTRATION, MECHANISM
from metamirage.report import render_mechanism
from metamirage.report.mechanism import (
    SHOWN,
    MechanismInputs,
    comparison_table,
    lead,
    prediction_table,
    sentences,
    toy_exhibits,
)
from metamirage.tables import check
from report_builders import concentration_row, spec

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZES = [1e2, 1e3, 1e4]


def prediction(**changes: object) -> dict[str, object]:
    """One measure that holds, with changes."""
    row: dict[str, object] = {
        "benchmark": "digits",
        "prediction": "threshold",
        "measure": "narrower <rise>",
        "unit": "log10 decades",
        "estimate": 0.25,
        "lower": 0.125,
        "upper": 0.5,
        "low": 0.0,
        "high": np.inf,
        "outcome": "holds",
        "n_tasks": 10,
        "n": 20,
        "method": "sign flips",
        "seed": 1,
    }
    return row | changes


def predictions() -> pd.DataFrame:
    told = {"low": np.nan, "high": np.nan, "lower": np.nan, "upper": np.nan, "outcome": "told"}
    rows = [
        prediction(),
        prediction(measure="share", estimate=0.5, **told),
        prediction(measure="another", outcome="open", lower=-0.25),
    ]
    return check(pd.DataFrame(rows), MECHANISM, source="invented")


def scores(name: str) -> pd.DataFrame:
    """Two networks a size under every metric that the page shows of a benchmark."""
    task, metrics = SHOWN[name]
    parts = [
        tidy_rows(
            SIZES, [0.1, 0.5, 0.9], benchmark=name, task=task, metric=metric,
            model=[f"m{i}-s{seed}" for i in range(3)],
        )
        for metric in metrics
        for seed in range(2)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@cache
def inputs() -> MechanismInputs:
    name = "digits"
    task, metrics = SHOWN[name]
    tested = pd.DataFrame([concentration_row(benchmark=name)])
    return MechanismInputs(
        specs={name: spec(name)},
        mechanism={name: predictions()},
        tidy={name: scores(name)},
        tags={name: pd.concat([tags_row(benchmark=name, task=task, metric=m) for m in metrics])},
        # Nothing but the verdicts is shown of these.
        fits={name: pd.DataFrame({"verdict": ["SHARP", "SMOOTH", "SHARP"]})},
        latent={name: pd.DataFrame({"verdict": ["metric-explained"]})},
        concentration={name: check(tested, CONCENTRATION, source="invented")},
        run={"seed": "11"},
    )


def test_the_lead_counts_what_was_judged() -> None:
    said = "measured in 2 ways: it holds in 1, fails in 0, and 1 cannot tell."
    assert lead(predictions()).endswith(said)


def test_every_sentence_gives_the_number_its_interval_and_the_outcome() -> None:
    held, told, unsure = sentences(predictions(), "threshold")
    assert held == (
        "digits, narrower <rise>: 0.25 log10 decades (95 % interval 0.125 to 0.5;"
        " n = 20 in 10 tasks). The prediction holds."
    )
    assert told == "digits, share: 0.5 log10 decades (n = 20 in 10 tasks)."
    assert unsure.endswith("The prediction stays open.")


def test_the_table_says_which_range_agrees() -> None:
    rows = prediction_table(predictions()).rows
    assert [row[4] for row in rows] == ["0 to ∞", "", "0 to ∞"]


def test_the_comparison_gives_the_tests_the_verdicts_and_the_latent_of_each_benchmark() -> None:
    rows = comparison_table(inputs()).rows
    assert [row[1].split(":")[0] for row in rows] == [
        "H2",
        "verdicts of curves",
        "tasks, by their latent (H3)",
    ]
    assert rows[0][2:4] == ("0.25", "0.125 to 0.5")
    assert "2 SHARP; 1 SMOOTH; 0 FLAT" in rows[1][1]
    assert "1 metric-explained; 0 real" in rows[2][1]


def test_what_is_computed_says_so_and_what_is_measured_too() -> None:
    assert all(exhibit.caption.startswith("Computed.") for exhibit in toy_exhibits())
    page = render_mechanism(inputs())
    assert page.count("Computed.") == 5
    assert "Measured on 6 networks trained here." in page
    assert "narrower &lt;rise&gt;" in page


def test_the_page_loads_nothing() -> None:
    page = render_mechanism(inputs())
    assert re.findall(r'(?:src|href)="(?!data:|#|\w+/index\.html|index\.html)[^"]*"', page) == []
    assert "http" not in page.replace("http://www.w3.org", "")


def test_compounding_is_told_as_published() -> None:
    caption = toy_exhibits()[0].caption.replace("\N{NO-BREAK SPACE}", " ")
    assert "0.98, are all right in 92 % of answers; with 0.6 in 13 %" in caption


def shown_values(page: Path, sliders: str, profile: Path) -> dict[str, float]:
    """What the page computes at these positions of its sliders."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--dump-dom", f"{page.as_uri()}#{sliders}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = re.findall(r'id="out-(\w+)" data-value="([^"]+)"', done.stdout)
    return {name: float(value) for name, value in found}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_sliders_compute_what_the_package_computes(tmp_path: Path) -> None:
    page = tmp_path / "mechanism.html"
    page.write_text(render_mechanism(inputs()), encoding="utf-8")
    found = shown_values(
        page, "exponent=0.3&length=7&size=8.5&items=3&spread=0.4", tmp_path / "profile"
    )
    p = toy.token_success(np.array(8.5), scale=9.0, exponent=0.3)
    share = toy.threshold_share(np.array(8.5), threshold=9.5, rate=1.0, spread=0.4)
    assert found == {
        "token": pytest.approx(float(p), rel=1e-12),
        "exact": pytest.approx(float(toy.exact_match(p, 7)), rel=1e-12),
        "edit": pytest.approx(float(toy.edit_distance(p, 7)), rel=1e-12),
        "brier": pytest.approx(float(toy.brier(p)), rel=1e-12),
        # 1 - 0.5^(1/n) loses three digits.
        "least": pytest.approx(float(toy.least_seen(np.array(1000.0))), rel=1e-9),
        "shift": pytest.approx(toy.length_shift(7, exponent=0.3), rel=1e-12),
        "width": pytest.approx(toy.rise_width(0.3), rel=1e-12),
        # The page's normal integral is good to 1.5e-7.
        "share": pytest.approx(float(share), abs=2e-7),
    }
