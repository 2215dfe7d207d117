"""Evidence and width profile of the curves of ``builders.reference_curves`` by brute force.

Run once from the repository root (some minutes on two cores); ``evidence.json`` is what it wrote:
``PYTHONPATH=src:tests python tests/reference/make_evidence.py``. Flat and linear are not here: the
test integrates them on a lattice itself.

Nothing of the engine or of the compiled densities is used. Counts: 2.6 million random draws, half
of them from the prior, half from one Student-t fitted to earlier draws, weighted by the density;
the standard error is stored. Scores with Gaussian noise: levels in closed form, noise on a lattice
of 400 points, shape by Gauss-Legendre panels, halved until that changes nothing; good to 1e-3.
"""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from pathlib import Path

import numba
import numpy as np
import scipy
from scipy.special import logsumexp
from scipy.stats import norm

from builders import TWO_LN_9, reference_curves
from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.priors import LOG10_WIDTH_NODES, Priors, priors_for

TARGET = Path(__file__).parent / "evidence.json"
CANDIDATES = ("power", "sigmoid")
FREE = ("left", "dispersion", "right", "shape1", "shape2")
# Draws of a chunk: while the proposal is sought, and for the result.
CHUNKS, PILOT, DRAWS = 64, 4_000, 40_000
DF = 4.0
# While the proposal is sought, a draw this many nats below the best is not followed further.
GIVE_UP = 60.0
# Beyond, differences of log gamma functions have no digits left; the prior has 1e-50 there.
MAX_LOG_DISPERSION = 20.0
N_NOISE = 400
# Share of the total that halving a panel may change.
TOLERANCE = 2e-5


@numba.njit
def log_binomial(k: float, n: float, mu: float, phi: float) -> float:
    """Beta-binomial log probability."""
    a, b = mu * phi, (1 - mu) * phi
    if a <= 0 or b <= 0:
        return 0.0 if k == n * mu else -np.inf
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    top = math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + phi)
    return choose + top - (math.lgamma(a) + math.lgamma(b) - math.lgamma(phi))


@numba.njit
def shape_at(sigmoid: bool, x: float, ends: FloatArray, s1: float, s2: float) -> float:
    """Logistic of location and log width, or exponential between 0 and 1 over the window."""
    if sigmoid:
        return 1 / (1 + math.exp(-TWO_LN_9 * (x - s1) / math.exp(s2)))
    rate = s1 * math.log(10.0)
    return math.expm1(rate * (x - ends[0])) / math.expm1(rate * (ends[1] - ends[0]))


@numba.njit
def log_likelihood(sigmoid, x, k, n, theta, give_up):  # noqa: ANN001, ANN201
    """Log likelihood of counts, or -inf as soon as it has fallen below ``give_up``."""
    if theta[1] > MAX_LOG_DISPERSION:
        return -np.inf
    low, high = 1 / (1 + math.exp(-theta[0])), 1 / (1 + math.exp(-theta[2]))
    ends = np.array([x[0], x[-1]])
    total = 0.0
    for i in range(len(x)):
        h = shape_at(sigmoid, x[i], ends, theta[3], theta[4])
        total += log_binomial(k[i], n[i], low * (1 - h) + high * h, math.exp(theta[1]))
        if total < give_up:
            return -np.inf
    return total


@numba.njit
def log_proposal(theta, prior, mean, inverse, log_norm):  # noqa: ANN001, ANN201
    """Log density of half prior, half Student-t; and of the prior."""
    log_prior = 0.0
    square = 0.0
    for j in range(5):
        t = (theta[j] - prior[j, 0]) / prior[j, 1]
        log_prior -= 0.5 * (t * t + math.log(2 * math.pi)) + math.log(prior[j, 1])
        z = 0.0
        for m in range(j + 1):
            z += inverse[j, m] * (theta[m] - mean[m])
        square += z * z
    log_t = log_norm - 0.5 * (DF + 5) * math.log1p(square / DF)
    top = max(log_prior, log_t)
    return log_prior, top + math.log(0.5 * (math.exp(log_prior - top) + math.exp(log_t - top)))


@numba.njit(parallel=True)
def draw(sigmoid, x, k, n, prior, mean, factor, draws, seed, give_up):  # noqa: ANN001, ANN201
    """Draws, half of them from the prior, and their log weights; ``CHUNKS * draws`` of them."""
    thetas = np.empty((CHUNKS * draws, 5))
    weights = np.empty(CHUNKS * draws)
    inverse = np.linalg.inv(factor)
    log_norm = math.lgamma((DF + 5) / 2) - math.lgamma(DF / 2) - 2.5 * math.log(DF * math.pi)
    for j in range(5):
        log_norm -= math.log(factor[j, j])
    for chunk in numba.prange(CHUNKS):
        np.random.seed(seed + chunk)  # noqa: NPY002 (numba has no other seed inside a loop)
        for i in range(chunk * draws, (chunk + 1) * draws):
            z = np.random.standard_normal(5)  # noqa: NPY002
            if i % 2:
                thetas[i] = prior[:, 0] + prior[:, 1] * z
            else:
                stretch = math.sqrt(DF / np.random.chisquare(DF))  # noqa: NPY002
                thetas[i] = mean + factor @ z * stretch
            log_prior, log_q = log_proposal(thetas[i], prior, mean, inverse, log_norm)
            likelihood = log_likelihood(sigmoid, x, k, n, thetas[i], give_up)
            weights[i] = likelihood + log_prior - log_q
    return thetas, weights


def count_evidence(curve: Curve, candidate: str, priors: Priors) -> dict[str, object]:
    """Evidence of counts, its standard error, and the profile, from weighted random draws."""
    k = np.rint(curve.z * curve.n_items)
    prior = np.array([getattr(priors, name) for name in FREE])
    data = (candidate == "sigmoid", curve.size, k, curve.n_items, prior)
    mean, factor, give_up = prior[:, 0].copy(), np.diag(prior[:, 1]), -1e9
    for seed in range(4):
        thetas, log_weights = draw(*data, mean, factor, PILOT, 100_000 * seed, give_up)
        # Tempered until some thousands of draws count, so that the first fit is no single draw.
        share = tempered(log_weights)
        mean = share @ thetas
        scatter = (thetas - mean).T @ ((thetas - mean) * share[:, None])
        factor = np.linalg.cholesky(1.5 * scatter + 1e-4 * np.diag(prior[:, 1] ** 2))
        give_up = log_weights.max() - GIVE_UP if seed else -1e9
    thetas, log_weights = draw(*data, mean, factor, DRAWS, 1_000_000, -1e9)
    total = logsumexp(log_weights)
    weights = np.exp(log_weights - total)
    result: dict[str, object] = {
        "log_evidence": float(total - np.log(len(weights))),
        "se": float(np.sqrt(np.sum(weights**2) - 1 / len(weights))),
    }
    if candidate == "sigmoid":
        edges = width_edges()
        cell = np.searchsorted(edges, thetas[:, 4])
        sums = np.bincount(cell, weights, len(edges) + 1)[1:-1]
        squares = np.bincount(cell, weights**2, len(edges) + 1)[1:-1]
        profile = np.log(sums) + result["log_evidence"] - np.log(width_masses(priors))
        result["profile"] = profile.tolist()
        result["profile_se"] = (np.sqrt(squares) / sums).tolist()
    return result


def tempered(log_weights: FloatArray) -> FloatArray:
    """Shares of the draws, flattened until 3,000 of them count."""
    for power in np.append(1.0, 0.8 ** np.arange(1, 40)):
        share = np.exp(power * log_weights - logsumexp(power * log_weights))
        if 1 / np.sum(share**2) > 3000:
            break
    return np.asarray(share)


def width_edges() -> FloatArray:
    """Ends of the cells about the nodes, natural log of decades."""
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    return np.asarray(np.log(10) * (LOG10_WIDTH_NODES[0] - step / 2 + step * np.arange(37)))


def width_masses(priors: Priors) -> FloatArray:
    """Prior probability of each cell, differences taken in the nearer tail."""
    t = (width_edges() - priors.shape2[0]) / priors.shape2[1]
    return np.where(t[:-1] > 0, -np.diff(norm.sf(t)), np.diff(norm.cdf(t)))


@numba.njit
def score_given_noise(h, y, se, prior, sigma, free_right):  # noqa: ANN001, ANN201
    """Log density of Gaussian scores with the levels integrated out, given the noise."""
    p, q, r, u, v = 1 / prior[0, 1] ** 2, 0.0, 1 / prior[2, 1] ** 2, 0.0, 0.0
    log_det = math.log(prior[0, 1]) + (math.log(prior[2, 1]) if free_right else 0.0)
    for i in range(len(y)):
        w = 1 / (se[i] ** 2 + sigma**2)
        log_det -= 0.5 * math.log(w)
        residual = y[i] - prior[0, 0] * (1 - h[i]) - prior[2, 0] * h[i]
        p += w * (1 - h[i]) ** 2
        q += w * (1 - h[i]) * h[i]
        r += w * h[i] ** 2
        u += w * (1 - h[i]) * residual
        v += w * h[i] * residual
    det = p * r - q * q if free_right else p
    d_left = (r * u - q * v) / det if free_right else u / p
    d_right = (p * v - q * u) / det if free_right else 0.0
    square = (d_left / prior[0, 1]) ** 2 + (d_right / prior[2, 1]) ** 2
    for i in range(len(y)):
        mu = (prior[0, 0] + d_left) * (1 - h[i]) + (prior[2, 0] + d_right) * h[i]
        square += (y[i] - mu) ** 2 / (se[i] ** 2 + sigma**2)
    return -0.5 * square - log_det - 0.5 * math.log(det) - 0.5 * len(y) * math.log(2 * math.pi)


@numba.njit
def score_marginal(h, y, se, prior, free_right):  # noqa: ANN001, ANN201
    """Log of the integral over levels and noise, given the shape."""
    mean, sd = prior[1]
    values = np.empty(N_NOISE)
    lo, hi = mean - 14 * sd, mean + 6 * sd
    step = (hi - lo) / (N_NOISE - 1)
    for j in range(N_NOISE):
        nu = lo + j * step
        values[j] = score_given_noise(h, y, se, prior, math.exp(nu), free_right)
        values[j] -= 0.5 * ((nu - mean) / sd) ** 2 + math.log(sd * math.sqrt(2 * math.pi))
    best = values.max()
    return best + math.log(np.exp(values - best).sum() * step)


@numba.njit(parallel=True)
def score_marginals(shapes, y, se, prior, free_right):  # noqa: ANN001, ANN201
    """Apply ``score_marginal`` to many shapes, one a row."""
    out = np.empty(len(shapes))
    for i in numba.prange(len(shapes)):
        out[i] = score_marginal(shapes[i], y, se, prior, free_right)
    return out


def inner(curve: Curve, shapes: FloatArray, priors: Priors) -> FloatArray:
    """Log marginal of Gaussian scores given each shape, one a row."""
    prior = np.array([priors.left, priors.dispersion, priors.right])
    return score_marginals(shapes, curve.z, curve.stderr, prior, bool(shapes.any()))


def power_shape(curve: Curve, exponent: FloatArray) -> FloatArray:
    """Return the exponential between 0 and 1 over the window; one row an exponent."""
    rate = exponent[:, None] * np.log(10.0)
    run = curve.size - curve.size[0]
    return np.expm1(rate * run) / np.expm1(rate * run[-1])


def sigmoid_shape(curve: Curve, location: FloatArray, log_width: FloatArray) -> FloatArray:
    """Return the logistic with 10-90 % width in decades; one row a pair."""
    t = TWO_LN_9 * (curve.size - location[:, None]) / np.exp(log_width)[:, None]
    return 0.5 * (1 + np.tanh(t / 2))


def panel_integrals(evaluate, panels: FloatArray) -> FloatArray:  # noqa: ANN001
    """Log integral over each panel (tag, from, to) by four Gauss-Legendre points."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = (panels[:, 2] - panels[:, 1]) / 2
    points = (panels[:, 1] + half)[:, None] + half[:, None] * nodes
    tags = np.repeat(panels[:, 0], 4)
    values = evaluate(tags, points.ravel()).reshape(-1, 4)
    return np.asarray(logsumexp(values, b=weights, axis=1) + np.log(half))


def halved(panels: FloatArray) -> FloatArray:
    """Both halves of each panel, one after the other."""
    middle = (panels[:, 1] + panels[:, 2]) / 2
    left = np.column_stack([panels[:, 0], panels[:, 1], middle])
    right = np.column_stack([panels[:, 0], middle, panels[:, 2]])
    return np.stack([left, right], axis=1).reshape(-1, 3)


def adaptive(evaluate, panels: FloatArray) -> tuple[FloatArray, FloatArray]:  # noqa: ANN001
    """Halve panels until that changes nothing; return tags and log integrals of the pieces."""
    tags, done = [], []
    whole = panel_integrals(evaluate, panels)
    top = logsumexp(whole)
    for _ in range(12):
        parts = halved(panels)
        values = panel_integrals(evaluate, parts)
        pairs = logsumexp(values.reshape(-1, 2), axis=1)
        top = max(top, logsumexp(pairs))
        settled = np.abs(np.exp(pairs - top) - np.exp(whole - top)) < TOLERANCE
        tags.append(panels[settled, 0])
        done.append(pairs[settled])
        again = np.repeat(~settled, 2)
        panels, whole = parts[again], values[again]
        if len(panels) == 0:
            break
    return np.concatenate([*tags, panels[:, 0]]), np.concatenate([*done, whole])


def power_evidence(curve: Curve, priors: Priors) -> float:
    """Log evidence of power."""
    mean, sd = priors.shape1

    def evaluate(_: FloatArray, exponent: FloatArray) -> FloatArray:
        shapes = power_shape(curve, exponent)
        return inner(curve, shapes, priors) + norm.logpdf(exponent, mean, sd)

    edges = mean + sd * np.linspace(-5, 5, 21)
    panels = np.column_stack([np.zeros(20), edges[:-1], edges[1:]])
    return float(logsumexp(adaptive(evaluate, panels)[1]))


def location_edges(curve: Curve, priors: Priors, width: float) -> FloatArray:
    """Panel ends: even ones, and closer ones about each size where the transition is narrow."""
    mean, sd = priors.shape1
    even = np.linspace(mean - 4 * sd, mean + 4 * sd, 33)
    near = curve.size[:, None] + width * np.array([-1.0, -0.4, 0.0, 0.4, 1.0])
    edges = np.concatenate([even, near.ravel()]) if width < 1 else even
    edges = np.unique(edges[(edges >= even[0]) & (edges <= even[-1])])
    return edges[np.append(True, np.diff(edges) > 0.15 * min(width, 0.2))]


def sigmoid_evidence(curve: Curve, priors: Priors) -> tuple[float, FloatArray]:
    """Log evidence of sigmoid, and its profile over the nodes of log10 width."""
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    per_cell = 6
    nodes, weights = np.polynomial.legendre.leggauss(per_cell)
    widths = np.log(10) * (LOG10_WIDTH_NODES[:, None] + step / 2 * nodes).ravel()

    def evaluate(tag: FloatArray, location: FloatArray) -> FloatArray:
        shapes = sigmoid_shape(curve, location, widths[tag.astype(int)])
        return inner(curve, shapes, priors) + norm.logpdf(location, *priors.shape1)

    panels = []
    for tag, width in enumerate(widths):
        edges = location_edges(curve, priors, math.exp(width))
        panels.append(np.column_stack([np.full(len(edges) - 1, tag), edges[:-1], edges[1:]]))
    tags, values = adaptive(evaluate, np.concatenate(panels))
    by_width = np.array([logsumexp(values[tags == tag]) for tag in range(len(widths))])
    prior = norm.pdf(widths, *priors.shape2).reshape(-1, per_cell) * weights
    prior *= np.log(10) * step / 2
    cells = logsumexp(by_width.reshape(-1, per_cell), b=prior, axis=1)
    return float(logsumexp(cells)), cells - np.log(width_masses(priors))


def score_evidence(curve: Curve, candidate: str, priors: Priors) -> dict[str, object]:
    """Evidence of Gaussian scores by quadrature, and the profile."""
    if candidate == "sigmoid":
        value, profile = sigmoid_evidence(curve, priors)
        zeros = [0.0] * len(profile)
        return {"log_evidence": value, "se": 0.0, "profile": profile.tolist(), "profile_se": zeros}
    return {"log_evidence": power_evidence(curve, priors), "se": 0.0}


def reference(curve: Curve) -> dict[str, object]:
    """Return everything stored about one curve."""
    evidence = count_evidence if curve.observation == "beta_binomial" else score_evidence
    priors = {c: priors_for(curve, c) for c in CANDIDATES}
    return {
        "size": curve.size.tolist(),
        "z": curve.z.tolist(),
        "priors": {c: asdict(p) for c, p in priors.items()},
        **{c: evidence(curve, c, p) for c, p in priors.items()},
    }


def main() -> None:
    """Compute and store the references of all curves."""
    curves = {}
    for name, curve in reference_curves().items():
        curves[name] = reference(curve)
        print(name, *(curves[name][c]["log_evidence"] for c in CANDIDATES), flush=True)
    made_with = {
        "script": "tests/reference/make_evidence.py",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
    }
    TARGET.write_text(json.dumps({"made_with": made_with, "curves": curves}, indent=1) + "\n")


if __name__ == "__main__":
    main()
