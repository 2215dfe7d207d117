"""Networks: small decoder-only transformers, trained and asked. The one module that needs JAX.

Runs on a GPU where JAX finds one. On one machine a seed gives the same network, bit for bit.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from jax import Array

from metamirage.base.seeds import named_stream
from metamirage.networks.experiments import COLUMNS, Budget, Experiment, Shape, score_network
from metamirage.networks.problems import Batch, Suite, draw_batch
from metamirage.networks.scoring import Answers

DECAY = 0.01
CLIP = 1.0
WARM_UP = 0.05


class Layer(eqx.Module):
    """Attention, then two dense layers, each added to what came in."""

    norm1: eqx.nn.LayerNorm
    attention: eqx.nn.MultiheadAttention
    norm2: eqx.nn.LayerNorm
    up: eqx.nn.Linear
    down: eqx.nn.Linear

    def __init__(self, shape: Shape, key: Array) -> None:
        keys = jax.random.split(key, 3)
        self.norm1 = eqx.nn.LayerNorm(shape.width)
        self.attention = eqx.nn.MultiheadAttention(shape.heads, shape.width, key=keys[0])
        self.norm2 = eqx.nn.LayerNorm(shape.width)
        self.up = eqx.nn.Linear(shape.width, 4 * shape.width, key=keys[1])
        self.down = eqx.nn.Linear(4 * shape.width, shape.width, key=keys[2])

    def __call__(self, x: Array, mask: Array) -> Array:
        """Pass (length, width) on."""
        y = jax.vmap(self.norm1)(x)
        x = x + self.attention(y, y, y, mask)
        y = jax.vmap(self.norm2)(x)
        return x + jax.vmap(self.down)(jax.nn.gelu(jax.vmap(self.up)(y)))


class Transformer(eqx.Module):
    """Decoder-only transformer (Vaswani et al. 2017; layer norm first, learnt positions)."""

    tokens: eqx.nn.Embedding
    places: eqx.nn.Embedding
    layers: list[Layer]
    norm: eqx.nn.LayerNorm
    out: eqx.nn.Linear

    def __init__(self, shape: Shape, suite: Suite, key: Array) -> None:
        keys = jax.random.split(key, shape.layers + 3)
        self.tokens = eqx.nn.Embedding(suite.vocabulary, shape.width, key=keys[0])
        self.places = eqx.nn.Embedding(suite.length, shape.width, key=keys[1])
        self.layers = [Layer(shape, k) for k in keys[3:]]
        self.norm = eqx.nn.LayerNorm(shape.width)
        self.out = eqx.nn.Linear(shape.width, suite.vocabulary, key=keys[2])

    def __call__(self, row: Array) -> Array:
        """Logits of each next token, shape (length, vocabulary)."""
        mask = jnp.tril(jnp.ones((len(row), len(row)), bool))
        x = jax.vmap(self.tokens)(row) + jax.vmap(self.places)(jnp.arange(len(row)))
        for layer in self.layers:
            x = layer(x, mask)
        return jax.vmap(self.out)(jax.vmap(self.norm)(x))


def count_params(network: Transformer) -> int:
    """Count the trained numbers."""
    return sum(int(leaf.size) for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_array)))


def train(suite: Suite, shape: Shape, budget: Budget, *, seed: int) -> Transformer:
    """Train one network.

    Parameters
    ----------
    suite
        Tasks to learn.
    shape, budget
        Size and effort. All sizes of one experiment have one budget of rows, as the models of one
        published family have seen the same text.
    seed
        Of the first weights and of the order of problems.
    """
    weights, problems = np.random.SeedSequence(seed).spawn(2)
    key = jax.random.key(int(weights.generate_state(1)[0]))
    trained, fixed = eqx.partition(Transformer(shape, suite, key), eqx.is_array)
    optimiser = _optimiser(shape, budget)
    step = _make_step(fixed, optimiser)
    state = optimiser.init(trained)
    rng = np.random.default_rng(problems)
    for _ in range(budget.steps):
        batch = draw_batch(suite, rng, budget.rows)
        trained, state = step(trained, state, batch.tokens, batch.is_answer)
    return eqx.combine(trained, fixed)


def _optimiser(shape: Shape, budget: Budget) -> optax.GradientTransformation:
    # ASSUME: the best rate falls with the root of the width, as is usual with Adam; one rate for
    # all would make small networks worse than they need be, and the curve a curve of rates.
    peak = budget.rate * (32 / shape.width) ** 0.5
    rate = optax.warmup_cosine_decay_schedule(
        0.0, peak, int(WARM_UP * budget.steps) + 1, budget.steps + 1
    )
    return optax.chain(optax.clip_by_global_norm(CLIP), optax.adamw(rate, weight_decay=DECAY))


def _make_step(fixed: Any, optimiser: optax.GradientTransformation) -> Any:
    def loss(trained: Any, tokens: Array, is_answer: Array) -> Array:
        logits = jax.vmap(eqx.combine(trained, fixed))(tokens[:, :-1])
        missed = optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:])
        asked = is_answer[:, 1:]
        return (missed * asked).sum() / asked.sum()

    @jax.jit
    def step(trained: Any, state: Any, tokens: Array, is_answer: Array) -> tuple[Any, Any]:
        slope = jax.grad(loss)(trained, tokens, is_answer)
        change, state = optimiser.update(slope, state, trained)
        return optax.apply_updates(trained, change), state

    return step


def ask(network: Transformer, batch: Batch, *, chunk: int = 100) -> Answers:
    """Ask a network the items of one task.

    Parameters
    ----------
    network
        Trained on the suite of the task.
    batch
        Items; every row has its answer in the same columns.
    chunk
        Items at a time; one compiled call serves all tasks and test sets that it divides.
    """
    columns = np.nonzero(batch.is_answer[0])[0]
    asked = batch.is_answer[:1, 1:]
    found = [
        [np.asarray(part) for part in _ask(network, batch.tokens[i : i + chunk], asked)]
        for i in range(0, len(batch.tokens), chunk)
    ]
    said, log_p, squares = (
        np.concatenate(parts)[:, columns - 1] for parts in zip(*found, strict=True)
    )
    return Answers(
        batch.tokens[:, columns], said, log_p.astype(np.float64), squares.astype(np.float64)
    )


@eqx.filter_jit
def _ask(network: Transformer, tokens: Array, asked: Array) -> tuple[Array, Array, Array]:
    """Return generated tokens, log probabilities and Brier scores, each (rows, length - 1)."""
    log_p = jax.nn.log_softmax(jax.vmap(network)(tokens[:, :-1]))
    target = jax.nn.one_hot(tokens[:, 1:], log_p.shape[-1])
    squares = ((jnp.exp(log_p) - target) ** 2).sum(-1)
    said = _generate(network, tokens, asked, log_p.argmax(-1))
    return said, (log_p * target).sum(-1), squares


def _generate(network: Transformer, tokens: Array, asked: Array, guess: Array) -> Array:
    """Greedy generation as a fixed point: all tokens are redone until none of the answer changes.

    Each round settles at least one token more, so that the result is that of one token after the
    other (Song et al. 2021, arXiv:2002.03629), mostly in far fewer rounds.
    """

    def again(state: tuple[Array, Array]) -> tuple[Array, Array]:
        said, _ = state
        shown = jnp.where(asked, said, tokens[:, 1:])
        new = jax.vmap(network)(jnp.concatenate([tokens[:, :1], shown[:, :-1]], 1)).argmax(-1)
        return new, ((new != said) & asked).any()

    said, _ = jax.lax.while_loop(lambda state: state[1], again, (guess, jnp.array(True)))
    return said


def run_one(experiment: Experiment, model: str, *, seed: int) -> pd.DataFrame:
    """Train one network and score it on every test set.

    Parameters
    ----------
    experiment
        ``experiments.ARITHMETIC``, or a smaller one.
    model
        Name of a shape.
    seed
        Of this run; that of the network derives from it and the model's name.

    Returns
    -------
    pandas.DataFrame
        ``experiments.COLUMNS``.
    """
    suite = experiment.suite
    state = named_stream(seed, "arithmetic, network", model).generate_state(1)
    network = train(suite, experiment.shapes[model], experiment.budget, seed=int(state[0]))
    scores = score_network(experiment, lambda items: ask(network, items))
    named = scores.assign(model=f"{model}-s{seed}", n_params=count_params(network), seed=seed)
    return named[list(COLUMNS)]
