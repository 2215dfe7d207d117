"""A copy of the workflow in a folder of its own, and what Snakemake does there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """Exit status and everything a person would see of one call of Snakemake."""

    status: int
    text: str

    @property
    def rules(self) -> set[str]:
        """Rules of the plan that a run, or a dry run, begins with."""
        return set(re.findall(r"^(\w+) +\d+ jobs? ", self.text, re.M))


@dataclass(frozen=True)
class Project:
    """A copy of the workflow in a folder of its own."""

    root: Path

    def snakemake(self, *words: str, config: str = 'benchmarks=["tiny"]') -> Result:
        """Run Snakemake there on the tiny benchmark."""
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            "2",
            *words,
            "--config",
            *config.split(),
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("METAMIRAGE")}
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            # A session of its own: a test may kill the whole run.
            start_new_session=True,
        )
        return Result(done.returncode, done.stdout)

    def copied(self, root: Path) -> Project:
        """Return a copy of this project in another, existing folder."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return Project(root)

    def planned(self) -> set[str]:
        """Rules that a run would start now."""
        result = self.snakemake("--dry-run")
        assert result.status == 0, result.text
        return result.rules

    @contextmanager
    def edited(self, name: str, edit: Callable[[str], str]) -> Iterator[None]:
        """Change a file for the length of a test."""
        file = self.root / name
        before = file.read_text(encoding="utf-8")
        file.write_text(edit(before), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(before, encoding="utf-8")

    def fingerprint(self) -> dict[str, str]:
        """SHA-256 of every table and page."""
        files = [
            *self.root.glob("data/processed/**/*.parquet*"),
            *self.root.glob("reports/**/*.html"),
        ]
        return {
            str(file.relative_to(self.root)): sha256(file.read_bytes()).hexdigest()
            for file in sorted(files)
        }
