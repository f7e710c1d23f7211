"""Bills of materials against published ones, and laws of costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline import catalogue
from costline.catalogue import chip_facts
from costline.errors import InputError
from costline.silicon.blueprint import Blueprint
from costline.silicon.chipfile import silicon_in
from costline.silicon.cost import Silicon, bill, cost_estimate, die_yield, made_carbon, made_price, silicon_of
from costline.silicon.draws import Draws, interval
from costline.silicon.inputs import Spread, memory_type


def made_of(chip):
    return silicon_of(chip_facts()[chip])


@pytest.mark.parametrize(
    ("chip", "own", "published"),
    [  # siliconanalysts.com and Epoch AI, as in chip_anchors.csv
        ("h100-sxm", "H100", 3320.0),
        ("b200", "B200", 6400.0),
        ("h200-sxm", "", 4250.0),
    ],
)
def test_published_bills(chip, own, published):
    """No memory price that was derived from the bill itself takes part."""
    silicon = replace(made_of(chip), price_without=own)
    low, high = interval(bill(silicon, Draws(500)).materials)
    assert bill(silicon).materials == pytest.approx(published, rel=0.12)
    assert low <= published <= high


def test_an_h100_die_costs_what_is_reported_only_if_harvested():
    """Reported: $200 to $300; without harvesting $695 to $982 (chip_anchors.csv)."""
    harvested = bill(made_of("h100-sxm")).dies
    whole = bill(replace(made_of("h100-sxm"), spare=0)).dies
    assert 300 < harvested < 450
    assert whole > 1.4 * harvested


@given(st.floats(50e-6, 800e-6), st.floats(1.01, 1.07))
def test_a_chip_costs_more_with_area(area, factor):
    small, large = (Silicon(name="x", process="7 nm", area=each) for each in (area, area * factor))
    assert bill(small).total < bill(large).total
    assert die_yield(small, Draws()) > die_yield(large, Draws())
    assert made_carbon(small) < made_carbon(large)


@given(st.floats(8e9, 400e9), st.floats(1.01, 3.0))
def test_a_chip_costs_more_with_memory_and_less_with_volume(capacity, factor):
    base = Silicon(name="x", process="7 nm", area=4e-4, memory=memory_type("HBM3"), capacity=capacity, devices=4)
    assert bill(base).total < bill(replace(base, capacity=capacity * factor)).total
    assert bill(base, volume=1e5).total > bill(base, volume=1e5 * factor).total


def test_arrays_are_loops_of_scalars():
    areas = np.array([2e-4, 4e-4, 8e-4])
    loop = [bill(Silicon(name="x", process="5 nm", area=area)).total for area in areas]
    np.testing.assert_allclose(bill(Silicon(name="x", process="5 nm", area=areas)).total, loop)


def test_the_figures_of_an_estimate_add_up():
    estimate = cost_estimate(made_of("h100-sxm"), size=200)
    for figure in estimate.figures.values():
        for each in figure.walk():
            assert each.recombined() == pytest.approx(each.value)
            if each.low is not None:
                assert each.low <= each.high
    assert estimate["price"] == pytest.approx(made_price(made_of("h100-sxm")))


def test_what_is_unknown_is_named():
    with pytest.raises(InputError, match="die area and process node unknown"):
        made_of("tpu-v6e")


@pytest.mark.parametrize(
    ("chip", "area", "node"),
    [  # abstract of ISCA 2020: 25 x 29 mm; photograph of the die: 665.61 mm2; Epoch: 325 mm2, process undisclosed
        ("groq-lpu-v1", 725e-6, "14 nm"),
        ("ascend-910b", 665.61e-6, "7 nm (SMIC)"),
        ("tpu-v5e", 325e-6, "5 nm"),
    ],
)
def test_every_chip_of_the_article_has_a_cost_of_making(chip, area, node):
    made = made_of(chip)
    assert (made.area, made.process) == (area, node)
    assert bill(made).total > 0


def test_a_stated_volume_is_what_the_answer_says():
    estimate = cost_estimate(made_of("h100-sxm"), volume=20_000, size=100)
    (volume,) = (each for each in estimate.assumptions if each.name == "volume")
    assert (volume.value, volume.kind) == (20_000, "--volume")
    notes = [each.note for figure in estimate.figures.values() for each in figure.walk() if each.name == "design"]
    assert notes == ["one-time cost over 20,000 chips"]


def test_the_articles_chip_has_one_price():
    """Six stacks of 24 GB, from the catalogue, from the example file and from a blueprint."""
    file = Path(__file__).parents[2] / "examples" / "seed-14nm-144gb.toml"
    named, filed = made_of("seed-14nm-144gb-hbm"), silicon_in(catalogue.with_file(file), "seed-hbm")
    drawn = Blueprint(name="x", process="14 nm", rate=180e12, memory="HBM3", devices=6, device_size=24e9).silicon()
    assert [each.devices for each in (named, filed, drawn)] == [6, 6, 6]
    prices = [float(made_price(each)) for each in (named, filed, drawn)]
    assert prices == pytest.approx([prices[0]] * 3, rel=2e-3)  # the catalogue rounds the area to a square millimetre


def test_an_assumed_process_is_said():
    assert "process assumed to be 5 nm" in made_of("tpu-v5e").notes


def test_dies_together_stand_on_an_interposer():
    """Two dies without any stack need one too; a lone die on a board does not."""
    one = Silicon(name="x", process="7 nm", area=4e-4)
    assert bill(replace(one, dies=2)).package > 3 * bill(one).package


def test_dies_beyond_the_reticle_are_split():
    """A B200 has two dies of 800 mm2."""
    assert made_of("b200").dies == 2
    assert made_of("h100-sxm").dies == 1


def test_draws_of_one_name_are_shared_and_half_lie_on_each_side():
    spread = Spread(10.0, 8.0, 30.0)
    draws = Draws(4000)
    one, again, other = draws.of("a", spread), draws.of("a", spread), draws.of("b", spread)
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert np.mean(one > 10.0) == pytest.approx(0.5, abs=0.03)
    assert one.min() >= 8.0
    assert one.max() <= 30.0
    assert Draws().of("a", spread) == 10.0


@pytest.mark.parametrize("name", ["wse-2", "wse-3"])
def test_a_whole_wafer_has_no_cost(name):
    """Nobody publishes what its spare cores and its package cost; it is no set of dies on an interposer."""
    with pytest.raises(InputError, match="whole wafer"):
        silicon_of(chip_facts()[name])
