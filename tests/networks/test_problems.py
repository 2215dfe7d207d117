"""What the transformers are asked."""

from __future__ import annotations

import numpy as np
import pytest

from metamirage.networks.problems import (
    EQUALS,
    HELD_OUT,
    PAD,
    PLUS,
    TIMES,
    arithmetic,
    arithmetic_task,
    draw_batch,
    draw_problems,
    is_held_out,
)

SUITE = arithmetic()


def test_a_sum_is_written_lowest_digit_first_in_slots_of_five() -> None:
    row = arithmetic_task(PLUS, 2).write(np.array([[47, 85]]))
    asked = [7, 4, PAD, PAD, PAD, PLUS, 5, 8, PAD, PAD, PAD, EQUALS]
    assert list(row.tokens[0]) == [*asked, 2, 3, 1, *[PAD] * 7]
    assert list(np.nonzero(row.is_answer[0])[0]) == [12, 13, 14]


def test_a_product_has_twice_the_digits() -> None:
    row = arithmetic_task(TIMES, 2).write(np.array([[12, 12]]))
    assert list(row.tokens[0][row.is_answer[0]]) == [4, 4, 1, 0]


def test_no_test_problem_is_ever_trained_on() -> None:
    rng = np.random.default_rng(0)
    for task in SUITE.tasks:
        tested = draw_problems(task, rng, 500, held_out=True)
        trained = draw_problems(task, rng, 500, held_out=False)
        assert not {tuple(p) for p in tested} & {tuple(p) for p in trained}


def test_one_problem_in_eight_is_held_out() -> None:
    pairs = np.stack(np.meshgrid(np.arange(100), np.arange(100)), -1).reshape(-1, 2)
    share = is_held_out(pairs, salt=3).mean()
    # Four standard errors of 10,000 independent draws.
    assert share == pytest.approx(1 / HELD_OUT, abs=4 * (1 / 8 * 7 / 8 / 10000) ** 0.5)


def test_a_batch_has_rows_of_one_length_and_a_known_vocabulary() -> None:
    batch = draw_batch(SUITE, np.random.default_rng(1), 200)
    assert batch.tokens.shape == batch.is_answer.shape == (200, SUITE.length)
    assert 0 <= batch.tokens.min() <= batch.tokens.max() < SUITE.vocabulary
    assert batch.is_answer.any(axis=1).all()


def test_equal_seeds_draw_equal_batches() -> None:
    one, two = (draw_batch(arithmetic(), np.random.default_rng(5), 64).tokens for _ in range(2))
    assert (one == two).all()
    assert (one != draw_batch(arithmetic(), np.random.default_rng(6), 64).tokens).any()
