"""Machines of rows: links as sources write them, chips that have no row."""

from __future__ import annotations

import pytest

from costline.accuracy.machines import chip_named, cluster_of, link_rate, stated_links, units_per_chip
from costline.accuracy.refusal import UnpredictableError


@pytest.mark.parametrize(
    ("words", "per_node", "gigabits"),
    [
        ("4 x 100Gb RoCE per node", 8, 400 / 8),
        ("RoCE 1600 Gbps/node", 8, 1600 / 8),
        ("RDMA 400 Gb/s/GPU", 8, 400),
        ("InfiniBand 200Gb/s", None, 200),
        ("400 Gbps per node", 8, 50),
    ],
)
def test_rates_of_links(words, per_node, gigabits):
    assert link_rate(words, per_node) == pytest.approx(gigabits * 1e9 / 8)


@pytest.mark.parametrize("words", ["", "EFA", "Omni-Path (OPA), Jean Zay", "400 Gbps per node"])
def test_words_that_state_no_rate_of_a_chip(words):
    assert link_rate(words, None) is None


def test_a_rack_wide_link_reaches_beyond_the_node():
    base = cluster_of("gb200", 128)
    assert stated_links(base, 4, "NVL72", "").domain == 72
    assert stated_links(base, 4, "NVLink", "").domain == 4
    assert stated_links(cluster_of("tpu-v6e", 256), 4, "ICI", "").domain == 256


@pytest.mark.parametrize("name", ["a100-?", "abacus", "m9", "h100"])
def test_only_exact_chips_count(name):
    with pytest.raises(UnpredictableError):
        chip_named(name)


def test_cores_are_counted_two_a_chip_or_not_at_all():
    assert [units_per_chip(ranks, 16) for ranks in (16, 32, 8, 64)] == [1, 2, 1, 1]
