"""Defects planted in the synthetic BIG-bench, after those of the published files.

Kinds that the reader reports carry the reader's names. Each is planted in tasks of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metamirage.base.errors import InputError, Offence
from standin.design import METRIC_SETS, Design
from standin.scores import NO_SHOTS

OUT_OF_RANGE = 1.78
FEW_ITEMS = (29, 34)
# More than the examples of any prompt, so that these can not be the reason.
FEWER_ITEMS = 11
# One task in so many has few items.
FEW_EVERY = 50


@dataclass(frozen=True)
class _Need:
    """What the task of a defect must have, and where it is planted.

    Parameters
    ----------
    level
        ``items`` of the task, ``scores`` or ``files``.
    detail
        What is planted.
    sets, several
        Metric sets of the task's subtasks, and whether it has subtasks.
    needs
        Family that must be there.
    family, model, metric
        Whose scores are concerned; empty for all.
    """

    level: str
    detail: str
    sets: tuple[str, ...] = tuple(METRIC_SETS)
    several: bool = False
    needs: str = "BIG-G T=0"
    family: str = ""
    model: str = ""
    metric: str = ""


_NEEDS: dict[str, _Need] = {
    "few items": _Need(
        "items",
        f"{FEW_ITEMS[0]} to {FEW_ITEMS[1]} items",
        ("choice", "choice_loss", "text", "summary"),
    ),
    "equal at two sizes": _Need(
        "scores",
        "64b has the 5-shot scores of 535b",
        ("choice", "choice_loss"),
        needs="PaLM",
        family="PaLM",
    ),
    "score out of range": _Need(
        "scores",
        f"0-shot score of {OUT_OF_RANGE}",
        ("text",),
        needs="GPT",
        family="GPT",
        model="GPT-3-200B",
        metric="exact_str_match",
    ),
    "all scores zero": _Need("scores", "every score is zero", ("program_aligned",)),
    "score not finite": _Need(
        "scores",
        "NaN, Infinity and -Infinity for 0, 1 and 2 shots",
        ("numeric",),
        family="BIG-G T=0",
        model="1b",
        metric="bleu",
    ),
    "differing items": _Need(
        "scores",
        f"asked {FEWER_ITEMS} items fewer",
        ("choice", "choice_loss"),
        needs="GPT",
        family="GPT",
    ),
    "items not 0 or 1": _Need(
        "scores",
        "every score is half an item off",
        ("choice", "choice_loss"),
        metric="multiple_choice_grade",
    ),
    "equal at two temperatures": _Need(
        "scores",
        "128b has the scores of T=0 at T=1",
        ("summary",),
        family="BIG-G T=1",
        model="128b",
    ),
    "wrong targets": _Need("files", "the first ten items of task.json stand twice", ("numeric",)),
    "extra keys": _Need("files", "keys 'note' in task, model, entries and at the top"),
    "missing keys": _Need("files", "no subtask_description, no additional_details", ("choice",)),
    "file name disagrees": _Need(
        "files", "the files of 125m and 244m have each other's name", model="125m, 244m"
    ),
    "duplicate dropped": _Need(
        "files", "two subtasks have copies in folders of their own", several=True
    ),
}
KINDS = tuple(_NEEDS)
# Sizes of BIG-G whose files swap their names, and subtasks with copies in their folders.
SWAPPED = {"125m": "244m", "244m": "125m"}
N_COPIED = 2


def plan_defects(leaves: pd.DataFrame, present: pd.DataFrame, *, design: Design) -> pd.DataFrame:
    """Choose the tasks that get each defect.

    Parameters
    ----------
    leaves, present
        From `metamirage.standin.design`.
    design
        Names the kinds.

    Returns
    -------
    pandas.DataFrame
        One row per defect and task: kind, task, family, model, metric (empty where all), detail.

    Raises
    ------
    InputError
        If no task can hold a defect; sixteen tasks can hold all of them.
    """
    kinds = KINDS if design.defects is None else design.defects
    used: dict[str, list[str]] = {"scores": [], "files": []}
    rows = []
    for kind in kinds:
        need = _NEEDS[kind]
        group = "files" if need.level == "files" else "scores"
        free = _suitable(leaves, present, need=need, used=used[group])
        wanted = 1 + len(leaves["task"].unique()) // FEW_EVERY if need.level == "items" else 1
        if not free:
            remedy = "Raise n_tasks to 16, or name other defects"
            raise InputError([Offence("stand-in", "no task for defect", kind, remedy=remedy)])
        used[group] += free[:wanted]
        rows += [
            [kind, task, need.family, need.model, need.metric, need.detail]
            for task in free[:wanted]
        ]
    return pd.DataFrame(rows, columns=["kind", "task", "family", "model", "metric", "detail"])


def _suitable(
    leaves: pd.DataFrame, present: pd.DataFrame, *, need: _Need, used: list[str]
) -> list[str]:
    there = present.loc[present["family"] == need.needs, "task"]
    fits = (
        leaves["metric_set"].isin(need.sets)
        & ((leaves["n_subtasks"] > 1) == need.several)
        & leaves["task"].isin(there)
        & ~leaves["task"].isin(used)
    )
    return list(dict.fromkeys(leaves.loc[fits, "task"]))


def standing_defects(
    leaves: pd.DataFrame, present: pd.DataFrame, *, cells: pd.DataFrame
) -> pd.DataFrame:
    """List the oddities that belong to the format and so stand in every stand-in.

    Returns
    -------
    pandas.DataFrame
        Columns as `plan_defects`.
    """
    tasks = leaves.drop_duplicates("task")
    palm = set(present.loc[present["family"] == "PaLM", "task"])
    absent = set(tasks["task"]) - palm if palm else set()
    no_shots = leaves["task"].iloc[cells.loc[cells["n_shots"] == NO_SHOTS, "leaf"].unique()]
    several = tasks[(tasks["n_subtasks"] > 1) | (tasks["n_trials"] > 0)]
    kinds: Mapping[str, tuple[list[str], str]] = {
        "normalised score dropped": (
            list(tasks.loc[~tasks["task"].isin(several["task"]), "task"]),
            "normalized_aggregate_score beside the scores of a task without subtasks",
        ),
        "aggregate dropped": (list(several["task"]), "means over subtasks or trials"),
        "trials averaged": (list(tasks.loc[tasks["n_trials"] > 0, "task"]), "trial_0, trial_1, …"),
        "shots without meaning": (sorted(set(no_shots)), "number_of_shots is -1"),
        "family missing": (sorted(absent), "no PaLM files"),
        "family excluded": (
            sorted(present.loc[present["family"] == "T5", "task"]),
            "encoder-decoder files",
        ),
    }
    frame = pd.DataFrame(
        [[kind, task, detail] for kind, (names, detail) in kinds.items() for task in names],
        columns=["kind", "task", "detail"],
    )
    families = frame["kind"].map({"family missing": "PaLM", "family excluded": "T5"}).fillna("")
    return frame.assign(family=families, model="", metric="")


def with_few_items(
    leaves: pd.DataFrame, plan: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Shrink the tasks that are to have few items."""
    few = leaves["task"].isin(plan.loc[plan["kind"] == "few items", "task"])
    drawn = rng.integers(FEW_ITEMS[0], FEW_ITEMS[1] + 1, len(leaves))
    return leaves.assign(n_items=leaves["n_items"].where(~few, drawn))


def with_other_items(
    cells: pd.DataFrame, leaves: pd.DataFrame, *, plan: pd.DataFrame, design: Design
) -> pd.DataFrame:
    """Let one family answer other items of a task, and fewer."""
    chosen = _chosen(cells, leaves, plan=plan, design=design, kind="differing items")
    fewer = cells["n_evaluated"] - FEWER_ITEMS
    return cells.assign(n_evaluated=cells["n_evaluated"].where(~chosen, fewer))


def with_wrong_scores(
    scores: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    leaves: pd.DataFrame,
    plan: pd.DataFrame,
    design: Design,
) -> pd.DataFrame:
    """Plant the defects that are wrong numbers, after the scores were drawn.

    Parameters
    ----------
    scores, cells
        From `metamirage.standin.scores`.
    leaves
        From `metamirage.standin.design`.
    plan
        From `plan_defects`.
    design
        Names the families.

    Returns
    -------
    pandas.DataFrame
        The scores with a further column ``defect``: the kind, or empty.
    """
    entries = scores.join(cells.drop(columns="theta"), on="cell")
    marked = entries.assign(defect="")
    for kind, change in _CHANGES.items():
        chosen = _chosen(marked, leaves, plan=plan, design=design, kind=kind)
        if chosen.any():
            score = change(marked, chosen)
            changed = (score != marked["score"]) & ~(score.isna() & marked["score"].isna())
            marked = marked.assign(score=score, defect=marked["defect"].mask(changed, kind))
    return marked[["cell", "metric", "mean", "score", "defect"]]


def _chosen(
    entries: pd.DataFrame, leaves: pd.DataFrame, *, plan: pd.DataFrame, design: Design, kind: str
) -> pd.Series:
    rows = plan[plan["kind"] == kind]
    chosen = pd.Series(leaves["task"].isin(rows["task"]).to_numpy()[entries["leaf"]], entries.index)
    if rows.empty:
        return chosen
    row = rows.iloc[0]
    if row["family"]:
        number = [f.name for f in design.families].index(row["family"])
        chosen &= entries["family"] == number
        if row["model"]:
            names = [m.name for m in design.families[number].models]
            chosen &= entries["model"] == names.index(row["model"])
    if row["metric"]:
        chosen &= entries["metric"] == row["metric"]
    return chosen


def _out_of_range(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    return entries["score"].mask(chosen & (entries["n_shots"] == 0), OUT_OF_RANGE)


def _zero(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    return entries["score"].mask(chosen, 0.0)


def _not_finite(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    tokens = entries["n_shots"].map({0: np.nan, 1: np.inf, 2: -np.inf})
    return entries["score"].mask(chosen & (entries["n_shots"] <= 2), tokens)


def _half_items(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    half = 0.5 / entries["n_evaluated"]
    moved = entries["score"] + half.where(entries["score"] < 1, -half)
    return entries["score"].mask(chosen, moved)


def _copied_from(entries: pd.DataFrame, chosen: pd.Series, *, column: str, step: int) -> pd.Series:
    """Give the chosen scores the values of the entry one family or size beside them."""
    key = ["leaf", "trial", "family", "model", "n_shots", "metric"]
    wanted = entries.loc[chosen, key].assign(**{column: entries.loc[chosen, column] + step})
    source = entries.set_index(key)["score"].reindex(pd.MultiIndex.from_frame(wanted))
    # What has no model there keeps its own score.
    values = pd.Series(source.to_numpy(), wanted.index).fillna(entries["score"])
    return entries["score"].mask(chosen, values)


def _equal_sizes(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    last = chosen & (entries["n_shots"] == 5) & (entries["model"] == 1)
    return _copied_from(entries, last, column="model", step=1)


def _equal_runs(entries: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    return _copied_from(entries, chosen, column="family", step=-1)


_CHANGES: Mapping[str, Callable[[pd.DataFrame, pd.Series], pd.Series]] = {
    "score out of range": _out_of_range,
    "all scores zero": _zero,
    "score not finite": _not_finite,
    "items not 0 or 1": _half_items,
    "equal at two sizes": _equal_sizes,
    "equal at two temperatures": _equal_runs,
}
