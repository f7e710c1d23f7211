"""What samples of training are: text of one length or a curriculum of lengths, clips of one size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from costline import quantity, resolve
from costline.errors import InputError, QuantityError
from costline.estimate import Assumption
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.network import Network
from costline.report.values import whole
from costline.studies.train import Stretch, sample_tokens

USUAL_SEQUENCE = 4096
"""Tokens of a sample where nobody says."""
USUAL_RESOLUTION = "720p"
"""Size of a clip where only its frames are stated."""


class UsualClip(NamedTuple):
    """What a pipeline makes unless told otherwise; None where it does not say. [frame, pixel, pixel]"""

    frames: int | None = None
    height: int | None = None
    width: int | None = None


def read_stretches(
    network: Network, given: Mapping[str, Any], usual: UsualClip
) -> tuple[list[Stretch], list[Assumption]]:
    """The parts of a run, and a word on what nobody states.

    Parameters
    ----------
    network : Network
        What is trained.
    given : mapping
        ``sequence``, ``curriculum``, ``resolution`` and ``frames`` as for `costline.train`; None where nobody says.
    usual : UsualClip
        What the pipeline of the network makes.

    Raises
    ------
    InputError
        Two inputs that each say how long a sample is, or a size of clips for a network that reads text.
    """
    ways = [name for name in ("sequence", "curriculum", "resolution", "frames") if given[name] is not None]
    if len(ways) > 1 and ways != ["resolution", "frames"]:
        first, second = ways[:2]
        raise InputError(f"{first} {given[first]} and {second} {given[second]}: either says how long samples are")
    if set(ways) & {"resolution", "frames"} or (not ways and isinstance(network, DiT) and usual.width is not None):
        return _clips(network, given, usual)
    if given["curriculum"] is not None:
        return read_curriculum(given["curriculum"]), []
    if given["sequence"] is not None:
        length = resolve.number(given["sequence"], quantity.TOKENS, "sequence", least=1, whole=True)
        return [Stretch(sequence=length)], []
    stated = network.max_context if isinstance(network, Decoder) else None
    short = min(stated or USUAL_SEQUENCE, USUAL_SEQUENCE)
    note = Assumption(name="sequence", value=float(short), unit="token", kind="assumed (--sequence)")
    return [Stretch(sequence=short)], [note]


def _clips(network: Network, given: Mapping[str, Any], usual: UsualClip) -> tuple[list[Stretch], list[Assumption]]:
    """Clips of one size."""
    if not isinstance(network, DiT):
        raise InputError(f"{network.name} reads text: give --sequence, not a resolution")
    assumed = []
    if (size := given["resolution"]) is None:
        known = usual.width is not None and usual.height is not None
        size = f"{usual.width}x{usual.height}" if known else USUAL_RESOLUTION
        kind = "as the model generates (--resolution)" if known else "assumed (--resolution)"
        assumed.append(Assumption(name="resolution", value=size, kind=kind))
    width, height = quantity.read_resolution(size)
    if (frames := given["frames"]) is None:
        frames = usual.frames or 1
        kind = "assumed (--frames)" if usual.frames is None else "as the model generates (--frames)"
        assumed.append(Assumption(name="frames", value=whole(frames), kind=kind))
    count = resolve.number(frames, quantity.COUNT, "frames", least=1, whole=True)
    length = sample_tokens(network.streams(frames=count, height=height, width=width))
    return [Stretch(sequence=length, clip=(count, height, width))], assumed


def read_curriculum(written: str) -> list[Stretch]:
    """Read ``90%@32k, 10%@1M``: shares of the tokens at sequence lengths.

    Examples
    --------
    >>> [(row.share, row.sequence) for row in read_curriculum("90%@32k,10%@1M")]
    [(0.9, 32000), (0.1, 1000000)]
    """
    resolve.stated(written, str, "curriculum", "90%@32k, 10%@1M")
    stretches = []
    for piece in filter(None, (piece.strip() for piece in written[:2000].split(","))):
        share, at, length = piece.partition("@")
        if not at:
            raise QuantityError(f"curriculum entry {piece[:40]!r} is not of the form share@length, such as 90%@32k")
        stretches.append(
            Stretch(
                share=resolve.number(share, quantity.FRACTION, "curriculum share"),
                sequence=resolve.number(length, quantity.TOKENS, "curriculum length", least=1, whole=True),
            )
        )
    shares = sum(float(np.max(row.share)) for row in stretches)
    if not stretches or abs(shares - 1) > 1e-6:
        raise QuantityError(f"the shares of the curriculum {written[:60]!r} sum to {shares:.4g}, not to 1")
    return stretches
