"""Fields of a chip file that cannot all be true, and figures that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from costline.precision import RATE_FALLBACK, element_bytes
from costline.quantity import BANDWIDTH, BYTES, FLOP_RATE, show
from costline.silicon.chipfile import Described
from costline.silicon.findings import Finding, below, beyond, contradiction, origin, record

LADDER = ("bf16", "fp8", "fp4")
"""Number formats, each half as wide as the one before."""


def memory_kind(described: Described) -> Iterable[Finding]:
    """Devices, clamshell and on-chip memory against the kind of memory."""
    table, kind = described.silicon, described.off_chip
    found: list[Finding] = []
    if table.memory == "SRAM" and table.devices is not None:
        why = "memory = SRAM means that there is none off the chip"
        found += contradiction(described, f"devices: {table.devices}", why, "leave devices out, or name their kind")
    if table.memory is None and table.devices is not None:
        why = "nothing says of what kind they are"
        found += contradiction(described, f"devices: {table.devices}", why, 'state memory, e.g. memory = "HBM3"')
    if table.clamshell and kind is not None and kind.mount == "interposer":
        why = f"two chips on a channel is for chips on a board, not for stacks of {kind.memory}"
        found += contradiction(described, "clamshell", why, "leave clamshell out")
    if table.wafer and table.dies > 1:
        why = "wafer = true means that it is not cut"
        found += contradiction(described, f"dies: {table.dies}", why, "leave dies out, or wafer")
    if table.clamshell and table.devices is not None and table.devices % 2:
        why = "in clamshell two chips share each channel"
        found += contradiction(
            described, f"devices: {table.devices}", why, f"{table.devices - 1 or 2} or {table.devices + 1}"
        )
    return found


def on_chip(described: Described) -> Iterable[Finding]:
    """On-chip memory holds what it is said to hold, and is faster than what it caches."""
    table = described.silicon
    found: list[Finding] = []
    if table.scratchpad is not None and described.sram is not None:
        found += beyond(
            described, "impossible", "scratchpad", table.scratchpad, described.sram, BYTES,
            "all on-chip memory of the chip (sram)", "the file itself",
        )  # fmt: skip
    held = table.scratchpad if table.scratchpad is not None else described.sram
    if table.memory == "SRAM" and held is not None and described.memory is not None:
        found += beyond(
            described, "impossible", "memory", described.memory, held, BYTES, "its on-chip memory", "the file itself"
        )
    if described.sram_bandwidth is None or described.memory_bandwidth is None:
        return found
    if table.memory == "SRAM":
        found += beyond(
            described, "impossible", "memory bandwidth", described.memory_bandwidth, described.sram_bandwidth,
            BANDWIDTH, "that of its on-chip memory, which is its memory", "the file itself",
        )  # fmt: skip
    else:
        found += below(
            described, "doubtful", "on-chip bandwidth", described.sram_bandwidth, described.memory_bandwidth,
            BANDWIDTH, "that of the memory behind it", "the file itself",
        )  # fmt: skip
    return found


def rates(described: Described) -> Iterable[Finding]:
    """A narrower format is no slower than a wider one, and gains no more than on any chip of the catalogue."""
    peak = described.peak
    found: list[Finding] = []
    known = [name for name in LADDER if name in peak]
    for wide, narrow in pairwise(known):
        found += below(
            described, "doubtful", f"{narrow} peak", peak[narrow], peak[wide], FLOP_RATE,
            f"that of {wide}, whose operands are wider", "the file itself",
        )  # fmt: skip
    base = peak.get("bf16", peak.get("fp16"))
    if base is None:
        return found
    for name, rate in peak.items():
        if name not in RATE_FALLBACK or element_bytes(name) > 2 or name in {"bf16", "fp16"}:
            continue
        best = record(
            lambda facts, name=name: _gain(facts.figures.get(f"{name}_flop_per_s"), facts.figures)  # type: ignore[misc]
        )
        if best is not None:
            why = f"{best[0]:.3g} times its 16-bit peak, as {best[1].id}"
            found += beyond(
                described, "doubtful", f"{name} peak", rate, best[0] * base, FLOP_RATE, why, origin(best[1])
            )
    return found


def _gain(rate: float | None, figures: object) -> float | None:
    """A narrow peak over the 16-bit peak of the same chip."""
    known = dict(figures)  # type: ignore[call-overload]
    base = known.get("bf16_flop_per_s", known.get("fp16_flop_per_s"))
    return None if rate is None or base is None else rate / base


def idle_pins(described: Described) -> Iterable[Finding]:
    """Memory that is paid for and hardly used."""
    kind, devices = described.off_chip, described.silicon.devices
    if kind is None or devices is None or described.memory_bandwidth is None:
        return []
    channels = devices / (2 if described.silicon.clamshell else 1)
    least = 0.25 * channels * kind.bandwidth
    why = f"a quarter of what {devices} devices of {kind.memory} do at {show(kind.bandwidth, BANDWIDTH)} each"
    return below(
        described, "doubtful", "memory bandwidth", described.memory_bandwidth, least, BANDWIDTH, why, kind.source
    )
