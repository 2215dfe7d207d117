"""Where a result comes from: source files, settings and libraries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from metamirage import __version__
from metamirage.ingest.registry import BenchmarkSpec
from metamirage.report.text import plural

# Past this many files a page names the digest of their list and leaves the list to the manifest.
MAX_FILES = 40


def source_facts(spec: BenchmarkSpec, manifest: Mapping[str, object]) -> dict[str, str]:
    """Say where a benchmark's files come from.

    Parameters
    ----------
    spec
        Registry entry.
    manifest
        Content of ``MANIFEST.json``. Its time stays out: equal inputs make equal pages.
    """
    files = _files(manifest)
    facts = {
        "source": str(manifest.get("source") or f"{manifest.get('kind', '')} files"),
        "commit": str(manifest.get("commit") or ""),
        "files": f"{plural(len(files), 'file')}, {_bytes(files):,} bytes",
        "SHA-256 of the list of files": listing_digest(files),
        "licence": str(manifest.get("licence") or spec.licence),
        "citation": spec.citation,
        "reader": spec.reader,
        "repeated scores": spec.duplicates,
        "models not in the registry": spec.unlisted_models,
    }
    return {name: value for name, value in facts.items() if value}


def source_files_shown(manifest: Mapping[str, object]) -> list[tuple[str, str]]:
    """Path and SHA-256 of each source file; empty if they are too many for a page."""
    files = _files(manifest)
    return [] if len(files) > MAX_FILES else [(str(f["path"]), str(f["sha256"])) for f in files]


def listing_digest(files: Iterable[Mapping[str, object]]) -> str:
    """SHA-256 over "<sha256>  <path>" lines sorted by path, as ``sha256sum`` prints them."""
    ordered = sorted(files, key=lambda f: str(f["path"]))
    text = "".join(f"{file['sha256']}  {file['path']}\n" for file in ordered)
    return hashlib.sha256(text.encode()).hexdigest()


def _files(manifest: Mapping[str, object]) -> list[Mapping[str, object]]:
    files = manifest.get("files")
    return list(files) if isinstance(files, list) else []


def _bytes(files: Iterable[Mapping[str, object]]) -> int:
    return sum(int(str(file["bytes"])) for file in files)


def run_facts(settings: Mapping[str, object], libraries: Mapping[str, str]) -> dict[str, str]:
    """List the settings and library versions of a run, by name."""
    return {
        "metamirage": __version__,
        **{str(key): str(value) for key, value in sorted(settings.items())},
        **{name: version for name, version in sorted(libraries.items())},
    }
