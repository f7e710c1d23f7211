"""What trainings cost their owners, by the method of those who published it, from prices, factors and chip-hours.

Nothing of it is taken from the costs that it is compared with: prices of chips, overheads of servers and networks,
power and electricity are rows of the table of prices, chip-hours those that the trainers published.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from costline.catalogue import shipped
from costline.catalogue.facts import Anchor
from costline.catalogue.table import DATA, Row, columns, read_table
from costline.formulas.energy import facility_energy
from costline.formulas.money import amortised_rate, energy_cost

RUN_COLUMNS = columns(
    "run! chip! family! operator! unit! source! note", number="chip_hours!", date="date!", kind="kind!"
)
HOUR, YEAR = 3600.0, 365.25 * 86400.0


@functools.cache
def training_runs() -> Mapping[str, Row]:
    """Trainings whose chip-hours are published, by name."""
    return MappingProxyType({row["run"]: row for row in read_table(DATA / "training_runs.csv", RUN_COLUMNS, "run")})


def run_cost(row: Anchor) -> list[float]:
    """Amortised chips, servers and network of a training, and its electricity. [USD]"""
    run = training_runs()[row.anchor.removeprefix("Epoch training cost ")]
    seconds = run["chip_hours"] * HOUR
    growth, network = _factor("price-performance growth"), _factor("cluster interconnect")
    lost = amortised_rate(_price(run), growth / YEAR, network)
    return [float(seconds * lost + energy_cost(_energy(run, seconds), shipped.electricity(run["date"]).value))]


def _price(run: Row) -> float:
    """First price of the chip that was listed: a share of a server as it stands, a chip alone with its server. [USD]"""
    listed = [price for price in shipped.prices(category="purchase") if run["chip"] in price.chips and price.date]
    first = min(listed, key=lambda price: price.date)
    if first.config.partition(" ")[0] not in {"", "1"}:
        return first.value
    return first.value * _factor(f"server cost overhead {run['family']}", "server cost overhead default")


def _energy(run: Row, seconds: float) -> float:
    """Of chips, servers and building at the usual load. [J]"""
    load = _factor(f"average/TDP fraction {'TPU' if run['family'].startswith('TPU') else 'GPU'}")
    watts = float(shipped.chip(run["chip"]).tdp or 0.0) * _factor(f"server/chip power {run['family']}") * load
    return float(facility_energy(watts, seconds, shipped.pue(run["operator"]).value))


def _factor(item: str, otherwise: str = "") -> float:
    """A factor of the total cost of ownership whose name begins so. [1]"""
    listed = {price.item: price.value for price in shipped.prices(category="tco_factor")}
    found = next((name for name in listed if name.startswith(item)), otherwise)
    return listed[found]
