"""The shipped tables against the counts of their sources and figures quoted from datasheets."""

import itertools
import time
from collections import Counter

import pytest

from costline import catalogue
from costline.catalogue import chip_table, facts, price_table, system_table
from costline.catalogue.check import SCHEMAS, check_file
from costline.catalogue.table import DATA, read_table
from costline.errors import InputError


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (chip_table.shipped_chip_facts, 106 + 2),
        (system_table.shipped_systems, 48),
        (price_table.shipped_prices, 1328 + 1),
        (facts.chip_costs, 285),
        (facts.chip_anchors, 120 + 1),
        (facts.pim_facts, 47),
        (facts.video_trainings, 68),
    ],
)
def test_no_row_of_the_compiled_tables_is_lost(rows, count):
    assert len(rows()) == count


def test_prices_by_category_as_compiled():
    counts = Counter(price.category for price in catalogue.prices())
    assert counts == {
        "rental": 591, "api_llm": 280, "api_video": 245, "purchase": 109, "carbon": 66, "tco_factor": 22,
        "electricity": 16,
    }  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_shipped_row_says_where_it_comes_from(name):
    declared, key, _ = SCHEMAS[name]
    for row in read_table(DATA / f"{name}.csv", declared, key):
        assert row["source"]
        assert row["kind"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_shipped_table_passes_its_own_check(name):
    assert "no faults" in check_file(DATA / f"{name}.csv")


@pytest.mark.parametrize(
    ("name", "bf16", "memory", "bandwidth", "power"),
    [  # printed in vendors' datasheets, dense
        ("a100-sxm-80gb", 312e12, 80e9, 2039e9, 400),
        ("h100-sxm", 989e12, 80e9, 3.35e12, 700),
        ("h200-sxm", 989e12, 141e9, 4.8e12, 700),
        ("mi300x", 1307.4e12, 192e9, 5.3e12, 750),
        ("l40s", 362.05e12, 48e9, 864e9, 350),
        ("tpu-v5e", 197e12, 16e9, 819e9, 225),
    ],
)
def test_datasheets(name, bf16, memory, bandwidth, power):
    chip = catalogue.chip(name)
    assert chip.rate("bf16") == pytest.approx(bf16)
    assert (chip.memory_bandwidth, chip.tdp) == (bandwidth, power)
    # a datasheet's GB of a memory chip lie between 10^9 and 2^30 bytes: what the system reports counts
    assert memory <= chip.memory <= memory * 2**30 / 1e9


@pytest.mark.parametrize(
    ("name", "both_ways"),
    [  # NVLink as printed: the A800 and H800 are the A100 and H100 with a smaller one
        ("a100-sxm-80gb", 600e9), ("a800-sxm-80gb", 400e9), ("h100-sxm", 900e9), ("h800-sxm", 400e9),
    ],
)  # fmt: skip
def test_links_of_chips_and_of_their_smaller_editions(name, both_ways):
    assert catalogue.chip(name).link_bandwidth == pytest.approx(both_ways / 2)


def test_rates_halve_with_the_width_of_the_operands_or_better():
    for chip in catalogue.chips().values():
        rates = [chip.peak[name] for name in ("tf32", "bf16", "fp8", "fp4") if name in chip.peak]
        assert all(wide <= narrow for wide, narrow in itertools.pairwise(rates)), chip.id


def test_magnitudes_rule_out_a_slipped_unit():
    for chip in catalogue.chips().values():
        assert 1e8 < chip.memory < 1e12
        assert 1e10 < chip.memory_bandwidth < 1e17
        assert all(1e11 < rate < 1e18 for rate in chip.peak.values())
        assert chip.tdp is None or 5 < chip.tdp < 3e4
        assert chip.link_bandwidth is None or 1e10 < chip.link_bandwidth < 1e13


def test_every_chip_has_a_family_and_links_only_to_chips():
    ids = set(catalogue.chip_facts())
    assert all(each.family for each in catalogue.chip_facts().values())
    for system in catalogue.systems().values():
        assert set(system.chips) <= ids
        assert set(system.default_for) <= set(system.chips)
    assert {chip for price in catalogue.prices() for chip in price.chips} <= ids


def test_a_chip_has_at_most_one_default_system():
    counts = Counter(chip for system in catalogue.systems().values() for chip in system.default_for)
    assert set(counts.values()) == {1}


def test_figures_of_another_kind_than_their_row_are_marked():
    facts_of = catalogue.chip_facts()
    assert facts_of["rtx-4080"].kind_of("bf16_flop_per_s") == "derived"
    assert facts_of["rtx-4080"].kind_of("memory_byte") == "datasheet"
    assert facts_of["h100-sxm-96gb-500w"].kind_of("memory_bandwidth_byte_per_s") == "assumed"


def test_a_rate_not_shown_to_be_dense_is_kept_but_not_used():
    assert 125e15 in catalogue.chip_facts()["wse-3"].figures.values()
    assert not catalogue.chip("wse-3").peak


def test_unknown_memory_is_said_and_not_taken_as_zero():
    assert "ascend-310" in catalogue.chip_facts()
    assert "ascend-310" not in catalogue.chips()
    with pytest.raises(InputError, match="memory_byte unknown"):
        catalogue.chip("ascend-310")


def test_loading_is_fast():
    for load, limit in ((chip_table.shipped_chip_facts, 0.05), (price_table.shipped_prices, 0.15)):
        fastest = min(_seconds(load.__wrapped__) for _ in range(5))
        assert fastest < limit  # budgets are 10 and 30 ms; five times that on a busy machine


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
