"""Rents of a user's own file with their spread."""

from __future__ import annotations

import numpy as np
import pytest

import costline
from costline import sampling
from costline.errors import CatalogueError

FILE = """
[[chip]]
id = "mychip"
memory = "144 GB"
memory_bandwidth = "3.35 TB/s"
peak = {{ bf16 = "180 TFLOP/s" }}

[[price]]
chip = "mychip"
{price}
"""


@pytest.fixture
def rents(tmp_path):
    """Samples of the rent that a file states. [$/h]"""

    def sampled(price):
        path = tmp_path / "mine.toml"
        path.write_text(FILE.format(price=price), "utf-8")
        with sampling(4096, always=True):
            study = costline.serve("llama-3.1-8b", on="mychip", catalogue=path).sampled
        return 3600 * study.values("price")

    return sampled


def test_a_range_is_the_5th_to_the_95th_percentile_of_a_lognormal(rents):
    found = rents('price = "$1/h to $4/h"')
    assert np.quantile(found, [0.05, 0.5, 0.95]) == pytest.approx([1, 2, 4], rel=0.005)
    assert np.quantile(np.log(found), 0.75) - np.log(2) == pytest.approx(0.67449 / 1.64485 * np.log(2), rel=0.01)


def test_low_and_high_are_the_10th_and_the_90th_percentile(rents):
    found = rents('price = "$1.50/h"\nlow = "$1.20/h"\nhigh = "$2/h"')
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([1.2, 1.5, 2], rel=0.005)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ('price = "$2/h to $1/h"', "runs downwards"),
        ('price = "$0/h to $1/h"', "cannot start at 0"),
        ('price = "$1/h..$2/h"', "is uniform; write A to B"),
        ('price = "$1/h to $2/h"\nlow = "$1/h"', "leave low and high out"),
        ('price = "$1.50/h"\nlow = "$1.70/h"', "low, price do not rise"),
        ('price = "$1.50/h"\nlow = "$1/h"\nhigh = "$1.20/h"', "low, price, high do not rise"),
        ('price = "$1 to $2 GB"', "price"),
        ("price = 5", "without a unit"),
    ],
)
def test_what_is_no_rent_is_refused(rents, price, words):
    with pytest.raises(CatalogueError, match=words):
        rents(price)
