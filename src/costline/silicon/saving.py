"""Designs as a file of chips, which every command that takes ``--catalogue`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from costline.errors import InputError
from costline.silicon.blueprint import DOMAIN, Blueprint
from costline.silicon.search import Design

HEADER = """# Chips found by costline chip design, in SI units. Compare, price, check or serve with them:
#   costline chip compare design-1 h100-sxm --catalogue THIS_FILE
#   costline serve llama-2-70b --on 8xdesign-1 --catalogue THIS_FILE
# Memory that computes is named behind the chip, as its note says: costline chip compare design-1+attacc.
"""


def write_designs(path: Path, designs: Sequence[Design]) -> None:
    """Write designs as ``design-1``, ``design-2``, ... of a file.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    text = HEADER + "".join(chip_text(f"design-{place}", each) for place, each in enumerate(designs, 1))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def chip_text(name: str, design: Design) -> str:
    """A design as ``[[chip]]`` with what it is made of and the system it stands in; no digit is lost."""
    blueprint: Blueprint = design.blueprint
    chip, silicon = blueprint.chip(), blueprint.silicon()
    peak = ", ".join(f"{each} = {float(rate)!r}" for each, rate in chip.peak.items())
    memory = "SRAM" if blueprint.kind is None else blueprint.kind.memory
    lines = [
        "",
        "[[chip]]",
        f'id = "{name}"',
        f'note = "{design.kind}: {design.words}{f"; compare it as {name}+{design.pim}" if design.pim else ""}"',
        f"memory = {float(chip.memory)!r}",
        f"memory_bandwidth = {float(chip.memory_bandwidth)!r}",
        f"peak = {{ {peak} }}",
        f"tdp = {float(blueprint.power())!r}",
        f"link_bandwidth = {float(blueprint.link)!r}",
        f"sram = {float(blueprint.sram)!r}",
        "",
        "[chip.silicon]",
        f'process = "{blueprint.process}"',
        f"area = {float(silicon.area)!r}",
        f"dies = {int(silicon.dies)}",
        f'memory = "{memory}"',
    ]
    if blueprint.kind is not None:
        lines += [f"devices = {int(blueprint.devices)}", f"clamshell = {str(blueprint.clamshell).lower()}"]
    else:
        lines += [f"scratchpad = {float(blueprint.sram)!r}"]
    lines += [
        "",
        "[[system]]",
        f'id = "{name}-system"',
        f'chip = "{name}"',
        f"chips = {DOMAIN}",
        f"scale_up = {float(blueprint.link)!r}",
        "",
    ]
    return "\n".join(lines)
