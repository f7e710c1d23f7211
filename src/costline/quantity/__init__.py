"""Reading and printing what people type: ``400B``, ``3.35 TB/s``, ``$2.49/gpu-hour``, ``80 GiB``, ``400B to 600B``.

Inside costline every quantity is a float in its SI unit. A field states its `Kind`, and the kind decides what a suffix
means: ``B`` is billion in a number of parameters and byte in a memory size. Text that could mean two things is refused
with both.
"""

from costline.quantity.flags import read_flag
from costline.quantity.kinds import (
    AREA,
    BANDWIDTH,
    BYTES,
    CARBON,
    CARBON_PER_JOULE,
    COUNT,
    DOLLARS,
    DOLLARS_PER_JOULE,
    DOLLARS_PER_SECOND,
    DOLLARS_PER_TOKEN,
    DOLLARS_PER_VIDEO_SECOND,
    FLOP,
    FLOP_RATE,
    FRACTION,
    FREQUENCY,
    JOULES,
    JOULES_PER_BYTE,
    JOULES_PER_FLOP,
    JOULES_PER_TOKEN,
    KINDS,
    LINK_BANDWIDTH,
    PARAMS,
    RATIO,
    REQUEST_RATE,
    SECONDS,
    TOKEN_RATE,
    TOKENS,
    WATTS,
    Kind,
    Scale,
)
from costline.quantity.ranges import Range, exact_range, read_range, show_range
from costline.quantity.reading import read, read_duration
from costline.quantity.shapes import read_fleet, read_resolution
from costline.quantity.writing import column_scale, exact, show

__all__ = [
    "AREA",
    "BANDWIDTH",
    "BYTES",
    "CARBON",
    "CARBON_PER_JOULE",
    "COUNT",
    "DOLLARS",
    "DOLLARS_PER_JOULE",
    "DOLLARS_PER_SECOND",
    "DOLLARS_PER_TOKEN",
    "DOLLARS_PER_VIDEO_SECOND",
    "FLOP",
    "FLOP_RATE",
    "FRACTION",
    "FREQUENCY",
    "JOULES",
    "JOULES_PER_BYTE",
    "JOULES_PER_FLOP",
    "JOULES_PER_TOKEN",
    "KINDS",
    "LINK_BANDWIDTH",
    "PARAMS",
    "RATIO",
    "REQUEST_RATE",
    "SECONDS",
    "TOKENS",
    "TOKEN_RATE",
    "WATTS",
    "Kind",
    "Range",
    "Scale",
    "column_scale",
    "exact",
    "exact_range",
    "read",
    "read_duration",
    "read_flag",
    "read_fleet",
    "read_range",
    "read_resolution",
    "show",
    "show_range",
]
