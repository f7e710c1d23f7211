"""The machine a row names: chip, scale-up domain, links."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from costline.accuracy.refusal import UnpredictableError
from costline.catalogue import shipped
from costline.errors import CostlineError
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster

BITS = 1e9 / 8
"""Bytes a second in one Gb/s."""
LINK = re.compile(r"(?:(\d+)\s*x\s*)?(\d+(?:\.\d+)?)\s*Gb(?:ps|/s|it/s)?", re.I)
PER_NODE = re.compile(r"/\s*node|per node|a node", re.I)
DOMAIN = re.compile(r"NVL(\d+)", re.I)


@functools.cache
def chip_named(name: str) -> Chip:
    """Chip of exactly this id.

    Raises
    ------
    UnpredictableError
        No such row of the datasheet table, a variant that is not stated, or unknown memory.
    """
    if "?" in name:
        raise UnpredictableError(f"which variant of the chip is not stated: {name[:40]}")
    if name not in shipped.chip_facts():
        raise UnpredictableError(f"no datasheet row for chip {name[:40]}")
    try:
        return shipped.chip(name)
    except CostlineError as error:
        raise UnpredictableError(str(error)) from None


@functools.cache
def cluster_of(name: str, chips: int) -> Cluster:
    """`chips` of a chip in the system the catalogue takes for it."""
    chip = chip_named(name)
    system = shipped.system_of(chip.id)
    if system is None:
        return Cluster(chip=chip, chips=chips, scale_up=chip.link_bandwidth, source=chip.source)
    return system.cluster(chip, chips)


def stated_links(cluster: Cluster, per_node: int | None, inside: str, outside: str) -> Cluster:
    """The cluster with the domain and the scale-out link a training row states.

    Parameters
    ----------
    cluster : Cluster
        As the catalogue has it.
    per_node : int or None
        Chips of a node. A rack-wide link (NVL72) or a torus (ICI) reaches beyond it.
    inside, outside : str
        Links as the source writes them: ``NVL72``, ``4 x 100Gb RoCE per node``, ``RDMA 400 Gb/s/GPU``.
    """
    wide = DOMAIN.search(inside)
    if wide:
        cluster = replace(cluster, domain=int(wide[1]))
    elif per_node and "ICI" not in inside:
        cluster = replace(cluster, domain=per_node)
    rate = link_rate(outside, per_node)
    return cluster if rate is None else replace(cluster, scale_out=rate)


def link_rate(words: str, per_node: int | None) -> float | None:
    """Scale-out bandwidth of one chip in one direction, where the words state it. [byte/s]

    A rate counts for one chip unless the words say it is a node's.

    Examples
    --------
    >>> link_rate("4 x 100Gb RoCE per node", 8) == 4 * 100e9 / 8 / 8, link_rate("EFA", 16)
    (True, None)
    """
    found = LINK.search(words)
    if not found:
        return None
    rate = int(found[1] or 1) * float(found[2]) * BITS
    if not PER_NODE.search(words):
        return rate
    return rate / per_node if per_node else None


def units_per_chip(degrees: int, chips: int) -> int:
    """Cores a source counts as chips: 2 where it names twice as many ranks as chips (NeuronCores, TensorCores).

    Examples
    --------
    >>> units_per_chip(32, 16), units_per_chip(8, 8), units_per_chip(72, 8)
    (2, 1, 1)
    """
    return 2 if degrees == 2 * chips else 1
