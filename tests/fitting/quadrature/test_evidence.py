"""Evidences of the 300 curves of ``reference_set``, all candidates, against brute force."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from metamirage.base.vocabulary import CANDIDATES
from metamirage.fitting.priors import priors_for
from metamirage.fitting.quadrature.integrate import integrate
from places import REFERENCE
from reference_set import fingerprint, reference_set

FOLDER = REFERENCE
# What the project promises of an evidence, nats.
PROMISE = 0.05
# The references must be far better known than that.
REFERENCE = 0.003
CURVES = reference_set()


def stored(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EVIDENCE = {(row["curve"], row["candidate"]): row for row in stored("evidence_set.csv")}
PAIRS = list(EVIDENCE)


@dataclass(frozen=True)
class Gaps:
    """Engine less reference, and the 95 % half-width of both together, over ``PAIRS``."""

    gap: np.ndarray
    claimed: np.ndarray
    reported: np.ndarray

    def worst(self, badness: np.ndarray, count: int = 20) -> str:
        order = np.argsort(-badness)[:count]
        return "".join(
            f"\n{'/'.join(PAIRS[i])}: off by {self.gap[i]:+.4f}, claimed {self.claimed[i]:.4f}"
            for i in order
        )


@pytest.fixture(scope="module")
def gaps() -> Gaps:
    gap, claimed, reported = [], [], []
    for index, (name, candidate) in enumerate(PAIRS):
        rng = np.random.default_rng([1, index])
        fit = integrate(CURVES[name], candidate, priors_for(CURVES[name], candidate), rng=rng)
        known = EVIDENCE[name, candidate]
        gap.append(fit.log_evidence - float(known["log_evidence"]))
        claimed.append(np.hypot(fit.error, 1.96 * float(known["se"])))
        reported.append(fit.error)
    return Gaps(np.array(gap), np.array(claimed), np.array(reported))


def test_every_evidence_is_within_the_promise(gaps: Gaps) -> None:
    off = np.abs(gaps.gap)
    # The seeds are fixed: this is no statistical test.
    assert (off < PROMISE).all(), f"{(off >= PROMISE).sum()} of {len(off)}{gaps.worst(off)}"


def test_reported_errors_cover_the_true_ones(gaps: Gaps) -> None:
    ratio = np.abs(gaps.gap) / gaps.claimed
    share = np.mean(ratio <= 1)
    assert share >= 0.95, f"{share:.3f} covered{gaps.worst(ratio)}"


def test_reported_errors_keep_the_promise(gaps: Gaps) -> None:
    # An error that covers by being huge would tell nothing.
    assert np.quantile(gaps.reported, 0.95) < PROMISE, gaps.worst(gaps.reported)


def test_the_references_belong_to_these_curves_and_priors() -> None:
    assert set(PAIRS) == {(curve, candidate) for curve in CURVES for candidate in CANDIDATES}
    assert len(PAIRS) == 1500
    moved = [k for k in PAIRS if EVIDENCE[k]["data"] != fingerprint(CURVES[k[0]])]
    assert not moved, "run tests/reference/make_evidence_set.py again"


def is_known(row: dict[str, str]) -> bool:
    # Above 0.5 the variance of the weights may be infinite, and the error none.
    return float(row["se"]) < REFERENCE and float(row["k_hat"] or 0) < 0.5


# References by draws whose largest weights are a little heavier than their error allows for.
DOUBTFUL = {
    ("last/counts/2", "sigmoid"),
    ("sigmoid/counts/4", "quadratic"),
    ("replicates/counts/2", "quadratic"),
}


def test_all_but_three_references_are_known_well_enough() -> None:
    assert {key for key, row in EVIDENCE.items() if not is_known(row)} == DOUBTFUL


BARE = [name for name, curve in CURVES.items() if len(curve.z) >= 8 and not curve.stderr.any()]


@pytest.mark.parametrize(
    ("name", "candidate"),
    [(n, "flat") for n in BARE if n.startswith(("zeros/scores", "chance/scores", "ones/scores"))]
    + [(n, "linear") for n in BARE if n.startswith("line/scores")],
)
def test_an_exact_fit_has_the_evidence_of_its_closed_form(name: str, candidate: str) -> None:
    curve, prior = CURVES[name], priors_for(CURVES[name], candidate).as_array()
    u = (curve.size - curve.size[0]) / np.ptp(curve.size)
    columns = np.column_stack([1 - u, u]) if candidate == "linear" else np.ones((len(u), 1))
    levels = curve.z[[0, -1]][: columns.shape[1]]
    expected = norm.logpdf(levels, *prior[[0, 2]][: len(levels)].T).sum()
    expected -= 0.5 * np.linalg.slogdet(columns.T @ columns).logabsdet
    # n scores less k levels leave noise**-(n - k), whose mean under its log Normal prior is known.
    free, (mean, sd) = len(u) - len(levels), prior[1]
    expected += free**2 * sd**2 / 2 - free * mean - free / 2 * np.log(2 * np.pi)
    # The posterior noise is 5e-6 and less, against priors of the levels of 0.06 and more.
    assert float(EVIDENCE[name, candidate]["log_evidence"]) == pytest.approx(expected, abs=1e-4)


def test_another_method_gives_the_same_references() -> None:
    checks = stored("evidence_set_checks.csv")
    usable = [row for row in checks if is_known(row)]
    # Draws from posteriors that may be narrow without bound say themselves that they are lost.
    assert len(usable) >= 0.9 * len(checks) >= 100
    for row in usable:
        first = EVIDENCE[row["curve"], row["candidate"]]
        gap = float(row["log_evidence"]) - float(first["log_evidence"])
        # Four standard errors of a difference, over some hundreds of them; 1e-3 for the digits.
        allowed = 4 * np.hypot(float(row["se"]), float(first["se"])) + 1e-3
        assert row["method"] != first["method"]
        assert abs(gap) < allowed, (row["curve"], row["candidate"], gap)
