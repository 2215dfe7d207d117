"""Registry of benchmarks: one YAML file each, checked against a closed schema.

An entry says where the scores of a benchmark come from, how they are read, how large the models
are, and which faults are known. ``workflow/schemas/benchmark.schema.yaml`` describes every key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from metamirage.base.errors import InputError, Offence

SCHEMA_PATH = Path(__file__).parents[3] / "workflow" / "schemas" / "benchmark.schema.yaml"


@dataclass(frozen=True)
class RemoteFile:
    """A file of an http source: its name below the raw folder, address and SHA-256."""

    path: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """Where a benchmark's files come from.

    Parameters
    ----------
    kind
        ``shipped``, ``path``, ``git`` or ``http``.
    include
        Patterns of the wanted files, relative to the root of the source.
    url, commit, root
        Repository, full commit id and folder inside it, for git; empty otherwise.
    files
        The files of an http source.
    """

    kind: str
    include: tuple[str, ...]
    url: str = ""
    commit: str = ""
    root: str = ""
    files: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True)
class ModelRule:
    """Family and size of the models that a name or a pattern covers.

    Parameters
    ----------
    family
        Models that differ in size only.
    model, match
        The exact name, or a regular expression for the whole name; one of them is empty.
    n_params
        Parameters, the x of the curve; None where the source states them.
    n_params_kind
        What they count; empty where the source states them.
    """

    family: str
    model: str = ""
    match: str = ""
    n_params: float | None = None
    n_params_kind: str = ""

    def covers(self, name: str) -> bool:
        """Tell whether the rule holds for a model's name."""
        return name == self.model if self.model else re.fullmatch(self.match, name) is not None


@dataclass(frozen=True)
class KnownDefect:
    """A fault of the published scores that was known beforehand.

    Parameters
    ----------
    kind
        Short name, the same as the reader's where a reader finds it.
    where
        Task, model or file, as a shell pattern.
    detail, action
        What is wrong and what was done.
    rows
        Column to allowed values of the tidy table; selects the scores concerned.
    """

    kind: str
    where: str
    detail: str
    action: str
    rows: tuple[tuple[str, tuple[Any, ...]], ...] = ()


@dataclass(frozen=True)
class BenchmarkSpec:
    """One entry of the registry.

    Parameters
    ----------
    name, title, description, licence, citation
        As in the file.
    source
        Where the files come from.
    reader
        Name of a module of ``metamirage.readers``.
    options
        Settings of that reader.
    models
        Families and sizes, in the order in which they are tried.
    unlisted_models
        ``error`` or ``skip``.
    duplicates
        ``error``, ``latest``, ``mean`` or ``first``.
    known_defects
        Faults to list in the report.
    tag_overrides
        Rows like those of ``config/metrics.csv``.
    """

    name: str
    title: str
    description: str
    source: Source
    reader: str
    licence: str
    citation: str
    options: Mapping[str, Any]
    models: tuple[ModelRule, ...] = ()
    unlisted_models: str = "error"
    duplicates: str = "error"
    known_defects: tuple[KnownDefect, ...] = ()
    tag_overrides: tuple[Mapping[str, Any], ...] = ()


def load_spec(path: Path) -> BenchmarkSpec:
    """Read one registry entry and check all of it.

    Parameters
    ----------
    path
        ``config/benchmarks/<name>.yaml``.

    Returns
    -------
    BenchmarkSpec
        The entry, unchangeable.

    Raises
    ------
    InputError
        With one offence per fault: no YAML, unknown, missing or wrong keys, a name that differs
        from the file's, a pattern that is no regular expression.
    """
    entry = _load_yaml(path)
    offences = list(_schema_offences(entry, path)) or list(_content_offences(entry, path))
    if offences:
        raise InputError(offences)
    return _spec(entry)


def _load_yaml(path: Path) -> dict[str, Any]:
    where, remedy = str(path), "Copy an entry of config/benchmarks and change it"
    try:
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        names = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) or "none yet"
        raise InputError(
            [Offence(where, f"cannot be read: {exc.strerror}", "", f"entries {names}", remedy)]
        ) from exc
    except UnicodeDecodeError as exc:
        raise InputError([Offence(where, "is not UTF-8", "", "", "Save it as UTF-8")]) from exc
    except yaml.YAMLError as exc:
        text = " ".join(str(exc).split())
        raise InputError([Offence(where, f"is not YAML: {text}", "", "", remedy)]) from exc
    if not isinstance(entry, dict):
        raise InputError([Offence(where, "holds no keys", entry, "a mapping", remedy)])
    return entry


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8")))


def _schema_offences(entry: Mapping[str, Any], path: Path) -> Iterator[Offence]:
    errors = sorted(
        _validator().iter_errors(entry), key=lambda e: (list(map(str, e.path)), e.message)
    )
    for error in errors:
        if error.validator == "additionalProperties":
            yield from _unknown_keys(error, path)
        else:
            yield _broken_key(error, path)


def _unknown_keys(error: ValidationError, path: Path) -> Iterator[Offence]:
    allowed = list(_schema_part(error)["properties"])
    found = cast("Mapping[str, Any]", error.instance)
    unknown = [key for key in found if key not in allowed]
    yield from (
        unknown_key(str(key), allowed, where=f"{path}: {_key_path(error.path)}") for key in unknown
    )


def _schema_part(error: ValidationError) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", error.schema)


def unknown_key(key: str, allowed: Sequence[str], *, where: str) -> Offence:
    """Report a key that nothing reads, with the nearest one that is read.

    Parameters
    ----------
    key
        The key as found.
    allowed
        The keys that have a meaning there.
    where
        File and place in it.

    Returns
    -------
    Offence
        Names the nearest allowed spelling, if any is near.
    """
    near = difflib.get_close_matches(key, allowed, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else "Remove it"
    return Offence(where.rstrip(": "), "unknown key", key, ", ".join(allowed), remedy.rstrip("?"))


def _broken_key(error: ValidationError, path: Path) -> Offence:
    where = f"{path}: {_key_path(error.path)}".rstrip(": ")
    schema = _schema_part(error)
    if error.validator == "required":
        missing = [key for key in schema["required"] if key not in cast("Any", error.instance)]
        return Offence(where, f"key {', '.join(missing)} is missing", remedy="Add it")
    if error.validator == "oneOf":
        keys = " and ".join(key for option in schema["oneOf"] for key in option["required"])
        return Offence(where, f"needs exactly one of {keys}", remedy="Keep one")
    allowed = ", ".join(map(str, schema.get("enum", ()))) or str(schema.get("description", ""))
    value = error.instance if not isinstance(error.instance, dict) else ""
    return Offence(where, error.message, value, allowed.rstrip("."), "Correct it")


def _key_path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)


def _content_offences(entry: Mapping[str, Any], path: Path) -> Iterator[Offence]:
    if entry["name"] != path.stem:
        yield Offence(
            f"{path}: name", "differs from the file's name", entry["name"], path.stem, "Rename one"
        )
    for i, rule in enumerate(entry.get("models", ())):
        try:
            re.compile(rule.get("match", ""))
        except re.error as exc:
            where = f"{path}: models.{i}.match"
            yield Offence(
                where, f"is no regular expression: {exc}", rule["match"], remedy="Correct it"
            )


def _spec(entry: Mapping[str, Any]) -> BenchmarkSpec:
    source = entry["source"]
    texts = {
        key: entry[key].strip() for key in ("name", "title", "description", "licence", "citation")
    }
    policies = {key: entry[key] for key in ("unlisted_models", "duplicates") if key in entry}
    return BenchmarkSpec(
        **texts,
        **policies,
        source=Source(
            kind=source["kind"],
            include=tuple(source["include"]),
            url=source.get("url", ""),
            commit=source.get("commit", ""),
            root=source.get("root", "").strip("/"),
            files=tuple(RemoteFile(**file) for file in source.get("files", ())),
        ),
        reader=entry["reader"]["name"],
        options=entry["reader"].get("options", {}),
        models=tuple(ModelRule(**rule) for rule in entry.get("models", ())),
        known_defects=tuple(map(_known_defect, entry.get("known_defects", ()))),
        tag_overrides=tuple(entry.get("tag_overrides", ())),
    )


def _known_defect(entry: Mapping[str, Any]) -> KnownDefect:
    rows = tuple(
        (column, tuple(values) if isinstance(values, list) else (values,))
        for column, values in entry.get("rows", {}).items()
    )
    return KnownDefect(entry["kind"], entry["where"], entry["detail"], entry["action"], rows)
