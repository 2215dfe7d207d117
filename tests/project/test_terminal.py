"""Snakemake's records, and what a person sees of them."""

from __future__ import annotations

import io
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from metamirage.project import terminal
from metamirage.project.terminal import Job, Terminal, explain, plan_lines, take_over

PARAMS = "Params have changed since last execution: Union of exclusive params before and now "
PARAMS += "across all output: before: {} now: {} "
MADE = {"tidy/a.parquet": "tidy_benchmark", "tags/a.parquet": "tag_metrics"}
SHA = "0123456789abcdef" * 4


def job(rule: str, label: str = "", reason: str = "Missing output files: x") -> Job:
    return Job(rule, label, (f"{rule}/{label}",), reason)


def record(event: str | None = None, at: float = 0.0, msg: str = "", **more: Any) -> Any:
    made = logging.makeLogRecord({"event": event, "msg": msg, "levelno": logging.INFO, **more})
    made.created = at
    return made


def started(number: int, what: Job, at: float) -> Any:
    more = {"rule_name": what.rule, "wildcards": {"benchmark": what.label}, "reason": what.reason}
    return record("job_info", at, jobid=number, output=list(what.outputs), **more)


def shown(screen: Terminal, *records: Any) -> list[str]:
    return [line for one in records for line in screen.lines(one) or []]


def screen(jobs: Sequence[Job], *, dry: bool = False) -> Terminal:
    return Terminal(logging.StreamHandler(io.StringIO()), lambda: list(jobs), dry=dry)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Missing output files: a, b; Input files updated by another job: c", "not made yet"),
        ("Forced execution", "forced"),
        ("Code has changed since last execution", "script changed"),
        ("Updated input files: a.csv, b.csv, c.csv, d.csv", "changed: a.csv, b.csv and 2 more"),
        (PARAMS.format("'f/a.py 11111111'", "'f/a.py 22222222'"), "code changed (f/a.py)"),
        (PARAMS.format("<nothing exclusive>", "'f/new.py 22222222'"), "code changed (f/new.py)"),
        (PARAMS.format(f"['c/a.yaml:{SHA}']", f"['c/a.yaml:{SHA[::-1]}']"), "changed: c/a.yaml"),
        (PARAMS.format("{'seed': 0, 'n': 1}", "{'seed': 7, 'n': 1}"), "settings changed (seed)"),
        (PARAMS.format("0,'f/a.py 11111111'", "7,'f/a.py 22222222'"), "settings changed"),
        (PARAMS.format("a; B now, c", "d") + "; Software environment", "settings changed"),
        ("Input files updated by another job: tags/a.parquet", "follows tag_metrics"),
        ("A new reason of Snakemake", "A new reason of Snakemake"),
    ],
)
def test_a_reason_becomes_a_few_words(reason: str, words: str) -> None:
    assert words in explain(reason, MADE)
    assert len(explain(reason, MADE)) < 50


def test_a_plan_groups_jobs_by_rule_and_reason() -> None:
    edited = PARAMS.format("'f/a.py 11111111'", "'f/a.py 22222222'")
    jobs = [job("fit", "gpt3", edited), job("fit", "digits", edited), job("fit", "tiny")]
    assert plan_lines([*jobs, job("index")], {"fit/gpt3": 60.0}) == [
        "fit      2 jobs  gpt3 digits  code changed (f/a.py)",
        "fit       1 job  tiny         not made yet",
        "index     1 job               not made yet",
        "",
        "4 jobs of 2 rules; 1 of them took 1 min 00 s before, one after another",
    ]


def test_a_plan_fits_a_screen_of_100_columns() -> None:
    many = [job("model_hierarchy", f"a-long-benchmark-name-{i}", "why " * 50) for i in range(20)]
    assert max(map(len, plan_lines(many, {}))) == 100


def test_a_run_shows_start_end_and_time_left() -> None:
    one, two = job("fit", "a"), job("fit", "b")
    ended = record("job_finished", 130.0, job_id=1)
    lines = shown(
        screen([one, two]),
        record("run_info"),
        started(1, one, 10.0),
        ended,
        record("progress", 130.0),
    )
    assert lines[-2].split() == ["fit", "a", "not", "made", "yet"]
    assert " ".join(lines[-1].split()) == "fit a done in 2 min 00 s; 1 of 2 done, about 2 min left"


@pytest.mark.parametrize(
    ("others", "left"),
    [([], "time left not known yet"), (["fit"] * 3, "more than 6 min left")],
)
def test_time_left_is_honest_about_rules_that_never_ran(others: list[str], left: str) -> None:
    jobs = [job("fit", "a"), *(job(rule, str(i)) for i, rule in enumerate(others)), job("index")]
    ended = [record("job_finished", 120.0, job_id=1), record("progress", 120.0)]
    lines = shown(screen(jobs), record("run_info"), started(1, jobs[0], 0.0), *ended)
    assert lines[-1].endswith(left)


def test_time_left_is_known_from_earlier_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "RECORDS", tmp_path)
    name = urlsafe_b64encode(b"index/").decode()
    (tmp_path / name).write_text(json.dumps({"starttime": 100.0, "endtime": 400.0}))
    (tmp_path / "@broken").write_text("{")
    jobs = [job("fit", "a"), job("index")]
    ended = [record("job_finished", 1.0, job_id=1), record("progress", 1.0)]
    lines = shown(screen(jobs), record("run_info"), started(1, jobs[0], 0.0), *ended)
    assert lines[-1].endswith("1 of 2 done, about 5 min left")


def test_a_dry_run_shows_its_plan_once() -> None:
    one = job("fit", "a")
    lines = shown(
        screen([one], dry=True), record("run_info"), started(1, one, 0.0), record("run_info")
    )
    assert [line.split("  ")[0] for line in lines[:1]] == ["fit"]
    assert len(lines) == 4
    assert "--verbose" in lines[-1]


def test_a_rule_that_only_gathers_others_is_not_shown() -> None:
    gathers = Job("all", "", (), "Input files updated by another job: x")
    assert shown(screen([job("fit")]), started(0, gathers, 0.0)) == []


@pytest.mark.parametrize(
    "passed",
    [
        record("job_error", msg="Error in rule fit"),
        record(msg="Reasons: of an error", levelno=logging.ERROR),
        record(msg="Nothing to be done"),
        record("job_info", msg="a record of another Snakemake"),
    ],
)
def test_errors_and_whatever_is_new_go_through_as_snakemake_words_them(passed: Any) -> None:
    logger = logging.Logger("snakemake")
    native = logging.StreamHandler(stream := io.StringIO())
    native.name = "DefaultStreamHandler"
    logger.addHandler(native)
    take_over(logger, list, dry=False)
    logger.handle(passed)
    assert stream.getvalue() == f"{passed.msg}\n"


def test_a_handler_of_somebody_else_stays() -> None:
    logger = logging.Logger("snakemake")
    logger.addHandler(other := logging.StreamHandler())
    take_over(logger, list, dry=False)
    assert logger.handlers == [other]
