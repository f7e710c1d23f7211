"""Estimates for programs: JSON with a versioned layout, CSV with its settings in front."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from costline import __version__
from costline.derivation import Node
from costline.estimate import Estimate, Figure, plain


def to_json(estimate: Estimate, *, conventions: bool = False) -> str:
    """JSON text, stable in layout (see ``schema``), numbers in SI units; with the same counted otherwise, if wanted."""
    body = {**estimate.to_dict(), "costline": __version__}
    if conventions:
        from costline.uncertainty.conventions import conventions as counted_otherwise

        found = counted_otherwise(getattr(estimate, "middle", estimate))
        body["conventions"] = {name: [vars(reading) for reading in each] for name, each in found.items()}
    if estimate.record is not None:
        body["derivation"] = [_node(child) for child in estimate.record.children]
    return json.dumps(body, indent=2, allow_nan=False)


def _node(node: Node) -> dict[str, Any]:
    body: dict[str, Any] = {"name": node.name}
    if node.expression:
        arguments = {key: plain(value) for key, value in node.arguments.items()}
        body |= {"expression": node.expression, "arguments": arguments, "value": plain(node.value)}
        body |= {"unit": node.unit, "source": node.source}
    if node.children:
        body["children"] = [_node(child) for child in node.children]
    return body


def to_csv(estimate: Estimate) -> str:
    """CSV text: comment lines with the settings, then a row a figure with its path, in SI units.

    Sweeps get a row a point and a column a figure.
    """
    out = io.StringIO()
    out.write(f"# costline {__version__}: {estimate.title}\n")
    for name, value in estimate.settings.items():
        out.write(f"# {name} = {plain(value)}\n")
    writer = csv.writer(out, lineterminator="\n")
    frame = estimate.to_frame()
    points = max((len(column) for column in frame.values()), default=1)
    if points > 1:
        writer.writerow(frame)
        writer.writerows(zip(*(column.tolist() for column in frame.values()), strict=True))
        return out.getvalue()
    writer.writerow(["figure", "value", "unit", "low", "high", "note", "source", "interval_low", "interval_high"])
    for name, figure in estimate.figures.items():
        _rows(writer, name, figure)
    return out.getvalue()


def _rows(writer: Any, path: str, figure: Figure) -> None:
    value, low, high = (plain(item) for item in (figure.value, figure.low, figure.high))
    held = [plain(item) for item in figure.interval or (None, None)]
    writer.writerow([path, value, figure.unit, low, high, figure.note, figure.source, *held])
    for child in figure.children:
        _rows(writer, f"{path}/{child.name}", child)
