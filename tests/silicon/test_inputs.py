"""Inputs: ranges hold their points, nodes are recognised, prices are dated and sourced."""

from __future__ import annotations

import pytest

from costline.errors import UnknownNameError
from costline.silicon import inputs
from costline.silicon.inputs import NODES, known_node, memory_price, memory_type, memory_types, node_of, quantity


@pytest.mark.parametrize("node", NODES)
def test_every_node_has_every_figure(node):
    spreads = [
        inputs.wafer_price(node), inputs.defect_density(node), inputs.logic_density(node), inputs.design_cost(node),
        inputs.fab_figure("fab energy", node), inputs.fab_figure("gas", node), quantity("sram_bitcell", node),
        quantity("clock", node),
    ]  # fmt: skip
    for spread in spreads:
        assert 0 < spread.low <= spread.value <= spread.high
        assert spread.source
        assert spread.kind


def test_newer_wafers_cost_more_and_hold_more():
    prices = [inputs.wafer_price(node).value for node in NODES]
    densities = [inputs.logic_density(node).value for node in NODES]
    assert prices == sorted(prices)
    assert densities == sorted(densities)


def test_the_rows_for_5_nm():
    """$13,400 (4N) to $17,088, and at least 15 % either way; defects 0.05 to 0.2 on a cm2 (chip_cost.csv)."""
    wafer, defects = inputs.wafer_price("5"), inputs.defect_density("5")
    assert wafer.value == 16988
    assert (wafer.low, wafer.high) == pytest.approx((13400, 16988 * 1.15))
    assert (defects.low, defects.high) == pytest.approx((500, 2000))


@pytest.mark.parametrize(
    ("text", "node"),
    [("12 nm (TSMC)", "14"), ("TSMC 4N-class (GH100 die)", "5"), ("8 nm (Samsung)", "10"), ("6 nm", "7"), ("", "")],
)
def test_processes_of_the_catalogue(text, node):
    assert node_of(text) == node


@pytest.mark.parametrize("text", ["6 ft", "2 nm", "", "seven"])
def test_a_process_nobody_knows(text):
    with pytest.raises(UnknownNameError, match="process node"):
        known_node(text)


@pytest.mark.parametrize(
    ("name", "published"),
    [("HBM2e", 410e9), ("HBM3", 819e9), ("GDDR6", 64e9)],  # JEDEC's and Micron's figures of a stack or a chip
)
def test_bandwidth_of_a_device(name, published):
    assert memory_type(name).bandwidth == pytest.approx(published, rel=0.01)


def test_a_price_that_comes_from_a_bill_can_be_left_out():
    assert memory_price("HBM3", "H100").value != memory_price("HBM3").value
    assert memory_price("GDDR6").value < memory_price("HBM3").value


def test_every_kind_of_memory_is_found_in_any_case():
    for name in memory_types():
        assert memory_type(name.lower()).memory == name
    with pytest.raises(UnknownNameError, match="HBM3"):
        memory_type("HBM33")
