"""Words that tables, tests and pages share: each thing has one."""

from __future__ import annotations

CURVE_KEY = ("benchmark", "task", "subtask", "metric", "family", "n_shots")
BLOCK = ("task", "subtask", "family", "n_shots")
VERDICTS = ("SHARP", "SMOOTH", "FLAT", "INVERSE", "UNRESOLVED")
CANDIDATES = ("flat", "linear", "power", "sigmoid", "quadratic")
ENGINES = ("quadrature", "nuts")
PREDICTORS = (*CANDIDATES, "averaged", "two_point", "two_step", "link_given_partner")
SAME_OUTPUTS, SAME_MODEL = "same outputs", "same model"
STRATA = ("", SAME_OUTPUTS, SAME_MODEL)
STATES = ("finite", "inf", "nan", "constant")
TERNARY = ("yes", "no", "unknown")
QUERIES = ("generate", "cond_log_prob", "other")
DIRECTIONS = ("up", "down")
