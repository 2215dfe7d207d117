"""Where the published tables lie that are too large, or not ours, to ship."""

from __future__ import annotations

import os
from pathlib import Path

from places import ROOT

MIRROR = Path(os.environ.get("METAMIRAGE_MIRROR") or ROOT.parent / "shared" / "benchmarks")
ABSENT = f"the published tables are not at {MIRROR}; METAMIRAGE_MIRROR names their folder"
MIRRORED = ("bigbench-mc-3shot", "pythia-v1", "lm-eval-results", "lm-eval-v04", "obs-scaling")
