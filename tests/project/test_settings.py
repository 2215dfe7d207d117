"""Settings: defaults, and the text of every refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from metamirage.base.errors import InputError
from metamirage.project.settings import check_config, find_mirror
from places import ROOT

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
REGISTERED = ["gpt3", "pythia-v1"]
GOOD = {"benchmarks": ["gpt3"]}


def check(**changes: object) -> dict[str, object]:
    return check_config(GOOD | changes, schema=SCHEMA, registered=REGISTERED)


def refusal(**changes: object) -> str:
    with pytest.raises(InputError) as caught:
        check(**changes)
    return str(caught.value)


def test_missing_keys_take_the_defaults_of_the_schema() -> None:
    assert check()["engine"] == "quadrature"
    assert check()["mirror"] is None


def test_given_values_win_over_defaults() -> None:
    assert check(seed=7)["seed"] == 7


def test_a_misspelt_key_names_the_nearest_one() -> None:
    text = refusal(n_permutation=999)
    assert "unknown key ('n_permutation')" in text
    assert "Did you mean 'n_permutations'" in text


def test_an_unknown_benchmark_lists_the_registry() -> None:
    text = refusal(benchmarks=["pythia"])
    assert "unknown benchmark ('pythia'). Allowed: gpt3, pythia-v1." in text
    assert "Did you mean 'pythia-v1'" in text
    assert "config/benchmarks/pythia.yaml" in text


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("seed", "abc", "a whole number from 0 to 4294967295"),
        ("seed", -1, "a whole number from 0 to 4294967295"),
        ("seed", True, "a whole number"),
        ("engine", "magic", "quadrature, nuts"),
        ("n_audit", -1, "a whole number from 0 to 100000"),
        ("prior", "flat", "default, smooth, sharp"),
        ("mirror", 3, "text or null"),
        ("benchmarks", "gpt3", "a list of at least one name, each once"),
        ("benchmarks", [], "a list of at least one name, each once"),
        ("benchmarks", ["gpt3", "gpt3"], "a list of at least one name, each once"),
        ("benchmarks", [3], "text"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(key: str, value: object, allowed: str) -> None:
    text = refusal(**{key: value})
    assert f"value of '{key}' is not allowed" in text
    assert f"Allowed: {allowed}" in text


def test_all_faults_arrive_in_one_report() -> None:
    assert "3 problems" in refusal(seed="x", sede=1, benchmarks=["nope"])


@pytest.mark.parametrize(
    ("config", "environment", "expected"),
    [
        (None, {}, None),
        ("a", {}, "a"),
        ("a", {"METAMIRAGE_MIRROR": "b"}, "b"),
        ("a", {"METAMIRAGE_MIRROR": ""}, "a"),
    ],
)
def test_the_environment_names_the_mirror_first(
    config: str | None, environment: dict[str, str], expected: str | None
) -> None:
    assert find_mirror({"mirror": config}, environment) == expected


def test_the_schema_is_closed_and_describes_every_key() -> None:
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert all({"description", "default"} <= set(rule) for rule in schema["properties"].values())


def test_the_shipped_settings_are_the_defaults_written_out(repository: Path) -> None:
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    defaults = {key: rule["default"] for key, rule in schema["properties"].items()}
    shipped = yaml.safe_load((repository / "config/config.yaml").read_text(encoding="utf-8"))
    assert shipped == defaults


def test_every_setting_is_explained_in_the_config_readme(repository: Path) -> None:
    text = (repository / "config/README.md").read_text(encoding="utf-8")
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    assert [key for key in schema["properties"] if f"`{key}`" not in text] == []
