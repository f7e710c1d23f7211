"""Networks that make a clip and its sound together."""

from __future__ import annotations

from dataclasses import dataclass

from costline.errors import InputError
from costline.models.dit import DiT
from costline.numeric import Numeric

FRAMES_PER_SECOND = 24
"""Frame rate the pipelines of LTX-2 and MiniMax-H3 assume where none is stated. [frame/s]"""


@dataclass(frozen=True, kw_only=True)
class AudioVideoDiT(DiT):
    """A network with an ``audio`` stream, as long as the clip unless ``audio=`` states its tokens.

    Attributes
    ----------
    audio_per_second : float
        Audio tokens of a second. [token/s]
    """

    audio_per_second: float

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation; see `DiT.streams`."""
        lengths.setdefault("audio", (frames / FRAMES_PER_SECOND * self.audio_per_second + 0.5) // 1)
        return DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **lengths)

    def token_streams(self, tokens: Numeric, *, batch: Numeric = 1, **lengths: Numeric) -> dict[str, Numeric]:
        """Token counts for one evaluation; see `DiT.token_streams`.

        Raises
        ------
        InputError
            Where ``audio`` is not stated: latent tokens alone do not say how long the clip is.
        """
        if "audio" not in lengths:
            raise InputError(f"{self.name}: the audio is as long as the clip: state its frames, height and width")
        return DiT.token_streams(self, tokens, batch=batch, **lengths)
