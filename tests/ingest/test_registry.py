from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from metamirage.base.errors import InputError
from metamirage.ingest.registry import SCHEMA_PATH, load_spec
from places import DATA, ROOT

TOY = DATA / "registry" / "toy.yaml"
SHIPPED = sorted((ROOT / "config" / "benchmarks").glob("*.yaml"))


def changed(tmp_path: Path, **changes: object) -> Path:
    entry = yaml.safe_load(TOY.read_text(encoding="utf-8")) | changes
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(entry), encoding="utf-8")
    return path


def test_an_entry_keeps_what_its_file_says() -> None:
    spec = load_spec(TOY)
    assert (spec.name, spec.reader, spec.unlisted_models, spec.duplicates) == (
        "toy",
        "tidy_csv",
        "skip",
        "mean",
    )
    assert spec.source.include == ("*.csv",)
    assert spec.known_defects[0].rows == (("task", ("sums",)),)
    assert spec.tag_overrides == ({"metric": "acc", "lower": 0, "upper": 100},)


def test_a_model_rule_needs_the_whole_name() -> None:
    small, big = load_spec(TOY).models
    assert small.covers("small")
    assert not small.covers("smaller")
    assert big.covers("big-7")
    assert not big.covers("not-big-7")


def test_policies_default_to_error(tmp_path: Path) -> None:
    entry = yaml.safe_load(TOY.read_text(encoding="utf-8"))
    path = tmp_path / "toy.yaml"
    rest = {k: v for k, v in entry.items() if k not in ("unlisted_models", "duplicates")}
    path.write_text(yaml.safe_dump(rest), encoding="utf-8")
    spec = load_spec(path)
    assert (spec.unlisted_models, spec.duplicates) == ("error", "error")


def test_a_misspelt_key_gets_the_nearest_spelling(tmp_path: Path) -> None:
    path = changed(tmp_path, licens="MIT")
    with pytest.raises(InputError, match=r"unknown key \('licens'\).*Did you mean 'licence'"):
        load_spec(path)


def test_a_misspelt_inner_key_is_named_with_its_place(tmp_path: Path) -> None:
    path = changed(tmp_path, source={"kind": "path", "include": ["*"], "comit": "x"})
    with pytest.raises(InputError, match=r"toy.yaml: source: unknown key.*Did you mean 'commit'"):
        load_spec(path)


def test_all_faults_arrive_in_one_report(tmp_path: Path) -> None:
    path = changed(
        tmp_path, duplicates="newest", title="", source={"kind": "git", "include": ["*"]}
    )
    with pytest.raises(InputError) as caught:
        load_spec(path)
    text = str(caught.value)
    assert "4 problems" in text
    assert "Allowed: error, latest, mean, first" in text
    assert "key url, commit is missing" in text


def test_a_model_with_both_name_and_pattern_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, models=[{"model": "a", "match": "a", "family": "toy"}])
    with pytest.raises(InputError, match=r"models.0: needs exactly one of model and match"):
        load_spec(path)


def test_a_size_without_its_kind_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, models=[{"model": "a", "family": "toy", "n_params": 5}])
    with pytest.raises(InputError, match="n_params_kind"):
        load_spec(path)


def test_a_broken_pattern_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, models=[{"match": "(", "family": "toy"}])
    with pytest.raises(InputError, match=r"models.0.match: is no regular expression"):
        load_spec(path)


def test_the_name_must_be_the_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"differs from the file's name \('other'\)"):
        load_spec(changed(tmp_path, name="other"))


def test_a_file_outside_the_raw_folder_is_refused(tmp_path: Path) -> None:
    files = [{"path": "../x", "url": "file:///x", "sha256": "0" * 64}]
    path = changed(tmp_path, source={"kind": "http", "include": ["*"], "files": files})
    with pytest.raises(InputError, match=r"source.files.0.path"):
        load_spec(path)


def test_a_missing_entry_lists_those_there_are() -> None:
    with pytest.raises(InputError, match="Allowed: entries toy"):
        load_spec(TOY.with_name("tyo.yaml"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"a: [", "is not YAML"), (b"\xff\xfe", "is not UTF-8"), (b"", "holds no keys")],
)
def test_a_file_that_is_no_entry_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem):
        load_spec(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_entry_is_valid(path: Path) -> None:
    assert load_spec(path).name == path.stem


def test_every_key_of_the_schema_is_described() -> None:
    def undescribed(schema: dict[str, object], place: str) -> list[str]:
        found = [] if "description" in schema else [place]
        for key, inner in schema.get("properties", {}).items():
            found += undescribed(inner, f"{place}.{key}")
        return found + (undescribed(schema["items"], f"{place}[]") if "items" in schema else [])

    assert undescribed(yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8")), "entry") == []
