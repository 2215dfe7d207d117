"""Evidence of the 300 curves of ``reference_set`` under every candidate, by brute force.

``evidence_set.csv`` and ``evidence_set_checks.csv`` are what this wrote.
It goes on where it was cut off; scores and counts may run side by side, from the repository root:
``for part in scores counts checks; do
PYTHONPATH=src:tests NUMBA_NUM_THREADS=1 python tests/reference/make_evidence_set.py $part & done``
Some forty minutes of two cores. Nothing of the engine or of its compiled densities is used.

* Scores (``quadrature``): levels in closed form, noise on a lattice, shape by panels that are
  halved until that changes nothing. Done at two resolutions; ``se`` is how far they differ.
* Counts (``importance``): for flat and linear a lattice, ``se`` again a difference of two; for the
  others random draws from a fitted mixture, until their standard error is below ``TARGET_SE``.
  ``k_hat`` is the Pareto shape of their largest weights, which below 0.5 vouches for that error.
* Checks: another method on a part of the curves. Counts: lattices of levels and dispersion, shape
  by shape. Scores: draws, or where these are lost (``k_hat``, ``se``) plain grids of the shape.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from definition import Problem, log_density, problem
from grid import grid_evidence
from importance import sampled
from lattice import lattice_evidence, shape_evidence
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.models import build_model
from metamirage.fitting.priors import PARAMETERS, priors_for
from quadrature import FINE, STANDARD, score_evidence
from reference_set import fingerprint, reference_set

FOLDER = Path(__file__).parent
COLUMNS = ("curve", "data", "candidate", "method", "log_evidence", "se", "k_hat", "evaluations")
SEED = 20240607
TARGET_SE = 0.0015
# Checked: each fifth curve of scores, and more of the exact ones; each tenth of counts, sigmoids of
# few points only.
CHECK_SCORES, CHECK_COUNTS, CHECK_POINTS = 5, 10, 8
EXACT = ("line", "last")

Row = dict[str, object]
Task = tuple[str, Curve, str, Callable[[Problem, np.random.Generator], Row]]


def rng_of(name: str, candidate: str) -> np.random.Generator:
    """Return the random numbers of one curve and candidate."""
    return np.random.default_rng([SEED, *f"{name}:{candidate}".encode()])


def by_quadrature(task: Problem, _: np.random.Generator) -> Row:
    """Evidence of scores."""
    coarse, first = score_evidence(task, STANDARD)
    value, second = score_evidence(task, FINE)
    used = first + second
    return row("quadrature", value, abs(value - coarse), evaluations=used)


def by_lattice(task: Problem, _: np.random.Generator) -> Row:
    """Evidence of counts under flat or linear; any other to check."""
    if task.dimensions < 4:
        return row("lattice", *lattice_evidence(task))
    return row("lattice", shape_evidence(task), 1e-3)


def by_grid(task: Problem, _: np.random.Generator) -> Row:
    """Evidence of scores, to check."""
    return row("grid", grid_evidence(task), 1e-3)


def by_draws(task: Problem, rng: np.random.Generator) -> Row:
    """Evidence of anything, by importance sampling."""
    sample = sampled(task, TARGET_SE, rng)
    used = len(sample.log_weights)
    return row("draws", sample.log_evidence, sample.se, f"{sample.k_hat:.2f}", used)


def row(method: str, value: float, se: float, k_hat: str = "", evaluations: int | str = "") -> Row:
    """Fields of the result."""
    return {
        "method": method,
        "log_evidence": f"{value:.5f}",
        "se": f"{se:.5f}",
        "k_hat": k_hat,
        "evaluations": evaluations,
    }


def references(part: str) -> Iterator[Task]:
    """Curve, candidate and method of the references of scores or of counts."""
    for name, curve in reference_set().items():
        if (curve.observation == "beta_binomial") != (part == "counts"):
            continue
        for candidate in CANDIDATES:
            counted = by_lattice if candidate in ("flat", "linear") else by_draws
            yield name, curve, candidate, counted if part == "counts" else by_quadrature


def checks(_: str) -> Iterator[Task]:
    """Curve, candidate and method of what is computed twice."""
    for index, (name, curve) in enumerate(reference_set().items()):
        for candidate in CANDIDATES:
            small, few = candidate in ("flat", "linear"), len(curve.z) <= CHECK_POINTS
            # Where scores may fit exactly and no error is known, draws are lost.
            bare = curve.observation == "gaussian" and not curve.stderr.any()
            if curve.observation == "gaussian":
                if index % CHECK_SCORES == 0 or (bare and name.startswith(EXACT)):
                    yield name, curve, candidate, by_grid if bare and not small else by_draws
            elif index % CHECK_COUNTS == 0 and (few or candidate != "sigmoid"):
                yield name, curve, candidate, by_draws if small else by_lattice


def check_definition() -> None:
    """Compare our densities with the PyMC models, at random points of the prior."""
    curves = reference_set()
    rng = np.random.default_rng(SEED)
    for name in ("unequal/scores/0", "unequal/counts/0"):
        for candidate in CANDIDATES:
            task = problem(curves[name], candidate)
            model = build_model(curves[name], candidate, priors_for(curves[name], candidate))
            theirs = model.compile_logp()
            for _ in range(5):
                theta = task.prior[:, 0] + task.prior[:, 1] * rng.standard_normal(5)
                free = dict(zip(PARAMETERS[candidate], theta, strict=False))
                ours = log_density(*task.arrays, task.dimensions, theta * free_mask(task))
                # Digits that thousands of nats leave.
                if not np.isclose(ours, theirs(free), rtol=1e-9, atol=1e-8):
                    raise AssertionError((name, candidate, theta, ours, theirs(free)))


def free_mask(task: Problem) -> FloatArray:
    """One for free parameters, zero for the others."""
    return (np.arange(5) < task.dimensions).astype(float)


def done(path: Path) -> set[tuple[str, str]]:
    """Return what is there already."""
    if not path.exists():
        path.write_text(",".join(COLUMNS) + "\n")
    with path.open() as file:
        return {(row["curve"], row["candidate"]) for row in csv.DictReader(file)}


def main(part: str) -> None:
    """Compute what is missing of one part, a line at a time."""
    check_definition()
    path = FOLDER / ("evidence_set_checks.csv" if part == "checks" else "evidence_set.csv")
    there = done(path)
    tasks = checks(part) if part == "checks" else references(part)
    for name, curve, candidate, method in tasks:
        if (name, candidate) in there:
            continue
        fields = method(problem(curve, candidate), rng_of(name, candidate))
        fields |= {"curve": name, "data": fingerprint(curve), "candidate": candidate}
        with path.open("a") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(fields)


if __name__ == "__main__":
    main(sys.argv[1])
