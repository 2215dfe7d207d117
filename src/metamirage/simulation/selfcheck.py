"""Stage selfcheck: how often the tests are wrong, and how often they see what is there.

Benchmarks of known truth (``worlds``) go through the functions that real ones go through: curves,
the sigmoid's integral, its summary and verdict, and the tests of ``concentration`` under the class
scheme that is primary. The first sets of each world also go through forecasts, H4 and the verdicts
of H3 (``selfcheck_pairs``). ``rates`` counts what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream, stage_stream
from metamirage.base.thresholds import P_JUMP
from metamirage.base.vocabulary import CANDIDATES, CURVE_KEY, SAME_OUTPUTS, VERDICTS
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.selfcheck import TRIALS
from metamirage.curves.classes import classify
from metamirage.curves.curve import Curve, build_curves
from metamirage.fitting.engines import Effort
from metamirage.fitting.priors import LOG10_WIDTH_NODES, priors_for
from metamirage.fitting.quadrature.integrate import integrate
from metamirage.fitting.verdicts import summarise, verdict
from metamirage.hypotheses.concentration import assess_scheme, make_pairs, tested_curves
from metamirage.hypotheses.permutation import flip_test
from metamirage.hypotheses.shared_width_prior import add_own_widths
from metamirage.hypotheses.strata import describe_curves
from metamirage.simulation.selfcheck_pairs import (
    family_rows,
    forecast_pairs,
    forecast_rows,
    latent_rows,
)
from metamirage.simulation.worlds import WORLDS, Synthetic, make_world

Row = dict[str, object]

# The scheme of the rows that stand for a hypothesis.
SCHEME = "discontinuous"
# The test that a count of pairs would suggest, beside ``population``'s test on a count of curves.
NAIVE_FLIPS = "naive_flips"

# Means of log10 width are then exact to 0.004 decades where a curve rises; its posterior sd is 0.1
# and more. The errors of the two metrics are alike, so they make a test weaker and not wrong.
EFFORT = Effort(n_first=64, target_error=0.1, max_error=np.inf)


class Fitted(NamedTuple):
    """Columns of ``tables.FITS`` that the tests read, and ``tables.PROFILES``."""

    fits: pd.DataFrame
    profiles: pd.DataFrame


class Drawn(NamedTuple):
    """One simulated set.

    Parameters
    ----------
    synthetic
        Its tables and truth.
    curves, fitted
        Its curves and their fits.
    seed
        Run seed of these.
    """

    synthetic: Synthetic
    curves: list[Curve]
    fitted: Fitted
    seed: int


def make_set(world: str, number: int, *, seed: int) -> tuple[Synthetic, int]:
    """Draw one simulated benchmark, and the run seed of its fits.

    Parameters
    ----------
    world
        One of ``worlds.WORLDS``.
    number
        Of the set within its world, from 0.
    seed
        Of the selfcheck.
    """
    words = np.random.SeedSequence([seed, WORLDS.index(world), number])
    rng = np.random.default_rng(words)
    synthetic = make_world(world, rng, benchmark=f"synthetic {world}")
    return synthetic, int(words.generate_state(1)[0])


def fit_sigmoids(curves: Sequence[Curve], *, seed: int) -> Fitted:
    """Fit the one candidate whose posterior the tests of class read.

    At the stage's own effort the rows would equal those of ``fits.fit_curves``, draw by draw; the
    other candidates, which forecasts and Bayes factors need, are left out for time.
    """
    rows, profiles = zip(*(_fit_sigmoid(curve, seed=seed) for curve in curves), strict=True)
    names = np.repeat([curve.curve_id for curve in curves], len(LOG10_WIDTH_NODES))
    return Fitted(
        fits=pd.DataFrame(list(rows)).astype({"n_shots": "Int64"}),
        profiles=pd.DataFrame(
            {
                "curve_id": names,
                "log10_width": np.tile(LOG10_WIDTH_NODES, len(curves)),
                "log_marginal": np.concatenate(profiles),
            }
        ),
    )


def _fit_sigmoid(
    curve: Curve, *, seed: int, effort: Effort = EFFORT
) -> tuple[dict[str, object], FloatArray]:
    streams = named_stream(seed, "fits", curve.curve_id).spawn(len(CANDIDATES))
    posterior = integrate(
        curve,
        "sigmoid",
        priors_for(curve, "sigmoid"),
        rng=np.random.default_rng(streams[CANDIDATES.index("sigmoid")]),
        n_first=effort.n_first,
        target_error=effort.target_error,
    )
    summary = summarise(curve, posterior)
    row = {
        "curve_id": curve.curve_id,
        **curve.key,
        "n_sizes": curve.n_sizes,
        "observation": curve.observation,
        "verdict": verdict(summary, curve.n_sizes),
        **summary,
        "excluded": curve.excluded,
    }
    return row, posterior.profile


def check_sets(
    world: str, numbers: Sequence[int], *, seed: int, n_draws: int, forecast_sets: int
) -> pd.DataFrame:
    """Take simulated sets of one world through the pipeline.

    Parameters
    ----------
    world
        One of ``worlds.WORLDS``.
    numbers
        Of the sets; each draws from a stream of its own.
    seed
        Of the selfcheck.
    n_draws
        Random permutations or sign flips behind a p-value.
    forecast_sets
        Sets of the world that are also forecast: those of a lower number.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.TRIALS``.
    """
    rows: list[Row] = []
    for number in numbers:
        drawn = draw_set(world, number, seed=seed)
        found = judge_set(drawn, n_draws=n_draws)
        if number < forecast_sets:
            found += foresee_set(drawn, n_draws=n_draws, tested=found)
        rows += [{"number": number} | _EMPTY | row for row in found]
    return pd.DataFrame(rows).assign(world=world, seed=seed)[list(TRIALS.columns)]


_EMPTY: Row = {"estimate": np.nan, "p_value": np.nan, "hits": 0, "cases": 0}


def draw_set(world: str, number: int, *, seed: int) -> Drawn:
    """Draw one set and fit it; arguments as for ``make_set``."""
    synthetic, run_seed = make_set(world, number, seed=seed)
    curves = build_curves(synthetic.tidy, synthetic.tags)
    return Drawn(synthetic, curves, fit_sigmoids(curves, seed=run_seed), run_seed)


def judge_set(drawn: Drawn, *, n_draws: int) -> list[Row]:
    """Test one fitted set, and hold its fits against the truth.

    Returns
    -------
    list of dict
        Rows of ``findings.TRIALS`` without world, number and seed, and without what is empty.
    """
    synthetic, _, fitted, seed = drawn
    return [
        *_test_rows(synthetic, fitted, seed=seed, n_draws=n_draws),
        *_truth_rows(synthetic.truth, fitted.fits),
    ]


def foresee_set(drawn: Drawn, *, n_draws: int, tested: Sequence[Row]) -> list[Row]:
    """Forecast one fitted set, and test what needs forecasts: rows as from ``judge_set``.

    Parameters
    ----------
    drawn
        The set.
    n_draws
        Sign flips.
    tested
        Its rows from ``judge_set``, for the primary family.
    """
    (_, tags, truth), curves, fitted, seed = drawn
    forecasts = forecast_pairs(curves, tags, seed=seed)
    tested_ones = tested_curves(fitted.fits, forecasts, tags)
    classed = tested_ones.assign(label=classify(tested_ones, SCHEME))
    ahead = forecast_rows(forecasts, classed, seed=seed, n_draws=n_draws)
    judged = latent_rows(curves, tags, forecasts, truth=truth, seed=seed)
    return [*ahead, *family_rows([*tested, *ahead]), *judged]


def _test_rows(synthetic: Synthetic, fitted: Fitted, *, seed: int, n_draws: int) -> list[Row]:
    # No forecasts: the estimand that reads them has no pairs then.
    none = pd.DataFrame({name: [] for name in FORECASTS.columns})
    none = none.astype({"curve_id": "str", "predictor": "str"})
    tested = tested_curves(fitted.fits, none, synthetic.tags)
    described = describe_curves(tested, tidy=synthetic.tidy, tags=synthetic.tags)
    curves = add_own_widths(described, fitted.profiles)
    rng, beside = (stage_stream(seed, name) for name in ("selfcheck", "selfcheck, beside"))
    rows = assess_scheme(curves, SCHEME, rng=rng, beside=beside, n_draws=n_draws)
    rows.append(_naive_flips(curves, rng=beside, n_draws=n_draws))
    kept = ("hypothesis", "estimand", "estimate", "p_value")
    return [
        {"kind": "test", **{name: row[name] for name in kept}}
        for row in rows
        if row["stratum"] in ("all", SAME_OUTPUTS)
    ]


def _naive_flips(curves: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> Row:
    """Sign flips of the primary measure by pair, as if pairs of a task were independent."""
    pairs = make_pairs(curves.assign(label=classify(curves, SCHEME)).dropna(subset="label"))
    test = flip_test(pairs["log10_width"].to_numpy(float), rng=rng, n_draws=n_draws)
    return {
        "hypothesis": "H2",
        "estimand": NAIVE_FLIPS,
        "stratum": SAME_OUTPUTS,
        "estimate": test.estimate,
        "p_value": test.p_value,
    }


def _truth_rows(truth: pd.DataFrame, fits: pd.DataFrame) -> list[Row]:
    """Count how often intervals hold the truth, and which verdict each kind of skill gets."""
    curves = fits.merge(truth, on=list(CURVE_KEY), validate="one_to_one")
    rising = curves[(curves["p_jump"] > P_JUMP) & curves["width"].notna()]
    rows = [
        _share("coverage", measure, _holds(rising, measure)) for measure in ("width", "location")
    ]
    for kind, group in curves.groupby("kind"):
        rows += [
            _share("verdict", f"{name} of {kind}", (group["verdict"] == name).to_numpy(bool))
            for name in VERDICTS
        ]
    return rows


def _holds(curves: pd.DataFrame, measure: str) -> NDArray[np.bool_]:
    low, high = curves[f"{measure}_q05"], curves[f"{measure}_q95"]
    return ((low <= curves[measure]) & (curves[measure] <= high)).to_numpy(bool)


def _share(kind: str, name: str, hits: NDArray[np.bool_]) -> Row:
    return {
        "kind": kind,
        "hypothesis": "",
        "estimand": name,
        "hits": int(hits.sum()),
        "cases": len(hits),
    }
