"""Blocks: the curves of the same models on the same task, and the pairs among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from metamirage.base.vocabulary import BLOCK
from metamirage.curves.curve import Curve
from metamirage.curves.pairs import continuous_partners


class Pair(NamedTuple):
    """A row of ``pairs.continuous_partners``."""

    curve_id: str
    partner: str
    stratum: str
    ratio: bool

    @property
    def source(self) -> str:
        """Name of the partner on the scale on which it is forecast and linked."""
        # ASSUME: on a ratio scale (perplexity) that is the logarithm.
        return f"log|{self.partner}" if self.ratio else self.partner


@dataclass(frozen=True)
class Block:
    """Curves of the same models on the same task, and the pairs among them."""

    curves: Mapping[str, Curve]
    pairs: Sequence[Pair]


def make_blocks(curves: Sequence[Curve], tags: pd.DataFrame) -> list[Block]:
    """Group curves of one task, subtask, family and shots, so that a fit serves all its pairs."""
    blocks: dict[tuple[str, ...], dict[str, Curve]] = {}
    for curve in curves:
        key = tuple(str(curve.key[column]) for column in BLOCK)
        blocks.setdefault(key, {})[curve.curve_id] = curve
    pairs: dict[str, list[Pair]] = {}
    for row in continuous_partners(curves, tags).itertuples(index=False, name=None):
        pair = Pair(*row)
        pairs.setdefault(pair.curve_id, []).append(pair)
    return [
        Block(members, [pair for name in members for pair in pairs.get(name, [])])
        for members in blocks.values()
    ]
