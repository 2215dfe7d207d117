"""An invented benchmark, taken through every stage, that the tests of the report share."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from metamirage.base.thresholds import AGREED_NATS, AGREED_SD
from metamirage.contracts.audit import AUDIT
from metamirage.contracts.check import check
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.curves.curve import build_curves
from metamirage.curves.scores import score_curves
from metamirage.fitting.bands import band_curves
from metamirage.fitting.fits import fit_curves
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import forecast_curves
from metamirage.hypotheses.concentration import assess_concentration
from metamirage.hypotheses.h3_latent import judge_tasks
from metamirage.hypotheses.pooling import pool_concentration
from metamirage.ingest.registry import BenchmarkSpec, KnownDefect, Source
from metamirage.project.assumptions import Assumption
from metamirage.report.pages import Explored, IndexInputs, ReportInputs
from metamirage.robustness.controls import assess_controls
from metamirage.robustness.counterexamples import list_contrary
from metamirage.robustness.hierarchy.stage import model_hierarchy
from metamirage.robustness.multiverse import assess_multiverse
from metamirage.robustness.residual import find_residual, relate_residual
from metamirage.robustness.superlinear import compare_classes, find_superlinear

SEED = 11
SETTINGS = {
    "seed": SEED,
    "prior": "default",
    "engine": "quadrature",
    "n_audit": 2,
    "n_permutations": 99,
}
LIBRARIES = {"numpy": "0.0.1"}
PAGES = {"methods.html": "Methods", "selfcheck.html": "Selfcheck"}
ASSUMPTIONS = (Assumption("part", "small & smooth.", "X < 1"), Assumption("part", "more.", ""))
SIZES = (1e8, 3e8, 1e9, 3e9, 1e10, 3e10, 1e11)
# Fractions right by task, from the smallest model to the largest.
STEP = (0.0, 0.0, 0.0, 0.01, 0.95, 0.96, 0.97)
LINE = (0.10, 0.22, 0.34, 0.46, 0.58, 0.70, 0.82)
FLOOR = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4)
LOSS = (9.0, 7.6, 6.1, 4.4, 3.2, 1.9, 0.5)
CURVES = {
    ("step", "exact"): STEP,
    ("line", "exact"): LINE,
    ("floor", "exact"): FLOOR,
    ("step", "overlap"): LINE,
    ("line", "overlap"): LINE,
    ("floor", "loss"): LOSS,
}


def tidy_table() -> pd.DataFrame:
    """Scores of three tasks under three metrics at seven sizes."""
    rows = [
        {
            "benchmark": "invented",
            "task": task,
            "subtask": "",
            "metric": metric,
            "family": "F",
            "n_shots": 2,
            "model": f"F-{i}",
            "n_params": size,
            "n_params_kind": "total",
            "score": score,
            "stderr": np.nan,
            "n_samples": 200,
            "low_score": np.nan,
            "high_score": np.nan,
            "is_preferred": None,
            "source_file": "scores.csv",
        }
        for (task, metric), scores in CURVES.items()
        for i, (size, score) in enumerate(zip(SIZES, scores, strict=True))
    ]
    types = {"n_shots": "Int64", "n_samples": "Int64", "is_preferred": "boolean"}
    return check(pd.DataFrame(rows).astype(types), TIDY, source="invented")


def tag_table() -> pd.DataFrame:
    """Tags: exact match has a step, overlap and loss have none."""
    rows = [
        {
            "benchmark": "invented",
            "task": task,
            "metric": metric,
            "discontinuous": "yes" if metric == "exact" else "no",
            "nonlinear": "no" if metric == "overlap" else "yes",
            "query": "cond_log_prob" if metric == "loss" else "generate",
            "direction": "down" if metric == "loss" else "up",
            "lower": 0.0,
            "upper": np.nan if metric == "loss" else 1.0,
            "chance": np.nan if metric == "loss" else 0.0,
            "excluded": "",
            "reason": f"Why {metric} is tagged <so>.",
            "reference": "invented",
        }
        for task, metric in CURVES
    ]
    return check(pd.DataFrame(rows), TAGS, source="invented")


def issue_table() -> pd.DataFrame:
    """Describe one known defect."""
    row = {
        "benchmark": "invented",
        "kind": "score above one",
        "where": "step, F-6",
        "n_rows": 1,
        "detail": "A share of 1.78 & more.",
        "action": "kept as published",
        "known": True,
    }
    return check(pd.DataFrame([row]), ISSUES, source="invented")


def spec(name: str = "invented") -> BenchmarkSpec:
    """Make a registry entry whose texts need escaping."""
    return BenchmarkSpec(
        name=name,
        title="Invented <benchmark>",
        description="Scores that nobody measured.",
        source=Source(kind="shipped", include=("scores.csv",)),
        reader="tidy_csv",
        licence="CC0 & friends",
        citation="Nobody (2020). Nothing.",
        options={},
        known_defects=(KnownDefect("score above one", "step", "detail", "action"),),
    )


MANIFEST = {
    "benchmark": "invented",
    "kind": "shipped",
    "source": "",
    "commit": "",
    "licence": "CC0 & friends",
    "time": "2020-02-20T20:20:20+00:00",
    "files": [{"path": "scores.csv", "bytes": 1234, "sha256": "ab" * 32}],
}


@cache
def report_inputs() -> ReportInputs:
    """Take the invented benchmark through every stage, once; do not change the tables in place."""
    tidy, tags = tidy_table(), tag_table()
    curves = build_curves(tidy, tags)
    fitted = fit_curves(curves, FitSettings(SEED))
    forecasts = forecast_curves(curves, tags, FitSettings(SEED))
    bent = find_superlinear(fitted.fits, fitted.models)
    tested = assess_concentration(
        fitted.fits,
        forecasts,
        tags,
        tidy=tidy,
        profiles=fitted.profiles,
        seed=SEED,
        n_permutations=99,
    )
    scores = score_curves(curves, seed=SEED)
    specifications, joint = assess_multiverse(
        fitted.fits, scores, forecasts, tags, tidy=tidy, profiles=fitted.profiles, seed=SEED
    )
    return ReportInputs(
        spec=spec(),
        manifest=MANIFEST,
        tidy=tidy,
        issues=issue_table(),
        tags=tags,
        scores=scores,
        fits=fitted.fits,
        models=fitted.models,
        audit=audit_table(audit_row(), audit_row(task="line", evidence_gap=0.04)),
        forecasts=forecasts,
        concentration=tested,
        against=list_contrary(fitted.fits, forecasts, tags, concentration=tested),
        controls=assess_controls(
            fitted.fits, tags, profiles=fitted.profiles, seed=SEED, n_permutations=99
        ),
        multiverse=specifications,
        multiverse_joint=joint,
        latent=judge_tasks(curves, tags, forecasts, FitSettings(SEED)),
        residual=find_residual(fitted.fits, tags),
        residual_tests=relate_residual(
            fitted.fits, tidy, curves, FitSettings(SEED), n_permutations=99
        ),
        superlinear=bent,
        superlinear_tests=compare_classes(bent, tags, tidy=tidy, seed=SEED, n_permutations=99),
        hierarchy=model_hierarchy(fitted.fits, fitted.profiles, tags, seed=SEED),
        settings=SETTINGS,
        libraries=LIBRARIES,
        assumptions=ASSUMPTIONS,
    )


@cache
def explored() -> Explored:
    """Give the explorer the invented benchmark."""
    inputs = report_inputs()
    names = ("tidy", "tags", "scores", "fits", "models")
    return Explored(
        title=inputs.spec.title,
        benchmark="invented",
        bands=band_curves(build_curves(inputs.tidy, inputs.tags), FitSettings(SEED)),
        **{name: getattr(inputs, name) for name in names},
    )


def index_inputs() -> IndexInputs:
    """Make the overview of the invented benchmark and of a copy of it."""
    inputs = report_inputs()
    names = ("invented", "copy")
    tables = [inputs.concentration.assign(benchmark=name) for name in names]
    return IndexInputs(
        specs=[spec(name) for name in names],
        fits=dict.fromkeys(names, inputs.fits),
        audit=dict.fromkeys(names, inputs.audit),
        concentration=dict(zip(names, tables, strict=True)),
        against=dict.fromkeys(names, inputs.against),
        multiverse_joint=dict.fromkeys(names, inputs.multiverse_joint),
        pooled=pool_concentration(tables),
        answering=names,
        settings=SETTINGS,
        libraries=LIBRARIES,
        pages=PAGES,
        reproduced=("copy",),
    )


def audit_row(**changes: object) -> dict[str, object]:
    """Make one row of the audit table: engines that agree, with changes."""
    row: dict[str, object] = {
        "benchmark": "invented",
        "task": "step",
        "subtask": "",
        "metric": "exact",
        "family": "F",
        "n_shots": 2,
        "n_sizes": 7,
        "observation": "beta_binomial",
        "verdict": "SHARP",
        "in_sample": True,
        "flagged": False,
        "log_evidence": -20.0,
        "log_evidence_error": 0.03,
        "evidence_gap": 0.01,
        "evidence_gap_error": 0.05,
        "linear_gap": -0.02,
        "linear_gap_error": 0.03,
        "log10_width_mean": -0.25,
        "log10_width_sd": 0.125,
        "log10_width_shift": 0.0625,
        "location_mean": 9.5,
        "location_sd": 0.125,
        "location_shift": -0.03125,
        "shift_error": 0.09,
        "p_width_lt_1": 0.99,
        "p_width_lt_1_nuts": 0.98,
        "r_hat": 1.003,
        "ess": 900.0,
        "divergences": 0,
        "converged": True,
    }
    row |= changes
    shifts = [abs(float(str(row[f"{name}_shift"]))) for name in ("log10_width", "location")]
    agreed = {
        "curve_id": f"invented|{row['task']}||exact|F|2",
        "means_agree": max(shifts) < AGREED_SD,
        "evidence_agrees": abs(float(str(row["evidence_gap"]))) < AGREED_NATS,
    }
    return row | agreed


def audit_table(*rows: dict[str, object]) -> pd.DataFrame:
    """Make an audit table; no rows make an empty one."""
    types = {name: str(column.dtype) for name, column in AUDIT.columns.items()}
    table = pd.DataFrame(list(rows), columns=list(types)).astype(types)
    return check(table, AUDIT, source="invented")


def concentration_row(**changes: object) -> dict[str, object]:
    """Make one row of the concentration table: a clear H2 result, with changes."""
    row: dict[str, object] = {
        "benchmark": "invented",
        "hypothesis": "H2",
        "estimand": "log10_width",
        "scheme": "discontinuous",
        "stratum": "same outputs",
        "estimate": 0.25,
        "lower": 0.125,
        "upper": 0.5,
        "p_value": 0.004,
        "p_adjusted": np.nan,
        "correction": "",
        "n_tasks": 12,
        "n_curves": 34,
        "method": "sign flips",
        "seed": SEED,
        "note": "",
    }
    return row | changes
