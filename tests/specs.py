"""Registry entries of invented benchmarks, for the tests of readers."""

from __future__ import annotations

from typing import Any

from metamirage.ingest.registry import BenchmarkSpec, Source


def toy_spec(reader: str, **options: Any) -> BenchmarkSpec:
    """Build an entry with a reader and its options, and nothing else of note."""
    return BenchmarkSpec(
        name="toy",
        title="Toy",
        description="Invented.",
        source=Source("path", ("*",)),
        reader=reader,
        licence="CC0-1.0",
        citation="Invented.",
        options=options,
    )
