"""Areas against LLMCompass's model and photographs of dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costline.errors import InputError
from costline.silicon.area import Core, Floorplan, core_blocks, die_blocks, total_area
from costline.silicon.blueprint import Blueprint
from costline.silicon.inputs import memory_type
from costline.silicon.known import DIES


def square_millimetres(blocks):
    return float(total_area(blocks)) * 1e6


@pytest.mark.parametrize(
    ("name", "published"),
    [  # LLMCompass's own area model, run on its configurations (chip_anchors.csv)
        ("GA100", 826.8),
        ("latency-oriented design", 477.9),
        ("throughput-oriented design", 786.6),
        ("generation design", 363.1),
        ("MI210", 666.2),
    ],
)
def test_dies_of_llmcompass(name, published):
    assert square_millimetres(die_blocks(DIES[name])) == pytest.approx(published, rel=0.04)


def test_the_blocks_of_a_real_ga100():
    """Die photograph: L2 119.31, HBM PHYs 58, HBM controllers 31.77, NVLink PHYs 20.95 mm2; the die is 826."""
    blocks = {name: float(area) * 1e6 for name, area in die_blocks(DIES["GA100"]).items()}
    assert blocks["cache"] == pytest.approx(119.31, rel=0.01)
    assert blocks["HBM2e PHY"] == pytest.approx(58, rel=0.10)
    assert blocks["HBM2e controller"] == pytest.approx(31.77, rel=0.10)
    assert blocks["NVLink3 PHY"] == pytest.approx(20.95, rel=0.10)
    assert sum(blocks.values()) == pytest.approx(826, rel=0.02)


def test_a_core_of_an_a100_and_of_an_mi210():
    """Die photographs: an SM is 3.75 mm2, a CU 4.02 mm2."""
    sm, cu = (square_millimetres(core_blocks(DIES[name].core, DIES[name].process)) for name in ("GA100", "MI210"))
    assert sm == pytest.approx(3.75, rel=0.10)
    assert cu == pytest.approx(4.02, rel=0.10)


def test_interfaces_do_not_shrink_and_logic_does():
    old, new = (
        die_blocks(Floorplan(process=node, cores=8, core=Core(), memory=memory_type("HBM3"), channels=4))
        for node in ("14 nm", "5 nm")
    )
    assert old["memory PHY"] == new["memory PHY"]
    assert all(new[name] < old[name] for name in ("core arrays", "crossbar", "memory controller"))


def test_an_unknown_interface_is_named():
    with pytest.raises(InputError, match="known: NVLink3, NVLink4"):
        die_blocks(Floorplan(process="7 nm", cores=1, core=Core(), interfaces={"NVLink5": 1}))


def test_dies_of_a_package_pay_for_their_links():
    """B200: 10 TB/s between two dies that read 8 TB/s. UCIe advanced: 0.81 mm2 for 512 GB/s, at both ends of a link."""
    one = Blueprint(name="x", process="5 nm", rate=1e15, memory="HBM3e", devices=8, dies=1)
    two = replace(one, dies=2)
    assert two.between(2) == pytest.approx(1.25 * two.bandwidth)
    assert two.between(2) == pytest.approx(10e12, rel=0.03)
    links = float(two.blocks()["die links"]) * 1e6
    assert links == pytest.approx(2 * 10e12 / 512e9 * 0.811, rel=0.03)
    assert two.area > one.area
    assert two.power() > one.power() + 8 * 10e12 * 0.9e-12
    assert one.between(1) == 0
