"""Encoders that condition a generator: text (T5, CLIP, a language model's trunk) and images (ViT)."""

from __future__ import annotations

from dataclasses import dataclass

from costline.models.network import Network
from costline.numeric import Numeric


@dataclass(frozen=True, kw_only=True)
class Encoder(Network):
    """An encoder; its only stream besides ``sample`` is ``tokens``."""

    def streams(self, *, tokens: Numeric, batch: Numeric = 1) -> dict[str, Numeric]:
        """Token counts of one forward pass."""
        return {"sample": 1, "tokens": tokens, "batch": batch}
