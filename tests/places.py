"""Folders that tests read from, wherever the test lies."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
DATA = TESTS / "data"
REFERENCE = TESTS / "reference"
