"""Reader for BIG-bench score files, ``<task>/results/scores_*.json``.

Task definitions, ``<task>/task.json`` and ``<task>/<subtask>/task.json``, give items and keywords
where they are among the files; any other file is passed over.

Options (``reader.options`` of the registry)
--------------------------------------------
exclude_families
    Regular expression for the start of families to leave out; the default leaves out the
    encoder-decoder families T0 and T5, and human raters.

Columns beyond those of every reader
------------------------------------
network
    Family without its sampling temperature: rows of one network are not independent.
n_samples_source
    How the number of items was found, see `metamirage.bigbench.items`.
scale
    Unit of the metric on disk: fraction, percent, log, or own where the task chose it.
keywords
    Keywords of the task, joined by commas.

References
----------
Srivastava, A. et al. (2022). Beyond the Imitation Game: Quantifying and extrapolating the
capabilities of language models. arXiv:2206.04615.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.bigbench.defects import find_defects
from metamirage.ingest.bigbench.definitions import (
    Definition,
    definition_issues,
    definition_names,
    read_definition,
)
from metamirage.ingest.bigbench.items import count_items
from metamirage.ingest.bigbench.metrics import NORMALISED, OWN_SCALE, RANGES, SCALES
from metamirage.ingest.reading import (
    Issue,
    check_options,
    field_offences,
    has_type,
    load_json,
    read_each,
)
from metamirage.ingest.registry import BenchmarkSpec

# ASSUME: encoder-decoder models read the prompt another way and were trained on other goals, so
# their sizes do not continue the decoder families' curves.
ENCODER_DECODER = r"(?i:(m|flan-|lm-adapted )?T[05])"
HUMAN = r"(?i:human)"
# ASSUME: families that differ in the sampling temperature alone are one set of trained networks.
TEMPERATURE = re.compile(r"\s+T=[0-9.]+$")
TRIAL = re.compile(r"(?P<subtask>.*)trial_\d+", re.DOTALL)

# A mean of exact values may leave its range by this much of floating-point rounding.
ROUNDING = 1e-9

ENTRY_FIELDS = {
    "score_dict": dict,
    "preferred_score": str,
    "number_of_shots": int,
    "low_score": float,
    "high_score": float,
}
SIZE = "flop_matched_non_embedding_params"
REPLICATES = ["task", "subtask", "metric", "family", "model", "n_shots", "source_file"]
# One row of a file; the file's own columns are joined afterwards.
ROW = (
    "file",
    "subtask",
    "metric",
    "n_shots",
    "score",
    "low_score",
    "high_score",
    "is_preferred",
    "kept",
    "issues",
)
Row = tuple[Any, ...]

defects = find_defects


def read(files: Sequence[Path], spec: BenchmarkSpec) -> pd.DataFrame:
    """Read score files.

    Family and size come from the JSON, never from the file's name. The size is the FLOP-matched
    number of non-embedding parameters. Entries that aggregate the subtasks of a task are left out,
    as is the normalised score everywhere. Trials of one subtask are averaged. Low and high score
    stand on the rows of the preferred metric only, whose scale they share.

    Parameters
    ----------
    files
        All wanted files; those that are neither ``scores_*.json`` nor ``task.json`` are passed
        over.
    spec
        Its options may name families to leave out.

    Returns
    -------
    pandas.DataFrame
        Raw score rows, see `metamirage.readers` and the head of this module.

    Raises
    ------
    InputError
        With every fault of every file: broken JSON, missing fields, wrong types, sizes below 1.
    """
    check_options(spec, allowed=("exclude_families",))
    excluded = re.compile(spec.options.get("exclude_families", f"{ENCODER_DECODER}|{HUMAN}"))
    # Parents first: of equal entries in a task's and its subtask's folder the task's is kept.
    ordered = sorted(files, key=lambda path: (len(path.parts), path.as_posix()))
    if not any(path.name.startswith("scores_") for path in ordered):
        raise InputError(
            [Offence(f"benchmark {spec.name}", "has no score files", "", "scores_*.json")]
        )
    parsed = read_each(ordered, lambda path: _read_one(path, excluded))
    definitions: dict[tuple[str, str], Definition] = {}
    for path, content in parsed:
        if isinstance(content, Definition):
            for name in definition_names(path):
                definitions.setdefault(name, content)
    table = _table([content for _, content in parsed if isinstance(content, _File)])
    return (
        table.pipe(_with_items, definitions)
        .pipe(_with_faults, definitions)
        .pipe(_averaged)
        .pipe(_distinct)
    )


@dataclass(frozen=True)
class _File:
    """Columns that one score file shares, and its rows in the order of ``ROW[1:]``."""

    origin: dict[str, Any]
    rows: list[Row]


def _read_one(path: Path, excluded: re.Pattern[str]) -> _File | Definition | None:
    if path.name == "task.json":
        return read_definition(path, load_json(path))
    return _read_scores(path, excluded) if path.name.startswith("scores_") else None


def _read_scores(path: Path, excluded: re.Pattern[str]) -> _File:
    content = load_json(path)
    offences = list(_offences(content, path, excluded))
    if offences:
        raise InputError(offences)
    task, model = content["task"]["task_name"], content["model"]
    family = model["model_family"]
    origin = {
        "task": task,
        "family": family,
        "network": TEMPERATURE.sub("", family),
        "model": model["model_name"],
        "n_params": float(model[SIZE]) if has_type(model.get(SIZE), float) else math.nan,
        "n_params_kind": "flop_matched_non_embedding",
        "source_file": str(path),
    }
    left_out = (_family_issue(family),) if excluded.match(family) else ()
    has_subtasks = any(_description(entry, task) != task for entry in content["scores"])
    rows = [
        row
        for entry in content["scores"]
        for row in _rows(entry, task, path, has_subtasks=has_subtasks)
    ]
    return _File(origin, [(*row[:-2], False, left_out) for row in rows] if left_out else rows)


def _table(files: Sequence[_File]) -> pd.DataFrame:
    rows = pd.DataFrame(
        [(i, *row) for i, file in enumerate(files) for row in file.rows], columns=list(ROW)
    )
    origins = pd.DataFrame([file.origin for file in files]).take(rows["file"].to_numpy(int))
    scale = rows["metric"].map(SCALES).fillna(OWN_SCALE)
    return pd.concat(
        [origins.reset_index(drop=True), rows.drop(columns="file").assign(scale=scale)], axis=1
    )


def _with_items(
    rows: pd.DataFrame, definitions: Mapping[tuple[str, str], Definition]
) -> pd.DataFrame:
    words = {
        task: ",".join(definitions[task, ""].keywords) if (task, "") in definitions else ""
        for task in rows["task"].unique()
    }
    items = count_items(rows[rows["kept"]], definitions).reindex(rows.index)
    return rows.assign(**items, keywords=rows["task"].map(words))


def _with_faults(
    rows: pd.DataFrame, definitions: Mapping[tuple[str, str], Definition]
) -> pd.DataFrame:
    """Add to the rows of a task what is wrong with its definition."""
    faults = {place: definition_issues(place, found) for place, found in definitions.items()}
    faulty = {place: found for place, found in faults.items() if found}
    places = zip(rows["task"], rows["subtask"], rows["kept"], rows["issues"], strict=True)
    issues = [
        (*found, *faulty.get((task, subtask), ())) if kept else found
        for task, subtask, kept, found in places
    ]
    return rows.assign(issues=pd.Series(issues, index=rows.index, dtype=object))


def _offences(
    content: Mapping[str, Any], path: Path, excluded: re.Pattern[str]
) -> Iterator[Offence]:
    where = f"{path}: "
    yield from field_offences(content, {"scores": list, "task": dict, "model": dict}, where=where)
    if isinstance(content.get("task"), dict):
        yield from field_offences(content["task"], {"task_name": str}, where=f"{where}task.")
    model = content.get("model")
    if isinstance(model, dict):
        left_out = excluded.match(str(model.get("model_family", ""))) is not None
        # People have no parameters, and families left out need none.
        size = {} if left_out else {SIZE: int}
        fields = {"model_family": str, "model_name": str, **size}
        yield from field_offences(model, fields, where=f"{where}model.")
        if size and has_type(model.get(SIZE, ""), int) and model[SIZE] < 1:
            yield Offence(
                f"{where}model.{SIZE}", "is no size", model[SIZE], "1 or more", "Check the file"
            )
    entries = content.get("scores")
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        yield from _entry_offences(entry, f"{where}scores.{i}")


def _entry_offences(entry: object, where: str) -> Iterator[Offence]:
    if not isinstance(entry, dict):
        yield Offence(where, "has the wrong type", type(entry).__name__, "object", "Check the file")
        return
    optional = {"subtask_description": str} if "subtask_description" in entry else {}
    yield from field_offences(entry, {**ENTRY_FIELDS, **optional}, where=f"{where}.")
    scores = entry.get("score_dict")
    for metric, value in scores.items() if isinstance(scores, dict) else ():
        if not has_type(value, float):
            yield Offence(
                f"{where}.score_dict.{metric}",
                "is not a number",
                value,
                "a number",
                "Check the file",
            )
    shots = entry.get("number_of_shots", "")
    if has_type(shots, int) and shots < -1:
        yield Offence(
            f"{where}.number_of_shots",
            "is no number of shots",
            shots,
            "-1 or more",
            "Check the file",
        )


@cache
def _family_issue(family: str) -> Issue:
    detail = "a family that the registry leaves out"
    if re.match(HUMAN, family):
        detail = "people, who have no size"
    elif re.match(ENCODER_DECODER, family):
        detail = "encoder-decoder models, whose sizes do not continue a decoder family's curve"
    return Issue("family excluded", family, detail, "left out")


def _description(entry: Mapping[str, Any], task: str) -> str:
    return entry.get("subtask_description") or task


def _rows(entry: Mapping[str, Any], task: str, path: Path, *, has_subtasks: bool) -> Iterator[Row]:
    """Yield the rows of one entry, without the file's number."""
    description = _description(entry, task)
    trial = TRIAL.fullmatch(description)
    name = trial["subtask"] if trial else description
    subtask = "" if name == task else name.removeprefix(f"{task}:")
    fatal = (_aggregate_issue(task),) if has_subtasks and description == task else ()
    # -1 says that shots have no meaning for this task.
    shots = math.nan if entry["number_of_shots"] == -1 else float(entry["number_of_shots"])
    anchors = (_finite(entry["low_score"]), _finite(entry["high_score"]))
    notes = (_trial_issue(task, name),) if trial else ()
    where = f"{path}: {description}"
    for metric, score in entry["score_dict"].items():
        reasons = fatal or tuple(_reasons(metric, score, task, where))
        preferred = metric == entry["preferred_score"]
        issues = reasons or (*notes, *_range_issues(metric, score, where))
        low, high = anchors if preferred else (math.nan, math.nan)
        yield (
            subtask, metric, shots, float(score), low, high, preferred, not reasons, issues,
        )  # fmt: skip


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else math.nan


def _reasons(metric: str, score: float, task: str, where: str) -> Iterator[Issue]:
    if metric == NORMALISED:
        yield _normalised_issue(task)
    elif not math.isfinite(score):
        yield Issue("score not finite", f"{where} {metric}", f"the score is {score}", "left out")


@cache
def _normalised_issue(task: str) -> Issue:
    detail = "an affine copy of the preferred metric, or a mean over subtasks"
    return Issue("normalised score dropped", task, detail, "left out")


@cache
def _aggregate_issue(task: str) -> Issue:
    detail = "mean over subtasks that stand in the same file"
    return Issue("aggregate dropped", task, detail, "left out, its subtasks are kept")


@cache
def _trial_issue(task: str, subtask: str) -> Issue:
    where = subtask if subtask.startswith(task) else f"{task}:{subtask}"
    return Issue(
        "trials averaged", where, "the task returned this subtask several times", "mean kept"
    )


def _range_issues(metric: str, score: float, where: str) -> Iterator[Issue]:
    low, high = RANGES.get(metric, (-math.inf, math.inf))
    if not low - ROUNDING <= score <= high + ROUNDING:
        detail = f"{score} lies outside [{low:g}, {high:g}]"
        yield Issue("score out of range", f"{where} {metric}", detail, "kept as published")


def _averaged(rows: pd.DataFrame) -> pd.DataFrame:
    is_trial = pd.Series(
        [any(issue.kind == "trials averaged" for issue in found) for found in rows["issues"]],
        index=rows.index,
    )
    if not is_trial.any():
        return rows
    # Sorted, for the last digit of a mean depends on the order of the sum.
    trials = rows[is_trial & rows["kept"]].sort_values("score", kind="stable")
    groups = trials.groupby(REPLICATES, dropna=False, sort=False)
    first = {c: "first" for c in trials.columns if c not in (*REPLICATES, "issues")}
    gathered = {"issues": lambda found: tuple(issue for row in found for issue in row)}
    means = {"score": "mean", "low_score": "mean", "high_score": "mean"}
    merged = groups.agg({**first, **gathered, **means}).reset_index()
    return pd.concat([rows[~(is_trial & rows["kept"])], merged], ignore_index=True)


def _distinct(rows: pd.DataFrame) -> pd.DataFrame:
    key = ["task", "subtask", "metric", "family", "model", "n_shots", "score"]
    again = rows["kept"] & rows[rows["kept"]].duplicated(key).reindex(rows.index, fill_value=False)
    issues = [
        (*found, _duplicate_issue(path)) if copy else found
        for found, path, copy in zip(rows["issues"], rows["source_file"], again, strict=True)
    ]
    column = pd.Series(issues, index=rows.index, dtype=object)
    return rows.assign(issues=column, kept=rows["kept"] & ~again)


def _duplicate_issue(path: str) -> Issue:
    detail = "equal to an entry read before, as in the file of the parent task"
    return Issue("duplicate dropped", path, detail, "left out")
