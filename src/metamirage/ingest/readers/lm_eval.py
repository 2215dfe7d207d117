"""Reader for result files of lm-evaluation-harness, before and since version 0.4.

The two formats are told apart by their keys: only the new one has ``configs`` or ``n-shot``, and
only its metric names carry a filter, as in ``exact_match,strict-match``.

Options (``reader.options`` of the registry)
--------------------------------------------
model_from
    Where the model's name stands: ``model_args`` (default), ``model_name`` or ``path``.
model_pattern
    Regular expression with a group ``model`` that is searched in that text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.reading import (
    Issue,
    check_options,
    field_offences,
    has_type,
    load_json,
    read_each,
)
from metamirage.ingest.registry import BenchmarkSpec

MODEL_PATTERNS = {
    "model_args": r"(?:^|,)pretrained=(?P<model>[^,]+)",
    "model_name": r"^(?P<model>.+)$",
    "path": r"/(?P<model>[^/]+)/[^/]+\.json$",
}
NEW_KEYS = ("configs", "n-shot", "group_subtasks", "n-samples")
# Means of one 0 or 1 per item, so that score and standard error give the number of items.
BINARY_METRICS = ("acc", "mc1", "multiple_choice_grade", "exact_str_match", "pct_stereotype")
# Rounding of the published digits moves the derived count by less than this.
COUNT_TOLERANCE = 0.5


def read(files: Sequence[Path], spec: BenchmarkSpec) -> pd.DataFrame:
    """Read result files of either format.

    A metric keeps its name without the filter where the filter is ``none``, and is called
    ``metric,filter`` otherwise. Groups that aggregate tasks of the same file are left out. Where a
    file does not state how many items stand behind a score, the number is derived, see
    `derive_counts`.

    Parameters
    ----------
    files
        JSON files.
    spec
        Its options say where the model's name stands.

    Returns
    -------
    pandas.DataFrame
        Raw score rows, see `metamirage.readers`.

    Raises
    ------
    InputError
        With every fault of every file: broken JSON, missing fields, wrong types, no model name.
    """
    check_options(spec, allowed=("model_from", "model_pattern"))
    parsed = read_each(files, lambda path: _read_one(path, spec))
    return derive_counts(pd.DataFrame([row for _, rows in parsed for row in rows]))


def _read_one(path: Path, spec: BenchmarkSpec) -> list[dict[str, Any]]:
    content = load_json(path)
    is_new = any(key in content for key in NEW_KEYS)
    offences = list(_offences(content, path, is_new=is_new))
    if offences:
        raise InputError(offences)
    model = _model(content, path, spec)
    parse = _new_scores if is_new else _old_scores
    limit = content["config"].get("limit")
    shared = () if limit is None else (_truncated(path, limit),)
    order = float(content.get("date", 0.0))
    return [
        _finite(
            {**row, "model": model, "source_file": str(path), "order": order}, shared, path=path
        )
        for row in parse(content)
    ]


def _offences(content: Mapping[str, Any], path: Path, *, is_new: bool) -> Iterator[Offence]:
    where = f"{path}: "
    yield from field_offences(content, {"results": dict, "config": dict}, where=where)
    if is_new:
        yield from field_offences(content, {"n-shot": dict}, where=where)
        optional = {
            key: dict for key in ("group_subtasks", "n-samples", "configs") if key in content
        }
        dated = {"date": float} if "date" in content else {}
        yield from field_offences(content, {**optional, **dated}, where=where)
    elif isinstance(content.get("config"), dict):
        yield from field_offences(content["config"], {"num_fewshot": int}, where=f"{where}config.")
    results = content.get("results")
    for task, metrics in results.items() if isinstance(results, dict) else ():
        yield from _metric_offences(metrics, f"{where}results.{task}", is_new=is_new)


def _metric_offences(metrics: object, where: str, *, is_new: bool) -> Iterator[Offence]:
    if not isinstance(metrics, dict):
        yield Offence(
            where, "has the wrong type", type(metrics).__name__, "object", "Check the file"
        )
        return
    for name, value in metrics.items():
        if is_new and "," not in name:
            continue
        is_error = "_stderr" in name
        if not has_type(value, float) and not (is_error and value in ("N/A", None)):
            allowed = "a number, or N/A" if is_error else "a number"
            yield Offence(f"{where}.{name}", "is not a number", value, allowed, "Check the file")


def _model(content: Mapping[str, Any], path: Path, spec: BenchmarkSpec) -> str:
    origin = spec.options.get("model_from", "model_args")
    arguments = content["config"].get("model_args", "")
    if isinstance(arguments, dict):
        arguments = ",".join(f"{key}={value}" for key, value in arguments.items())
    texts = {
        "path": path.as_posix(),
        "model_args": arguments,
        "model_name": content.get("model_name"),
    }
    pattern = spec.options.get("model_pattern", MODEL_PATTERNS.get(origin, ""))
    found = re.search(pattern, str(texts.get(origin) or ""))
    if found is None or not pattern:
        remedy = f"Correct model_from or model_pattern in config/benchmarks/{spec.name}.yaml"
        allowed = f"one of {', '.join(texts)} that fits {pattern}"
        raise InputError(
            [Offence(str(path), f"no model name in {origin}", texts.get(origin), allowed, remedy)]
        )
    return found["model"]


def _truncated(path: Path, limit: object) -> Issue:
    detail = f"the run was limited to {limit} items (or that share of them) a task"
    return Issue("truncated run", str(path), detail, "kept as published")


def _old_scores(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    shots = content["config"]["num_fewshot"]
    for task, metrics in content["results"].items():
        for name, value in metrics.items():
            # A metric may itself end in _stderr, so the stem must exist.
            if name.endswith("_stderr") and name.removesuffix("_stderr") in metrics:
                continue
            yield {
                "task": task,
                "metric": name,
                "n_shots": shots,
                "score": float(value),
                "stderr": _number(metrics.get(f"{name}_stderr")),
                "n_samples": np.nan,
            }


def _new_scores(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    groups = _aggregates(content)
    for task, metrics in content["results"].items():
        for key, value in metrics.items():
            name, _, chosen = key.partition(",")
            if not chosen or name.endswith("_stderr"):
                continue
            yield {
                "task": task,
                "metric": name if chosen == "none" else key,
                "n_shots": _shots(content, task),
                "score": float(value),
                "stderr": _number(metrics.get(f"{name}_stderr,{chosen}")),
                "n_samples": _effective(content, task),
                "kept": task not in groups,
                "issues": (groups[task],) if task in groups else (),
            }


def _aggregates(content: Mapping[str, Any]) -> dict[str, Issue]:
    listed = content.get("group_subtasks", {})
    # Older 0.4 files list leaves too, with no subtasks; a group without its tasks is all there is.
    # A group with a shot count is a curve like any other: its tag keeps it out of the tests.
    groups = [
        g
        for g, tasks in listed.items()
        if g not in content["n-shot"] and any(task in content["results"] for task in tasks)
    ]
    detail = "mean over tasks that stand in the same file, without a shot count of its own"
    return {
        g: Issue("aggregate dropped", g, detail, "left out, its tasks are kept") for g in groups
    }


def _shots(content: Mapping[str, Any], task: str) -> float:
    shots = content["n-shot"].get(task)
    if shots is None:
        shots = content.get("configs", {}).get(task, {}).get("num_fewshot")
    return _number(shots)


def _effective(content: Mapping[str, Any], task: str) -> float:
    return _number(content.get("n-samples", {}).get(task, {}).get("effective"))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _finite(row: dict[str, Any], shared: tuple[Issue, ...], *, path: Path) -> dict[str, Any]:
    issues = (*row.get("issues", ()), *shared)
    if math.isfinite(row["score"]):
        return {**row, "kept": row.get("kept", True), "issues": issues}
    where = f"{path}: {row['task']} {row['metric']}"
    found = Issue("score not finite", where, f"the score is {row['score']}", "left out")
    return {**row, "kept": False, "issues": (*issues, found)}


def derive_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill in the number of items behind a score from its standard error.

    The harness publishes, for the mean p of n zeros and ones, the standard error
    sqrt(p (1 - p) / (n - 1)), so n = p (1 - p) / stderr^2 + 1. The number belongs to the task: the
    median over all its rows of `BINARY_METRICS`, rounded, is given to every row of the task that
    states none. If one row is further than 0.5 from the median, the rows do not share their items;
    then the number stays missing and an issue says so.

    Parameters
    ----------
    rows
        Raw score rows with task, metric, score, stderr, n_samples, kept and issues.

    Returns
    -------
    pandas.DataFrame
        The rows with n_samples filled in where it could be derived.
    """
    p, error = rows["score"], rows["stderr"]
    usable = (
        rows["metric"].isin(BINARY_METRICS) & p.between(0, 1, inclusive="neither") & (error > 0)
    )
    counts = (p * (1 - p) / error**2 + 1)[usable & rows["kept"] & rows["n_samples"].isna()]
    by_task = counts.groupby(rows.loc[counts.index, "task"])
    medians = by_task.median()
    gaps = pd.concat([by_task.max() - medians, medians - by_task.min()], axis=1).max(axis=1)
    agreed = medians[gaps <= COUNT_TOLERANCE].round()
    disputed = set(gaps.index[gaps > COUNT_TOLERANCE])
    issues = [
        (*old, _disagreement(task, gaps[task])) if task in disputed else old
        for old, task in zip(rows["issues"], rows["task"], strict=True)
    ]
    derived = rows["task"].map(agreed.to_dict()).astype("float64")
    return rows.assign(
        n_samples=rows["n_samples"].fillna(derived),
        issues=pd.Series(issues, index=rows.index, dtype=object),
    )


def _disagreement(task: str, gap: float) -> Issue:
    detail = f"standard errors imply numbers of items up to {gap:.3g} from their median"
    return Issue("items disagree", task, detail, "number of items left missing")
