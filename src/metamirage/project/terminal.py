"""What a run shows: the plan on one screen, two lines a job, and the time left.

Snakemake prints every input of every job. This puts a handler before its own: records that it can
say shorter are said shorter, and all others, errors and warnings among them, go through as they
are. Log files stay Snakemake's own, and so does the output under ``--verbose`` and ``--quiet``.
"""

from __future__ import annotations

import ast
import json
import logging
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTH = 100
RECORDS = Path(".snakemake/metadata")
# Of Snakemake's own lines: what the plan says already, or what nobody acts upon.
HIDDEN = re.compile(
    r"Building DAG|Using shell|Provided (cores|resources)|Rules claiming more|Select jobs to"
    r"|Singularity containers|Conda environments|Reasons:|Some jobs were triggered by prov"
    r"|Rules with provenance|This was a dry-run|Shell command: None"
)
HIDDEN_EVENTS = {"workflow_started", "resources_info", "job_started"}
SIMPLE_REASONS = {
    "Missing output files": "not made yet",
    "Incomplete output files": "was cut off",
    "Set of input files has changed": "other inputs than before",
    "Code has changed": "script changed",
    "Software environment definition has changed": "environment changed",
    "Forced execution": "forced",
}
_PARAMS = re.compile(r"Params have changed.*?before: (.*) now: (.*?) *(?=; Software|$)", re.S)
_DIGEST = re.compile(r"(\S+?)[ :][0-9a-f]{8,64}")


@dataclass(frozen=True)
class Job:
    """One job that Snakemake means to run; its label is what its wildcards stand for."""

    rule: str
    label: str
    outputs: tuple[str, ...]
    reason: str


def explain(reason: str, makers: Mapping[str, str]) -> str:
    """Say in a few words why a job runs.

    Parameters
    ----------
    reason
        Snakemake's own words, with all files and params.
    makers
        Rule of every file that this run makes.

    Returns
    -------
    str
        Such as ``code changed (fitting/fits.py)``, or ``follows fit_curves`` if its inputs are
        made again and nothing else is new.
    """
    rest, params = _PARAMS.sub("", reason), _PARAMS.search(reason)
    words = list(_changed_params(params[1], params[2])) if params else []
    words += [short for start, short in SIMPLE_REASONS.items() if start in rest]
    if updated := re.search(r"Updated input files: (.*?)(?=; [A-Z]|; ?$|$)", rest):
        words.append(f"changed: {_some(updated[1].split(', '))}")
    if not words and (made := re.search(r"updated by another job: (.*?)(?=; [A-Z]|$)", rest)):
        rules = {makers.get(file, file) for file in made[1].split(", ")}
        words.append(f"follows {_some(sorted(rules), 1)}")
    return ", ".join(words) or reason


def _changed_params(before: str, now: str) -> Iterator[str]:
    names = {name for name, _ in _atoms(before) ^ _atoms(now)}
    code = {name for name in names if name.endswith(".py")}
    files = {name for name in names - code if "/" in name}
    settings = names - code - files
    if code:
        yield f"code changed ({_some(sorted(code))})"
    if files:
        yield f"changed: {_some(sorted(files))}"
    if settings:
        yield f"settings changed ({_some(sorted(settings - {''}))})".removesuffix(" ()")


def _atoms(params: str) -> set[tuple[str, str]]:
    """Take params apart into names, as far as they have any, and values."""
    try:
        return set(_flat(ast.literal_eval(f"[{params}]")))
    except (SyntaxError, ValueError):
        # Not written as Python would: only that something changed is known.
        return {("", params)}


def _flat(value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            yield from ((str(key), repr(inner)) for key, inner in value.items())
        case list() | tuple():
            yield from (atom for inner in value for atom in _flat(inner))
        case str() if named := _DIGEST.fullmatch(value):
            yield named[1], value
        case _:
            yield "", repr(value)


def _some(names: Sequence[str], most: int = 2) -> str:
    """List a few names and the number of the others."""
    others = len(names) - most
    return ", ".join(names[:most]) + (f" and {others} more" if others > 0 else "")


def plan_lines(jobs: Sequence[Job], earlier: Mapping[str, float]) -> list[str]:
    """Put all jobs of a run on one screen, a line for each rule and reason.

    Parameters
    ----------
    jobs
        In the order to show them.
    earlier
        Seconds that an earlier run took, by output.

    Returns
    -------
    list of str
        Lines of at most `WIDTH` characters.
    """
    makers = _makers(jobs)
    groups: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        groups.setdefault((job.rule, explain(job.reason, makers)), []).append(job.label)
    wide = max((len(job.rule) for job in jobs), default=0)
    texts = {group: " ".join(filter(None, labels)) for group, labels in groups.items()}
    # Labels give way to the reason, which is what a person looks for.
    why_wide = min(max((len(why) for _, why in groups), default=0), 38)
    room = min(max(map(len, texts.values()), default=0), WIDTH - wide - why_wide - 14)
    lines = []
    for (rule, why), labels in groups.items():
        shown = _clip(texts[rule, why], room)
        lines.append(_clip(f"{rule:{wide}}  {_count(labels, 'job'):>8}  {shown:{room}}  {why}"))
    return [*lines, "", _total(jobs, earlier)]


def _total(jobs: Sequence[Job], earlier: Mapping[str, float]) -> str:
    known = [earlier[job.outputs[0]] for job in jobs if job.outputs[0] in earlier]
    total = f"{_count(jobs, 'job')} of {_count({job.rule for job in jobs}, 'rule')}"
    if not known:
        return f"{total}; no earlier run to tell how long they take"
    which = "they" if len(known) == len(jobs) else f"{len(known)} of them"
    return f"{total}; {which} took {_spell(sum(known))} before, one after another"


def _count(things: Collection[Any], name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def _clip(text: str, width: int = WIDTH) -> str:
    return (text if len(text) <= width else f"{text[: width - 1]}…").rstrip()


def _spell(seconds: float) -> str:
    """Write a length of time in its two largest units."""
    whole, minutes = max(1, round(seconds)), round(seconds / 60)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def _time_left(expected: Sequence[float | None], at_once: float) -> str:
    """Say how long jobs of these lengths take, of which so many run at a time on average."""
    known = [seconds for seconds in expected if seconds is not None]
    # The longest job cannot be shared out.
    minutes = round(max(sum(known) / max(at_once, 1.0), max(known, default=0.0)) / 60)
    about = _spell(60 * minutes).removesuffix(" 00 s")
    if len(known) < len(expected):
        return f"more than {about} left" if minutes else "time left not known yet"
    return f"about {about} left" if minutes else "less than a minute left"


def _earlier_seconds(records: Path) -> dict[str, float]:
    """Read from Snakemake's records how long every output took when it was made."""
    seconds = {}
    for file in records.rglob("*"):
        try:
            name = "".join(part.lstrip("@") for part in file.relative_to(records).parts)
            record = json.loads(file.read_text(encoding="utf-8"))
            seconds[urlsafe_b64decode(name).decode()] = record["endtime"] - record["starttime"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    # `--touch` leaves a record of no length.
    return {file: length for file, length in seconds.items() if length > 0.5}


class Terminal(logging.Handler):
    """Say Snakemake's records shorter; remembers what ran, and for how long."""

    def __init__(
        self, native: logging.StreamHandler[Any], plan: Callable[[], list[Job]], *, dry: bool
    ) -> None:
        super().__init__()
        self._native, self._plan, self._dry = native, plan, dry
        self._jobs: list[Job] = []
        self._earlier: dict[str, float] = {}
        self._running: dict[int, tuple[Job, float]] = {}
        self._done: dict[Job, float] = {}
        self._ended: list[str] = []
        self._began, self._understood = 0.0, True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's lines to where Snakemake writes."""
        try:
            lines = self.lines(record) if self._understood else None
        except Exception:
            # Another version of Snakemake may build its records otherwise: then as it likes.
            lines, self._understood = None, False
        if lines is None:
            self._native.handle(record)
        elif lines:
            self._native.stream.write("\n".join(lines) + "\n")
            self._native.flush()

    def lines(self, record: logging.LogRecord) -> list[str] | None:
        """Return what to show for a record; None: what Snakemake shows."""
        event = getattr(record, "event", None)
        match event:
            case "run_info":
                return self._planned()
            case "job_info":
                return self._started(record)
            case "job_finished":
                return self._finished(record)
            case "progress":
                return self._progress(record)
        hidden = record.levelno == logging.INFO and HIDDEN.match(str(record.msg))
        return [] if hidden or event in HIDDEN_EVENTS else None

    def _planned(self) -> list[str]:
        if self._jobs:
            # A dry run announces its jobs twice.
            return []
        self._jobs, self._earlier = self._plan(), _earlier_seconds(RECORDS)
        end = "A dry run (-n): nothing was started. In full, with every file: --verbose"
        return [*plan_lines(self._jobs, self._earlier), end if self._dry else ""]

    def _started(self, record: Any) -> list[str]:
        if self._dry or not record.output:
            # A rule without outputs only gathers others.
            return []
        outputs = tuple(map(str, record.output))
        label = " ".join(map(str, (record.wildcards or {}).values()))
        job = Job(record.rule_name, label, outputs, record.reason)
        self._running[record.jobid] = (job, record.created)
        self._began = self._began or record.created
        return [_clip(f"{self._head(job)}  {explain(job.reason, _makers(self._jobs))}")]

    def _finished(self, record: Any) -> list[str]:
        if record.job_id in self._running:
            job, since = self._running.pop(record.job_id)
            self._done[job] = record.created - since
            self._ended.append(f"{self._head(job)}  done in {_spell(self._done[job])}")
        return []

    def _progress(self, record: logging.LogRecord) -> list[str]:
        if not self._ended:
            return []
        progress = f"{len(self._done)} of {len(self._jobs)} done"
        if len(self._done) < len(self._jobs):
            running = sum(record.created - since for _, since in self._running.values())
            elapsed = max(record.created - self._began, 1e-9)
            at_once = (sum(self._done.values()) + running) / elapsed
            progress += f", {_time_left(list(self._expected(record.created)), at_once)}"
        ended, self._ended = self._ended, []
        return [*ended[:-1], f"{ended[-1]}; {progress}"]

    def _head(self, job: Job) -> str:
        rules, labels = zip(*((job.rule, job.label) for job in self._jobs), strict=True)
        return f"{job.rule:{max(map(len, rules))}}  {job.label:{max(map(len, labels))}}"

    def _expected(self, now: float) -> Iterator[float | None]:
        """Yield the seconds each remaining job needs: as before, or as its rule did elsewhere."""
        makers = _makers(self._jobs)
        rules = {makers[file]: self._earlier[file] for file in makers.keys() & self._earlier.keys()}
        rules |= {job.rule: seconds for job, seconds in self._done.items()}
        done = {job.outputs for job in self._done}
        spent = {job.outputs: now - since for job, since in self._running.values()}
        for job in self._jobs:
            if job.outputs not in done:
                seconds = self._earlier.get(job.outputs[0], rules.get(job.rule))
                yield None if seconds is None else max(0.0, seconds - spent.get(job.outputs, 0.0))


def take_over(logger: logging.Logger, plan: Callable[[], list[Job]], *, dry: bool) -> None:
    """Put our terminal in place of Snakemake's, if that is in use.

    Parameters
    ----------
    logger
        Snakemake's.
    plan
        Gives the jobs of the run, once Snakemake knows them.
    dry
        Whether nothing will run.
    """
    for native in list(logger.handlers):
        if native.name == "DefaultStreamHandler" and isinstance(native, logging.StreamHandler):
            logger.removeHandler(native)
            logger.addHandler(Terminal(native, plan, dry=dry))


def _makers(jobs: Iterable[Job]) -> dict[str, str]:
    return {file: job.rule for job in jobs for file in job.outputs}
