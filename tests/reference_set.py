"""The 300 curves on which the engine is judged: 15 kinds, 10 of each as scores and as counts.

Every curve comes from raw uniform draws of its own generator by inverse distribution functions, so
that no change of NumPy's samplers can move it. ``fingerprint`` tells if one has moved all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from builders import BIG_G, GPT_3, PALM, logistic, make_curve, step
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.priors import priors_for

SEED = 20240607
VARIANTS = 10
# Even grids: number of sizes, decades.
EVEN = ((3, 1.0), (4, 6.0), (5, 2.0), (8, 5.0), (12, 3.0), (20, 4.0), (50, 6.0))
GRIDS = (BIG_G, GPT_3, PALM, *(7.0 + np.linspace(0.0, span, n) for n, span in EVEN))
ITEMS = (20, 50, 100, 250, 500, 1000, 2000)
CHANCES = (0.0, 0.25, 0.5)
ERRORS = (0.003, 0.01, 0.05)
# Scores without any noise whose standard error is unknown: their posterior noise shrinks with the
# number of sizes, until at 50 of them rounding decides. Beyond this many they get an error.
MOST_EXACT = 20

Mean = Callable[[FloatArray, float, float, np.random.Generator], FloatArray]


def _line(u: FloatArray, low: float, high: float, _: np.random.Generator) -> FloatArray:
    return low + (high - low) * u


def _step(u: FloatArray, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    return low + (high - low) * step(len(u), at=1 + int(rng.random() * (len(u) - 1)))


def _last(u: FloatArray, _: float, high: float, *__: object) -> FloatArray:
    return high * step(len(u), at=len(u) - 1)


def _falling(u: FloatArray, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    width = 10 ** (rng.random() - 0.5)
    return high + (low - high) * logistic(u, location=rng.random(), width=width)


def _sigmoid(u: FloatArray, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    width = 10 ** (1.5 * rng.random() - 1.0)
    return low + (high - low) * logistic(u, location=rng.random(), width=width)


def _power(u: FloatArray, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    bend = 8 * rng.random() - 4
    return np.asarray(low + (high - low) * np.expm1(bend * u) / np.expm1(bend))


def _turning(u: FloatArray, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    middle = 0.2 + 0.6 * rng.random()
    return low + (high - low) * ((u - middle) / max(middle, 1 - middle)) ** 2


def _level(value: float) -> Mean:
    return lambda u, *_: np.full(len(u), value)


def _floor(u: FloatArray, low: float, *_: object) -> FloatArray:
    return np.full(len(u), low)


# Kind: mean by position in the window, noise of the mean in units of the rise, whether the score
# is that mean itself (or the nearest count) and not a draw about it.
KINDS: dict[str, tuple[Mean, float, bool]] = {
    "line": (_line, 0.0, True),
    "step 0.003": (_step, 0.003, True),
    "step 0.02": (_step, 0.02, True),
    "step 0.05": (_step, 0.05, True),
    "zeros": (_level(0.0), 0.0, True),
    "chance": (_floor, 0.0, True),
    "ones": (_level(1.0), 0.0, True),
    "last": (_last, 0.0, True),
    "falling": (_falling, 0.0, False),
    "sigmoid": (_sigmoid, 0.0, False),
    "power": (_power, 0.0, False),
    "turning": (_turning, 0.0, False),
    "scatter": (_floor, 0.0, False),
    "replicates": (_sigmoid, 0.0, False),
    "unequal": (_sigmoid, 0.0, False),
}


def reference_set() -> dict[str, Curve]:
    """Return the curves by name: kind, observation model, number of the variant."""
    curves = {}
    for row, kind in enumerate(KINDS):
        for column, build in enumerate((_score_curve, _count_curve)):
            for variant in range(VARIANTS):
                rng = np.random.default_rng([SEED, row, column, variant])
                name = f"{kind}/{('scores', 'counts')[column]}/{variant}"
                curves[name] = build(name, kind, _sizes(kind, row + variant), rng)
    return curves


def fingerprint(curve: Curve) -> str:
    """Digest of what a reference rests on: the data and the priors, to nine digits."""
    numbers = [curve.size, curve.z, curve.stderr, curve.n_items]
    numbers += [priors_for(curve, candidate).as_array().ravel() for candidate in CANDIDATES]
    # Adding zero turns -0.0 into 0.0.
    text = ",".join(f"{value + 0.0:.9g}" for value in np.concatenate(numbers))
    return sha256(f"{curve.observation}:{text}".encode()).hexdigest()[:12]


def _sizes(kind: str, index: int) -> FloatArray:
    sizes = np.round(GRIDS[index % len(GRIDS)], 9)
    if kind == "replicates":
        return np.asarray(np.repeat(sizes, 1 + np.arange(len(sizes)) % 3))
    return np.asarray(sizes)


def _pick(rng: np.random.Generator, choices: tuple[float, ...]) -> float:
    return choices[int(rng.random() * len(choices))]


def _mean(kind: str, sizes: FloatArray, chance: float, rng: np.random.Generator) -> FloatArray:
    """Mean at each size."""
    mean, noise, _ = KINDS[kind]
    low = chance or _pick(rng, (0.0, 0.02, 0.1))
    high = low + (0.3 + 0.65 * rng.random()) * (1 - low)
    u = (sizes - sizes[0]) / (sizes[-1] - sizes[0])
    values = mean(u, low, high, rng)
    return values + noise * (high - low) * ndtri(rng.random(len(u)))


def _count_curve(kind_name: str, kind: str, sizes: FloatArray, rng: np.random.Generator) -> Curve:
    chance = _pick(rng, CHANCES)
    items = np.full(len(sizes), _pick(rng, ITEMS))
    if kind == "unequal":
        items = np.round(20 * 100 ** rng.random(len(sizes)))
    mean = np.clip(_mean(kind, sizes, chance, rng), 0.0, 1.0)
    drawn = binom.ppf(rng.random(len(sizes)), items, mean)
    counts = np.rint(items * mean) if KINDS[kind][2] else drawn
    return make_curve(sizes, counts / items, items=items, chance=chance, name=kind_name)


def _score_curve(kind_name: str, kind: str, sizes: FloatArray, rng: np.random.Generator) -> Curve:
    chance = _pick(rng, (*CHANCES, np.nan))
    bounded = rng.random() < 0.7
    mean = _mean(kind, sizes, 0.0 if np.isnan(chance) else chance, rng)
    exact = KINDS[kind][2]
    stderr = np.full(len(sizes), _pick(rng, ERRORS))
    if kind == "unequal":
        stderr = np.round(0.003 * 20 ** rng.random(len(sizes)), 6)
    noise = np.zeros(len(sizes)) if exact else stderr * ndtri(rng.random(len(sizes)))
    published = rng.random() < 0.5 or (exact and len(sizes) > MOST_EXACT)
    z = mean + noise if kind == "line" else np.round(mean + noise, 6)
    curve = make_curve(
        sizes,
        z,
        stderr=stderr * published,
        chance=chance,
        bounded=bounded,
        name=kind_name,
    )
    return curve if bounded else _by_extremes(curve)


def _by_extremes(curve: Curve) -> Curve:
    """Scale an unbounded metric by its own extremes, as ``build_curves`` does."""
    origin, spread = curve.z.min(), np.ptp(curve.z) or 1.0
    return replace(
        curve, z=(curve.z - origin) / spread, stderr=curve.stderr / spread, chance=np.nan
    )
