"""Selfcheck of the hypotheses that need forecasts: H3's verdicts, H4, and the primary family.

All candidates are fitted to both curves of each pair, three times what the tests of ``selfcheck``
cost, so fewer sets go through this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metamirage.base.seeds import stage_stream
from metamirage.base.vocabulary import SAME_OUTPUTS
from metamirage.contracts.latent import LATENT_VERDICTS
from metamirage.contracts.selfcheck import PREDICTED, SWAPPED
from metamirage.curves.blocks import Block, make_blocks
from metamirage.curves.curve import Curve
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import COLUMNS, DTYPES, direct_rows, two_step_rows
from metamirage.forecasting.holdouts import HeldOutFits, hold_outs
from metamirage.hypotheses.h3_latent import judge_tasks
from metamirage.hypotheses.h4_forecasts import GAINS, foresight_rows, step_gains
from metamirage.hypotheses.multiplicity import FAMILIES, adjust

Row = dict[str, object]

# Estimands of the primary family after Holm's correction: of one member, and of whether any of
# them rejects.
HOLM, ANY_HOLM = "holm", "any_holm"


def forecast_pairs(curves: Sequence[Curve], tags: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Forecast the largest size of every curve that has a continuous partner.

    The rows equal those of ``forecasts.forecast_curves``. Curves without a partner are left out for
    time, as are forecasts without the two largest sizes.

    Parameters
    ----------
    curves, tags
        Of one simulated set, in which no partner has a ratio scale.
    seed
        Of its fits.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.FORECASTS``.
    """
    rows = [row for block in make_blocks(curves, tags) for row in _block_rows(block, seed=seed)]
    return pd.DataFrame(rows, columns=COLUMNS).astype(DTYPES)


def _block_rows(block: Block, *, seed: int) -> list[Row]:
    fits = HeldOutFits(block.curves, FitSettings(seed))
    rows: list[Row] = []
    for pair in block.pairs:
        one_out = hold_outs(block.curves[pair.curve_id])[0]
        rows += [*direct_rows(fits, pair.curve_id, one_out), *two_step_rows(fits, pair, one_out)]
    return rows


def latent_rows(
    curves: Sequence[Curve],
    tags: pd.DataFrame,
    forecasts: pd.DataFrame,
    *,
    truth: pd.DataFrame,
    seed: int,
) -> list[Row]:
    """Judge the tasks of a set (H3), and count the verdicts by the kind of skill.

    Parameters
    ----------
    curves, tags, forecasts
        Of one simulated set.
    truth
        Its kinds of skill, as in ``worlds.Synthetic``.
    seed
        Of its fits.

    Returns
    -------
    list of dict
        Rows of ``findings.TRIALS`` of kind ``latent``: one a kind of skill and verdict.
    """
    judged = judge_tasks(curves, tags, forecasts, FitSettings(seed))
    kind = judged["task"].map(truth.drop_duplicates("task").set_index("task")["kind"])
    return [
        {
            "kind": "latent",
            "hypothesis": "H3",
            "estimand": f"{name} of {skill}",
            "hits": int((verdicts == name).sum()),
            "cases": len(verdicts),
        }
        for skill, verdicts in judged["verdict"].groupby(kind)
        for name in LATENT_VERDICTS
    ]


def forecast_rows(
    forecasts: pd.DataFrame, classed: pd.DataFrame, *, seed: int, n_draws: int
) -> list[Row]:
    """Test H4 on a set: rows of ``findings.TRIALS``.

    No world makes the two forecasts equally good: a curve that is foretold through another by a
    link differs from one that is extended, whatever the metric's class. Where H4's null holds with
    equality is therefore made from the same gains: which forecast of a task is called two-step is
    drawn at random. These rows are named ``SWAPPED``.

    Parameters
    ----------
    forecasts
        From ``forecast_pairs``.
    classed
        As for ``foresight.step_gains``.
    seed, n_draws
        Of the sign flips and of the names.
    """
    gains = step_gains(forecasts, classed)
    same = gains[gains["stratum"] == SAME_OUTPUTS]
    flips, names, again = (
        stage_stream(seed, f"selfcheck, {part}") for part in ("forecasts", "names", "swapped")
    )
    tested = _gain_tests(same, rng=flips, n_draws=n_draws)
    swapped = _gain_tests(_swap_names(same, rng=names), rng=again, n_draws=n_draws)
    return [
        *(one for row in tested for one in (_test("H4", row["estimand"], row), _as_predicted(row))),
        *(_test("H4", f"{row['estimand']}_{SWAPPED}", row) for row in swapped),
    ]


def _gain_tests(gains: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> list[Row]:
    """Test the gains of which simulated sets have forecasts: without the largest size alone."""
    tested = foresight_rows(gains, rng=rng, n_draws=n_draws)
    return [row for row in tested if GAINS[str(row["estimand"])].n_left_out == 1]


def _swap_names(gains: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Name the two forecasts of each task at random, all of its pairs alike."""
    task, names = gains["task"].factorize(sort=True)
    signs = rng.choice([-1.0, 1.0], size=len(names))[task]
    return gains.assign(**{name: gains[name] * signs for name in GAINS})


def _test(hypothesis: object, estimand: object, row: Row) -> Row:
    kept = {"estimate": row["estimate"], "p_value": row["p_value"]}
    return {"kind": "test", "hypothesis": hypothesis, "estimand": estimand, **kept}


def _as_predicted(row: Row) -> Row:
    """Make a two-sided test one that cannot reject on the other side."""
    against = float(str(row["estimate"])) <= 0
    p_value = 1.0 if against else row["p_value"]
    return _test("H4", f"{row['estimand']}_{PREDICTED}", row | {"p_value": p_value})


def family_rows(tests: Sequence[Row]) -> list[Row]:
    """Correct the primary tests of a set for each other, as ``multiplicity.adjust`` does.

    Parameters
    ----------
    tests
        Rows of kind ``test`` of the same set; those of the primary family must be among them.

    Returns
    -------
    list of dict
        Rows of ``findings.TRIALS``: one a member with its adjusted p-value, one with the smallest
        of these, by which the family rejects, and one with the smallest of those whose estimate has
        the sign that the thesis predicts.
    """
    found = {(row["hypothesis"], row["estimand"]): row for row in tests}
    table = pd.DataFrame(
        [found[claim.hypothesis, claim.estimand] | claim._asdict() for claim in FAMILIES["primary"]]
    )
    adjusted = adjust(table)
    records = adjusted.assign(p_value=adjusted["p_adjusted"]).to_dict("records")
    rows: list[Row] = [{str(name): value for name, value in r.items()} for r in records]
    names = ", ".join(sorted(str(row["hypothesis"]) for row in rows))
    p_adjusted = adjusted["p_adjusted"]
    smallest = {
        ANY_HOLM: p_adjusted.min(),
        f"{ANY_HOLM}_{PREDICTED}": p_adjusted.where(adjusted["estimate"] > 0, 1.0).min(),
    }
    return [
        *(_test(r["hypothesis"], f"{r['estimand']}_{HOLM}", r) for r in rows),
        *(_test(names, name, {"estimate": np.nan, "p_value": p}) for name, p in smallest.items()),
    ]
