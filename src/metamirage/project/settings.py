"""Settings of a run, held against their closed schema before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from metamirage.base.errors import InputError, Offence
from metamirage.ingest.registry import unknown_key

WHERE = "settings (config/config.yaml, --configfile, --config)"
_TYPE_WORDS = {
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
    "object": "keys with values",
    "string": "text",
}


def check_config(
    config: Mapping[str, object], *, schema: Path, registered: Sequence[str]
) -> dict[str, object]:
    """Return the settings with defaults filled in, or report everything that is wrong with them.

    Parameters
    ----------
    config
        As Snakemake merged it from the files and the command line.
    schema
        ``workflow/schemas/config.schema.yaml``.
    registered
        Names of the benchmarks that have a file in ``config/benchmarks``.

    Returns
    -------
    dict
        One value for each key of the schema.

    Raises
    ------
    InputError
        With one offence for each unknown key, wrong value and unknown benchmark.
    """
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    complete = _defaults(rules) | dict(config)
    for key, value in complete.items():
        # A block may name some of its keys only.
        if isinstance(value, Mapping) and "properties" in rules["properties"].get(key, {}):
            complete[key] = _defaults(rules["properties"][key]) | dict(value)
    offences = [*_schema_offences(complete, rules), *_unknown_benchmarks(complete, registered)]
    if offences:
        raise InputError(offences)
    return complete


def _defaults(rules: Mapping[str, Any]) -> dict[str, object]:
    return {key: rule["default"] for key, rule in rules["properties"].items()}


def find_mirror(config: Mapping[str, object], environment: Mapping[str, str]) -> str | None:
    """Return the folder used in place of the network: ``METAMIRAGE_MIRROR``, else ``mirror``."""
    folder = environment.get("METAMIRAGE_MIRROR") or config["mirror"]
    return None if folder is None else str(folder)


def _schema_offences(config: Mapping[str, object], rules: dict[str, Any]) -> Iterator[Offence]:
    errors = Draft202012Validator(rules).iter_errors(dict(config))
    for error in sorted(errors, key=lambda e: [str(step) for step in e.absolute_path]):
        if error.validator == "additionalProperties":
            known = list(cast("Mapping[str, Any]", error.schema)["properties"])
            unknown = sorted(str(key) for key in error.instance if key not in known)
            yield from (unknown_key(key, known, where=WHERE) for key in unknown)
        else:
            yield _wrong_value(error)


def _wrong_value(error: ValidationError) -> Offence:
    # A list's items carry no name of their own.
    key = ".".join(str(step) for step in error.absolute_path if isinstance(step, str))
    rule = cast("Mapping[str, Any]", error.schema)
    return Offence(
        where=WHERE,
        problem=f"value of {key!r} is not allowed",
        value=error.instance,
        allowed=_allowed(rule),
        remedy=f"{key} is: {rule['description']}" if "description" in rule else "",
    )


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return ", ".join(map(str, rule["enum"]))
    types = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    text = " or ".join(_TYPE_WORDS[name] for name in types)
    if "minimum" in rule:
        text += f" from {rule['minimum']} to {rule['maximum']}"
    if rule.get("uniqueItems"):
        text += " of at least one name, each once"
    return text


def _unknown_benchmarks(
    config: Mapping[str, object], registered: Sequence[str]
) -> Iterator[Offence]:
    names = config["benchmarks"]
    if not isinstance(names, list):
        return
    for name in names:
        if isinstance(name, str) and name not in registered:
            near = get_close_matches(name, registered, n=1)
            hint = f"Did you mean {near[0]!r}? If not, add" if near else "Add"
            remedy = f"{hint} config/benchmarks/{name}.yaml (README.md, 'Adding your own table')"
            yield Offence(WHERE, "unknown benchmark", name, ", ".join(registered), remedy)
