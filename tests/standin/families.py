"""Families of the synthetic BIG-bench: names, sizes and shots are those of the published files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One network: its label and three counts of its parameters."""

    name: str
    flop_matched: int
    non_embedding: int
    total: int


@dataclass(frozen=True)
class Family:
    """Models of one kind and size after size, evaluated in one way.

    Parameters
    ----------
    name, network
        Family as the files state it, and the networks it shares with other families.
    file
        Pattern of the name of a score file.
    models, shots
        Networks in order of size, and shot counts of each.
    cap
        Most items evaluated per task.
    share
        Share of the tasks that have files of this family.
    temperature
        Of the decoding.
    shift
        Decades by which the family needs larger models than BIG-G.
    penalty
        What is taken off the ability where text is generated.
    """

    name: str
    network: str
    file: str
    models: tuple[Model, ...]
    shots: tuple[int, ...]
    cap: int = 1000
    share: float = 1.0
    temperature: float = 0.0
    shift: float = 0.0
    penalty: float = 0.0


def _dense(sizes: Mapping[str, int]) -> tuple[Model, ...]:
    return tuple(Model(name, n, n, n + 2048 * 32000) for name, n in sizes.items())


_BIG_G = {
    "2m": 2098048,
    "16m": 16780288,
    "53m": 56629632,
    "125m": 134228992,
    "244m": 262161280,
    "422m": 453009408,
    "1b": 1073784832,
    "2b": 2097218560,
    "4b": 3623973888,
    "8b": 8590102528,
    "27b": 28991404032,
    "128b": 137440272384,
}
_GPT = {
    "GPT-3-Small": 125_000_000,
    "GPT-3-Medium": 350_000_000,
    "GPT-3-Large": 760_000_000,
    "GPT-3-XL": 1_300_000_000,
    "GPT-3-3B": 2_700_000_000,
    "GPT-3-6B": 6_700_000_000,
    "GPT-3-13B": 13_000_000_000,
    "GPT-3-200B": 175_000_000_000,
}
_PALM = {"8b": 8_000_000_000, "64b": 64_000_000_000, "535b": 535_000_000_000}
_GOPHER = {"1.4B": 1_400_000_000, "7.1B": 7_100_000_000, "280B": 280_000_000_000}
_T5 = {"T5-small": 60_000_000, "T5-large": 770_000_000, "T5-11b": 11_000_000_000}
# Experts hold parameters that one token does not use: the FLOP-matched count is the smaller one.
_SPARSE = tuple(
    Model(name, round(1.25 * n), 8 * n, 8 * n + 2048 * 32000) for name, n in _BIG_G.items()
)

# ASSUME: shares of tasks with files, and Gopher's and T5's sizes and shots, are chosen so that
# about 9,500 files result; the published missing pattern is known for a few tasks only.
FAMILIES = (
    Family("BIG-G T=0", "BIG-G", "BIG-G_{}_T=0", _dense(_BIG_G), (0, 1, 2, 3), 1024),
    Family(
        "BIG-G T=1", "BIG-G", "BIG-G_{}_T=1", _dense(_BIG_G), (0, 1, 2, 3), 1024, 1.0, 1.0, 0.0, 0.5
    ),
    Family(
        "BIG-G sparse", "BIG-G sparse", "BIG-G-sparse_{}", _SPARSE, (0, 1, 2, 3), 1024, shift=-0.15
    ),
    Family("GPT", "GPT-3", "GPT_{}", _dense(_GPT), (0, 1, 2, 3), share=0.8, shift=0.1),
    Family("PaLM", "PaLM", "PaLM_{}", _dense(_PALM), (0, 1, 2, 5), share=0.72, shift=-0.2),
    Family("Gopher", "Gopher", "Gopher_{}", _dense(_GOPHER), (0, 1, 2, 5), share=0.3),
    Family("T5", "T5", "T5_{}", _dense(_T5), (0,), share=0.15, shift=0.3),
)
