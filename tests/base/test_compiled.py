"""The cache of compiled code must not outlive the code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from metamirage.base.compiled import PARTS
from metamirage.fitting.quadrature import densities

PRINT = """
from builders import make_curve
from metamirage.fitting.quadrature.integrate import integrate
from metamirage.fitting.priors import priors_for
import numpy as np
curve = make_curve([8.0, 9.0, 10.0], [0.1, 0.2, 0.3])
rng = np.random.default_rng(1)
print(integrate(curve, "flat", priors_for(curve, "flat"), rng=rng).log_evidence)
"""


def evidence(root: Path, tests: Path) -> float:
    environment = {"PYTHONPATH": f"{root}:{tests}", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_the_cache_follows_every_module_that_compiles(repository: Path) -> None:
    package = repository / "src/metamirage"
    compiling = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if "@jit" in file.read_text(encoding="utf-8")
    }
    assert compiling <= set(PARTS)


def test_an_edited_density_reaches_the_engine_that_was_compiled_before(
    tmp_path: Path, repository: Path
) -> None:
    root, tests = tmp_path / "src", repository / "tests"
    cached = shutil.ignore_patterns("__pycache__")
    shutil.copytree(repository / "src", root, ignore=cached)
    before = evidence(root, tests)
    file = root / Path(densities.__file__).relative_to(repository / "src")
    before_edit = file.read_text(encoding="utf-8")
    edited = before_edit.replace("return -0.5 * (LOG_2PI + t * t)", "return -0.5 * t * t")
    assert edited != before_edit
    file.write_text(edited, encoding="utf-8")
    # Two priors lose their constant of half a log 2 pi.
    assert evidence(root, tests) - before == pytest.approx(np.log(2 * np.pi), abs=0.01)
