"""Files of the synthetic BIG-bench, as bytes: score files, task definitions, unwanted blobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from standin.defects import N_COPIED, SWAPPED
from standin.design import KEYWORDS, METRIC_SETS, METRICS, Design
from standin.families import Family, Model

LABEL = "SYNTHETIC stand-in of BIG-bench: invented tasks, invented scores, no model was run."
TASKS = "bigbench/benchmark_tasks"
NORMALISED = "normalized_aggregate_score"
REPEATED_ITEMS = 10
N_PLOTS = 4
Entry = dict[str, Any]


@dataclass(frozen=True)
class _Wanted:
    """Tasks whose files get a defect, by kind."""

    tasks: Mapping[str, frozenset[str]]

    def has(self, kind: str, task: str) -> bool:
        """Tell whether a task gets the defect."""
        return task in self.tasks.get(kind, frozenset())


def wanted_defects(plan: pd.DataFrame) -> _Wanted:
    """Gather the plan of defects by kind."""
    return _Wanted({str(kind): frozenset(rows["task"]) for kind, rows in plan.groupby("kind")})


def general_files(leaves: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Write what stands beside the tasks: licence, description, list of keywords."""
    yield "LICENSE", f"{LABEL}\nCC0-1.0: no rights reserved.\n".encode()
    yield "README.md", f"# SYNTHETIC\n\n{LABEL}\n".encode()
    tasks = leaves["task"].unique()
    table = "".join(f"| {task} | SYNTHETIC | {', '.join(_keywords(task))} |\n" for task in tasks)
    yield f"{TASKS}/README.md", f"{LABEL}\n\n{table}".encode()
    lines = [
        f"## {word}\n\n" + "".join(f"* [{t}]({t}/)\n" for t in tasks if word in _keywords(t))
        for word in KEYWORDS
    ]
    yield f"{TASKS}/keywords_to_tasks.md", "\n".join([LABEL, "", *lines]).encode()


def _keywords(task: str) -> list[str]:
    number = int(task.rsplit("_", 1)[1])
    return sorted({KEYWORDS[number % len(KEYWORDS)], KEYWORDS[number // 3 % len(KEYWORDS)]})


def definition_files(leaves: pd.DataFrame, wanted: _Wanted) -> Iterator[tuple[str, bytes]]:
    """Write README and task.json of each task and subtask, or task.py of programmatic ones.

    The definition of a task with subtasks has no examples of its own.
    """
    for task, rows in leaves.groupby("task", sort=False):
        folder = f"{TASKS}/{task}"
        yield f"{folder}/README.md", f"# {task}\n\n{LABEL}\n".encode()
        if rows["metric_set"].iloc[0].startswith("program"):
            yield f"{folder}/task.py", f'"""{LABEL}"""\n'.encode()
            continue
        records = rows.to_dict("records")
        repeat = REPEATED_ITEMS if wanted.has("wrong targets", str(task)) else 0
        if rows["n_subtasks"].iloc[0] > 1:
            yield f"{folder}/task.json", _definition(records[0], "")
            for row in records:
                path = f"{folder}/{row['subtask']}/task.json"
                yield path, _definition(row, _examples(row, repeat=repeat))
        else:
            yield (
                f"{folder}/task.json",
                _definition(records[0], _examples(records[0], repeat=repeat)),
            )


def _definition(row: Mapping[Any, Any], examples: str) -> bytes:
    metrics = METRIC_SETS[row["metric_set"]]
    head = json.dumps(
        {
            "canary": LABEL,
            "name": f"{row['task']}{row['subtask'] and ':'}{row['subtask'] if examples else ''}",
            "description": LABEL,
            "keywords": [*_keywords(row["task"]), "json"],
            "metrics": list(metrics),
            "preferred_score": metrics[0],
        }
    )
    return (
        f'{head[:-1]}, "examples": [{examples}]}}\n'.encode() if examples else f"{head}\n".encode()
    )


def _examples(row: Mapping[Any, Any], *, repeat: int) -> str:
    # Written as text: a full-size stand-in has half a million of them.
    if row["chance"] > 0:
        wrong = "".join(f', "{i}": 0' for i in range(1, row["choices"]))
        answer = f'"target_scores": {{"0": 1{wrong}}}'
    else:
        answer = f'"target": "{" ".join("abcdefghijklmnop"[: row["n_tokens"]])}"'
    numbers = [*range(row["n_items"] - repeat), *range(repeat)]
    return ", ".join(f'{{"input": "SYNTHETIC {i}", {answer}}}' for i in numbers)


def blob_files(
    leaves: pd.DataFrame, design: Design, *, rng: np.random.Generator
) -> Iterator[tuple[str, bytes]]:
    """Write query logs and plots: bytes that do not compress, which a download should leave out."""
    for task in leaves["task"].unique():
        folder = f"{TASKS}/{task}/results"
        log = LABEL.encode() + rng.bytes(design.blob_bytes // 2)
        yield f"{folder}/full-logs_BIG-G_BIG-G-sparse.tar.lrz", log
        for i in range(N_PLOTS):
            plot = LABEL.encode() + rng.bytes(design.blob_bytes // (2 * N_PLOTS))
            yield f"{folder}/plot_{task}__{i}.png", plot


def score_files(
    scores: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    leaves: pd.DataFrame,
    design: Design,
    wanted: _Wanted,
) -> Iterator[tuple[str, bytes]]:
    """Write the score files, one per task and model.

    Parameters
    ----------
    scores, cells
        From `metamirage.standin.scores`, sorted by cell.
    leaves
        From `metamirage.standin.design`.
    design
        Families.
    wanted
        Defects of the files.
    """
    rows = leaves.to_dict("records")
    starts = np.searchsorted(scores["cell"].to_numpy(), np.arange(len(cells) + 1)).tolist()
    metrics, values = list(scores["metric"]), scores["score"].tolist()
    file_of = list(
        zip(*(cells[c].tolist() for c in ("task_number", "family", "model")), strict=True)
    )
    entry_of = list(zip(*(cells[c].tolist() for c in ("leaf", "trial", "n_shots")), strict=True))
    for (_, f, m), members in groupby(range(len(cells)), key=file_of.__getitem__):
        entries = []
        for i in members:
            part = slice(starts[i], starts[i + 1])
            row, trial, shots = rows[entry_of[i][0]], *entry_of[i][1:]
            found = dict(zip(metrics[part], values[part], strict=True))
            entries.append(_entry(row, found, shots=shots, trial=trial))
        family = design.families[f]
        yield from _files_of(row, entries, family=family, model=family.models[m], wanted=wanted)


def _entry(row: Mapping[Any, Any], found: dict[str, float], *, shots: int, trial: int) -> Entry:
    preferred = METRIC_SETS[row["metric_set"]][0]
    return {
        "score_dict": found,
        "preferred_score": preferred,
        "number_of_shots": shots,
        "low_score": row["chance"],
        "high_score": METRICS[preferred].high,
        "subtask_description": _description(row, trial),
    }


def _description(row: Mapping[Any, Any], trial: int) -> str:
    if row["n_trials"]:
        return f"{row['subtask']}trial_{trial}"
    return f"{row['task']}:{row['subtask']}" if row["subtask"] else str(row["task"])


def _files_of(
    row: Mapping[Any, Any], entries: list[Entry], *, family: Family, model: Model, wanted: _Wanted
) -> Iterator[tuple[str, bytes]]:
    task = str(row["task"])
    folder = f"{TASKS}/{task}"
    content = _content(task, _with_aggregates(entries, task), family=family, model=model)
    swap = wanted.has("file name disagrees", task) and family.network.startswith("BIG-G")
    label = SWAPPED.get(model.name, model.name) if swap else model.name
    name = f"scores_{family.file.format(label)}.json"
    if wanted.has("extra keys", task):
        content = _with_extra_keys(content)
    if wanted.has("missing keys", task):
        content = _without_optional_keys(content)
    yield f"{folder}/results/{name}", _dumped(content)
    if wanted.has("duplicate dropped", task) and family.name == "BIG-G T=0":
        for i in range(N_COPIED):
            part = f"part_{i + 1:02d}"
            mine = [e for e in entries if e["subtask_description"] == f"{task}:{part}"]
            copy = _content(task, mine, family=family, model=model)
            yield f"{folder}/{part}/results/{name}", _dumped(copy)


def _dumped(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _content(
    task: str, entries: Sequence[Entry], *, family: Family, model: Model
) -> dict[str, Any]:
    return {
        "scores": entries,
        "task": {"task_name": task},
        "model": {
            "model_family": family.name,
            "model_name": model.name,
            "total_params": model.total,
            "non_embedding_params": model.non_embedding,
            "flop_matched_non_embedding_params": model.flop_matched,
            "training_batch_size": 256,
            "training_steps": 1000,
            "description": LABEL,
            "decoding_params": {"temperature": family.temperature},
            "additional_details": LABEL,
        },
    }


def _with_aggregates(entries: list[Entry], task: str) -> list[Entry]:
    """Add what BIG-bench adds: a mean over subtasks, or the normalised score of the only entry."""
    by_shots: dict[int, list[Entry]] = {}
    for entry in entries:
        by_shots.setdefault(entry["number_of_shots"], []).append(entry)
    aggregates = [_aggregate(group, task) for _, group in sorted(by_shots.items())]
    if entries[0]["subtask_description"] != task:
        return [*entries, *aggregates]
    by_number = {entry["number_of_shots"]: entry for entry in aggregates}
    return [e | {"score_dict": by_number[e["number_of_shots"]]["score_dict"]} for e in entries]


def _aggregate(group: list[Entry], task: str) -> Entry:
    gathered: dict[str, list[float]] = {}
    for entry in group:
        for metric, score in entry["score_dict"].items():
            gathered.setdefault(metric, []).append(score)
    normalised = 100 * fmean(
        (e["score_dict"][e["preferred_score"]] - e["low_score"])
        / (e["high_score"] - e["low_score"])
        for e in group
    )
    same = all(e["preferred_score"] == "multiple_choice_grade" for e in group)
    anchors = (fmean(e["low_score"] for e in group), 1.0) if same else (0, 100)
    return {
        "score_dict": {m: fmean(found) for m, found in gathered.items()} | {NORMALISED: normalised},
        "preferred_score": "multiple_choice_grade" if same else NORMALISED,
        "number_of_shots": group[0]["number_of_shots"],
        "low_score": anchors[0],
        "high_score": anchors[1],
        "subtask_description": task,
    }


def _with_extra_keys(content: Mapping[str, Any]) -> dict[str, Any]:
    extra = {"note": LABEL}
    return {
        **extra,
        "scores": [extra | entry for entry in content["scores"]],
        "task": extra | content["task"],
        "model": extra | content["model"],
        "queries": [],
    }


def _without_optional_keys(content: Mapping[str, Any]) -> dict[str, Any]:
    optional = ("subtask_description", "additional_details")
    return {
        "scores": [{k: v for k, v in e.items() if k not in optional} for e in content["scores"]],
        "task": content["task"],
        "model": {k: v for k, v in content["model"].items() if k not in optional},
    }
