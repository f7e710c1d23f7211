"""From seconds on chips to dollars, joules and emissions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costline.engine.passes import Machine
from costline.engine.timing import Timing
from costline.estimate import Figure
from costline.formulas.energy import carbon, chip_power, facility_energy, system_power
from costline.formulas.money import rental_cost
from costline.numeric import Numeric


@dataclass(frozen=True, kw_only=True)
class Economics:
    """Prices and conditions of the site; None is unknown.

    Attributes
    ----------
    price : float, array or None
        Rent of one chip. [USD/s]
    price_source : str
        Where the price comes from, with its date and spread.
    pue : float or array
        Energy of the building over energy of the systems. [1]
    carbon_intensity : float, array or None
        Emissions of the grid. [kg/J]
    """

    price: Numeric | None = None
    price_source: str = ""
    pue: Numeric = 1.0
    carbon_intensity: Numeric | None = None


def cost_figure(name: str, chips: Numeric, seconds: Numeric, economics: Economics) -> Figure:
    """Rent of `chips` for `seconds`. [USD]"""
    if economics.price is None:
        return Figure(name=name, value=None, unit="USD", note="no rental price known: give one with --price")
    parts = (
        Figure(name="chips", value=chips, unit="chip"),
        Figure(name="time", value=seconds, unit="s"),
        Figure(name="price", value=economics.price, unit="USD/s", source=economics.price_source),
    )
    value = rental_cost(chips, seconds, economics.price)
    return Figure(name=name, value=value, unit="USD", combine="product", children=parts)


def idle_notes(machine: Machine) -> tuple[str, ...]:
    """Chips that no replica uses: they are rented all the same."""
    chips, used = machine.cluster.chips, machine.plan.chips
    idle = chips - used
    if not np.any(np.asarray(idle) > 0):
        return ()
    if np.ndim(idle):
        return ("at some points chips stand idle, as no whole replica fits on them; all are paid for",)
    where = f"{used:,.0f} at work (replicas of {machine.plan.replica:,.0f})"
    return (f"{idle:,.0f} of {chips:,.0f} chips stand idle beside {where}; all are paid for",)


def mean_power(timing: Timing, machine: Machine) -> Numeric | None:
    """Mean power of all systems, hosts included, while they do the work of `timing`; None if no TDP is known. [W]"""
    cluster, efficiency = machine.cluster, machine.efficiency
    chip = cluster.chip
    if chip.tdp is None:
        return None
    shares = {name: timing.bound.get(name, 0.0) / timing.point for name in ("math", "memory")}
    levels = {name: efficiency.value("power_active", chip, name) for name in ("math", "memory", "idle")}
    drawn = chip_power(chip.tdp, shares["math"], shares["memory"], levels["math"], levels["memory"], levels["idle"])
    host = efficiency.value("host_power", chip) if cluster.power is None else cluster.power - chip.tdp
    return system_power(drawn, host, cluster.chips)


def energy_figures(timing: Timing, seconds: Numeric, machine: Machine, economics: Economics) -> dict[str, Figure]:
    """Energy at the meter, and emissions where the grid is known.

    Parameters
    ----------
    timing : Timing
        What the chips do, from which their mean power follows.
    seconds : float or array
        How long they do it. [s]
    machine, economics
        Where, and under which conditions.
    """
    power = mean_power(timing, machine)
    if power is None:
        unknown = f"no power limit known for {machine.cluster.chip.id}"
        return {"energy": Figure(name="energy", value=None, unit="J", note=unknown)}
    parts = (
        Figure(name="mean power", value=power, unit="W"),
        Figure(name="time", value=seconds, unit="s"),
        Figure(name="PUE", value=economics.pue, unit="ratio"),
    )
    energy = facility_energy(power, seconds, economics.pue)
    figures = {"energy": Figure(name="energy", value=energy, unit="J", combine="product", children=parts)}
    if economics.carbon_intensity is not None:
        emitted = carbon(energy, economics.carbon_intensity)
        figures["carbon"] = Figure(name="carbon", value=emitted, unit="kg", source="operational, location-based")
    return figures
