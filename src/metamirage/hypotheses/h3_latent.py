"""Stage latent (H3): whether one smooth latent explains both curves of a pair, or one that breaks.

A free monotone link can carry any latent that rises with size into any rising curve. A sharp curve
under a discontinuous metric alone can therefore never tell a break from a steep link. What can is
its continuous partner on the same outputs: the latent on a scale that has no step. For each block
(task, subtask, family, shots) and each of its pairs the rule asks which of three statements the
partner supports:

* *metric-explained*: the partner is smooth (``breaks``); what is sharp in the other curve is then
  in its link;
* *real*: the partner itself breaks, within half a decade of the place where the discontinuous curve
  does;
* *neither*: all else, such as a partner that does not move, turns, is 1-2 decades wide, or breaks
  elsewhere.

Sharpness of the discontinuous curve is no evidence for either of the first two, since either
expects it: it enters by the place of its break, and as a condition.

The rule
--------
1. Pairs whose discontinuous curve does not rise (P(jump) as for a verdict) have nothing to explain
   and stay out. Both curves need the sizes of a verdict.
2. A pair's evidence for a statement is the log Bayes factor of the statement against all candidates
   together. It is the sum of the log scores of the partner's sizes, each left out and forecast from
   the smaller ones (Dawid 1984, doi:10.2307/2981683); the part of the largest size is also given by
   itself. Log evidences are averaged over the pairs of a block, then over the blocks of a task.
3. The three averages, equally probable beforehand, give probabilities. A verdict wants 0.95, and
   the difference between *metric-explained* and *real* larger than twice its standard error over
   the blocks of the task, where there are two or more. One block has no such standard error: there
   the probability stands alone.
4. The log score of the largest size must not speak against the verdict: by the partner's own score,
   and, for *metric-explained*, by the discontinuous score through the link, fed with the partner's
   true score, against its direct forecast. It speaks against it where the mean over blocks lies
   beyond twice its standard error, or with one block beyond the odds of 19 to 1.
5. *Real* wants the discontinuous curves sharp, by the mean of P(sharp) that a verdict wants.

All else is *unresolved*, with the first condition that failed.

A verdict is about metrics as published. A partner that is nonlinear itself may break where the
latent does not, and metrics that share the noise of one network seem to agree more than they do:
"real" means that the break is in every metric looked at, not that it would be in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import softmax

from metamirage.base.arrays import FloatArray
from metamirage.base.threads import map_curves
from metamirage.base.thresholds import MIN_SIZES_VERDICT, P_JUMP, P_WIDTH
from metamirage.base.vocabulary import BLOCK, SAME_OUTPUTS
from metamirage.contracts.latent import LATENT, LATENT_VERDICTS
from metamirage.curves.blocks import Block, Pair, make_blocks
from metamirage.curves.curve import Curve, rescaled
from metamirage.fitting.engines import Effort, before_last, integrate_all
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.links import logged
from metamirage.hypotheses.h3_breaks import Reading, Shares, agreeing, read_curve

EXPLAINED, REAL, UNRESOLVED = LATENT_VERDICTS
# ASSUME: the three statements are equally probable beforehand, and a verdict wants 0.95. Were the
# data made as a statement says, another would reach odds of 19 against it in at most 1 of 19 cases,
# whatever the data (Markov's inequality).
P_VERDICT = 0.95
ODDS = float(np.log(P_VERDICT / (1 - P_VERDICT)))
# ASSUME: two metrics break at one place if they do so within half a decade; a link that squeezes
# the low scores moves a narrow break by less than its width.
AGREEMENT = 0.5
# ASSUME: no pair is believed beyond odds of e^10: shapes outside all candidates would make one
# block drown the rest.
MOST = 10.0
# ASSUME: blocks of a task are averaged and not added, for they share items, and temperatures share
# networks: a task tells as much as its typical block. The standard error over blocks is then one of
# their disagreement, and too small by what they share.
N_SE = 2.0
# Statements are weighed to a tenth, not evidences to a hundredth: no curve is left to NUTS.
FULL = Effort(max_error=np.inf)
STATEMENTS = ("explained", "real", "neither")
EVIDENCE = [f"log_bf_{s}" for s in STATEMENTS]
AVERAGED = [*EVIDENCE, "difference", "last", "link_gain", "p_sharp_1", "p_sharp_0"]


class Evidence(NamedTuple):
    """Log Bayes factors of the three statements against all candidates, nats."""

    explained: float
    real: float
    neither: float

    @property
    def difference(self) -> float:
        """Metric-explained over real."""
        return self.explained - self.real

    def bounded(self) -> Evidence:
        """Return the evidence with no statement further than ``MOST`` below the best."""
        return Evidence(*np.maximum(self, max(self) - MOST).tolist())


def judge_tasks(
    curves: Sequence[Curve],
    tags: pd.DataFrame,
    forecasts: pd.DataFrame,
    settings: FitSettings,
) -> pd.DataFrame:
    """Judge every task that has a discontinuous and a continuous metric.

    Parameters
    ----------
    curves
        Of one benchmark.
    tags
        Its table ``tables.TAGS``, which says what pairs with what.
    forecasts
        Its table ``tables.FORECASTS``; without rows, the check of the link is left out.
    settings
        Seed, prior and threads, as in ``fits.fit_curves``.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.LATENT``, one row a task, in the order of their names.
    """
    pairs = compare_pairs(curves, tags, settings)
    gained = pairs.assign(link_gain=_link_gains(pairs, forecasts))
    rows = [_task_row(task, group) for task, group in gained.groupby("task")]
    return pd.DataFrame(rows, columns=list(LATENT.columns)).astype(_dtypes())


def _dtypes() -> dict[str, str]:
    return {name: str(column.dtype) for name, column in LATENT.columns.items()}


def compare_pairs(
    curves: Sequence[Curve], tags: pd.DataFrame, settings: FitSettings
) -> pd.DataFrame:
    """Weigh the three statements on every pair.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``BLOCK``, ``benchmark``, ``curve_id``, ``partner``, ``stratum``, the log
        Bayes factors ``EVIDENCE``, ``difference`` and ``last`` (metric-explained over real, by all
        sizes and by the largest), ``p_jump``, ``p_sharp_1`` and ``p_sharp_0``.
    """
    stepped = tags.loc[tags["discontinuous"] == "yes", ["task", "metric"]]
    named = set(stepped.itertuples(index=False, name=None))
    blocks = [_discontinuous(block, named) for block in make_blocks(curves, tags)]
    results = map_curves(
        lambda block: _block_rows(block, settings),
        [block for block in blocks if block.pairs],
        threads=settings.threads,
        label="latent",
    )
    return pd.DataFrame([row for rows in results for row in rows], columns=_PAIR_COLUMNS)


_PAIR_COLUMNS = [
    "benchmark", *BLOCK, "curve_id", "partner", "stratum", *EVIDENCE, "difference", "last",
    "p_jump", "p_sharp_1", "p_sharp_0",
]  # fmt: skip


def _discontinuous(block: Block, named: set[tuple[str, str]]) -> Block:
    """Keep the pairs of a metric with a step whose curves are long enough for a verdict."""
    kept = [
        pair
        for pair in block.pairs
        if (block.curves[pair.curve_id].key["task"], block.curves[pair.curve_id].key["metric"])
        in named
        and min(block.curves[name].n_sizes for name in (pair.curve_id, pair.partner))
        >= MIN_SIZES_VERDICT
    ]
    return Block(block.curves, kept)


def _block_rows(block: Block, settings: FitSettings) -> list[dict[str, object]]:
    """Read every curve of a block once, then weigh its pairs."""

    def read(curve: Curve, part: Curve, effort: Effort) -> Reading:
        found = integrate_all(part, curve, replace(settings, engine="quadrature"), effort=effort)
        return read_curve(curve, found, width_prior=settings.prior)

    ones = {name: read(c, c, FULL) for name, c in _curves(block, [p.curve_id for p in block.pairs])}
    partners = {p.source: on_its_scale(block.curves[p.partner], p) for p in block.pairs}
    whole = {name: read(c, c, FULL) for name, c in partners.items()}
    before = {name: read(c, before_last(c), FULL) for name, c in partners.items()}
    return [
        _pair_row(block.curves[p.curve_id], p, ones[p.curve_id], whole[p.source], before[p.source])
        for p in block.pairs
    ]


def _curves(block: Block, names: Sequence[str]) -> list[tuple[str, Curve]]:
    return [(name, block.curves[name]) for name in dict.fromkeys(names)]


def on_its_scale(partner: Curve, pair: Pair) -> Curve:
    """Return the partner on the scale on which it may be smooth: a ratio in logarithms."""
    return rescaled(logged(partner, pair.source)) if pair.ratio else partner


def _pair_row(
    curve: Curve, pair: Pair, one: Reading, whole: Reading, before: Reading
) -> dict[str, object]:
    full, train = (weigh(partner, one.posterior) for partner in (whole, before))
    believed = full.bounded()
    # The chain rule: what all sizes say less what all but the largest say.
    last = full.difference - train.difference
    return {
        **{column: curve.key[column] for column in ("benchmark", *BLOCK)},
        "curve_id": pair.curve_id,
        "partner": pair.partner,
        "stratum": pair.stratum,
        **dict(zip(EVIDENCE, believed, strict=True)),
        "difference": believed.difference,
        "last": np.clip(last, -MOST, MOST),
        "p_jump": one.p_jump,
        "p_sharp_1": one.p_sharp,
        "p_sharp_0": whole.p_sharp,
    }


def weigh(partner: Reading, discontinuous: Shares) -> Evidence:
    """Weigh the three statements on one pair.

    Parameters
    ----------
    partner
        The continuous curve.
    discontinuous
        Posterior of the other one, which tells where a common break would be.
    """
    after = _statements(partner.posterior, discontinuous)
    prior = _statements(partner.prior, discontinuous)
    # Smaller ones no draw can tell from none.
    log_bf = np.log(np.maximum(after, 1e-9)) - np.log(np.maximum(prior, 1e-4))
    return Evidence(*log_bf.tolist())


def _statements(partner: Shares, discontinuous: Shares) -> FloatArray:
    """Probabilities of the three statements, shape (3,)."""
    total = discontinuous.broken
    real = 0.0
    if total > 0:
        place = (discontinuous.location, discontinuous.weight / total)
        real = agreeing(partner, *place, within=AGREEMENT)
    return np.array([partner.smooth, real, max(1.0 - partner.smooth - real, 0.0)])


def _link_gains(pairs: pd.DataFrame, forecasts: pd.DataFrame) -> pd.Series[float]:
    """Log score of the largest size by the link fed with the partner's score, less direct."""
    largest = forecasts[(forecasts["n_left_out"] == 1) & (forecasts["target"] == 1)]
    direct = largest[largest["predictor"] == "averaged"].set_index("curve_id")["log_score"]
    link = largest[largest["predictor"] == "link_given_partner"]
    through = link.set_index(["curve_id", "partner"])["log_score"]
    asked = pd.MultiIndex.from_frame(pairs[["curve_id", "partner"]])
    gains = through.reindex(asked).to_numpy(float) - direct.reindex(pairs["curve_id"]).to_numpy()
    return pd.Series(np.clip(gains, -MOST, MOST), index=pairs.index)


def _task_row(task: object, pairs: pd.DataFrame) -> dict[str, object]:
    """Average the pairs of one task and judge them."""
    # Where a task has metrics of the same outputs, others tell of another question.
    same = pairs["stratum"] == SAME_OUTPUTS
    chosen = pairs[same] if same.any() else pairs
    rising = chosen[chosen["p_jump"] > P_JUMP]
    blocks = rising.groupby(list(BLOCK), dropna=False)[AVERAGED].mean()
    means: pd.Series[float] = blocks.mean()
    errors: pd.Series[float] = blocks.std(ddof=1) / np.sqrt(blocks.count())
    row = _summary(means, errors) if len(blocks) else dict.fromkeys(_SUMMARY, np.nan)
    verdict, reason = judge(row) if len(blocks) else (UNRESOLVED, "no discontinuous curve rises")
    return {
        "benchmark": chosen["benchmark"].iloc[0],
        "task": task,
        "verdict": verdict,
        "reason": reason,
        "stratum": chosen["stratum"].iloc[0],
        **row,
        "n_blocks": len(blocks),
        "n_pairs": len(rising),
        "n_pairs_all": len(chosen),
        "n_sharp": rising.loc[rising["p_sharp_1"] > P_WIDTH, "curve_id"].nunique(),
    }


_SUMMARY = [
    *(f"p_{s}" for s in STATEMENTS),
    "elpd_difference", "elpd_se", "elpd_last", "elpd_last_se", "link_gain", "link_gain_se",
    "p_sharp_discontinuous", "p_sharp_continuous",
]  # fmt: skip


def _summary(means: pd.Series[float], errors: pd.Series[float]) -> dict[str, float]:
    p = softmax(means[EVIDENCE].to_numpy(float))
    values = [
        *p,
        means["difference"], errors["difference"], means["last"], errors["last"],
        means["link_gain"], errors["link_gain"],
        # Rounding must not carry the mean of probabilities above one.
        min(means["p_sharp_1"], 1.0), min(means["p_sharp_0"], 1.0),
    ]  # fmt: skip
    return dict(zip(_SUMMARY, map(float, values), strict=True))


def judge(row: Mapping[str, float]) -> tuple[str, str]:
    """Apply steps 3 to 5 of the rule.

    Parameters
    ----------
    row
        Columns of ``findings.LATENT`` from ``p_explained`` to ``p_sharp_continuous``.

    Returns
    -------
    (verdict, reason)
        One of ``findings.LATENT_VERDICTS``, and why a task stays unresolved, or empty.
    """
    if max(row["p_explained"], row["p_real"]) < P_VERDICT:
        return UNRESOLVED, "no statement is probable enough"
    explained = row["p_explained"] >= P_VERDICT
    sign = 1 if explained else -1
    if not sign * row["elpd_difference"] > N_SE * np.nan_to_num(row["elpd_se"]):
        return UNRESOLVED, "blocks disagree"
    if _against(sign * row["elpd_last"], row["elpd_last_se"]):
        return UNRESOLVED, "the largest size speaks against it"
    if explained:
        if _against(row["link_gain"], row["link_gain_se"]):
            return UNRESOLVED, "the link misses the largest size"
        return EXPLAINED, ""
    if row["p_sharp_discontinuous"] < P_WIDTH:
        return UNRESOLVED, "the discontinuous curves are not sharp"
    return REAL, ""


def _against(value: float, error: float) -> bool:
    """Whether a mean log score speaks against a verdict; a missing one does not."""
    return bool(value < (-ODDS if np.isnan(error) else -N_SE * error))
