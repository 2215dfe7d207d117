"""Scores of the synthetic BIG-bench: ability, links to the metrics, noise of counted items.

The ability of a network is on the logit scale of one token, or of one choice. Every metric is a
function of it, so that two metrics of the same outputs differ only by their links and their noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import log_expit, ndtr

from standin.design import METRIC_SETS, METRICS, WORLDS, Design, Metric
from standin.families import Family

TWO_LOG_NINE = 2 * np.log(9)  # a logistic rises from 10 % to 90 % over this many units
NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
# ASSUME: a graded item has a quarter of the variance of one that is right or wrong.
GRADES = 4.0
MARGIN = 1e-6
NO_SHOTS = -1


def truth_table(leaves: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Tell the truth about every subtask in every family.

    Parameters
    ----------
    leaves
        From `metamirage.standin.design.draw_leaves`.
    design
        Names the families.

    Returns
    -------
    pandas.DataFrame
        The leaves once per family, with family, network, world and links; location is shifted as
        the family is.
    """
    _, links = WORLDS[design.world]
    families = pd.DataFrame(
        [{"family": f.name, "network": f.network, "shift": f.shift} for f in design.families]
    )
    both = leaves.merge(families, how="cross")
    return both.assign(
        location=both["location"] + both["shift"], world=design.world, links=links
    ).drop(columns=["shift", "task_number"])


def draw_cells(
    leaves: pd.DataFrame, present: pd.DataFrame, *, design: Design, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the ability of every network at every subtask and number of shots.

    Parameters
    ----------
    leaves
        From `metamirage.standin.design.draw_leaves`.
    present
        One row per task and family with files: task, family.
    design
        Families and the spread of networks.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        One row per entry of a score file, sorted by file: task_number, leaf (row of ``leaves``),
        trial, family and model (their numbers), n_params, n_shots, n_evaluated, theta (ability).
    """
    numbered = leaves.assign(leaf=np.arange(len(leaves)))
    cells = pd.concat(
        [
            _family_cells(
                numbered.merge(present[present["family"] == f.name], on="task"), f, number=i
            )
            for i, f in enumerate(design.families)
        ],
        ignore_index=True,
    )
    task = leaves["task_number"].to_numpy()[cells["leaf"]]
    in_file_order = ["task_number", "family", "model", "leaf", "trial", "n_shots"]
    cells = cells.assign(task_number=task).sort_values(in_file_order, ignore_index=True)
    theta = _abilities(cells, leaves, design=design, rng=rng)
    return cells.assign(theta=np.clip(theta, -8.0, 8.0))


def _family_cells(leaves: pd.DataFrame, family: Family, *, number: int) -> pd.DataFrame:
    models = pd.DataFrame(
        {
            "model": range(len(family.models)),
            "n_params": [float(m.flop_matched) for m in family.models],
        }
    )
    shots = pd.DataFrame({"n_shots": family.shots})
    trials = leaves.loc[leaves.index.repeat(leaves["n_trials"].clip(lower=1))]
    trials = trials.assign(trial=trials.groupby("leaf").cumcount())
    cells = trials.merge(models, how="cross").merge(shots, how="cross").assign(family=number)
    cells = cells[cells["has_shots"] | (cells["n_shots"] == family.shots[0])]
    n_shots = cells["n_shots"].where(cells["has_shots"], NO_SHOTS)
    # Items in the prompt are not asked, and the cap is shared between the subtasks.
    left = cells["n_items"] - n_shots.clip(lower=0)
    evaluated = np.minimum(left, family.cap // cells["n_subtasks"])
    keep = ["leaf", "trial", "family", "model", "n_params", "n_shots", "n_evaluated"]
    return cells.assign(n_shots=n_shots, n_evaluated=evaluated)[keep]


def _abilities(
    cells: pd.DataFrame, leaves: pd.DataFrame, *, design: Design, rng: np.random.Generator
) -> np.ndarray:
    row = leaves.iloc[cells["leaf"].to_numpy()]
    families = cells["family"].to_numpy()
    shift = np.array([f.shift for f in design.families])[families]
    penalty = np.array([f.penalty for f in design.families])[families]
    # T=0 and T=1 are one set of networks: they share every deviation.
    networks = pd.factorize(np.array([f.network for f in design.families])[families])[0]
    network = pd.factorize(networks * 100 + cells["model"].to_numpy())[0]
    n_networks = network.max() + 1
    deviation = rng.normal(0.0, design.network_sd, (len(leaves), n_networks))
    luck = rng.random((int(leaves["task_number"].max()) + 1, n_networks))
    ability = latent(
        np.log10(cells["n_params"].to_numpy()) - shift,
        row,
        luck=luck[row["task_number"].to_numpy(), network],
    )
    generates = ~row["metric_set"].str.startswith("choice").to_numpy()
    shots = np.log2(1 + cells["n_shots"].clip(lower=0).to_numpy())
    extra = row["shot_gain"].to_numpy() * shots - penalty * generates
    return np.asarray(ability + deviation[cells["leaf"].to_numpy(), network] + extra)


def latent(x: np.ndarray, leaves: pd.DataFrame, *, luck: np.ndarray) -> np.ndarray:
    """Give the ability that a form prescribes, before any deviation.

    Parameters
    ----------
    x
        log10 parameters, shape (n,).
    leaves
        Form, location, width, low and high of each, n rows.
    luck
        Uniform numbers, shape (n,); a bimodal task is learned where they fall below the rise.

    Returns
    -------
    numpy.ndarray
        Ability in logits, shape (n,). A line has the slope whose logistic is ``width`` wide.
    """
    form = leaves["form"].to_numpy()
    low, high = leaves["low"].to_numpy(), leaves["high"].to_numpy()
    with np.errstate(invalid="ignore"):
        steps = TWO_LOG_NINE * (x - leaves["location"].to_numpy()) / leaves["width"].to_numpy()
    rise = np.exp(log_expit(steps))
    learned = (luck < rise).astype(float)
    kinds = ["smooth", "inverse", "break", "bimodal"]
    values = [steps, -steps, low + (high - low) * rise, low + (high - low) * learned]
    return np.select([form == kind for kind in kinds], values, low)


def expected_score(
    metric: str,
    theta: np.ndarray,
    *,
    item_sd: np.ndarray,
    n_tokens: np.ndarray,
    chance: np.ndarray,
    links: str,
) -> np.ndarray:
    """Give the expected score of a metric at an ability.

    Parameters
    ----------
    metric
        One of `metamirage.standin.design.METRICS`.
    theta, item_sd, n_tokens, chance
        Ability, spread of the items around it, length of the targets and chance level, shape (n,).
    links
        ``metric``, or ``common`` for the world in which all metrics are one function.

    Returns
    -------
    numpy.ndarray
        Scores in the unit of the files, shape (n,).
    """
    one = METRICS[metric]
    # Items differ in difficulty: normal around the ability, integrated by Gauss-Hermite.
    items = theta[:, None] + item_sd[:, None] * NODES
    if links == "common":
        return _scaled(one, np.exp(log_expit(items)) @ WEIGHTS, n_tokens=n_tokens, chance=chance)
    if one.link == "log":
        return np.asarray(n_tokens * (log_expit(items) @ WEIGHTS))
    if one.link == "choice":
        return np.asarray(chance + (1 - chance) * ndtr(theta / item_sd))
    if one.link == "brier":
        right = chance[:, None] + (1 - chance[:, None]) * np.exp(log_expit(items))
        return np.asarray((1 - right) ** 2 @ WEIGHTS)
    share = _POWERS[one.link](n_tokens.astype(float))
    return _scaled(
        one, np.exp(share[:, None] * log_expit(items)) @ WEIGHTS, n_tokens=n_tokens, chance=chance
    )


# Powers of the chance to get one token right: all of the target, n-grams, subsequences. BLEU is
# the geometric mean of the precisions of 1- to 4-grams, hence 2.5.
_POWERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": lambda n: n,
    "token": np.ones_like,
    "bigram": lambda n: np.minimum(n, 2.0),
    "subsequence": lambda n: np.minimum(n, 1.5),
    "bleu": lambda n: np.full_like(n, 2.5),
    "calibration": np.ones_like,
}


def _scaled(
    metric: Metric, share: np.ndarray, *, n_tokens: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    if metric.link == "log":
        return np.asarray(4.0 * n_tokens * (share - 1))
    low = chance if metric.low is None else metric.low
    return np.asarray(low + (metric.high - low) * share)


def draw_scores(
    cells: pd.DataFrame, leaves: pd.DataFrame, *, design: Design, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the score of every metric of every entry.

    Parameters
    ----------
    cells
        From `draw_cells`.
    leaves
        From `metamirage.standin.design.draw_leaves`.
    design
        World and dispersion.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        One row per published score, entries in the order of the files: cell (row of ``cells``),
        metric, mean (expected given the network) and score.
    """
    _, links = WORLDS[design.world]
    row = leaves.iloc[cells["leaf"].to_numpy()]
    sets = row["metric_set"].to_numpy()
    early = ~cells["family"].map(lambda i: design.families[i].name.startswith("BIG-G"))
    drawn = []
    for code, (name, metric) in enumerate(METRICS.items()):
        holders = [key for key, names in METRIC_SETS.items() if name in names]
        has = np.isin(sets, holders) & ~(metric.later & early.to_numpy())
        where = np.flatnonzero(has)
        part = row.iloc[where]
        n_tokens, items = part["n_tokens"].to_numpy(), cells["n_evaluated"].to_numpy()[where]
        mean = expected_score(
            name,
            cells["theta"].to_numpy()[where],
            item_sd=part["item_sd"].to_numpy(),
            n_tokens=n_tokens,
            chance=part["chance"].to_numpy(),
            links=links,
        )
        score = _noisy(
            metric, mean, items=items, n_tokens=n_tokens, dispersion=design.dispersion, rng=rng
        )
        drawn.append(pd.DataFrame({"cell": where, "code": code, "mean": mean, "score": score}))
    return _in_file_order(pd.concat(drawn, ignore_index=True), sets)


def _in_file_order(scores: pd.DataFrame, sets: np.ndarray) -> pd.DataFrame:
    metrics = pd.CategoricalDtype(list(METRICS))
    metric = pd.Series(pd.Categorical.from_codes(scores["code"], dtype=metrics), scores.index)
    keys = pd.Series(sets[scores["cell"]], scores.index)
    ranks = pd.Series(
        {(key, name): i for key, names in METRIC_SETS.items() for i, name in enumerate(names)}
    )
    rank = ranks.reindex(pd.MultiIndex.from_arrays([keys, metric])).to_numpy()
    ordered = scores.assign(metric=metric, rank=rank).sort_values(["cell", "rank"])
    return ordered[["cell", "metric", "mean", "score"]].reset_index(drop=True)


def _noisy(
    metric: Metric,
    mean: np.ndarray,
    *,
    items: np.ndarray,
    n_tokens: np.ndarray,
    dispersion: float,
    rng: np.random.Generator,
) -> np.ndarray:
    if metric.noise == "gauss":
        spread = n_tokens / np.sqrt(items)
        return np.asarray(np.minimum(rng.normal(mean, spread), 0.0))
    low = min(metric.low or 0.0, metric.high)
    span = max(metric.low or 0.0, metric.high) - low
    share = np.clip((mean - low) / span, MARGIN, 1 - MARGIN)
    if metric.noise == "count":
        run = rng.beta(share * dispersion, (1 - share) * dispersion)
        return np.asarray(rng.binomial(items, run) / items)
    precision = 1 / (1 / dispersion + 1 / (GRADES * items))
    return np.asarray(low + span * rng.beta(share * precision, (1 - share) * precision))
