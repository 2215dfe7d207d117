"""The candidate curves as PyMC models: these define the densities that every engine integrates.

With h the shape of the candidate, mu(x) = left + (right - left) h(x), and

* flat: h = 0;
* linear: h = u, the position of x within the window of sizes, 0 at the smallest, 1 at the largest;
* power: h = (e^{ku} - 1) / (e^k - 1), k = c ln(10) * span, c the signed exponent per decade;
* sigmoid: h = 1 / (1 + exp(-2 ln 9 (x - x0) / w)), w the 10-90 % width in decades;
* quadratic: h = ((u - t) / d)^2, t = 1/2 + turn the turning point in the window, d = 1/2 + |turn|
  its distance to the farther end. The alarm for curves that turn: the score itself is quadratic in
  size, so that it stays between its two levels.

Counts are beta-binomial with mean mu and parameters summing to phi; other scores are Normal about
mu with variance stderr**2 + sigma**2.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from metamirage.curves import Curve
from metamirage.priors import LOGISTIC_WIDTH, PARAMETERS, Priors


def build_model(curve: Curve, candidate: str, priors: Priors) -> pm.Model:
    """Build the PyMC model of one candidate on one curve.

    Parameters
    ----------
    curve
        Sizes of shape (n,) and the scores to condition on.
    candidate
        One of ``tables.CANDIDATES``.
    priors
        From ``priors.priors_for``.

    Returns
    -------
    pymc.Model
        Free variables ``PARAMETERS[candidate]``, all on the whole real line; observed ``score``.
    """
    with pm.Model() as model:
        free = {name: pm.Normal(name, *getattr(priors, name)) for name in PARAMETERS[candidate]}
        h = _shape(curve, candidate, free)
        link = pm.math.invlogit if curve.observation == "beta_binomial" else lambda level: level
        left = link(free["left"])
        mu = left + (link(free["right"]) - left) * h if "right" in free else left + h
        _observe(curve, mu, pt.exp(free["dispersion"]))
    return model


def _shape(curve: Curve, candidate: str, free: dict[str, TensorVariable]) -> TensorVariable:
    x = pt.as_tensor(curve.size)
    span = curve.size[-1] - curve.size[0]
    u = (x - curve.size[0]) / span
    if candidate == "flat":
        return pt.zeros_like(x)
    if candidate == "linear":
        return u
    if candidate == "power":
        k = free["shape1"] * np.log(10.0) * span
        # At exponent zero, where samplers start, the ratio is 0/0 and its limit the line.
        bent = pt.switch(pt.eq(k, 0.0), 1.0, k)
        return pt.switch(pt.eq(k, 0.0), u, pt.expm1(bent * u) / pt.expm1(bent))
    if candidate == "quadratic":
        return ((u - 0.5 - free["shape1"]) / (0.5 + pt.abs(free["shape1"]))) ** 2
    return pm.math.invlogit(LOGISTIC_WIDTH * (x - free["shape1"]) / pt.exp(free["shape2"]))


def _observe(curve: Curve, mu: TensorVariable, dispersion: TensorVariable) -> None:
    if curve.observation == "beta_binomial":
        pm.BetaBinomial(
            "score",
            n=curve.n_items.astype(int),
            alpha=mu * dispersion,
            beta=(1 - mu) * dispersion,
            observed=curve.counts.astype(int),
        )
    else:
        sigma = pt.sqrt(curve.stderr**2 + dispersion**2)
        pm.Normal("score", mu, sigma, observed=curve.z)
