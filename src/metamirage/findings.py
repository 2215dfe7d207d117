"""Contracts of the tables of findings: what the tests found, and how often they are wrong.

Apart from ``tables``, so that a column more of a finding refits no curve.
"""

from __future__ import annotations

from metamirage.columns import CURVE_ROW, count, flag, real, schema, share, text
from metamirage.tables import STRATA

# Of a task, by its latent; the order is that of latent.STATEMENTS, with the default last.
LATENT_VERDICTS = ("metric-explained", "real", "unresolved")
# What is appended to an estimand of the selfcheck: its rejections with the sign that the thesis
# predicts, and those of the same numbers where names drawn at random make the null true.
PREDICTED, SWAPPED = "predicted", "swapped"
# Of a task, by all its metrics.
RESIDUAL_STATES = ("stays sharp", "changes", "open", "not sharp", "one metric")
# Of a curve: its bend in log size.
SUPERLINEAR_LABELS = ("faster", "slower", "undecided", "no rise")
# Of networks trained here: what was predicted of them, and what became of it.
PREDICTIONS = (
    "metric_swap", "resolution", "target_length", "threshold", "subset", "real",
)  # fmt: skip
OUTCOMES = ("holds", "fails", "open", "told")
CONTRARY = (
    "both_sharp", "sharp_continuous", "beyond_partner", "direct_better", "wider", "no_foresight",
)  # fmt: skip


CONCENTRATION = schema(
    "concentration",
    {
        "benchmark": text("Name of the registry entry, or 'pooled'."),
        "hypothesis": text("Hypothesis.", ["H1", "H2", "H3", "H4", "H5"]),
        "estimand": text("What is estimated."),
        "scheme": text(
            "Class scheme: which axis of the tags splits the metrics; headline: the two headline"
            " metrics or not; verdict: no split."
        ),
        "stratum": text("Which curves or pairs enter."),
        "estimate": real("Estimate; missing where there is nothing to compare."),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("p-value as the method says, two-sided but for H5."),
        "p_adjusted": share("Holm's over the family that correction names; missing elsewhere."),
        "correction": text("Family of hypotheses that p_adjusted covers, or empty."),
        "n_tasks": count("Tasks behind the estimate."),
        "n_curves": count("Curves (H1) or pairs (H2, H4, H5) behind it."),
        "method": text("How the p-value and interval were made."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["hypothesis", "estimand", "scheme", "stratum"],
)

AGAINST = schema(
    "against",
    {
        "benchmark": text("Name of the registry entry."),
        "kind": text("In what way it could speak against the mirage.", CONTRARY),
        "task": text("Task, or empty for a test."),
        "curve_id": text("Curve; of a pair the one under the discontinuous metric."),
        "partner": text("The other curve of a pair, or empty."),
        "scheme": text("Class scheme."),
        "stratum": text("What the two curves share, or empty."),
        "value": real("What was looked at; the page says what, by kind."),
        "against": flag("Whether it speaks against the mirage."),
    },
    ["kind", "curve_id", "partner", "scheme", "stratum"],
)

CONTROLS = schema(
    "controls",
    {
        "benchmark": text("Name of the registry entry."),
        "control": text(
            "random classes: drawn by coins for the metrics; fake class: two families of the same"
            " models.",
            ["random classes", "fake class"],
        ),
        "one": text("Family in place of class 1, or empty."),
        "zero": text("Family in place of class 0, or empty."),
        "estimate": real("H2's primary estimate: by the true classes; between the two families."),
        "lower": real("2.5 % quantile over random classes; end of the fake one's 95 % interval."),
        "upper": real("97.5 % quantile of the same; the other end."),
        "p_value": share(
            "Share of random classes, the true ones among them, whose estimate is as far from zero;"
            " of the fake class the p-value of H2's test, two-sided."
        ),
        "n_tests": count("Tests: of random classes those with six tasks or more."),
        "n_rejected": count("Those with p of at most 0.05."),
        "n_tasks": count("Tasks with pairs."),
        "n_metrics": count("Metrics of these pairs."),
        "seed": count("Of classes and sign flips."),
        "note": text("Why there is no number, or empty."),
    },
    ["control", "one", "zero"],
)

MULTIVERSE = schema(
    "multiverse",
    {
        "benchmark": text("Name of the registry entry."),
        "measure": text("Measure of sharpness, oriented: larger is sharper."),
        "threshold": text("From where on it counts, or empty: the measure itself."),
        "scheme": text("Class scheme; headline: the two headline metrics or not."),
        "stratum": text("What the two curves of a pair share."),
        "metrics": text("All, or pairs with the metric that the task's authors prefer."),
        "family": text("All families of models, or one."),
        "shots": text("All numbers of examples, the most of each pair, or one number."),
        "subtasks": text("All, aggregates over subtasks, or subtasks themselves."),
        "min_sizes": text("Sizes that both curves need."),
        "min_items": text("Items that both curves need; unknown is enough for 0 only."),
        "floor": text("Whether pairs with a curve that never moves are kept or dropped."),
        "estimate": real(
            "Mean over tasks of class 1 minus class 0, unit of the measure.", nullable=False
        ),
        "effect": real(
            "Estimate over the root mean square of the task differences.", -1.001, 1.001,
            nullable=False,
        ),
        "p_value": share("Two-sided, under the swaps of whole tasks."),
        "null_low": real("2.5 % quantile, under the swaps, of the effect of this rank."),
        "null_high": real("97.5 % quantile of the same."),
        "n_tasks": count("Tasks behind the estimate."),
    },
    ["measure", "threshold", "scheme", "stratum", "metrics", "family", "shots", "subtasks",
     "min_sizes", "min_items", "floor"],
)  # fmt: skip

MULTIVERSE_JOINT = schema(
    "multiverse_joint",
    {
        "benchmark": text("Name of the registry entry."),
        "measure": text("Measure whose specifications enter, or all."),
        "statistic": text(
            "median_effect, share_predicted (effects above zero) or share_significant (these with"
            " p at most 0.05).",
            ["median_effect", "share_predicted", "share_significant"],
        ),
        "observed": real("Its value; missing without a specification."),
        "p_value": share("Share of swaps as extreme: two-sided, but one-sided for the last."),
        "n_specifications": count("Specifications that enter."),
        "n_possible": count("Distinct ones of all measures, of which these were drawn."),
        "n_swaps": count("Swaps of the labels of whole tasks."),
        "seed": count("Seed of the swaps."),
    },
    ["measure", "statistic"],
)

_LOG_SCORE = "log score of the continuous partner, metric-explained minus real, nats"
LATENT = schema(
    "latent",
    {
        "benchmark": text("Name of the registry entry."),
        "task": text("Task with a discontinuous and a continuous metric."),
        "verdict": text(
            "Where the sharpness sits, by the rule of metamirage.latent.", LATENT_VERDICTS
        ),
        "reason": text("Why it is unresolved: the first condition that failed; else empty."),
        "stratum": text("What the metrics of a pair share.", STRATA),
        "p_explained": share("Probability that the partner is smooth, of the three statements."),
        "p_real": share("Probability that it breaks where the discontinuous curve does."),
        "p_neither": share("Probability of neither."),
        "elpd_difference": real(f"Sum over all sizes of the {_LOG_SCORE}: mean over blocks."),
        "elpd_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "elpd_last": real(f"The part of the largest size in the {_LOG_SCORE}."),
        "elpd_last_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "link_gain": real(
            "Log score of the discontinuous metric at the largest size, by the link fed with the"
            " partner's true score minus by its own direct forecast; missing without forecasts."
        ),
        "link_gain_se": real("Its standard error over blocks; missing for one block.", 0.0),
        "p_sharp_discontinuous": share("Mean P(sharp) of the discontinuous curves."),
        "p_sharp_continuous": share("Mean P(sharp) of the continuous curves."),
        "n_blocks": count("Subtasks, families and shots behind it."),
        "n_pairs": count("Pairs behind it: those whose discontinuous curve rises."),
        "n_pairs_all": count("Pairs looked at."),
        "n_sharp": count("Discontinuous curves behind it that are sharp, each for itself."),
    },
    ["task"],
)

RESIDUAL = schema(
    "residual",
    {
        "benchmark": text("Name of the registry entry."),
        "task": text("Task with a curve that enters the tests."),
        "state": text(
            "By the blocks that two metrics score, as metamirage.residual says.", RESIDUAL_STATES
        ),
        "residual": share("Mean over these blocks of the lowest P(sharp) of its metrics."),
        "metrics": text("Metrics of the task that enter, joined by commas."),
        "n_metrics": count("How many they are.", 1),
        "n_continuous": count("How many of them are tagged to have no step."),
        "n_blocks": count("Blocks (subtask, family, shots) that two metrics or more score."),
        "n_blocks_sharp": count("Those with a SHARP curve."),
        "n_blocks_all_sharp": count("Those where every metric is SHARP."),
        "n_blocks_changed": count("Those SHARP by one metric, SMOOTH, FLAT or INVERSE by another."),
    },
    ["task"],
)

RESIDUAL_TESTS = schema(
    "residual_tests",
    {
        "benchmark": text("Name of the registry entry."),
        "question": text(
            "What the residual may go with.", ["keyword", "shots", "family", "onsets"]
        ),
        "level": text("Which keyword or family, or the unit."),
        "estimate": real(
            "Difference in the residual: with the keyword minus without, by doubling 1 + shots, or"
            " this family minus the others; onsets: share of pairs together minus that by chance."
        ),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("p-value, two-sided but for onsets."),
        "p_adjusted": share("Holm's over all rows of the table that have a p-value."),
        "n_tasks": count("Tasks behind it."),
        "n_with": count("Tasks with the keyword; transitions, for onsets."),
        "method": text("How the p-value was made, or empty."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["question", "level"],
)

SUPERLINEAR = schema(
    "superlinear",
    {
        **CURVE_ROW,
        "label": text("Rise compared with a line in log size.", SUPERLINEAR_LABELS),
        "p_faster": share("P(exponent > 0); missing for a curve that does not rise."),
        "exponent_mean": real("Exponent of power, per decade: posterior mean; a line has 0."),
        "exponent_sd": real("Its posterior sd.", 0.0),
    },
    ["curve_id"],
)

SUPERLINEAR_TESTS = schema(
    "superlinear_tests",
    {
        "benchmark": text("Name of the registry entry."),
        "scheme": text("Class scheme: which axis of the tags splits the metrics."),
        "stratum": text("all: between tasks; else what the metrics of a pair share."),
        "estimate": real("P(exponent > 0), class 1 minus class 0, of rising curves."),
        "lower": real("Lower end of the 95 % interval."),
        "upper": real("Upper end of the 95 % interval."),
        "p_value": share("Two-sided p-value."),
        "n_tasks": count("Tasks behind it."),
        "n_curves": count("Rising curves (all) or pairs of them behind it."),
        "method": text("How the p-value was made, or empty."),
        "seed": count("Seed of the permutations."),
        "note": text("What to keep in mind, or empty."),
    },
    ["scheme", "stratum"],
)

HIERARCHY = schema(
    "hierarchy",
    {
        "benchmark": text("Name of the registry entry."),
        "scheme": text("Class scheme: which axis of the tags splits the metrics."),
        "prior": text("Prior of the average log width.", ["default", "smooth", "sharp"]),
        "parameter": text(
            "beta: class 1 minus class 0 in natural log width, negative = narrower; ratio:"
            " exp(beta); gamma[query]: against the query with most curves; s_metric, s_task,"
            " s_family, tau: sds; share_...: shares of variance; check_...: shares of curves."
        ),
        "estimate": real("Posterior mean; missing where the note says why."),
        "lower": real("Lower end of the 90 % interval."),
        "upper": real("Upper end of the 90 % interval."),
        "p_negative": share("P(parameter < 0), for beta and gamma."),
        "p_check": share("P(the model gives a larger share than was found), for checks."),
        "r_hat": real("Split R-hat by ranks.", 0.0),
        "ess_bulk": real("Effective sample size of the bulk.", 0.0),
        "divergences": count("Divergent transitions of all chains.", nullable=True),
        "pareto_k": real("Pareto k of draws reweighted from another prior; missing if sampled."),
        "n_curves": count("Curves behind it."),
        "n_tasks": count("Their tasks."),
        "n_families": count("Their families."),
        "n_metrics": count("Their metrics, each within one class and query."),
        "seed": count("Seed of the chains."),
        "note": text("What to keep in mind, or empty."),
    },
    ["scheme", "prior", "parameter"],
)

REPRODUCTION = schema(
    "reproduction",
    {
        "name": text("Short name of the claim."),
        "source": text("Paper that makes it, as an arXiv number."),
        "claim": text("What is claimed."),
        "unit": text("Unit of the numbers."),
        "published": real("Number printed; missing for a number given beside a printed one."),
        "estimate": real("The same from the scores; missing where they do not allow it."),
        "lowest": real("Lowest over the readings of the original."),
        "highest": real("Highest over the readings."),
        "n_readings": count("Readings that the scores allow."),
        "reading": text("The reading behind the estimate."),
        "n": count("Units behind the estimate, as the note says."),
        "note": text("What to keep in mind, or empty."),
    },
    ["name"],
)

MECHANISM = schema(
    "mechanism",
    {
        "benchmark": text("Benchmark of networks trained here."),
        "prediction": text(
            "metric_swap, resolution and target_length after the arithmetic of Schaeffer et al."
            " (2023) section 3; threshold and subset after their vision, section 5 and App. B;"
            " real: what a positive control should show.",
            PREDICTIONS,
        ),
        "measure": text("What was measured, in words."),
        "unit": text("Unit of the numbers."),
        "estimate": real("Estimate; missing where there is nothing to measure."),
        "lower": real("Lower end of the 95 % interval; missing for a plain description."),
        "upper": real("Upper end of the same."),
        "low": real("From here on a value agrees with the prediction; missing without one."),
        "high": real("Up to here it does."),
        "outcome": text("By the interval against low and high; told: no prediction.", OUTCOMES),
        "n_tasks": count("Tasks behind it."),
        "n": count("Networks, pairs or tasks behind it, as the measure says."),
        "method": text("How the interval was made."),
        "seed": count("Seed of the sign flips."),
    },
    ["benchmark", "prediction", "measure"],
)

_WORLD = text("World of worlds.py, W0 to W5.")
# Tests, intervals, verdicts on curves, and verdicts on tasks by their latent.
KINDS = ("test", "coverage", "verdict", "latent")
TRIALS = schema(
    "trials",
    {
        "world": _WORLD,
        "number": count("Simulated set within its world."),
        "kind": text("What the row is.", KINDS),
        "hypothesis": text("Hypothesis of a test or verdict on a task, else empty."),
        "estimand": text(
            "Estimand of the test: with _predicted if only the predicted sign counts, with _swapped"
            " if the two forecasts of each task were named at random, with _holm if adjusted in the"
            " primary family, any_holm if any of it rejects; measure whose 90 % interval was held"
            " against the truth; verdict and kind of skill."
        ),
        "estimate": real("Of a test."),
        "p_value": share("Of a test; missing where it could not be made."),
        "hits": count("Curves whose interval holds the truth; curves or tasks with the verdict."),
        "cases": count("Curves or tasks looked at."),
        "seed": count("Of the selfcheck."),
    },
    ["world", "number", "kind", "hypothesis", "estimand"],
)

RATES = schema(
    "rates",
    {
        "world": _WORLD,
        "kind": text("As in trials.", KINDS),
        "hypothesis": text("As in trials."),
        "estimand": text("As in trials."),
        "class_effect": flag("Whether the class of a metric matters in this world."),
        "n_sets": count("Simulated sets.", 1),
        "cases": count("Sets with a p-value, curves, or tasks."),
        "hits": count("Sets with a p-value of at most 0.05, or as in trials."),
        "rate": share("Hits over cases; missing without cases."),
        "lower": share("Lower end of its exact 95 % interval (Clopper and Pearson 1934)."),
        "upper": share("Upper end of the same."),
        "mean_estimate": real("Mean of a test's estimates over the sets."),
        "sd_estimate": real("Their standard deviation.", 0.0),
        "n_draws": count("Permutations or sign flips behind a p-value."),
        "seed": count("Of the selfcheck."),
        "versions": text("Libraries that computed."),
    },
    ["world", "kind", "hypothesis", "estimand"],
)
