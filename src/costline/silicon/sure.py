"""How sure a winner is: how often each class wins when the inputs are drawn from their ranges, the same draws for all.

For dollars and joules the inputs of cost and energy are drawn, and for chips without off-chip memory how much of the
modelled speed they reach: the speeds of others are fitted to measurements, of theirs only a few have been published.
For latency dollars do not matter; there the coefficients of time are drawn: what share of a memory and a link is
reached, what a launch and a hop take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costline.catalogue import shipped
from costline.hardware.efficiency import SHARES, Coefficient, Efficiency
from costline.numeric import Array
from costline.silicon.decoding import Talk, decoding
from costline.silicon.designs import Case, conditions
from costline.silicon.draws import USUAL, Draws
from costline.silicon.inputs import Spread, quantity
from costline.silicon.owning import made_rate
from costline.silicon.pim import device
from costline.silicon.sram import STATIC, pipelines

if TYPE_CHECKING:
    from costline.silicon.search import Design


class Sureness(NamedTuple):
    """Share of the draws in which a design is the best, and the middle 80 % of its index and of it over the best's."""

    sure: float
    low: float
    high: float
    over_low: float
    over_high: float


def surest(winners: Sequence[Design], case: Case) -> list[Sureness]:
    """How sure each of the winners is."""
    if not winners:
        return []
    draws = Draws(USUAL)
    drawn = np.array([_drawn(design, draws, case) for design in winners])
    wins = np.bincount(drawn.argmin(axis=0), minlength=len(winners)) / draws.size
    over = drawn / drawn[int(np.argmin([design.index for design in winners]))]
    ends = np.concatenate([np.quantile(each, [0.1, 0.9], axis=1) for each in (drawn, over)])
    return [Sureness(*(float(value) for value in row)) for row in zip(wins, *ends, strict=True)]


def _drawn(design: Design, draws: Draws, case: Case) -> Array:
    """The index of a design with drawn inputs. [1, or s]"""
    if case.objective == "latency" and case.talk is not None:
        return _floors(design, draws, case.talk)
    blueprint = design.blueprint
    host, pue, electricity = conditions()
    watts = np.asarray(blueprint.power(draws)) + host
    reached = draws.of("sram reached", quantity("sram_reached")) if blueprint.kind is None else 1.0
    point = design.watts + host
    if case.objective == "joule":
        return design.index * watts / point / reached
    silicon = blueprint.silicon()
    spent = np.asarray(made_rate(silicon, draws, case.volume)) + watts * pue * electricity
    return design.index * spent / reached / (float(made_rate(silicon, None, case.volume)) + point * pue * electricity)


def _floors(design: Design, draws: Draws, talk: Talk) -> Array:
    """Shortest time per token of a design with drawn coefficients. [s]"""
    cluster, on_chip = design.blueprint.cluster(), design.blueprint.kind is None
    memory = device(design.pim) if design.pim else None
    hop = np.broadcast_to(draws.of("hop", quantity("hop")), draws.size).reshape(-1, 1, 1)

    def floor(efficiency: Efficiency) -> Array:
        if on_chip:
            return pipelines(talk, cluster, efficiency, hop=hop).floor
        return decoding(talk, cluster, efficiency, memory).floor

    looked = shipped.efficiency(**STATIC) if on_chip else shipped.efficiency()
    floor(looked)
    samples = {key: _of(row, draws).reshape(-1, 1, 1) for key, row in looked.used.items() if row.low is not None}
    floors = floor(looked.drawn(samples)) / (draws.of("sram reached", quantity("sram_reached")) if on_chip else 1.0)
    return np.broadcast_to(floors, draws.size)


def _of(row: Coefficient, draws: Draws) -> Array:
    """Draws of a coefficient, the same for all designs."""
    most = 1.0 if row.name in SHARES else np.inf
    low, high = (row.value if end is None else end for end in (row.low, row.high))
    drawn = draws.of(f"{row.name} {row.qualifier}", Spread(row.value, low, high))
    capped: Array = np.minimum(np.broadcast_to(drawn, draws.size), most)
    return capped
