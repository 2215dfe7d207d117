"""Digits: small networks on real images, scored by metrics with a threshold and without one.

After Schaeffer et al. (2023, arXiv:2304.15004) sec. 5 and App. B: autoencoders with one hidden
layer, and classifiers. By default the images are the 1,797 handwritten digits of 8 by 8 pixels
that come with scikit-learn; a larger set can be named in the settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

from metamirage.base.arrays import FloatArray
from metamirage.base.errors import InputError, Offence
from metamirage.base.seeds import named_stream
from metamirage.networks.perceptrons import count_params, fit, log_chance
from metamirage.networks.scoring import group_right, summarise

COLUMNS = (
    "task", "metric", "family", "model", "n_params", "seed", "score", "stderr", "n_samples",
)  # fmt: skip
# ASSUME: hidden units double or less from one size to the next; one unit is the least a network
# can have, and past a hundred neither score moves on these images.
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
# ASSUME: half of the images test, because a share of 90 images a class says more than one of 45,
# and the networks here are small.
TEST_SHARE = 0.5
MOST_IN_A_ROW = 5
EPOCHS = 60


class Images(NamedTuple):
    """Pixels from 0 to 1, shape (n, pixels), and classes, shape (n,)."""

    pixels: FloatArray
    classes: NDArray[np.int64]


def load_images(path: str | None) -> Images:
    """Load scikit-learn's digits, or a file of one's own.

    Parameters
    ----------
    path
        NumPy archive (.npz) with ``images``, shape (n, ...), numbers from 0 up, and ``classes``,
        whole numbers of shape (n,); None for the digits of scikit-learn.

    Raises
    ------
    InputError
        If the archive cannot be read or lacks what is needed.
    """
    if path is None:
        digits = load_digits()
        return Images(digits.data / 16.0, digits.target.astype(np.int64))
    allowed = "images of shape (n, ...), all finite and from 0, and n classes"
    remedy = "numpy.savez(file, images=..., classes=...) writes it; or set digits.images to null"
    try:
        with np.load(Path(path), allow_pickle=False) as archive:
            images = np.asarray(archive["images"], float)
            classes = np.asarray(archive["classes"])
    except (OSError, ValueError, KeyError) as exc:
        raise InputError([Offence(path, "no readable images", str(exc), allowed, remedy)]) from exc
    flat = images.reshape(len(images), -1)
    if len(classes) != len(flat) or not np.isfinite(flat).all() or flat.min() < 0:
        shapes = f"{images.shape} and {classes.shape}"
        raise InputError([Offence(path, "images and classes do not fit", shapes, allowed, remedy)])
    return Images(flat / max(float(flat.max()), 1e-12), classes.astype(np.int64))


def train_digits(
    images: Images, *, seeds: Sequence[int], threshold: float, widths: Sequence[int] = WIDTHS
) -> pd.DataFrame:
    """Train autoencoders and classifiers of all widths with all seeds, and score them.

    Parameters
    ----------
    images
        From ``load_images``.
    seeds
        Each draws its own halves of the images and its own first weights.
    threshold
        Mean squared error of a pixel below which an image counts as reconstructed.
    widths
        Hidden units.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``, one row a task, metric, width and seed.
    """
    parts = [
        part.assign(model=f"h{width:03d}-s{seed}", seed=seed)
        for seed in seeds
        for width in widths
        for part in _run(images, width, seed, threshold)
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _run(images: Images, width: int, seed: int, threshold: float) -> Iterator[pd.DataFrame]:
    # The halves are those of the seed, the same for every width.
    train, test = train_test_split(
        np.arange(len(images.pixels)),
        test_size=TEST_SHARE,
        stratify=images.classes,
        random_state=seed,
    )
    state = int(named_stream(seed, "digits", str(width)).generate_state(1)[0])
    learnt = Images(images.pixels[train], images.classes[train])
    asked = Images(images.pixels[test], images.classes[test])
    for part in reconstruct(learnt, asked, width=width, state=state, threshold=threshold):
        yield part.assign(family="autoencoder")
    for part in classify(learnt, asked, width=width, state=state):
        yield part.assign(family="classifier")


def reconstruct(
    learnt: Images, asked: Images, *, width: int, state: int, threshold: float
) -> Iterator[pd.DataFrame]:
    """Train one autoencoder and score it on each class by itself.

    Yields
    ------
    pandas.DataFrame
        Rows of one class: ``mse`` and ``reconstructed``, the share of images whose error lies
        below the threshold; both from the same reconstructions.
    """
    network = fit(MLPRegressor(**_settings(width, state)), learnt.pixels, learnt.pixels)
    error = ((network.predict(asked.pixels) - asked.pixels) ** 2).mean(axis=1)
    n_params = count_params(network)
    for label in np.unique(asked.classes):
        one = error[asked.classes == label]
        scores = {"mse": one, "reconstructed": (one < threshold).astype(float)}
        yield summarise(scores).assign(task=f"reconstruct {label}", n_params=n_params)


def classify(learnt: Images, asked: Images, *, width: int, state: int) -> Iterator[pd.DataFrame]:
    """Train one classifier and score it on all images and on each class by itself.

    Yields
    ------
    pandas.DataFrame
        Rows of one task: ``accuracy`` and, on all images, ``subset_accuracy_K`` of K images in a
        row; ``brier`` and ``log_likelihood`` of the same predictions.
    """
    network = fit(MLPClassifier(**_settings(width, state)), learnt.pixels, learnt.classes)
    chances = network.predict_proba(asked.pixels)
    n_params = count_params(network)
    place = np.searchsorted(network.classes_, asked.classes)
    yield _class_rows(chances, place, most=MOST_IN_A_ROW).assign(task="classify", n_params=n_params)
    for k, label in enumerate(network.classes_):
        own = place == k
        rows = _class_rows(chances[own], place[own], most=1)
        yield rows.assign(task=f"classify {label}", n_params=n_params)


def _settings(width: int, state: int) -> dict[str, Any]:
    # ASSUME: one rate and one number of epochs for all widths, as models of one published family
    # have one recipe. They suffice for the widest to reconstruct every image.
    return {
        "hidden_layer_sizes": (width,),
        "activation": "tanh",
        "max_iter": EPOCHS,
        "batch_size": 50,
        "learning_rate_init": 0.01,
        "random_state": state,
    }


def _class_rows(chances: FloatArray, place: NDArray[np.int64], *, most: int) -> pd.DataFrame:
    right = chances.argmax(axis=1) == place
    truth = np.eye(chances.shape[1])[place]
    grouped = {
        "accuracy" if k == 1 else f"subset_accuracy_{k}": group_right(right, k)
        for k in range(1, most + 1)
    }
    graded = {
        "brier": ((chances - truth) ** 2).sum(axis=1),
        "log_likelihood": log_chance(chances, place),
    }
    return summarise(grouped | graded)
