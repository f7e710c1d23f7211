"""Fitted kernels as rows of the catalogue, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from costline.accuracy.kernels.fit import Fitted
from costline.catalogue.kernel_table import KernelCoefficient, Pair

SCHEMA = "costline.kernels/1"
"""Name and version of the JSON form."""


def source_of(version: str, digest: str) -> str:
    """Where the figures come from.

    Examples
    --------
    >>> source_of("0.12.0", "abc")
    'costline accuracy fit --kernels; aiconfigurator-core 0.12.0, files sha256 abc'
    """
    package = f"aiconfigurator-core {version or 'of unknown version'}"
    return f"costline accuracy fit --kernels; {package}, files sha256 {digest}"


def kernel_rows(fitted: Iterable[Fitted], date: str, source: str) -> Iterator[KernelCoefficient]:
    """One row for each value."""
    for each in fitted:
        for value in each.values:
            yield KernelCoefficient(
                name=value.name, chip=each.chip, kernel=each.kernel, format=each.format, qualifier=value.qualifier,
                value=value.value, low=value.low, high=value.high, unit=value.unit, rows=each.rows,
                held_out_median=each.held_out[0], held_out_p90=each.held_out[1], kind="fitted", date=date,
                source=source,
            )  # fmt: skip


def as_dict(fitted: Iterable[Fitted], left_out: Mapping[str, int], source: str) -> dict[str, Any]:
    """The whole result for programs: errors as shares, values in SI units."""
    return {
        "schema": SCHEMA,
        "source": source,
        "left_out": dict(left_out),
        "kernels": [_kernel(each) for each in fitted],
    }


def _kernel(each: Fitted) -> dict[str, Any]:
    errors: dict[str, Pair | None] = {
        "in_sample": each.in_sample, "held_out": each.held_out, "sourced": each.sourced,
        "between_software": each.software,
    }  # fmt: skip
    return {
        "chip": each.chip,
        "kernel": each.kernel,
        "format": each.format,
        "rows": each.rows,
        **{name: pair and {"median": pair[0], "p90": pair[1]} for name, pair in errors.items()},
        "values": [
            {
                "name": value.name, "qualifier": value.qualifier, "value": value.value, "low": value.low,
                "high": value.high, "unit": value.unit,
            }
            for value in each.values
        ],
    }  # fmt: skip
