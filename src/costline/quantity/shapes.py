"""Reading machines and pictures: ``8xh100-sxm`` and ``1280x720``."""

from __future__ import annotations

import re

from costline.errors import QuantityError
from costline.quantity.kinds import COUNT
from costline.quantity.reading import clean, parse, shown

MOST_CHIPS = 10_000_000
MOST_PIXELS = 65_536
"""Limits against slips of the finger: clusters have up to some 1e6 chips, pictures some 1e4 pixels a side."""

FLEET = re.compile(r"([0-9][0-9_,.]*(?:e[0-9]+)? ?(?:[kK]i?|M)?) ?[xX×*] ?([^ ].*)")
NAME = re.compile(r"[A-Za-z0-9_./~\\][A-Za-z0-9_./~\\+:-]*(?: [A-Za-z0-9_./~\\+:-]+)*")
NAMELESS = re.compile(r"[0-9_,.]* ?[xX×*]?|[0-9_,.]+ .*")
COUNT_AND_MORE = re.compile(r"[xX×*]? ?[0-9][0-9kKMGTBei_,. ]*[xX×*] ?[^ ].*|[xX×*] .*")
COUNT_AT_THE_END = re.compile(r".* [xX×*] ?[0-9][0-9_,.]*")
PILED = re.compile(r"[0-9][0-9_,.]*(?:e[0-9]+)? ?(?:[kKMGTB]i? ?){2,}(?:[xX×*] ?.*)?")
"""Text that is no count and a name, but two counts or a pile of magnitudes."""
SIDES = re.compile(r"([0-9]{1,9}) ?(?:[xX×*] ?([0-9]{1,9}))?")

HEIGHTS = {"360p": 640, "540p": 960, "720p": 1280, "900p": 1600, "1080p": 1920, "1440p": 2560, "2160p": 3840}
"""Width of each `p` name: 16:9 by definition, kept only where that is a whole number and no other width is in use."""

AMBIGUOUS = {
    "240p": ("426x240", "320x240"),
    "480p": ("832x480 (video models)", "854x480 (16:9)", "640x480 (4:3)"),
    "576p": ("1024x576 (16:9)", "720x576 (PAL)"),
    "2k": ("2560x1440", "2048x1080 (DCI)"),
    "4k": ("3840x2160 (UHD)", "4096x2160 (DCI)"),
    "8k": ("7680x4320 (UHD)", "8192x4320 (DCI)"),
}
"""Names in use for several sizes."""


def read_fleet(text: str) -> tuple[int, str]:
    """Read a number of chips and the name of the chip.

    Parameters
    ----------
    text : str
        ``8xh100-sxm``, ``16,384 x h100-sxm``, ``25kxa100-sxm-80gb``; a name alone is one chip.

    Returns
    -------
    count : int
        How many. [chip]
    name : str
        The name as typed; whether such a chip exists is for the catalogue to say.

    Examples
    --------
    >>> read_fleet("8xh100-sxm"), read_fleet("h100-sxm")
    ((8, 'h100-sxm'), (1, 'h100-sxm'))
    """
    tidy = clean(_text(text, "8xh100-sxm"), "8xh100-sxm")
    found = FLEET.fullmatch(tidy)
    number, name = found.groups() if found else ("1", tidy)
    if not NAME.fullmatch(name) or NAMELESS.fullmatch(name):
        raise QuantityError(f"{shown(text)} is not a number of chips; write count x name, e.g. 8xh100-sxm")
    if PILED.fullmatch(tidy):
        raise QuantityError(f"{shown(text)}: a number of chips has one magnitude, k or M; write e.g. 5kxh100-sxm")
    if COUNT_AND_MORE.fullmatch(name) or COUNT_AT_THE_END.fullmatch(name):
        raise QuantityError(f"{shown(text)} holds more than one number of chips; write one, e.g. 80xh100-sxm")
    count = parse(number, COUNT).value
    decimal = "." in number and number[-1].isdigit()  # 1.000 is a thousand to some
    if decimal or count.denominator != 1 or not 1 <= count <= MOST_CHIPS:
        raise QuantityError(
            f"{shown(text)}: the number of chips is whole, from 1 to {MOST_CHIPS:,}; write e.g. 8x{name}"
        )
    return int(count), name


def read_resolution(text: str | int) -> tuple[int, int]:
    """Read the size of a picture, width first.

    Parameters
    ----------
    text : str or int
        ``1280x720`` (also with ``×`` or ``*``), ``1024`` for a square, or a name: ``720p``, ``1080p``, ... Names in
        use for several sizes (``480p``, ``4k``) are refused with all of them.

    Returns
    -------
    width, height : int
        [pixel]

    Examples
    --------
    >>> read_resolution("720p"), read_resolution("832x480"), read_resolution("1024")
    ((1280, 720), (832, 480), (1024, 1024))
    """
    example = "1280x720, 720p or 1024"
    tidy = clean(str(text) if type(text) is int and abs(text) < 10**9 else _text(text, example), example).lower()
    if tidy in AMBIGUOUS:
        raise QuantityError(f"{shown(text)} is in use for {' and '.join(AMBIGUOUS[tidy])}; write the one you mean")
    if tidy in HEIGHTS:
        return HEIGHTS[tidy], int(tidy[:-1])
    sides = SIDES.fullmatch(tidy)
    if sides is None:
        raise QuantityError(f"{shown(text)} is not a resolution; write width x height, e.g. {example}")
    width, height = int(sides[1]), int(sides[2] or sides[1])
    if not (1 <= width <= MOST_PIXELS and 1 <= height <= MOST_PIXELS):
        raise QuantityError(f"{shown(text)}: each side is 1 to {MOST_PIXELS:,} pixels; write e.g. {example}")
    return width, height


def _text(text: object, example: str) -> str:
    if not isinstance(text, str):
        raise QuantityError(f"{type(text).__name__} is not text; write e.g. {example}")
    return text
