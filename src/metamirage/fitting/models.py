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

What a curve brings stands in the model as data (``model_data``), of no fixed length: one compiled
model serves every curve that has its observation model.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from metamirage.curves.curve import Curve
from metamirage.fitting.priors import LOGISTIC_WIDTH, PARAMETERS, Priors


def build_model(
    curve: Curve, candidate: str, priors: Priors, *, window: Curve | None = None
) -> pm.Model:
    """Build the PyMC model of one candidate on one curve.

    Parameters
    ----------
    curve
        Sizes of shape (n,) and the scores to condition on.
    candidate
        One of ``tables.CANDIDATES``.
    priors
        From ``priors.priors_for``.
    window
        Curve whose first and last size anchor linear, power and quadratic; the curve itself by
        default.

    Returns
    -------
    pymc.Model
        Free variables ``PARAMETERS[candidate]``, all on the whole real line; observed ``score``;
        data as named by ``model_data``.
    """
    given = model_data(curve, priors, window=window)
    with pm.Model() as model:
        data = {name: pm.Data(name, values) for name, values in given.items()}
        free = {
            name: pm.Normal(name, data["priors"][j, 0], data["priors"][j, 1])
            for j, name in enumerate(PARAMETERS[candidate])
        }
        h = _shape(data, candidate, free)
        link = pm.math.invlogit if curve.observation == "beta_binomial" else lambda level: level
        left = link(free["left"])
        mu = left + (link(free["right"]) - left) * h if "right" in free else left + h
        _observe(data, curve.observation, mu, pt.exp(free["dispersion"]))
    return model


def model_data(
    curve: Curve, priors: Priors, *, window: Curve | None = None
) -> dict[str, NDArray[np.generic]]:
    """Return what a model is conditioned on, by the names of its data.

    Parameters
    ----------
    curve, priors, window
        As in ``build_model``.

    Returns
    -------
    dict
        ``size``, ``observed`` (counts or scores) and ``spread`` (items or standard errors), each
        of shape (n,); ``window`` (2,); ``priors`` (5, 2).
    """
    whole = window or curve
    counted = curve.observation == "beta_binomial"
    return {
        "size": curve.size,
        "observed": curve.counts.astype(int) if counted else curve.z,
        "spread": curve.n_items.astype(int) if counted else curve.stderr,
        "window": np.array([whole.size[0], whole.size[-1]]),
        "priors": priors.as_array(),
    }


def _shape(
    data: dict[str, TensorVariable], candidate: str, free: dict[str, TensorVariable]
) -> TensorVariable:
    x, first, last = data["size"], data["window"][0], data["window"][1]
    u = (x - first) / (last - first)
    if candidate == "flat":
        return pt.zeros_like(x)
    if candidate == "linear":
        return u
    if candidate == "power":
        k = free["shape1"] * np.log(10.0) * (last - first)
        # At exponent zero, where samplers start, the ratio is 0/0 and its limit the line.
        bent = pt.switch(pt.eq(k, 0.0), 1.0, k)
        return pt.switch(pt.eq(k, 0.0), u, pt.expm1(bent * u) / pt.expm1(bent))
    if candidate == "quadratic":
        return ((u - 0.5 - free["shape1"]) / (0.5 + pt.abs(free["shape1"]))) ** 2
    return pm.math.invlogit(LOGISTIC_WIDTH * (x - free["shape1"]) / pt.exp(free["shape2"]))


def _observe(
    data: dict[str, TensorVariable],
    observation: str,
    mu: TensorVariable,
    dispersion: TensorVariable,
) -> None:
    if observation == "beta_binomial":
        pm.BetaBinomial(
            "score",
            n=data["spread"],
            alpha=mu * dispersion,
            beta=(1 - mu) * dispersion,
            observed=data["observed"],
        )
    else:
        sigma = pt.sqrt(data["spread"] ** 2 + dispersion**2)
        pm.Normal("score", mu, sigma, observed=data["observed"])
