"""Task definitions of BIG-bench, ``task.json``: number of items, keywords, and faults in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.reading import Issue


@dataclass(frozen=True)
class Definition:
    """What a ``task.json`` says.

    Parameters
    ----------
    n_examples
        Items; zero where the file lists none.
    keywords
        As listed.
    n_repeated
        Items that are equal to an earlier one.
    n_single
        Multiple-choice items with one option.
    """

    n_examples: int
    keywords: tuple[str, ...]
    n_repeated: int = 0
    n_single: int = 0


def read_definition(path: Path, content: Mapping[str, object]) -> Definition:
    """Read the parts of a task definition that are used here; both may be absent.

    Raises
    ------
    InputError
        If ``examples`` or ``keywords`` is no list.
    """
    remedy = "Delete the file and fetch the benchmark again"
    offences = [
        Offence(
            f"{path}: {name}", "has the wrong type", type(content[name]).__name__, "list", remedy
        )
        for name in ("examples", "keywords")
        if not isinstance(content.get(name, []), list)
    ]
    if offences:
        raise InputError(offences)
    examples: Any = content.get("examples", [])
    keywords: Any = content.get("keywords", [])
    items = [item for item in examples if isinstance(item, dict)]
    options = [item["target_scores"] for item in items if "target_scores" in item]
    return Definition(
        n_examples=len(examples),
        keywords=tuple(map(str, keywords)),
        n_repeated=len(items) - len({_identity(item) for item in items}),
        n_single=sum(len(option) == 1 for option in options if isinstance(option, dict)),
    )


def _identity(item: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(item.get(name)) for name in ("input", "target", "target_scores"))


def definition_names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the (task, subtask) that a definition may belong to.

    ``a/b/task.json`` is either task b, or subtask b of task a; paths alone do not tell.
    """
    folder = path.parent
    yield folder.name, ""
    yield folder.parent.name, folder.name


def definition_issues(place: tuple[str, str], found: Definition) -> tuple[Issue, ...]:
    """Say what is wrong with the definition of a (task, subtask), if anything."""
    task, subtask = place
    where = f"{task}:{subtask}" if subtask else task
    says = [
        (found.n_repeated, f"stand twice among the {found.n_examples} of task.json"),
        (found.n_single, "have one option only"),
    ]
    detail = "; ".join(f"{n} items {text}" for n, text in says if n)
    return (Issue("wrong targets", where, detail, "kept as published"),) if detail else ()
