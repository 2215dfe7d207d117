"""The page docs/tables.md, written from the table contracts: ``make docs``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pandera.pandas as pa

from metamirage.contracts.audit import AUDIT
from metamirage.contracts.bands import BANDS
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.controls import CONTROLS
from metamirage.contracts.counterexamples import AGAINST
from metamirage.contracts.fits import FITS, MODELS, PROFILES
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.contracts.latent import LATENT
from metamirage.contracts.mechanism import MECHANISM
from metamirage.contracts.multiverse import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.contracts.reproduction import REPRODUCTION
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_TESTS
from metamirage.contracts.scores import SCORES
from metamirage.contracts.selfcheck import RATES, TRIALS
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import ISSUES, TIDY

PLACES = {
    "tidy": ("tidy/<benchmark>.parquet", "one published score"),
    "issues": ("tidy/<benchmark>.issues.parquet", "one defect of the published scores"),
    "tags": ("tags/<benchmark>.parquet", "one (task, metric)"),
    "scores": ("scores/<benchmark>.parquet", "one curve"),
    "fits": ("fits/<benchmark>.parquet", "one curve"),
    "models": ("fits/<benchmark>.models.parquet", "one curve and candidate"),
    "profiles": ("fits/<benchmark>.profiles.parquet", "one curve and width on the common grid"),
    "bands": ("bands/<benchmark>.parquet", "one curve and size between its smallest and largest"),
    "audit": ("audit/<benchmark>.parquet", "one curve that NUTS sampled too"),
    "forecasts": ("forecasts/<benchmark>.parquet", "one curve, left-out size and predictor"),
    "concentration": (
        "concentration/<benchmark>.parquet` and `concentration/pooled.parquet",
        "one estimand",
    ),
    "against": ("concentration/<benchmark>.against.parquet", "one place that was searched"),
    "controls": ("concentration/<benchmark>.controls.parquet", "one negative control"),
    "multiverse": ("multiverse/<benchmark>.parquet", "one specification"),
    "multiverse_joint": ("multiverse/<benchmark>.joint.parquet", "one measure and statistic"),
    "latent": ("latent/<benchmark>.parquet", "one task with both kinds of metric"),
    "residual": ("residual/<benchmark>.parquet", "one task"),
    "residual_tests": ("residual/<benchmark>.tests.parquet", "one question and level"),
    "superlinear": ("superlinear/<benchmark>.parquet", "one curve that enters the tests"),
    "superlinear_tests": ("superlinear/<benchmark>.tests.parquet", "one class scheme and stratum"),
    "hierarchy": ("concentration/<benchmark>.hierarchy.parquet", "one parameter, scheme and prior"),
    "reproduction": ("reproduction/bigbench.parquet", "one published number"),
    "mechanism": ("mechanism/<benchmark>.parquet", "one measure of a prediction"),
    "trials": (
        "selfcheck/<world>.<part>.parquet",
        "one test, interval or verdict of one simulated set",
    ),
    "rates": ("selfcheck/rates.csv", "one test, interval or verdict of one simulated world"),
}
CONTRACTS = {
    schema.name: schema
    for schema in (
        TIDY,
        ISSUES,
        TAGS,
        SCORES,
        FITS,
        MODELS,
        PROFILES,
        BANDS,
        AUDIT,
        FORECASTS,
        CONCENTRATION,
        AGAINST,
        CONTROLS,
        MULTIVERSE,
        MULTIVERSE_JOINT,
        LATENT,
        RESIDUAL,
        RESIDUAL_TESTS,
        SUPERLINEAR,
        SUPERLINEAR_TESTS,
        HIERARCHY,
        REPRODUCTION,
        MECHANISM,
        TRIALS,
        RATES,
    )
}
_BOUNDS = {
    "greater_than_or_equal_to": ("≥", "min_value"),
    "less_than_or_equal_to": ("≤", "max_value"),
}
_HEAD = """# Tables

Written from `metamirage.tables`, `metamirage.bands` and `metamirage.findings` by `make docs`; edit
the contracts there, not this page.
Every table is checked against its contract when it is written and when it is read. Columns may be
added; those listed keep name, type and meaning. Files lie in `data/processed/`."""


def describe_tables() -> str:
    """Return docs/tables.md: every column of every table, with type, range and meaning.

    Returns
    -------
    str
        Markdown that ends with a newline.
    """
    sections = [_HEAD, *(_describe(schema) for schema in CONTRACTS.values())]
    return "\n\n".join(sections) + "\n"


def _describe(schema: pa.DataFrameSchema) -> str:
    file, row = PLACES[schema.name]
    key = ", ".join(f"`{column}`" for column in schema.unique)
    lines = [
        f"## {schema.name}",
        "",
        f"`{file}`: one row is {row}. No two rows share {key}.",
        "",
        "| column | type | allowed | missing | meaning |",
        "| --- | --- | --- | --- | --- |",
        *(_row(name, column) for name, column in schema.columns.items()),
    ]
    return "\n".join(lines)


def _row(name: str, column: pa.Column) -> str:
    meaning = column.description.replace("|", "\\|").replace("<", "\\<")
    kind = "text" if str(column.dtype).startswith("str") else str(column.dtype)
    allowed = "; ".join(_allowed(column))
    missing = "yes" if column.nullable else "no"
    return f"| `{name}` | {kind} | {allowed} | {missing} | {meaning} |"


def _allowed(column: pa.Column) -> Iterator[str]:
    for check in column.checks:
        if check.name == "isin":
            yield ", ".join(check.statistics["allowed_values"])
        else:
            sign, bound = _BOUNDS[check.name]
            yield f"{sign} {check.statistics[bound]:g}"


if __name__ == "__main__":
    sys.stdout.write(describe_tables())
