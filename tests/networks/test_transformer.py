"""Networks, where JAX is installed (envs/build.sh experiments)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax", reason="JAX comes with envs/build.sh experiments only")

from metamirage.networks.experiments import ARITHMETIC, COLUMNS, Budget, Shape
from metamirage.networks.problems import arithmetic, draw_problems
from metamirage.networks.transformer import ask, run_one, train

TINY, BRIEF = Shape(width=4, layers=1, heads=2), Budget(steps=20, rows=32, rate=0.01)
SMALL = replace(ARITHMETIC, shapes={"w04": TINY}, budget=BRIEF, test_sizes=(100,))


def test_a_seed_gives_one_network_bit_for_bit() -> None:
    first, second = (run_one(SMALL, "w04", seed=3) for _ in range(2))
    assert list(first.columns) == list(COLUMNS)
    assert first.equals(second)
    assert not first["score"].equals(run_one(SMALL, "w04", seed=4)["score"])


def test_generation_is_that_of_one_token_after_the_other() -> None:
    suite = arithmetic()
    network = train(suite, TINY, BRIEF, seed=1)
    items = suite.tasks[1].write(
        draw_problems(suite.tasks[1], np.random.default_rng(0), 100, held_out=True)
    )
    tokens, columns = items.tokens.copy(), np.nonzero(items.is_answer[0])[0]
    for column in columns:
        logits = np.stack([np.asarray(network(row)) for row in tokens[:, :-1]])
        tokens[:, column] = logits[:, column - 1].argmax(-1)
    assert (ask(network, items).said == tokens[:, columns]).all()
