"""Networks on images: a tiny case of what `make demo` trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metamirage.base.errors import InputError
from metamirage.networks.digits import COLUMNS, Images, load_images, train_digits

DIGITS = load_images(None)


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    few = Images(DIGITS.pixels[:300], DIGITS.classes[:300])
    return train_digits(few, seeds=[0, 1], threshold=0.04, widths=[1, 8])


def chosen(scores: pd.DataFrame, **keys: object) -> pd.DataFrame:
    for column, value in keys.items():
        scores = scores[scores[column] == value]
    return scores


def test_the_images_are_those_of_scikit_learn() -> None:
    assert DIGITS.pixels.shape == (1797, 64)
    assert (DIGITS.pixels.min(), DIGITS.pixels.max()) == (0.0, 1.0)
    assert set(DIGITS.classes) == set(range(10))


def test_a_seed_gives_the_same_table_again(scores: pd.DataFrame) -> None:
    few = Images(DIGITS.pixels[:300], DIGITS.classes[:300])
    again = train_digits(few, seeds=[1], threshold=0.04, widths=[8])
    assert list(again.columns) == list(COLUMNS)
    before = chosen(scores, seed=1, model="h008-s1").reset_index(drop=True)
    assert again.equals(before)
    assert not before["score"].equals(
        chosen(scores, model="h008-s0")["score"].reset_index(drop=True)
    )


def test_ten_classes_have_a_pair_of_metrics_with_a_threshold_and_without(
    scores: pd.DataFrame,
) -> None:
    tasks = chosen(scores, family="autoencoder").groupby("task")["metric"].unique()
    assert len(tasks) == 10
    assert all(set(metrics) == {"mse", "reconstructed"} for metrics in tasks)


def test_sizes_count_the_weights_and_biases(scores: pd.DataFrame) -> None:
    sizes = chosen(scores, family="autoencoder").groupby("model")["n_params"].first()
    # 64 pixels in and out, h hidden units.
    assert sizes["h008-s0"] == 64 * 8 + 8 + 8 * 64 + 64


def test_more_hidden_units_reconstruct_better(scores: pd.DataFrame) -> None:
    error = chosen(scores, metric="mse").groupby("model")["score"].mean()
    assert error["h008-s0"] < error["h001-s0"]


def test_k_in_a_row_are_right_at_most_as_often_as_one(scores: pd.DataFrame) -> None:
    whole = chosen(scores, task="classify", model="h008-s0").set_index("metric")
    assert whole.loc["subset_accuracy_2", "n_samples"] == whole.loc["accuracy", "n_samples"] // 2
    # Each group holds its one; the images that fill no group are at most one of 150.
    assert whole.loc["subset_accuracy_2", "score"] <= whole.loc["accuracy", "score"] + 1 / 75


def test_an_archive_of_ones_own_takes_the_place_of_the_digits(tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, images=np.arange(24.0).reshape(2, 3, 4), classes=[1, 0])
    images = load_images(str(file))
    assert images.pixels.shape == (2, 12)
    assert images.pixels.max() == 1.0


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 4))}, "no readable images"),
        ({"images": np.zeros((2, 4)), "classes": [1]}, "do not fit"),
        ({"images": np.full((1, 4), np.nan), "classes": [1]}, "do not fit"),
        ({"images": np.full((1, 4), -1.0), "classes": [1]}, "do not fit"),
    ],
)
def test_an_archive_that_does_not_fit_says_what_is_allowed(
    arrays: dict[str, object], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message) as caught:
        load_images(str(file))
    assert "numpy.savez" in str(caught.value)
    assert str(file) in str(caught.value)
