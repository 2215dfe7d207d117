"""Problems: what the transformers are trained on and asked, as rows of tokens.

A row is a prompt followed by its answer; a suite mixes several tasks in one network, as a language
model meets them. All rows of a suite have one length, so that one compiled step serves them.

Held-out problems are set apart by a hash of the problem, never by chance of the draw: a test item
was in no training batch of any network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]
Operands = NDArray[np.int64]

# Tokens 0 to 9 are digits.
PLUS, TIMES, EQUALS, PAD = 10, 11, 12, 13
ARITHMETIC_VOCABULARY = 14
# ASSUME: one problem in eight is held out: enough even of two digits (1,250 problems) to ask what
# was never shown, and few enough to leave training what it needs.
HELD_OUT = 8
# Odd, so that the product with it mixes all bits (Knuth, The Art of Computer Programming 3, 6.4).
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Batch:
    """Rows of tokens.

    Parameters
    ----------
    tokens
        Prompt, answer, padding; shape (n, length).
    is_answer
        Which tokens are the answer, shape (n, length).
    """

    tokens: Tokens
    is_answer: NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """One kind of problem.

    Parameters
    ----------
    name
        As in the table of scores.
    answer_length
        Tokens of every answer.
    chance
        Exact match of a network that guesses.
    draw
        From a generator and a number n, problems of shape (n, ...).
    write
        Problems to rows of the suite's length.
    """

    name: str
    answer_length: int
    chance: float
    draw: Callable[[np.random.Generator, int], Operands]
    write: Callable[[Operands], Batch]


@dataclass(frozen=True)
class Suite:
    """Tasks that one network learns together.

    Parameters
    ----------
    name
        Of the benchmark.
    tasks
        Each as frequent in training as ``shares`` says.
    shares
        Of the training rows, sum 1.
    vocabulary
        Number of tokens.
    length
        Tokens of a row.
    """

    name: str
    tasks: tuple[Task, ...]
    shares: tuple[float, ...]
    vocabulary: int
    length: int


def is_held_out(problems: Operands, *, salt: int) -> NDArray[np.bool_]:
    """Tell which problems are for tests only.

    Parameters
    ----------
    problems
        Shape (n, k), whole numbers.
    salt
        Of the task, so that tasks hold out different problems.

    Returns
    -------
    numpy.ndarray
        Shape (n,); one in ``HELD_OUT`` on average.
    """
    state = np.full(len(problems), salt, np.uint64)
    for column in problems.T.astype(np.uint64):
        state = (state ^ column) * _MIX
        state ^= state >> np.uint64(29)
    return np.asarray(state % np.uint64(HELD_OUT) == 0)


def draw_problems(task: Task, rng: np.random.Generator, n: int, *, held_out: bool) -> Operands:
    """Draw problems with replacement, from those held out or from the others.

    Returns
    -------
    numpy.ndarray
        Shape (n, k).
    """
    salt = sum(task.name.encode())
    found: list[Operands] = []
    while sum(map(len, found)) < n:
        drawn = task.draw(rng, 2 * n * (HELD_OUT if held_out else 1))
        found.append(drawn[is_held_out(drawn, salt=salt) == held_out])
    return np.concatenate(found)[:n]


def draw_batch(suite: Suite, rng: np.random.Generator, n: int) -> Batch:
    """Draw a training batch of n rows, its tasks in random numbers with the suite's shares."""
    counts = rng.multinomial(n, suite.shares)
    parts = [
        task.write(draw_problems(task, rng, int(count), held_out=False))
        for task, count in zip(suite.tasks, counts, strict=True)
        if count
    ]
    return Batch(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.is_answer for part in parts]),
    )


def digits_of(numbers: Operands, n_digits: int) -> Operands:
    """Write numbers as digits, the lowest first; shape (n, n_digits)."""
    return numbers[:, None] // 10 ** np.arange(n_digits) % 10


def arithmetic_task(sign: int, n_digits: int) -> Task:
    """Addition (``PLUS``) or multiplication (``TIMES``) of two numbers of n digits.

    ASSUME: numbers are written with the lowest digit first and leading zeros, in operands and
    answers alike. A carry then depends on what was written before it, so that networks of a
    laptop's size learn the task at all (Lee et al. 2023, arXiv:2307.03381).
    """
    answer = n_digits + 1 if sign == PLUS else 2 * n_digits

    def draw(rng: np.random.Generator, n: int) -> Operands:
        # ASSUME: the first digit is not zero: problems are of n digits, none of fewer.
        return rng.integers(10 ** (n_digits - 1), 10**n_digits, (n, 2))

    def write(problems: Operands) -> Batch:
        left, right = problems.T
        result = left + right if sign == PLUS else left * right
        columns = {
            0: digits_of(left, n_digits),
            SLOT: np.array([[sign]]),
            SLOT + 1: digits_of(right, n_digits),
            ARITHMETIC_ANSWER - 1: np.array([[EQUALS]]),
            ARITHMETIC_ANSWER: digits_of(result, answer),
        }
        return _arithmetic_rows(columns, len(problems), answer)

    name = f"{'addition' if sign == PLUS else 'multiplication'} of {n_digits} digits"
    return Task(name, answer, 0.0, draw, write)


def _arithmetic_rows(columns: Mapping[int, Operands], n: int, answer: int) -> Batch:
    tokens = np.full((n, ARITHMETIC_LENGTH), PAD, np.int32)
    for first, block in columns.items():
        tokens[:, first : first + block.shape[1]] = block
    place = np.arange(ARITHMETIC_LENGTH) - ARITHMETIC_ANSWER
    return Batch(tokens, np.broadcast_to((place >= 0) & (place < answer), tokens.shape))


ARITHMETIC_DIGITS = (2, 3, 4, 5)
# ASSUME: operands of any length stand in slots of five, so that digits of one worth have one place
# and what is learnt of short numbers helps with long ones.
SLOT = 5
ARITHMETIC_ANSWER = 2 * SLOT + 2
ARITHMETIC_LENGTH = ARITHMETIC_ANSWER + 2 * SLOT


def arithmetic() -> Suite:
    """Addition and multiplication of two to five digits, eight tasks."""
    tasks = tuple(arithmetic_task(sign, n) for sign in (PLUS, TIMES) for n in ARITHMETIC_DIGITS)
    shares = (1 / len(tasks),) * len(tasks)
    return Suite("arithmetic", tasks, shares, ARITHMETIC_VOCABULARY, ARITHMETIC_LENGTH)
