"""References of a chip, and which of them a figure can be from.

The table keeps the references of a row together. Some hold one figure only, as a listing of memory that a driver
printed; for the others nothing tells the figures apart, and each is named for all that no other reference alone holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from costline.catalogue.chip_table import RATES

ONE_FIGURE: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"nvidia-smi|total memory|mem_capacity|^memory (?:as|of) |\(memory of "), frozenset({"memory_byte"})),
    (re.compile(r"B/clk|L2 test"), frozenset({"sram_bandwidth_byte_per_s"})),
    (re.compile(r":network/"), frozenset({"link_bandwidth_byte_per_s"})),
    (re.compile(r"fabric/utilities/throughput"), frozenset(f"{name}_flop_per_s" for name in RATES)),
)
"""What a reference says of itself, or where it stands -> the figures that alone it can be for."""


def references(source: str) -> tuple[str, ...]:
    """References of a row, in its order.

    Examples
    --------
    >>> references("a datasheet | a listing by nvidia-smi")
    ('a datasheet', 'a listing by nvidia-smi')
    """
    return tuple(each.strip() for each in source.split(" | ") if each.strip())


def figure_references(source: str, kinds: Mapping[str, str], kind: str) -> dict[str, tuple[int, ...]]:
    """Numbers, from 1, of the references that each figure can be from.

    Parameters
    ----------
    source : str
        References of the row.
    kinds : mapping of str to str
        Figure -> how it is known.
    kind : str
        How the row as a whole is known: a figure known otherwise is from a reference that holds it alone, if there is
        one.

    Examples
    --------
    >>> found = figure_references(
    ...     "a datasheet | a listing by nvidia-smi", {"tdp_w": "datasheet", "memory_byte": "measured"}, "datasheet"
    ... )
    >>> found["tdp_w"], found["memory_byte"]
    ((1,), (2,))
    """
    held = [_held(each) for each in references(source)]
    found = {}
    for figure, known in kinds.items():
        alone = tuple(number for number, only in enumerate(held, 1) if only and figure in only)
        general = tuple(number for number, only in enumerate(held, 1) if not only)
        found[figure] = alone if alone and known != kind else tuple(sorted((*general, *alone)))
    return found


def _held(reference: str) -> frozenset[str]:
    """The figures that a reference alone can be for; empty where that is not known."""
    return next((columns for pattern, columns in ONE_FIGURE if pattern.search(reference)), frozenset())
