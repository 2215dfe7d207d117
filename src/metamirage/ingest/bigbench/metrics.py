"""Metrics of the BIG-bench API: their scale on disk, bounds, and which of them count items."""

from __future__ import annotations

import math

NORMALISED = "normalized_aggregate_score"
# Means of right-or-wrong items, unless a task gives partial credit.
COUNTED = (
    "multiple_choice_grade",
    "exact_str_match",
    "case_insensitive_str_match",
    "numeric_match_with_0_1_relative_error",
)
_BOUNDED_FRACTIONS = (
    *COUNTED,
    "macro_f1",
    "expected_calibration_error",
    "calibration_multiple_choice_brier_score",
)
_PERCENT = ("bleu", "rouge1", "rouge2", "rougeLsum", "sequence_f1")
_LOG = ("log_likelihood", "log_likelihood_per_char", "log_likelihood_per_word")

# On disk. The official loader multiplies the fractions by 100, the files do not.
SCALES = {
    **dict.fromkeys((*_BOUNDED_FRACTIONS, "bleurt", "weighted_probabilities"), "fraction"),
    **dict.fromkeys((*_PERCENT, NORMALISED), "percent"),
    **dict.fromkeys((*_LOG, "weighted_log_probabilities"), "log"),
}
# Of a metric that a task brings along.
OWN_SCALE = "own"
# Hard bounds only: a bleurt is the output of a regression, and a weight may be negative.
RANGES = {
    **dict.fromkeys(_BOUNDED_FRACTIONS, (0.0, 1.0)),
    **dict.fromkeys(_PERCENT, (0.0, 100.0)),
    **dict.fromkeys(_LOG, (-math.inf, 0.0)),
}
