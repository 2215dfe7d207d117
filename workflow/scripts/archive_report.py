"""Put pages, tables, settings and provenance of a run into one archive."""

from pathlib import Path
from typing import Any

from _adapter import run
from metamirage.report.archive import manifest_entry, text_entry, write_archive


def main(job: Any) -> None:
    entries: dict[str, Path | bytes] = {
        str(path): Path(path) for path in [*job.input.pages, *job.input.tables, *job.input.own]
    }
    entries |= {str(path): manifest_entry(Path(path)) for path in job.input.manifests}
    entries["settings.json"] = text_entry(job.params.settings)
    entries["versions.json"] = text_entry(job.params.libraries)
    write_archive(Path(job.output.archive), entries)


if __name__ == "__main__":
    run(main)
