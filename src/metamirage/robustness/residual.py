"""Stage residual: the tasks that stay sharp whatever the metric, and what goes with that.

A block is a task, subtask, family and number of shots; it is compared if at least two of its
metrics enter the tests with the sizes of a verdict. Its residual is the lowest probability of a
sharp transition over its metrics: all of them are sharp with at most that probability.

A task *stays sharp* if in most of its blocks with a SHARP curve every metric is SHARP. It
*changes* if in most of them some other metric is SMOOTH, FLAT or INVERSE. Otherwise it is *open*:
the other metrics are unresolved, which is no evidence for smoothness.

The tests ask whether the residual of a task goes with its keywords, with the number of shots, with
the family, and whether sharp transitions of different tasks lie at the same sizes. Units are tasks
throughout; Holm's correction covers all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_SIZES_VERDICT, MIN_UNITS
from metamirage.base.vocabulary import BLOCK
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_STATES, RESIDUAL_TESTS
from metamirage.curves.curve import Curve
from metamirage.fitting.settings import FitSettings
from metamirage.hypotheses.permutation import FlipTest, Units, flip_test, label_test
from metamirage.robustness.onsets import Onsets, Places, clustering_test, simulate_places

STAYS, CHANGES, OPEN, NOT_SHARP, ALONE = RESIDUAL_STATES
SMOOTH_VERDICTS = ("SMOOTH", "FLAT", "INVERSE")
Row = dict[str, object]


def find_residual(fits: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """Say of each task whether it is sharp under every metric that it has.

    Parameters
    ----------
    fits, tags
        Tables of one benchmark; the latter says which metrics have a step.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.RESIDUAL``, one row a task.
    """
    axis = tags[["task", "metric", "discontinuous"]]
    curves = entering(fits).merge(axis, on=["task", "metric"], how="left", validate="many_to_one")
    blocks = compare_blocks(curves)
    rows = [
        {
            "benchmark": group["benchmark"].iloc[0],
            "task": task,
            **_task_state(blocks[blocks["task"] == task]),
            "metrics": ", ".join(sorted(group["metric"].unique())),
            "n_metrics": group["metric"].nunique(),
            "n_continuous": group.loc[group["discontinuous"] == "no", "metric"].nunique(),
        }
        for task, group in curves.groupby("task")
    ]
    types = {name: str(column.dtype) for name, column in RESIDUAL.columns.items()}
    return pd.DataFrame(rows, columns=list(RESIDUAL.columns)).astype(types)


def entering(fits: pd.DataFrame) -> pd.DataFrame:
    """Curves that enter the tests."""
    return fits[(fits["excluded"] == "") & (fits["n_sizes"] >= MIN_SIZES_VERDICT)]


def compare_blocks(curves: pd.DataFrame) -> pd.DataFrame:
    """Compare the metrics of each block that has at least two.

    Returns
    -------
    pandas.DataFrame
        One row a block: ``BLOCK``, ``residual`` (lowest P(sharp) of its metrics), ``any_sharp``,
        ``all_sharp`` and ``changes`` (SHARP under one metric, smooth, flat or inverse under
        another).
    """
    marked = curves.assign(
        sharp=curves["verdict"] == "SHARP", smooth=curves["verdict"].isin(SMOOTH_VERDICTS)
    )
    found = marked.groupby(list(BLOCK), dropna=False, as_index=False).agg(
        n_metrics=("metric", "nunique"),
        residual=("p_sharp", "min"),
        any_sharp=("sharp", "any"),
        all_sharp=("sharp", "all"),
        any_smooth=("smooth", "any"),
    )
    compared = found[found["n_metrics"] > 1].reset_index(drop=True)
    return compared.assign(changes=compared["any_sharp"] & compared["any_smooth"])


def _task_state(blocks: pd.DataFrame) -> Row:
    sharp = blocks[blocks["any_sharp"]]
    return {
        "state": _state(blocks, sharp),
        "residual": float(blocks["residual"].mean()) if len(blocks) else np.nan,
        "n_blocks": len(blocks),
        "n_blocks_sharp": len(sharp),
        "n_blocks_all_sharp": int(sharp["all_sharp"].sum()),
        "n_blocks_changed": int(sharp["changes"].sum()),
    }


def _state(blocks: pd.DataFrame, sharp: pd.DataFrame) -> str:
    if blocks.empty:
        return ALONE
    if sharp.empty:
        return NOT_SHARP
    # ASSUME: most blocks decide, so that one lucky block of many neither makes nor unmakes a task.
    if sharp["all_sharp"].mean() > 0.5:
        return STAYS
    return CHANGES if sharp["changes"].mean() > 0.5 else OPEN


def relate_residual(
    fits: pd.DataFrame,
    tidy: pd.DataFrame,
    curves: Sequence[Curve],
    settings: FitSettings,
    *,
    n_permutations: int,
) -> pd.DataFrame:
    """Test what the residual goes with.

    Parameters
    ----------
    fits, tidy
        Tables of one benchmark; the latter gives keywords, where its source has them.
    curves
        Those that were fitted, patterns for the transitions by chance.
    settings
        Seed, prior and threads, as in ``fits.fit_curves``.
    n_permutations
        Random ones, where not all can be visited.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.RESIDUAL_TESTS``, one row a question and level.
    """
    tested = entering(fits)
    blocks = compare_blocks(tested)
    rng = stage_stream(settings.seed, "residual")
    sharp = _clearest(tested)
    named = {curve.curve_id: curve for curve in curves}
    chance = [
        simulate_places([named[name] for name in group["curve_id"]], settings)
        for _, group in sharp.groupby("family")
    ]
    rows = [
        *_keyword_rows(blocks, keywords_of(tidy), rng=rng, n_draws=n_permutations),
        _shots_row(blocks, rng=rng, n_draws=n_permutations),
        *_family_rows(blocks, rng=rng, n_draws=n_permutations),
        _onset_row(sharp, chance, rng=rng, n_draws=n_permutations),
    ]
    table = pd.DataFrame(rows).assign(benchmark=str(fits["benchmark"].iloc[0]), seed=settings.seed)
    return adjusted(table)[list(RESIDUAL_TESTS.columns)]


def adjusted(tests: pd.DataFrame) -> pd.DataFrame:
    """Add Holm-adjusted p-values over all rows that have one."""
    known = tests["p_value"].notna()
    found = tests.assign(p_adjusted=np.nan)
    if known.any():
        p_values = tests.loc[known, "p_value"].to_numpy(float)
        found.loc[known, "p_adjusted"] = multipletests(p_values, method="holm")[1]
    return found


def keywords_of(tidy: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Keywords of each task that has some; empty where the source has none."""
    if "keywords" not in tidy:
        return {}
    named = tidy.loc[tidy["keywords"].fillna("") != "", ["task", "keywords"]].drop_duplicates()
    return {
        str(task): frozenset(word.strip() for text in texts for word in text.split(","))
        for task, texts in named.groupby("task")["keywords"]
    }


def _keyword_rows(
    blocks: pd.DataFrame,
    keywords: dict[str, frozenset[str]],
    *,
    rng: np.random.Generator,
    n_draws: int,
) -> Iterator[Row]:
    by_task = blocks.groupby("task")["residual"].mean()
    known = by_task[by_task.index.isin(list(keywords))]
    if known.empty:
        yield _row("keyword", "any", note="no task with two metrics has keywords here")
        return
    words = sorted(set().union(*(keywords[str(task)] for task in known.index)))
    for word in words:
        has = np.array([word in keywords[str(task)] for task in known.index])
        if min(has.sum(), (~has).sum()) < MIN_UNITS:
            continue
        n = len(has)
        units = Units(known.to_numpy(float), has, np.zeros(n, int), np.full(n, -1))
        estimate, p_value, interval = label_test(units, rng=rng, n_draws=n_draws)
        yield _row(
            "keyword", word, estimate=estimate, lower=interval.lower, upper=interval.upper,
            p_value=p_value, n_tasks=n, n_with=int(has.sum()),
            method="keyword moved between tasks at random",
        )  # fmt: skip


def _shots_row(blocks: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> Row:
    """Slope of the residual on the number of shots, doubled or not, within tasks."""
    known = blocks.dropna(subset=["n_shots"])
    shots = (1.0 + known["n_shots"].astype(float)).map(np.log2)
    same = [known[c] for c in ("task", "subtask", "family")]
    x = shots - shots.groupby(same).transform("mean")
    y = known["residual"] - known["residual"].groupby(same).transform("mean")
    sums = pd.DataFrame({"xy": x * y, "xx": x**2}).groupby(known["task"]).sum()
    slopes = (sums["xy"] / sums["xx"])[sums["xx"] > 0].to_numpy(float)
    return _flipped("shots", "per doubling of 1 + shots", slopes, rng=rng, n_draws=n_draws)


def _family_rows(blocks: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> Iterator[Row]:
    families = sorted(blocks["family"].unique())
    # Of two families the one says what the other does.
    for family in families[: 1 if len(families) == 2 else None]:
        own = blocks["family"] == family
        inside, others = (
            part.groupby("task")["residual"].mean() for part in (blocks[own], blocks[~own])
        )
        differences = (inside - others).dropna().to_numpy(float)
        yield _flipped("family", str(family), differences, rng=rng, n_draws=n_draws)


def _flipped(
    question: str, level: str, values: np.ndarray, *, rng: np.random.Generator, n_draws: int
) -> Row:
    if not len(values):
        return _row(question, level, note="no task varies in it")
    test: FlipTest = flip_test(values, rng=rng, n_draws=n_draws)
    return _row(
        question, level, estimate=test.estimate, lower=test.interval.lower,
        upper=test.interval.upper, p_value=test.p_value, n_tasks=len(values), n_with=len(values),
        method="sign flips by task, within tasks",
        note="" if len(values) >= MIN_UNITS else f"{MIN_UNITS} tasks are needed to reject at 0.05",
    )  # fmt: skip


def _clearest(curves: pd.DataFrame) -> pd.DataFrame:
    """Pick the clearest SHARP curve of each task and family, in families with two such tasks."""
    sharp = curves[curves["verdict"] == "SHARP"].sort_values(
        ["p_sharp", "curve_id"], ascending=[False, True]
    )
    # One curve stands for a task and family: its other curves share its items.
    chosen = sharp.drop_duplicates(["task", "family"])
    return chosen[chosen.groupby("family")["task"].transform("nunique") > 1]


def _onset_row(
    sharp: pd.DataFrame, chance: Sequence[Places], *, rng: np.random.Generator, n_draws: int
) -> Row:
    """Whether sharp transitions of different tasks of a family lie at one size, beyond chance."""
    level = "within families"
    if sharp.empty:
        return _row("onsets", level, note="no family has two tasks with a SHARP curve")
    if min(len(places.mean) for places in chance) == 0:
        return _row("onsets", level, note="no simulated transition is found SHARP")
    onsets = Onsets(
        found=Places(sharp["location_mean"].to_numpy(float), sharp["location_sd"].to_numpy(float)),
        task=pd.factorize(sharp["task"])[0],
        family=pd.factorize(sharp["family"], sort=True)[0],
        chance=chance,
    )
    estimate, expected, p_value = clustering_test(onsets, rng=rng, n_draws=n_draws)
    return _row(
        "onsets", level, estimate=estimate - expected, p_value=p_value,
        n_tasks=sharp["task"].nunique(), n_with=len(sharp),
        method="one-sided, against the same transitions at places drawn evenly; no interval",
        note=f"{estimate:.3f} of the pairs of tasks within half a decade, {expected:.3f} by chance",
    )  # fmt: skip


def _row(question: str, level: str, **found: object) -> Row:
    empty: Row = dict.fromkeys(["estimate", "lower", "upper", "p_value"], np.nan)
    counts: Row = {"n_tasks": 0, "n_with": 0, "method": "", "note": ""}
    return {"question": question, "level": level, **empty, **counts, **found}
