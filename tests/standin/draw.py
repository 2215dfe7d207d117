"""A synthetic stand-in of BIG-bench with known truth, as large as the original.

It has the layout, the score files and the published defects of BIG-bench, but invented tasks and
drawn scores; every file of it says SYNTHETIC. It serves tests, benchmarks and simulated worlds.
What is measured on it tells how the program behaves, never how a language model does.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from standin.defects import (
    plan_defects,
    standing_defects,
    with_few_items,
    with_other_items,
    with_wrong_scores,
)
from standin.design import Design, draw_leaves, draw_present
from standin.files import (
    LABEL,
    blob_files,
    definition_files,
    general_files,
    score_files,
    wanted_defects,
)
from standin.scores import draw_cells, draw_scores, truth_table

# Fixed, so that the same files give the same commit.
COMMITTER = "SYNTHETIC stand-in <nobody@invalid> 1600000000 +0000"


@dataclass(frozen=True)
class Standin:
    """A drawn stand-in: everything but the bytes.

    Parameters
    ----------
    design
        What was asked for.
    truth
        One row per task, subtask and family, see `metamirage.standin.scores.truth_table`.
    planted
        One row per defect and task: kind, task, family, model, metric, detail. Kinds that the
        reader reports have the reader's names.
    leaves, cells, scores
        Subtasks, entries of score files and scores, see `metamirage.standin.scores`.
    blob_seed
        Seed of the bytes of unwanted files.
    """

    design: Design
    truth: pd.DataFrame
    planted: pd.DataFrame
    leaves: pd.DataFrame
    cells: pd.DataFrame
    scores: pd.DataFrame
    blob_seed: int


def draw_standin(design: Design, rng: np.random.Generator) -> Standin:
    """Draw tasks, abilities, scores and defects.

    Parameters
    ----------
    design
        Size, world and defects.
    rng
        Source of randomness; the same state gives the same stand-in.

    Raises
    ------
    InputError
        If the tasks are too few for the defects.
    """
    drawn = draw_leaves(design, rng)
    present = draw_present(drawn, design, rng=rng)
    plan = plan_defects(drawn, present, design=design)
    leaves = with_few_items(drawn, plan, rng=rng)
    cells = with_other_items(
        draw_cells(leaves, present, design=design, rng=rng), leaves, plan=plan, design=design
    )
    scores = draw_scores(cells, leaves, design=design, rng=rng)
    standing = standing_defects(leaves, present, cells=cells)
    return Standin(
        design=design,
        truth=truth_table(leaves, design),
        planted=pd.concat([plan, standing], ignore_index=True),
        leaves=leaves,
        cells=cells,
        scores=with_wrong_scores(scores, cells, leaves=leaves, plan=plan, design=design),
        blob_seed=int(rng.integers(2**31)),
    )


def score_table(standin: Standin) -> pd.DataFrame:
    """Give the scores by name, as a reader should find them.

    Trials and copies stand here as they are in the files; aggregates are not listed.

    Returns
    -------
    pandas.DataFrame
        task, subtask, metric, family, model, n_shots (-1 where without meaning), trial, n_params,
        n_evaluated, theta, mean, score, defect.
    """
    cells, leaves = standin.cells, standin.leaves
    families = standin.design.families
    names = {(i, j): m.name for i, f in enumerate(families) for j, m in enumerate(f.models)}
    named = cells.assign(
        task=leaves["task"].to_numpy()[cells["leaf"]],
        subtask=leaves["subtask"].to_numpy()[cells["leaf"]],
        model=[names[key] for key in zip(cells["family"], cells["model"], strict=True)],
        family=np.array([f.name for f in families])[cells["family"]],
    )
    columns = ["task", "subtask", "metric", "family", "model", "n_shots", "trial", "n_params"]
    last = ["n_evaluated", "theta", "mean", "score", "defect"]
    return standin.scores.join(named, on="cell")[[*columns, *last]]


def files(standin: Standin) -> Iterator[tuple[str, bytes]]:
    """Give every file of the stand-in: path below its root, and bytes."""
    wanted = wanted_defects(standin.planted)
    yield from general_files(standin.leaves)
    yield from definition_files(standin.leaves, wanted)
    yield from blob_files(
        standin.leaves, standin.design, rng=np.random.default_rng(standin.blob_seed)
    )
    yield from score_files(
        standin.scores, standin.cells, leaves=standin.leaves, design=standin.design, wanted=wanted
    )


def write_files(standin: Standin, folder: Path) -> None:
    """Write every file of the stand-in below a folder."""
    made: set[Path] = set()
    for name, content in files(standin):
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(content)


def write_truth(standin: Standin, folder: Path) -> None:
    """Write truth.parquet, planted.csv and scores.parquet, which belong beside the files."""
    folder.mkdir(parents=True, exist_ok=True)
    standin.truth.to_parquet(folder / "truth.parquet", index=False)
    standin.planted.to_csv(folder / "planted.csv", index=False)
    score_table(standin).to_parquet(folder / "scores.parquet", index=False)


def git_repository(folder: Path, repository: Path) -> str:
    """Commit a folder to a new bare repository that serves partial clones.

    Parameters
    ----------
    folder
        Files to commit.
    repository
        Place of the repository; must not exist.

    Returns
    -------
    str
        The commit, the same for the same files.
    """
    repository.mkdir(parents=True)
    _git(repository, "init", "-q", "--bare")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        _git(repository, "config", key, "true")
    command = ["git", "fast-import", "--quiet", "--date-format=raw"]
    with subprocess.Popen(
        command, cwd=repository, env=_environment(repository), stdin=subprocess.PIPE
    ) as importer:
        if importer.stdin is None:
            raise OSError("git fast-import opened no input")
        importer.stdin.writelines(_import_stream(folder))
        importer.stdin.close()
    if importer.returncode:
        raise OSError(f"git fast-import of {folder} failed")
    _git(repository, "symbolic-ref", "HEAD", "refs/heads/main")
    return _git(repository, "rev-parse", "refs/heads/main")


def _import_stream(folder: Path) -> Iterator[bytes]:
    yield b"commit refs/heads/main\n"
    yield f"committer {COMMITTER}\ndata {len(LABEL)}\n{LABEL}\n".encode()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        yield f"M 100644 inline {path.relative_to(folder).as_posix()}\n".encode()
        yield f"data {len(content)}\n".encode() + content + b"\n"


def _environment(repository: Path) -> dict[str, str]:
    # Its own directory and no settings of the user: neither may change the commit.
    return {**os.environ, "GIT_DIR": str(repository.resolve()), "GIT_CONFIG_GLOBAL": os.devnull}


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=repository,
        env=_environment(repository),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
