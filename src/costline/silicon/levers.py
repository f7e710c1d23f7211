"""What a chip would gain from twice the arithmetic, bandwidth or memory, by how long a token may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from costline.catalogue import Catalogue
from costline.hardware.cluster import Cluster
from costline.silicon.decoding import Talk, Tried, decoding
from costline.silicon.filming import Film, film_rates
from costline.silicon.sram import Pipelines, held_in_sram, pipelines

LIMITS = (0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 2.0)
"""Longest times per token tried. [s]"""
CLEAR = 1.05
"""What one gain must be of another to count as more."""


@dataclass(frozen=True, kw_only=True)
class Lever:
    """Output of one chip under a limit, and by how much it grows when one thing doubles; None where nothing serves.

    Attributes
    ----------
    limit : float or None
        Longest time per token; None for video. [s]
    rate : float or None
        Tokens a second, or seconds of video a second. [1/s]
    peak, bandwidth, memory : float or None
        Output with twice of it over output without. [1]
    """

    limit: float | None
    rate: float | None
    peak: float | None
    bandwidth: float | None
    memory: float | None

    @property
    def helps(self) -> str:
        """What helps most, several within 5 % of each other; empty where nothing serves."""
        gains = {"arithmetic": self.peak, "bandwidth": self.bandwidth, "memory": self.memory}
        known = {name: gain for name, gain in gains.items() if gain is not None}
        if not known:
            return ""
        best = max(known.values())
        if best <= CLEAR:
            return "nothing much"
        return " and ".join(name for name, gain in known.items() if gain * CLEAR >= best)


def doubled(cluster: Cluster) -> dict[str, Cluster]:
    """The chip as it is, and with twice the arithmetic, the bandwidth and the memory."""
    chip = cluster.chip
    changes = {
        "plain": chip,
        "peak": replace(chip, peak={name: 2 * rate for name, rate in chip.peak.items()}),
        "bandwidth": replace(chip, memory_bandwidth=2 * chip.memory_bandwidth),
        "memory": replace(chip, memory=2 * chip.memory),
    }
    return {name: replace(cluster, chip=one) for name, one in changes.items()}


def talk_levers(talk: Talk, cluster: Cluster, book: Catalogue, limits: Sequence[float] = LIMITS) -> list[Lever]:
    """What helps decoding, a row for each limit on the time per token."""
    serve = pipelines if held_in_sram(cluster.chip) else decoding
    tried = {name: serve(talk, one, book.efficiency()) for name, one in doubled(cluster).items()}
    return [_lever(limit, tried) for limit in limits]


def _lever(limit: float, tried: Mapping[str, Tried | Pipelines]) -> Lever:
    rates = {name: float(each.each(limit).max()) for name, each in tried.items()}
    plain = rates["plain"]
    gains = {name: rates[name] / plain if plain else None for name in ("peak", "bandwidth", "memory")}
    return Lever(limit=limit, rate=plain or None, **gains)


def film_lever(film: Film, cluster: Cluster, book: Catalogue) -> Lever:
    """What helps video."""
    rates = {name: float(np.max(film_rates(film, one, book.efficiency()))) for name, one in doubled(cluster).items()}
    plain = rates["plain"]
    gains = {name: rates[name] / plain if plain else None for name in ("peak", "bandwidth", "memory")}
    return Lever(limit=None, rate=plain or None, **gains)
