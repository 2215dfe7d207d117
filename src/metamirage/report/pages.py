"""Stage report: the pages people read.

Pages hold everything they show: they open from disk, without a network, and equal inputs make
equal bytes. ``inputs`` reads the tables; text with numbers comes from ``text``, figures from
``exhibits``, tables from ``layouts``; the templates only place them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metamirage.curves.curve import build_curves
from metamirage.ingest.registry import BenchmarkSpec
from metamirage.project.assumptions import Assumption
from metamirage.report import (
    agreement,
    calibration,
    contrary,
    controls,
    explorer,
    forecasting,
    hierarchical,
    holdings,
    layouts,
    mechanism,
    methods,
    multiverse,
    results,
    sharpness,
    text,
)
from metamirage.report import provenance as provenance
from metamirage.report.exhibits import all_exhibits
from metamirage.report.explorer import Explored as Explored
from metamirage.report.figures.charts import CLASSES
from metamirage.report.forest import forest_exhibit
from metamirage.report.inputs import IndexInputs as IndexInputs
from metamirage.report.inputs import ReportInputs as ReportInputs
from metamirage.report.terms import TERMS, VERDICT_RULES

TEMPLATES = Path(__file__).parent / "templates"
N_LARGEST_S = 12
HYPOTHESES = ("H1", "H2", "H3", "H4", "H5")


def render_benchmark(inputs: ReportInputs) -> str:
    """Render the page of one benchmark.

    Returns
    -------
    str
        A whole HTML document that loads nothing.
    """
    joined = join_curves(inputs.fits, inputs.scores, inputs.tags, inputs.tidy)
    curves = {c.curve_id: c for c in build_curves(inputs.tidy, inputs.tags)}
    foreseen = _foreseen(inputs)
    exhibits = all_exhibits(
        joined,
        fits=inputs.fits,
        forecasts=inputs.forecasts,
        tags=inputs.tags,
        curves=curves,
        settings=inputs.settings,
    )
    exhibits.append(hierarchical.hierarchy_exhibit(inputs.hierarchy))
    return _render(
        "benchmark.html.j2",
        spec=inputs.spec,
        said=_benchmark_sentences(inputs, joined, foreseen),
        exhibits=exhibits,
        multiverse_exhibit=multiverse.multiverse_exhibit(
            inputs.multiverse, inputs.multiverse_joint
        ),
        contrary_exhibit=contrary.contrary_exhibit(
            inputs.against, inputs.fits, curves, settings=inputs.settings
        ),
        n_curves=f"{len(joined):,}",
        tables=_benchmark_tables(inputs, joined, foreseen),
        glossaries=_glossaries(),
        verdict_rules=VERDICT_RULES,
        source=provenance.source_facts(inputs.spec, inputs.manifest),
        files=provenance.source_files_shown(inputs.manifest),
        run=provenance.run_facts(inputs.settings, inputs.libraries),
        assumptions=inputs.assumptions,
    )


def join_curves(
    fits: pd.DataFrame, scores: pd.DataFrame, tags: pd.DataFrame, tidy: pd.DataFrame
) -> pd.DataFrame:
    """Join what is known about each curve.

    Returns
    -------
    pandas.DataFrame
        The rows and columns of fits, those of scores that fits lacks, ``discontinuous``,
        ``nonlinear``, ``metric_class`` (words of ``figures.CLASSES``), and ``size_min`` and
        ``size_max`` of the family, log10 parameters.
    """
    extra = ["curve_id", *(c for c in scores.columns if c not in fits.columns)]
    sizes = np.log10(tidy.groupby("family")["n_params"].agg(size_min="min", size_max="max"))
    axes = tags[["task", "metric", "discontinuous", "nonlinear"]]
    return (
        fits.merge(scores[extra], on="curve_id", validate="one_to_one")
        .merge(axes, on=["task", "metric"], validate="many_to_one")
        .merge(sizes.reset_index(), on="family", validate="many_to_one")
        .assign(metric_class=lambda t: t["discontinuous"].map(CLASSES))
        .sort_values("curve_id", ignore_index=True)
    )


class Foreseen(NamedTuple):
    """Summaries of the forecasts: the direct ones, and two-step beside direct."""

    direct: pd.DataFrame
    steps: pd.DataFrame


def _foreseen(inputs: ReportInputs) -> Foreseen:
    tasks = dict(zip(inputs.fits["curve_id"], inputs.fits["task"], strict=True))
    return Foreseen(
        forecasting.summarise_forecasts(inputs.forecasts, tasks),
        forecasting.compare_steps(inputs.forecasts, tasks),
    )


def _benchmark_sentences(
    inputs: ReportInputs, joined: pd.DataFrame, foreseen: Foreseen
) -> dict[str, str]:
    return {
        "holdings": text.holdings(inputs.tidy, inputs.fits),
        "verdicts": text.verdicts(inputs.fits),
        "too_short": text.too_short(inputs.fits),
        "sharp_by_class": text.sharp_by_class(joined),
        "sharp_by_metric": holdings.concentration_said(joined),
        "exclusions": text.exclusions(inputs.scores),
        "engines": agreement.engines(inputs.fits),
        "agreement": agreement.agreement(inputs.audit),
        **results.hypotheses(inputs.concentration),
        **_measured(inputs.rates),
        "beside_H1": results.beside_h1(inputs.concentration),
        "H5": results.translation(inputs.concentration),
        "corrected": results.corrected(inputs.concentration),
        "not_comparable": results.not_comparable(inputs.concentration),
        "contrary": contrary.contrary(inputs.against),
        "controls": controls.controls_said(inputs.controls),
        **multiverse.sentences(inputs.multiverse, inputs.multiverse_joint),
        "untested": results.untested(inputs.concentration, _stated(inputs)),
        **hierarchical.sentences(inputs.hierarchy),
        "s_states": text.s_states(inputs.scores),
        "s_on_continuous": text.s_on_continuous(joined),
        "s_against_verdicts": text.s_against_verdicts(joined),
        "forecasts": forecasting.forecast_quality(foreseen.direct),
        "ranks": forecasting.ranks(inputs.forecasts),
        "two_step": forecasting.step_quality(foreseen.steps),
        "issues": text.issue_count(inputs.issues),
        "reproduction": text.reproduced(inputs.reproduction),
        **_sharpness_sentences(inputs),
    } | _standing_sentences(inputs.rates)


def _stated(inputs: ReportInputs) -> list[str]:
    """Hypotheses whose rows belong into the concentration table; H3 has a table of its own."""
    return [h for h in HYPOTHESES if h != "H3" or inputs.latent.empty]


def _sharpness_sentences(inputs: ReportInputs) -> dict[str, str]:
    return {
        "latent": sharpness.latent_counts(inputs.latent),
        "latent_names": sharpness.latent_names(inputs.latent),
        "latent_errors": sharpness.latent_errors(inputs.latent),
        "residual": sharpness.residual_counts(inputs.residual),
        "residual_tests": sharpness.residual_findings(inputs.residual_tests),
        "bends": sharpness.bends(inputs.superlinear),
        "bend_classes": sharpness.bend_findings(inputs.superlinear_tests),
    }


def _measured(rates: pd.DataFrame | None) -> dict[str, str]:
    """Error rates of the tests behind the claims, by hypothesis."""
    claims = (results.H1_ROW, results.H2_ROW, results.H4_ROW, results.H5_ROW)
    said = {
        f"rates_{row['hypothesis']}": calibration.beside_claim(
            rates, hypothesis=row["hypothesis"], estimand=row["estimand"]
        )
        for row in claims
    }
    ahead = [] if rates is None else calibration.foresight_warning(rates)
    return said | {
        "rates_H3": calibration.beside_verdicts(rates),
        "rates_H4": " ".join([said["rates_H4"], *ahead]),
    }


def _standing_sentences(rates: pd.DataFrame | None) -> dict[str, str]:
    return {
        "error_rates": calibration.standing(rates, unknown=text.ERROR_RATES_UNKNOWN),
        "one_run": text.ONE_RUN,
        "default": text.UNRESOLVED_DEFAULT,
    }


def _benchmark_tables(
    inputs: ReportInputs, joined: pd.DataFrame, foreseen: Foreseen
) -> dict[str, layouts.Plain | None]:
    return {
        "families": holdings.family_table(inputs.tidy, inputs.fits),
        "metrics": holdings.metric_table(inputs.tidy, joined),
        "hypotheses": layouts.hypothesis_table(inputs.concentration),
        "contrary": contrary.contrary_table(inputs.against),
        "multiverse": multiverse.joint_table(inputs.multiverse_joint),
        "controls": controls.controls_table(inputs.controls),
        "cases": contrary.case_table(inputs.against, inputs.fits),
        "hierarchy": hierarchical.hierarchy_table(inputs.hierarchy),
        "largest_s": layouts.largest_s(joined, N_LARGEST_S),
        "audit": agreement.worst_table(inputs.audit),
        "forecasts": forecasting.forecast_table(foreseen.direct),
        "two_step": forecasting.step_table(foreseen.steps),
        "weights": layouts.weight_table(inputs.models),
        "tags": layouts.tag_table(inputs.tags),
        "issues": layouts.issue_table(inputs.issues),
        "reproduction": layouts.reproduction_table(inputs.reproduction),
        "latent": sharpness.latent_table(inputs.latent),
        "residual": sharpness.residual_table(inputs.residual),
        "residual_tests": sharpness.residual_test_table(inputs.residual_tests),
        "bends": sharpness.bend_table(inputs.superlinear_tests),
    }


def _glossaries() -> dict[str, Mapping[str, str]]:
    return {
        "estimands": layouts.estimand_glossary(),
        "latent": sharpness.MEANINGS,
        "terms": TERMS,
    }


def render_index(inputs: IndexInputs) -> str:
    """Render the overview.

    Returns
    -------
    str
        A whole HTML document that loads nothing and links to ``<benchmark>/index.html``.
    """
    fits, tested = (
        {name: table for name, table in tables.items() if name in inputs.answering}
        for tables in (inputs.fits, inputs.concentration)
    )
    return _render(
        "index.html.j2",
        answer=results.answer(fits, tested, inputs.pooled),
        cards=[_card(spec, inputs) for spec in inputs.specs],
        pages=inputs.pages,
        pooled=layouts.hypothesis_table(inputs.pooled),
        forest=forest_exhibit(inputs.concentration, inputs.pooled),
        said=_standing_sentences(inputs.rates)
        | _measured(inputs.rates)
        | {
            "apart": results.apart([name for name in inputs.fits if name not in fits]),
            "not_comparable": results.not_comparable(inputs.pooled),
            "agreement": agreement.agreement_over(inputs.audit),
        },
        verdict_rules=VERDICT_RULES,
        terms_used=TERMS,
        run=provenance.run_facts(inputs.settings, inputs.libraries),
    )


def render_methods(
    assumptions: Sequence[Assumption],
    *,
    settings: Mapping[str, object],
    libraries: Mapping[str, str],
    pages: Mapping[str, str],
) -> str:
    """Render the page of methods.

    Parameters
    ----------
    assumptions
        Of the whole package.
    settings, libraries, pages
        As in ``IndexInputs``.
    """
    parts = methods.page_parts(assumptions, settings=settings, libraries=libraries)
    said = {"one_run": text.ONE_RUN, "default": text.UNRESOLVED_DEFAULT}
    return _render("methods.html.j2", pages=pages, **said, **parts)


def render_explorer(explored: Explored) -> str:
    """Render the page in which every curve of a benchmark can be found and looked at.

    Returns
    -------
    str
        A whole HTML document that loads nothing; ``#curve=<curve_id>`` after its name shows a
        curve.
    """
    joined = join_curves(explored.fits, explored.scores, explored.tags, explored.tidy)
    return _render("explorer.html.j2", **explorer.page_parts(explored, joined))


def render_selfcheck(rates: pd.DataFrame, *, source: str) -> str:
    """Render the page of the tests' own error rates.

    Parameters
    ----------
    rates
        Table ``findings.RATES``.
    source
        File it was read from, named on the page.
    """
    return _render("selfcheck.html.j2", **calibration.page_parts(rates, source=source))


def render_mechanism(inputs: mechanism.MechanismInputs) -> str:
    """Render the page of the mechanism: the toy model, and networks trained here.

    Returns
    -------
    str
        A whole HTML document that loads nothing.
    """
    return _render("mechanism.html.j2", **mechanism.page_parts(inputs))


def _card(spec: BenchmarkSpec, inputs: IndexInputs) -> dict[str, object]:
    fits = inputs.fits[spec.name]
    return {
        "spec": spec,
        "curves": f"{len(fits):,}",
        "tasks": f"{fits['task'].nunique():,}",
        "counts": layouts.verdict_counts(fits),
        "verdicts": text.verdicts(fits),
        "contrary": contrary.contrary_count(inputs.against[spec.name]),
        "multiverse": multiverse.summary(inputs.multiverse_joint[spec.name]),
        "reproduced": spec.name in inputs.reproduced,
        **results.hypotheses(inputs.concentration[spec.name]),
    }


def _render(template: str, **context: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**context) + "\n"
