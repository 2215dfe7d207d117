"""Tidy stage: the files of one benchmark to one row per published score.

The reader says what the files hold; here families and sizes are joined, repeated scores resolved,
and everything a reader of the report should know about the data gathered in a table of issues.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from metamirage.base.errors import InputError, Offence
from metamirage.contracts.check import check
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.ingest.reading import EXTRA, Issue, find_defects, find_reader
from metamirage.ingest.registry import BenchmarkSpec, KnownDefect, ModelRule

SCORE_KEY = ["task", "subtask", "metric", "family", "n_shots", "model"]
DTYPES = {
    "benchmark": "str",
    "task": "str",
    "subtask": "str",
    "metric": "str",
    "family": "str",
    "n_shots": "Int64",
    "model": "str",
    "n_params": "float64",
    "n_params_kind": "str",
    "score": "float64",
    "stderr": "float64",
    "n_samples": "Int64",
    "low_score": "float64",
    "high_score": "float64",
    "is_preferred": "boolean",
    "source_file": "str",
}
_TEXT_DEFAULT = {"subtask": "", "family": "", "n_params_kind": "", "source_file": ""}
REPEATED = "repeated score"


def tidy(spec: BenchmarkSpec, *, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a benchmark's files into the tidy table and the table of issues.

    Parameters
    ----------
    spec
        Registry entry.
    root
        Folder ``data/raw/<benchmark>`` with a ``MANIFEST.json``.

    Returns
    -------
    scores : pandas.DataFrame
        `contracts.tidy.TIDY`, sorted by task, subtask, metric, family, shots, size and model.
    issues : pandas.DataFrame
        `contracts.tidy.ISSUES`, sorted by kind and place.

    Raises
    ------
    InputError
        With every fault found in files, models or repeated scores.
    """
    files = _manifest_files(root)
    raw = _with_defaults(find_reader(spec)(files, spec))
    raw = _below(_with_models(raw, spec), root)
    kept, repeats = _resolve_repeats(raw[raw["kept"]], spec)
    scores = _typed(kept, spec)
    _check_kinds(scores, spec)
    found = _collected(raw, repeats, root=root, whole=find_defects(spec)(scores))
    issues = _issue_table(found, scores, spec=spec)
    return (
        check(scores, TIDY, source=f"tidy table of {spec.name}"),
        check(issues, ISSUES, source=f"issues of {spec.name}"),
    )


def _manifest_files(root: Path) -> list[Path]:
    path = root / "MANIFEST.json"
    remedy = "Run the download stage again"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        names = [file["path"] for file in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError([Offence(str(path), f"cannot be read: {exc}", "", "", remedy)]) from exc
    gone = [name for name in names if not (root / name).is_file()]
    if gone or not names:
        raise InputError(
            [
                Offence(str(root / name), "is listed in the manifest but missing", remedy=remedy)
                for name in gone
            ]
            or [Offence(str(path), "lists no files", remedy=remedy)]
        )
    return [root / name for name in sorted(names)]


def _with_defaults(raw: pd.DataFrame) -> pd.DataFrame:
    missing = {c: _TEXT_DEFAULT.get(c, np.nan) for c in DTYPES if c not in raw and c != "benchmark"}
    filled = raw.assign(**missing)
    if "kept" not in filled:
        filled["kept"] = True
    if "issues" not in filled:
        filled["issues"] = [()] * len(filled)
    if "order" not in filled:
        filled["order"] = 0.0
    texts = {column: filled[column].fillna("") for column in _TEXT_DEFAULT}
    return filled.assign(**texts)


def _below(raw: pd.DataFrame, root: Path) -> pd.DataFrame:
    return raw.assign(source_file=raw["source_file"].str.removeprefix(f"{root}/"))


def _rule_for(name: str, rules: Sequence[ModelRule]) -> ModelRule | None:
    return next((rule for rule in rules if rule.covers(name)), None)


def _with_models(raw: pd.DataFrame, spec: BenchmarkSpec) -> pd.DataFrame:
    rules = {name: _rule_for(name, spec.models) for name in raw["model"].unique()}
    family = raw["model"].map({n: r.family for n, r in rules.items() if r})
    size = raw["model"].map({n: r.n_params for n, r in rules.items() if r and r.n_params})
    kind = raw["model"].map({n: r.n_params_kind for n, r in rules.items() if r and r.n_params})
    joined = raw.assign(
        family=family.where(family.notna(), raw["family"]),
        n_params=pd.to_numeric(size.where(size.notna(), raw["n_params"])),
        n_params_kind=kind.where(kind.notna(), raw["n_params_kind"]),
    )
    unplaced = joined["kept"] & ((joined["family"] == "") | joined["n_params"].isna())
    return _drop_unlisted(joined, unplaced, spec=spec)


def _drop_unlisted(raw: pd.DataFrame, unplaced: pd.Series, *, spec: BenchmarkSpec) -> pd.DataFrame:
    if not unplaced.any():
        return raw
    names = sorted(raw.loc[unplaced, "model"].unique())
    if spec.unlisted_models == "error":
        where = f"config/benchmarks/{spec.name}.yaml: models"
        remedy = "Add a row with family, n_params and n_params_kind, or set unlisted_models: skip"
        raise InputError(
            Offence(where, "no family or size for model", name, "", remedy) for name in names
        )
    marks = {
        name: Issue("model not listed", name, "no family or size is known", "left out")
        for name in names
    }
    issues = [
        (*found, marks[model]) if out else found
        for found, model, out in zip(raw["issues"], raw["model"], unplaced, strict=True)
    ]
    column = pd.Series(issues, index=raw.index, dtype=object)
    return raw.assign(issues=column, kept=raw["kept"] & ~unplaced)


def _resolve_repeats(kept: pd.DataFrame, spec: BenchmarkSpec) -> tuple[pd.DataFrame, list[Issue]]:
    repeated = kept.duplicated(SCORE_KEY, keep=False)
    if not repeated.any():
        return kept, []
    again = kept[repeated].sort_values([*SCORE_KEY, "source_file"], kind="stable")
    undated = spec.duplicates == "latest" and again.duplicated([*SCORE_KEY, "order"]).any()
    if spec.duplicates == "error" or undated:
        raise InputError(_repeat_offences(again, spec))
    chosen = _chosen(again, spec.duplicates)
    return pd.concat([kept[~repeated], chosen]), _repeat_issues(again, spec.duplicates)


def _chosen(again: pd.DataFrame, policy: str) -> pd.DataFrame:
    if policy == "first":
        return again.drop_duplicates(SCORE_KEY, keep="first")
    if policy == "latest":
        return again.sort_values("order", kind="stable").drop_duplicates(SCORE_KEY, keep="last")
    means = again.groupby(SCORE_KEY, dropna=False, sort=False)["score"].transform("mean")
    # The published error and count belong to one run, not to the mean of several.
    averaged = again.assign(score=means, stderr=np.nan, n_samples=np.nan)
    return averaged.drop_duplicates(SCORE_KEY, keep="first")


def _repeat_offences(again: pd.DataFrame, spec: BenchmarkSpec) -> list[Offence]:
    remedy = f"Remove one, or set duplicates in config/benchmarks/{spec.name}.yaml"
    return [
        Offence(
            where=f"{', '.join(sorted(set(group['source_file'])))}: {_place(group)}",
            problem=f"{group['metric'].iloc[0]} stands {len(group)} times",
            value=list(group["score"]),
            allowed="one score, or duplicates: mean, first, or latest where the runs have dates",
            remedy=remedy,
        )
        for _, group in again.groupby(SCORE_KEY, dropna=False, sort=True)
    ]


def _place(group: pd.DataFrame) -> str:
    row = group.iloc[0]
    name = f"{row['task']}:{row['subtask']}" if row["subtask"] else row["task"]
    shots = "" if pd.isna(row["n_shots"]) else f", {int(row['n_shots'])}-shot"
    return f"{row['model']}, {name}{shots}"


def _repeat_issues(again: pd.DataFrame, policy: str) -> list[Issue]:
    actions = {
        "first": "the score of the file first in alphabetical order kept",
        "latest": "the latest run kept",
        "mean": "their mean kept, without standard error and items",
    }
    places = again.groupby(["model", "task", "subtask", "n_shots"], dropna=False, sort=True)
    return [
        Issue(REPEATED, _place(group), _repeat_detail(group), actions[policy])
        for _, group in places
        for _ in range(len(group))
    ]


def _repeat_detail(group: pd.DataFrame) -> str:
    spread = group.groupby("metric")["score"].agg(lambda s: s.max() - s.min())
    gaps = ", ".join(f"{metric} {gap:.3g}" for metric, gap in spread.items())
    files = ", ".join(sorted(set(group["source_file"])))
    return f"published more than once ({files}); largest difference: {gaps}"


def _typed(kept: pd.DataFrame, spec: BenchmarkSpec) -> pd.DataFrame:
    extra = [column for column in EXTRA if column in kept]
    return (
        kept.assign(benchmark=spec.name)[[*DTYPES, *extra]]
        .astype({**DTYPES, **dict.fromkeys(extra, "str")})
        .sort_values(
            ["task", "subtask", "metric", "family", "n_shots", "n_params", "model"], kind="stable"
        )
        .reset_index(drop=True)
    )


def _check_kinds(scores: pd.DataFrame, spec: BenchmarkSpec) -> None:
    kinds = scores.groupby("family")["n_params_kind"].unique()
    where = f"config/benchmarks/{spec.name}.yaml: models"
    remedy = "Count the parameters of all its models in one way"
    offences = [
        Offence(where, f"family {family} mixes kinds of size", sorted(found), "one kind", remedy)
        for family, found in kinds.items()
        if len(found) > 1
    ]
    if offences:
        raise InputError(offences)


def _collected(
    raw: pd.DataFrame, repeats: list[Issue], *, root: Path, whole: Iterable[tuple[Issue, int]]
) -> pd.DataFrame:
    """Count the issues of the rows, and add those of the whole table."""
    counts = Counter(issue for row in raw["issues"] for issue in row)
    counts.update(repeats)
    # Paths below the benchmark's folder, so that the table is the same on every machine.
    found = [
        [issue.kind, *(text.replace(f"{root}/", "") for text in _texts(issue)), n_rows]
        for issue, n_rows in [*counts.items(), *whole]
    ]
    columns = ["kind", "where", "detail", "action", "n_rows"]
    grouped = pd.DataFrame(found, columns=columns).groupby(["kind", "where"], sort=True)
    return grouped.agg({"detail": "first", "action": "first", "n_rows": "sum"}).reset_index()


def _texts(issue: Issue) -> tuple[str, str, str]:
    return issue.where, issue.detail, issue.action


def _issue_table(found: pd.DataFrame, scores: pd.DataFrame, *, spec: BenchmarkSpec) -> pd.DataFrame:
    defects = spec.known_defects
    places = list(zip(found["kind"], found["where"], strict=True))
    known = [any(_covers(d, kind, where) for d in defects) for kind, where in places]
    listed = pd.DataFrame(
        [
            [d.kind, d.where, d.detail, d.action, _concerned(d, scores)]
            for d in defects
            if not any(_covers(d, kind, where) for kind, where in places)
        ],
        columns=["kind", "where", "detail", "action", "n_rows"],
    ).assign(known=True)
    both = pd.concat([found.assign(known=known), listed]).assign(benchmark=spec.name)
    types = {"n_rows": "int64", "known": "bool"}
    texts = dict.fromkeys(["benchmark", "kind", "where", "detail", "action"], "str")
    return both.astype({**texts, **types}).sort_values(["kind", "where"]).reset_index(drop=True)


def _covers(defect: KnownDefect, kind: str, where: str) -> bool:
    return defect.kind == kind and fnmatchcase(where, defect.where)


def _concerned(defect: KnownDefect, scores: pd.DataFrame) -> int:
    if not defect.rows:
        return 0
    chosen = pd.Series(data=True, index=scores.index)
    for column, values in defect.rows:
        chosen &= scores[column].isin(values) | (scores[column].isna() & (None in values))
    return int(chosen.sum())
