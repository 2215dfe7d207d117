"""What the pages are made from, read and held against the contracts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from metamirage.contracts.audit import AUDIT
from metamirage.contracts.check import read_table
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.contracts.controls import CONTROLS
from metamirage.contracts.counterexamples import AGAINST
from metamirage.contracts.fits import FITS, MODELS
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.hierarchy import HIERARCHY
from metamirage.contracts.latent import LATENT
from metamirage.contracts.multiverse import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.contracts.reproduction import REPRODUCTION
from metamirage.contracts.residual import RESIDUAL, RESIDUAL_TESTS
from metamirage.contracts.scores import SCORES
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_TESTS
from metamirage.contracts.tags import TAGS
from metamirage.contracts.tidy import ISSUES, TIDY
from metamirage.ingest.registry import BenchmarkSpec, load_spec
from metamirage.project.assumptions import Assumption
from metamirage.simulation.rates import read_rates


@dataclass(frozen=True)
class ReportInputs:
    """Everything one benchmark's page is made from.

    Parameters
    ----------
    spec
        Registry entry.
    manifest
        Content of ``MANIFEST.json``.
    tidy, issues, tags, scores, fits, models, audit, forecasts, concentration, against, controls,
    multiverse, hierarchy, latent, residual, residual_tests, superlinear, superlinear_tests
        Tables of the benchmark, under the contracts of the same names.
    multiverse_joint
        The same for the multiverse as a whole.
    settings
        Settings of the run that shape results; ``seed`` and ``prior`` among them.
    libraries
        Versions of the libraries that computed, by name.
    assumptions
        Modelling choices to list.
    reproduction
        Printed numbers beside ours, for a benchmark of which earlier papers printed some.
    rates
        Measured error rates of the tests, if they were measured.
    """

    spec: BenchmarkSpec
    manifest: Mapping[str, object]
    tidy: pd.DataFrame
    issues: pd.DataFrame
    tags: pd.DataFrame
    scores: pd.DataFrame
    fits: pd.DataFrame
    models: pd.DataFrame
    audit: pd.DataFrame
    forecasts: pd.DataFrame
    concentration: pd.DataFrame
    against: pd.DataFrame
    controls: pd.DataFrame
    multiverse: pd.DataFrame
    multiverse_joint: pd.DataFrame
    latent: pd.DataFrame
    residual: pd.DataFrame
    residual_tests: pd.DataFrame
    superlinear: pd.DataFrame
    superlinear_tests: pd.DataFrame
    hierarchy: pd.DataFrame
    settings: Mapping[str, object]
    libraries: Mapping[str, str]
    assumptions: Sequence[Assumption]
    reproduction: pd.DataFrame | None = None
    rates: pd.DataFrame | None = None

    @classmethod
    def read(
        cls,
        paths: Mapping[str, str],
        *,
        settings: Mapping[str, object],
        libraries: Mapping[str, str],
        assumptions: Sequence[Assumption],
    ) -> ReportInputs:
        """Read the files of one benchmark.

        Parameters
        ----------
        paths
            ``spec``, ``manifest`` and one path a table, by the names of the fields.
        settings, libraries, assumptions
            As in the class.

        Raises
        ------
        InputError
            If a table breaks its contract, or the registry entry is faulty.
        """
        contracts = (
            *(TIDY, ISSUES, TAGS, SCORES, FITS, MODELS, AUDIT, FORECASTS, CONCENTRATION),
            *(HIERARCHY, AGAINST, CONTROLS, MULTIVERSE, MULTIVERSE_JOINT),
            *(LATENT, RESIDUAL, RESIDUAL_TESTS, SUPERLINEAR, SUPERLINEAR_TESTS),
        )
        return cls(
            spec=load_spec(Path(paths["spec"])),
            manifest=json.loads(Path(paths["manifest"]).read_text(encoding="utf-8")),
            settings=settings,
            libraries=libraries,
            assumptions=assumptions,
            reproduction=_reproduction(paths.get("reproduction")),
            rates=_rates(paths.get("rates")),
            **{c.name: read_table(paths[c.name], c) for c in contracts},
        )


def _reproduction(path: str | None) -> pd.DataFrame | None:
    return read_table(path, REPRODUCTION) if path else None


def _rates(path: str | None) -> pd.DataFrame | None:
    return read_rates(path) if path else None


@dataclass(frozen=True)
class IndexInputs:
    """Everything the overview is made from.

    Parameters
    ----------
    specs
        Registry entries of the enabled benchmarks, in the order of the settings.
    fits, audit, concentration, against, multiverse_joint
        By benchmark.
    pooled
        Concentration table over the benchmarks ``answering``; may be empty.
    answering
        Names of the benchmarks that the answer is made from; the others stand beside them.
    settings, libraries, rates
        As in ``ReportInputs``.
    pages
        Titles of further pages by their file.
    reproduced
        Benchmarks whose page holds numbers that earlier papers printed.
    """

    specs: Sequence[BenchmarkSpec]
    fits: Mapping[str, pd.DataFrame]
    audit: Mapping[str, pd.DataFrame]
    concentration: Mapping[str, pd.DataFrame]
    against: Mapping[str, pd.DataFrame]
    multiverse_joint: Mapping[str, pd.DataFrame]
    pooled: pd.DataFrame
    answering: Collection[str]
    settings: Mapping[str, object]
    libraries: Mapping[str, str]
    rates: pd.DataFrame | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    reproduced: Collection[str] = ()

    @classmethod
    def read(
        cls,
        *,
        specs: Sequence[str],
        fits: Sequence[str],
        audit: Sequence[str],
        concentration: Sequence[str],
        against: Sequence[str],
        multiverse_joint: Sequence[str],
        pooled: str,
        answering: Collection[str],
        settings: Mapping[str, object],
        libraries: Mapping[str, str],
        rates: str | None = None,
        pages: Mapping[str, str] | None = None,
        reproduced: Collection[str] = (),
    ) -> IndexInputs:
        """Read the files of the overview.

        ``specs`` and the lists of tables name the benchmarks in one order.

        Raises
        ------
        InputError
            If a table breaks its contract, or a registry entry is faulty.
        """
        entries = [load_spec(Path(path)) for path in specs]
        names = [entry.name for entry in entries]
        tested = (read_table(path, CONCENTRATION) for path in concentration)
        contrary_ones = (read_table(path, AGAINST) for path in against)
        joint = (read_table(path, MULTIVERSE_JOINT) for path in multiverse_joint)
        return cls(
            specs=entries,
            fits=dict(zip(names, (read_table(path, FITS) for path in fits), strict=True)),
            audit=dict(zip(names, (read_table(path, AUDIT) for path in audit), strict=True)),
            concentration=dict(zip(names, tested, strict=True)),
            against=dict(zip(names, contrary_ones, strict=True)),
            multiverse_joint=dict(zip(names, joint, strict=True)),
            pooled=read_table(pooled, CONCENTRATION),
            answering=answering,
            settings=settings,
            libraries=libraries,
            rates=_rates(rates),
            pages=pages or {},
            reproduced=reproduced,
        )
