"""One figure as text: which kind of quantity a unit is, and what a figure is called."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from costline import quantity
from costline.quantity import Kind, show

KINDS: dict[str, Kind] = {
    "FLOP": quantity.FLOP,
    "FLOP/s": quantity.FLOP_RATE,
    "byte": quantity.BYTES,
    "byte/s": quantity.BANDWIDTH,
    "s": quantity.SECONDS,
    "s/token": quantity.SECONDS,
    "W": quantity.WATTS,
    "J": quantity.JOULES,
    "J/token": quantity.JOULES_PER_TOKEN,
    "USD": quantity.DOLLARS,
    "USD/s": quantity.DOLLARS_PER_SECOND,
    "USD/token": quantity.DOLLARS_PER_TOKEN,
    "USD/s of video": quantity.DOLLARS_PER_VIDEO_SECOND,
    "token": quantity.TOKENS,
    "token/s": quantity.TOKEN_RATE,
    "1": quantity.FRACTION,
    "ratio": quantity.RATIO,
    "kg": quantity.CARBON,
    "kg/J": quantity.CARBON_PER_JOULE,
    "parameter": quantity.PARAMS,
}
"""Kind of quantity by the SI unit of a figure; other units are counts followed by their name."""

NOUNS = frozenset({"sequence", "clip", "chip", "step", "evaluation"})
"""Units that are things, which take a plural."""

LABELS = {
    "time": "time",
    "cost": "cost",
    "energy": "energy",
    "carbon": "emissions",
    "mfu": "MFU",
    "mfu_full": "MFU, full attention",
    "hfu": "HFU",
    "ttft": "time to first token (TTFT)",
    "tpot": "time per output token (TPOT)",
    "latency": "request latency",
    "output_rate": "output tokens/s",
    "output_rate_per_chip": "output tokens/s a chip",
    "total_rate": "input + output tokens/s",
    "cost_input": "cost of input",
    "cost_output": "cost of output",
    "energy_output": "energy of output",
    "prefill_mfu": "MFU of prefill",
    "prefill_mbu": "bandwidth used by prefill",
    "decode_mfu": "MFU of decode",
    "decode_mbu": "bandwidth used by decode",
    "decode_intensity": "arithmetic intensity of decode",
    "memory": "memory a chip",
    "largest_batch": "largest batch that fits",
    "largest_context": "largest context that fits",
    "tokens_per_second": "tokens/s",
    "tokens_per_second_per_chip": "tokens/s a chip",
    "step": "optimizer step",
    "flops": "FLOPs",
    "flops_2nd": "FLOPs by 2ND",
    "flops_6nd": "FLOPs by 6ND",
    "flops_exact": "FLOPs, exact attention",
    "flops_full": "FLOPs, full attention",
    "flops_hardware": "FLOPs executed",
    "cost_per_second": "cost of a second of video",
    "longest_gap": "longest gap between tokens",
    "cost_per_request": "cost of a request",
    "api_price": "an API asks",
    "clips_per_hour": "clips an hour",
    "images_per_hour": "images an hour",
    "seconds_per_second": "time for a second of video",
    "attention_share": "attention's share of FLOPs",
    "cost_per_clip": "cost of a caption",
    "api_cost": "cost at the API's price",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}
"""Words for figures whose name alone would not be understood."""


def label(name: str) -> str:
    """Words for a figure."""
    return LABELS.get(name, name.replace("_", " "))


def text(value: Any, unit: str) -> str:
    """A value with its unit, three significant figures; arrays as the span of their values.

    Examples
    --------
    >>> text(1.2e15, "FLOP"), text(None, "s"), text(3.0, "clip")
    ('1.20 PFLOP', 'unknown', '3 clips')
    """
    if value is None:
        return "unknown"
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return str(value)
    if array.ndim and array.size > 1:
        finite = array[np.isfinite(array)]
        if not finite.size:
            return "unknown"
        ends = [text(float(end), unit) for end in (finite.min(), finite.max())]
        return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    number = float(array.reshape(-1)[0])
    if not np.isfinite(number):
        return "unknown"
    if unit in KINDS:
        return show(number, KINDS[unit])
    plural = "s" if unit in NOUNS and number != 1 else ""
    return f"{show(number, quantity.COUNT)} {unit}{plural}".strip()


def whole(value: Any) -> str:
    """A whole number in full, with separators; a sweep as its span, a sweep of words as all of them.

    Examples
    --------
    >>> whole(16384), whole(np.array(["none", "full", "none"]))
    ('16,384', 'full or none')
    """
    array = np.asarray(value)
    if array.dtype.kind == "U":
        return " or ".join(sorted(set(array.ravel().tolist())))
    ends = [f"{end:,.0f}" for end in (array.min(), array.max())]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def bracket(low: Any, high: Any, unit: str) -> str:
    """The bracket of a figure, empty if there is none."""
    if low is None or high is None:
        return ""
    return f"{text(low, unit)} to {text(high, unit)}"


NUMBER = re.compile(r"(\$?[\d.,e+-]+[kMBT]?)(.*)")
"""A number with its magnitude, which is never left out, and its unit."""


def interval(low: float, high: float, unit: str) -> str:
    """The ends of an interval, the unit once where it is the same.

    Examples
    --------
    >>> interval(0.0107, 0.0274, "s"), interval(0.5, 70.0, "s"), interval(9.8e-8, 2.5e-7, "USD/token")
    ('10.7 to 27.4 ms', '500 ms to 1.17 min', '$0.0980 to $0.250/1M tokens')
    >>> interval(5.93e7, 9.75e7, "USD"), interval(856.0, 1880.0, "token/s")
    ('$59.3M to $97.5M', '856 to 1.88k tok/s')
    """
    ends = [text(low, unit), text(high, unit)]
    parts = [NUMBER.fullmatch(end) for end in ends]
    if parts[0] and parts[1] and parts[0][2] == parts[1][2]:
        return f"{parts[0][1]} to {ends[1]}"
    return " to ".join(ends)
